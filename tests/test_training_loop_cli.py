"""``durian train diffusion`` from the command line."""

from __future__ import annotations

import json

import pytest
from training_loop_made import drawn_clips

from durian.cli.main import BAD_REQUEST, main
from durian.media import read_image

RECIPE = """
preset = "mini-64"
[image]
steps = 5
batch = 2
micro_batch = 2
rate = 1e-3
precision = "float32"
[running]
workers = 0
[validation]
every = 0
held_out = 0.0
"""


@pytest.fixture
def typed(tmp_path):
    """The arguments that every case shares."""
    drawn_clips(tmp_path / "clips")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    clips = ["--clips", str(tmp_path / "clips"), "--out", str(tmp_path / "out")]
    return ["train", "diffusion", "--recipe", str(recipe), *clips, "--device", "cpu", "--json"]


def test_steps_are_made_and_the_model_is_reported(typed, tmp_path, capsys):
    assert main([*typed, "--steps", "1"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    model = str(tmp_path / "out" / "image" / "model")
    assert report == {"model": model, "stage": "image", "step": 1, "steps": 1, "stopped": "at its end"}
    index = json.loads((tmp_path / "out" / "image" / "model" / "model_index.json").read_text())
    assert index["trained_steps"] == 1


def test_a_batch_can_be_looked_at_first(typed, tmp_path, capsys):
    sheet = tmp_path / "batch.png"
    assert main([*typed, "--show-batch", str(sheet)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"sheet": str(sheet), "samples": 2}
    assert read_image(sheet).std() > 10
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_is_one_sentence(typed, capsys):
    for wrong, told in (
        (["--steps", "0"], "0 cannot be --steps: give a"),
        (["--stage", "temporal"], "no stage temporal"),
    ):
        assert main([*typed, *wrong]) == BAD_REQUEST
        assert told in capsys.readouterr().err
