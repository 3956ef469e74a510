"""Whole training runs: bit-exact resumption, stopping in time, folders of one recipe, checkpoints that are models."""

from __future__ import annotations

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from training_loop_made import drawn_clips, recipe

from durian.diffusion.find_model import read_model
from durian.diffusion.load import open_pipeline
from durian.errors import InvalidRequest, OutputFailed, WeightsMissing
from durian.training.recipe import AutoencoderRecipe, DiffusionRecipe, Running, ValidationRecipe
from durian.training.run.checkpoints import latest, open_model
from durian.training.run.logbook import read_log
from durian.training.run.loop import train
from durian.training.run.stage_factory import make_samples
from durian.training.run.validation import predicted, validate
from durian.training.stages.autoencoder import AutoencoderSettings

LOOKED_AT = ValidationRecipe(every=3, samples=1, held_out=0.0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return drawn_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def whole(clips, tmp_path_factory):
    """Six steps at once, and the folder."""
    out = tmp_path_factory.mktemp("whole")
    return train(recipe(validation=LOOKED_AT), clips, out, device="cpu"), out


def stop_after(steps: int):
    def on_step(done: int, total: int) -> None:
        if done == steps:
            signal.raise_signal(signal.SIGTERM)

    return on_step


def checkpoint(folder, step: int) -> dict[str, object]:
    """Weights, optimiser, average and random numbers."""
    place = folder / "checkpoints" / f"{step:07d}"
    parts: dict[str, object] = dict(load_file(place / "model.safetensors"))
    for name in ("optimizer.bin", "custom_checkpoint_0.pkl", "random_states_0.pkl"):
        parts[name] = torch.load(place / name, weights_only=False)
    return parts


def equal(first: object, second: object) -> bool:
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(value, second[name]) for name, value in first.items())
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(equal(*pair) for pair in zip(first, second))
    return first == second


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(clips, whole, tmp_path):
    made = recipe(validation=LOOKED_AT)
    half = train(made, clips, tmp_path, device="cpu", on_step=stop_after(2))
    assert (half.step, half.steps, half.stopped) == (2, 6, "signal")
    assert latest(tmp_path / "image") == 2
    done = train(made, clips, tmp_path, device="cpu")
    assert (done.step, done.stopped) == (6, None)
    ours, theirs = checkpoint(tmp_path / "image", 6), checkpoint(whole[1] / "image", 6)
    assert len(ours) > 100
    different = [name for name, value in ours.items() if not equal(value, theirs[name])]
    assert different == []
    assert not equal(ours, checkpoint(tmp_path / "image", 2))
    losses = [[line["total"] for line in read_log(out / "image") if "total" in line] for out in (tmp_path, whole[1])]
    assert losses[0] == losses[1]
    scores = [
        [line["psnr_all"] for line in read_log(out / "image") if "psnr_all" in line] for out in (tmp_path, whole[1])
    ]
    assert scores[0] == scores[1]
    assert len(scores[0]) == 3


def test_nothing_is_done_twice(clips, whole):
    again = train(recipe(validation=LOOKED_AT), clips, whole[1], device="cpu", on_step=stop_after(1))
    assert again == whole[0]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_limit_of_time_leaves_a_checkpoint(clips, tmp_path):
    trained = train(recipe(), clips, tmp_path, device="cpu", max_minutes=1e-6)
    assert (trained.step, trained.stopped) == (1, "time")
    assert latest(tmp_path / "image") == 1
    assert read_model(trained.model).trained_steps == 1


def test_a_folder_belongs_to_its_recipe(clips, whole):
    with pytest.raises(InvalidRequest, match=r"another recipe \(image.rate was 0.001, is 0.002\): .*--from"):
        train(recipe(validation=LOOKED_AT, rate=2e-3), clips, whole[1], device="cpu")
    # How it is run is nobody's business.
    train(recipe(Running(workers=0, report_every=1), LOOKED_AT), clips, whole[1], device="cpu")


def test_only_the_latest_checkpoints_stay(clips, tmp_path):
    made = recipe(Running(workers=0, keep_every=1, keep=2), steps=4)
    train(made, clips, tmp_path, device="cpu")
    kept = sorted(path.name for path in (tmp_path / "image" / "checkpoints").iterdir())
    assert kept == ["0000003", "0000004"]


def test_a_checkpoint_that_cannot_be_written_leaves_those_before(clips, whole, tmp_path, monkeypatch):
    made = recipe(Running(workers=0, keep_every=1), steps=3)
    train(made, clips, tmp_path, device="cpu", on_step=stop_after(1))
    before = checkpoint(tmp_path / "image", 1)

    def full(self, folder):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Accelerator, "save_state", full)
        with pytest.raises(OutputFailed, match=r"step 2 could not be written.*No space"):
            train(made, clips, tmp_path, device="cpu")
    assert latest(tmp_path / "image") == 1
    assert equal(before, checkpoint(tmp_path / "image", 1))
    assert train(made, clips, tmp_path, device="cpu").step == 3


