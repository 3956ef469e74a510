"""The diffusion renderer from the command line: a run by a tiny model, and one sentence where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from durian.media import probe_video, read_metadata

pytestmark = pytest.mark.usefixtures("own_engine")

SMALL = ["--size", "128", "--frames", "3", "--json"]
DIFFUSION = ["--renderer", "diffusion"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from diffusion_made import tiny_pipeline

    folder = tmp_path_factory.mktemp("weights") / "tiny"
    tiny_pipeline(trained_steps=1).save_pretrained(folder)
    return folder


@pytest.fixture
def photo(tmp_path: Path, collins: np.ndarray) -> Path:
    path = tmp_path / "collins.png"
    Image.fromarray(collins).save(path)
    return path


def test_animate_with_a_model(run, settings_environment, model: Path, photo: Path, tmp_path: Path):
    settings_environment(weights=model)
    out = tmp_path / "out.mp4"
    sampling = ["--steps", "3", "--guidance", "1", "--sampler", "euler"]
    code, told, error = run("animate", "--portrait", photo, *DIFFUSION, *sampling, *SMALL, "-o", out)
    assert code == 0, error
    report = json.loads(told.strip().splitlines()[-1])
    assert (report["renderer"], report["frames"], report["width"]) == ("diffusion", 3, 128)
    assert probe_video(out).width == 128
    settings = read_metadata(out)["settings"]
    assert settings["renderer"] == "diffusion"
    assert settings["diffusion"] == {"steps": 3, "guidance_scale": 1, "sampler": "euler"}


def test_a_batch_chooses_for_each_row(run, settings_environment, model: Path, photo: Path, tmp_path: Path):
    settings_environment(weights=model)
    table = tmp_path / "table.csv"
    table.write_text("portrait,renderer,steps,guidance\ncollins.png,diffusion,1,1\ncollins.png,preview,,\n")
    code, told, _ = run("animate", "--batch", table, *SMALL)
    assert code == 0
    assert [row["renderer"] for row in json.loads(told)["done"]] == ["diffusion", "preview"]


@pytest.mark.parametrize(
    ("weights", "arguments", "words"),
    [
        ("empty", DIFFUSION, "No diffusion model is in empty/"),
        ("fresh", DIFFUSION, "never trained"),
        ("someone/not-there", DIFFUSION, "someone/not-there could not be fetched"),
        ("trained", [*DIFFUSION, "--steps", "0"], "from 1 to 100"),
        ("trained", [*DIFFUSION, "--guidance", "0"], "from 1 to 20"),
        ("trained", [*DIFFUSION, "--sampler", "magic"], "magic"),
    ],
)
def test_each_mistake_is_one_sentence(
    run, settings_environment, monkeypatch, tmp_path, photo, model, weights, arguments, words
):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "empty").mkdir()
    if weights == "fresh":
        (tmp_path / "fresh").mkdir()
        index = json.loads((model / "model_index.json").read_text()) | {"trained_steps": 0}
        for part in model.iterdir():
            (tmp_path / "fresh" / part.name).symlink_to(part)
        (tmp_path / "fresh" / "model_index.json").unlink()
        (tmp_path / "fresh" / "model_index.json").write_text(json.dumps(index))
    places = {"empty": tmp_path / "empty", "fresh": tmp_path / "fresh", "trained": model}
    settings_environment(weights=places.get(weights, weights))
    out = tmp_path / "out.mp4"
    code, told, error = run("animate", "--portrait", photo, *arguments, *SMALL, "-o", out)
    sentences = [line for line in error.splitlines() if line.startswith("durian: ")]
    assert (code, told, len(sentences)) == (2, "", 1)
    assert words in sentences[0]
    assert "Traceback" not in error
    assert not out.exists()
