"""What the benchmark counts and reports; how fast it is depends on the machine and is no matter of tests."""

from __future__ import annotations

import math

import pytest
import torch
from diffusion_made import tiny_pipeline

from durian.cli.main import main
from durian.diffusion.bench import _flops, guided_step, measure_speed, set_random_references
from durian.diffusion.lineage import lineage_pipeline


@pytest.fixture(scope="module")
def pipeline():
    made = tiny_pipeline()
    made.set_progress_bar_config(disable=True)
    return made


def test_flops_are_counted_as_two_for_each_product():
    layer = torch.nn.Linear(8, 16)
    assert _flops(lambda: layer(torch.ones(4, 8))) == 2 * 4 * 8 * 16


def test_attention_is_counted_on_a_cpu():
    query, key = torch.ones(1, 2, 5, 8), torch.ones(1, 2, 7, 8)
    counted = _flops(lambda: torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(query, key, key))
    assert counted == 2 * (2 * 5 * 7 * 8) * 2


def test_guidance_costs_more_than_half_and_the_lineage_more_than_that(pipeline):
    keypoints = torch.zeros(3, 32, 32, 3, dtype=torch.uint8).numpy()
    lineage = lineage_pipeline(pipeline)
    for one in (pipeline, lineage):
        set_random_references(one)
    plain, guided, lineages = (
        _flops(guided_step(one, keypoints, scale)) for one, scale in ((pipeline, 1), (pipeline, 3), (lineage, 3))
    )
    # Unconditional rows see no references, so guidance is less than twice the work.
    assert plain * 1.5 < guided < plain * 2 < lineages


def test_every_measurement_is_a_time_or_a_ratio(pipeline):
    found = measure_speed(pipeline, lineage_pipeline(pipeline), frames=3, repeats=1)
    assert all(math.isfinite(value) and value > 0 for value in found.values())
    assert found["speedup"] == pytest.approx(found["step_seconds_lineage"] / found["step_seconds"])


def test_an_unknown_preset_is_one_sentence(capsys):
    assert main(["bench", "diffusion", "--preset", "huge", "--device", "cpu"]) == 2
    assert "mini-256" in capsys.readouterr().err