def test_a_light_checkpoint_is_a_model_that_the_app_opens(clips, whole):
    trained, _ = whole
    found = read_model(trained.model)
    assert (found.preset, found.size, found.trained_steps) == ("mini-64", 64, 6)
    opened = open_pipeline(found)
    assert opened.config.training == {"steps": {"image": 6}}
    # Its frames are those that validation saw, but for half precision.
    made = recipe(validation=LOOKED_AT)
    samples = [make_samples("image", clips, made, for_validation=True)[0]]
    score = validate(opened, samples, "image", made.validation.seed).scores["psnr_all"]
    logged = [line["psnr_all"] for line in read_log(trained.model.parent) if "psnr_all" in line][-1]
    assert score == pytest.approx(logged, abs=0.05)


def test_what_is_kept_is_the_average_and_not_the_last_weights(whole):
    trained, out = whole
    last = checkpoint(out / "image", 6)
    name = "unet.conv_in.weight"
    kept = load_file(trained.model / "denoiser" / "diffusion_pytorch_model.safetensors")[name].float()
    averages = [one for one in last["custom_checkpoint_0.pkl"]["shadow_params"] if one.shape == kept.shape]
    off = min(float((kept - one).abs().max()) for one in averages)
    assert off < 1e-4 < float((kept - last[f"components.denoiser.{name}"]).abs().max())


def test_training_goes_on_from_a_light_checkpoint(clips, whole, tmp_path):
    trained, _ = whole
    made = recipe(steps=2, rate=1e-9, average=0.0)
    after = train(made, clips, tmp_path, start=trained.model, device="cpu")
    assert read_model(after.model).trained_steps == 2
    sample = make_samples("image", clips, made)[0]
    frames = [predicted(open_model(model), sample, seed=1).astype(int) for model in (trained.model, after.model)]
    assert np.abs(frames[0] - frames[1]).max() <= 2
    with pytest.raises(InvalidRequest, match=f"no model in {tmp_path}"):
        train(made, clips, tmp_path / "other", start=tmp_path, device="cpu")


def test_stages_build_on_each_other(clips, tmp_path):
    image = replace(recipe().image, steps=2)
    autoencoder = AutoencoderRecipe(2, 2, 2, 1e-3, average=0.0, precision="float32", loss=AutoencoderSettings(crop=64))
    temporal = DiffusionRecipe(1, 1, 1, 1e-3, frames=3, precision="float32")
    made = replace(recipe(), autoencoder=autoencoder, image=image, temporal=temporal)
    with pytest.raises(InvalidRequest, match="Stage image goes on from stage autoencoder"):
        train(made, clips, tmp_path, stages=["image"], device="cpu")
    done = train(made, clips, tmp_path, device="cpu")
    assert (done.stage, done.model) == ("temporal", tmp_path / "temporal" / "model")
    with pytest.raises(WeightsMissing, match="never trained"):
        read_model(tmp_path / "autoencoder" / "model")
    models = {name: open_model(tmp_path / name / "model") for name in made.stages}
    assert models["temporal"].config.training == {"steps": {"autoencoder": 2, "image": 2, "temporal": 1}}
    assert models["temporal"].config.trained_steps == 3
    factors = {name: model.vae.config.scaling_factor for name, model in models.items()}
    assert factors["image"] == factors["temporal"] == pytest.approx(factors["autoencoder"]) != 1
    moved = {
        name: part.state_dict() for name, part in models["temporal"].components.items() if hasattr(part, "state_dict")
    }
    for name, tensors in moved.items():
        before = getattr(models["image"], name).state_dict()
        changed = [key for key, tensor in tensors.items() if not torch.equal(tensor, before[key])]
        assert all("motion_modules" in key for key in changed)
        assert bool(changed) == (name == "denoiser")


def test_some_clips_must_be_left_to_learn_from(clips, tmp_path):
    made = recipe(validation=ValidationRecipe(every=1, samples=1, held_out=0.9999), steps=1)
    with pytest.raises(InvalidRequest, match="All 3 clips are held out"):
        train(made, clips, tmp_path, device="cpu")


def test_a_recipe_without_the_stage_says_what_it_has(clips, tmp_path):
    with pytest.raises(InvalidRequest, match="no stage temporal: it has image"):
        train(recipe(), clips, tmp_path, stages=["temporal"])


def test_the_claim_is_there_to_read(whole):
    claim = json.loads((whole[1] / "image" / "recipe.json").read_text())
    assert claim["image"]["batch"] == 4
    assert "running" not in claim
