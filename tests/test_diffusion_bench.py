"""Counts and report of the benchmark; its times depend on the machine and are not tested."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from diffusion_made import GUIDER_CHANNELS, LATENT_CHANNELS, SHAPE, SIZE, TOKEN_WIDTH
from torch.nn.attention import SDPBackend, sdpa_kernel

from durian.cli.main import main
from durian.diffusion import bench
from durian.diffusion.presets import SCHEDULE, Preset
from durian.errors import InvalidRequest


@pytest.fixture(scope="module")
def tiny_preset() -> Preset:
    """The shape of ``tiny_pipeline``."""
    return Preset(
        name="tiny",
        size=SIZE,
        vae={
            "down_block_types": ("DownEncoderBlock2D",) * 4,
            "up_block_types": ("UpDecoderBlock2D",) * 4,
            "block_out_channels": (8, 8, 8, 16),
            "layers_per_block": 1,
            "latent_channels": LATENT_CHANNELS,
            "norm_num_groups": 4,
        },
        denoiser={
            **SHAPE,
            "cross_attention_dim": TOKEN_WIDTH,
            "motion_num_attention_heads": 2,
            "motion_max_frames": 8,
        },
        reference_net={**SHAPE, "cross_attention_dim": None, "keypoint_channels": GUIDER_CHANNELS},
        guider={"out_channels": SHAPE["block_out_channels"][0], "block_out_channels": GUIDER_CHANNELS},
        conditioner={"kind": "pooled", "token_width": TOKEN_WIDTH, "attribute_width": 32, "portrait_width": 32},
        scheduler=SCHEDULE,
    )


def test_the_benchmark_measures_what_it_says(tiny_preset, capsys):
    report = bench.bench_diffusion(tiny_preset, frames=2, steps=2, baseline_steps=3, repeats=1)
    numbers = {name: value for name, value in report.items() if not isinstance(value, (str, bool))}
    both = ("step_seconds", "peak_mb", "references_seconds", "decode_seconds", "end_to_end_seconds")
    assert {*both, *(f"{name}_baseline" for name in both)} <= numbers.keys()
    assert {"parameters", "speedup", "end_to_end_speedup", "flops_per_frame_step", "guider_seconds"} <= numbers.keys()
    assert {"unguided_step_seconds", "seconds_per_frame", "weights_mb", "threads"} <= numbers.keys()
    assert all(math.isfinite(value) and value > 0 for name, value in numbers.items() if name != "load")
    assert report["dtype"] == "float32"
    assert report["weights_mb"] == pytest.approx(4 * report["parameters"] / 1e6)
    assert report["weights_are_random"] is True
    assert report["baseline_end_to_end_is_extrapolated"] is True
    assert report["speedup"] == report["step_seconds_baseline"] / report["step_seconds"]
    references, step, decode = (report[f"{part}_seconds_baseline"] for part in ("references", "step", "decode"))
    assert report["end_to_end_seconds_baseline"] == pytest.approx(references + 3 * step + decode)
    # Unconditional rows see no references, so that guidance is less than twice the work.
    plain, guided = report["flops_per_frame_step"], report["flops_per_frame_guided_step"]
    assert plain * 1.5 < guided < plain * 2 < report["flops_per_frame_guided_step_baseline"]
    table = capsys.readouterr().err
    assert "Weights are random" in table
    assert f"{report['step_seconds']:.3f}" in table
    assert f"{report['step_seconds_baseline']:.3f}" in table


def test_a_step_can_be_that_of_a_compiled_denoiser(tiny_preset):
    # Of one level: looking through a denoiser takes the compiler seconds for each.
    level = {"block_out_channels": SHAPE["block_out_channels"][:1], "attention_levels": (True,)}
    nets = {name: {**getattr(tiny_preset, name), **level} for name in ("denoiser", "reference_net")}
    width = SHAPE["block_out_channels"][0]
    conditioner = {**tiny_preset.conditioner, "attribute_width": width, "portrait_width": width}
    measured = bench.Bench(bench.prepared(replace(tiny_preset, **nets, conditioner=conditioner), "cpu"), 2)
    measured.set_references()
    compiled = torch.compile(measured.pipeline.denoiser, backend="eager")
    calls = []
    compiled.register_forward_hook(lambda *_: calls.append(1))
    measured.step(denoiser=compiled)()
    assert calls


def test_a_product_with_its_addition_is_two_operations():
    layer = torch.nn.Linear(8, 16)
    assert bench.count_flops(lambda: layer(torch.ones(4, 8))) == 2 * 4 * 8 * 16


def test_operations_are_counted_in_the_cpu_s_attention_too():
    query, key = torch.randn(2, 3, 10, 8), torch.randn(2, 3, 7, 8)
    attend = torch.nn.functional.scaled_dot_product_attention
    with sdpa_kernel(SDPBackend.MATH):
        plain = bench.count_flops(lambda: attend(query, key, key))
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        assert bench.count_flops(lambda: attend(query, key, key)) == plain
    assert plain == 2 * 2 * 2 * 3 * 10 * 7 * 8


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"frames": 9}, "tiny takes 1 to 8"),
        ({"repeats": 0}, "choose 1 or more"),
        ({"device": "cuda"}, "No GPU was found"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(tiny_preset, options, sentence):
    if options.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InvalidRequest, match=sentence):
        bench.bench_diffusion(tiny_preset, **{"frames": 2} | options)


def test_medians_are_taken_in_turns():
    order = []
    found = bench.medians_in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 3
    assert found.keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [(["--preset", "huge"], "mini-256"), (["--preset", "mini-256", "--frames", "33"], "1 to 32")],
)
def test_the_command_line_says_what_is_wrong(options, sentence, capsys):
    assert main(["bench", "diffusion", "--device", "cpu", *options]) == 2
    assert sentence in capsys.readouterr().err
