"""The image and the temporal stage with tiny real models: their inputs equal the pipeline's."""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusion_made import tiny_pipeline
from training_made import made_batch, rows, tiny_clip_pipeline

from durian.diffusion.latents import encode
from durian.diffusion.pipeline import AttributeReference
from durian.diffusion.prediction import Prediction
from durian.training.stages.diffusion import DiffusionSettings, DiffusionStage, Drawn, ImageStage, TemporalStage
from durian.training.stages.noise import Noise
from durian.training.stages.stage import Stage

SAMPLES = 4
LOST = {"nothing": (False, False), "attribute": (True, False), "both": (True, True)}
OFTEN = DiffusionSettings(drop_both=0.3, drop_attribute=0.3, drop_portrait=0.3)


def made_stage(kind: type[DiffusionStage], settings: DiffusionSettings = OFTEN, **options: object) -> DiffusionStage:
    return kind(tiny_pipeline(**options), settings).train()


def drawn_rows(drawn: Drawn, which: slice) -> Drawn:
    noise = Noise(drawn.noise.timesteps[which], drawn.noise.noise[which])
    return Drawn(noise, drawn.drop_attribute[which], drawn.drop_portrait[which])


def drawn_for(stage: DiffusionStage, frames: int, seed: int = 3) -> Drawn:
    """Numbers of :data:`SAMPLES` samples; two lose something and two do not."""
    drawn = stage.draw(SAMPLES, frames, torch.Generator().manual_seed(seed))
    lost = torch.tensor([False, True, False, True])
    return replace(drawn, drop_attribute=lost, drop_portrait=lost.roll(1) & lost | torch.tensor([0, 0, 0, 1]).bool())


def gradients(stage: Stage) -> dict[str, torch.Tensor]:
    return {name: one.grad.clone() for name, one in stage.named_parameters() if one.grad is not None}


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference, relative to the largest value."""
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-30))


# What training shows is what the pipeline shows


@torch.no_grad()
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("kind", [ImageStage, TemporalStage])
@pytest.mark.parametrize("made", ["pooled", "pooled, tokens outside left out", "clip", "drafts", "scaled"])
def test_the_prediction_is_the_pipelines(kind, lost, made):
    """Each sample of a batch against a request with its pictures; a lost attribute is a request without one, and
    without both pictures it is what guidance starts from."""
    torch.manual_seed(0)
    options = {"drop_outside_masks": "outside" in made, "drafts": made == "drafts", "scale_input": made == "scaled"}
    pipeline = tiny_clip_pipeline() if made == "clip" else tiny_pipeline(**options)
    stage = kind(pipeline)
    frames = 3 if kind is TemporalStage else 1
    batch = made_batch(2, frames)
    drawn = stage.draw(2, frames, torch.Generator().manual_seed(1))
    without_attribute, without_portrait = (torch.tensor([one, one]) for one in LOST[lost])
    drawn = replace(drawn, drop_attribute=without_attribute, drop_portrait=without_portrait)
    noisy = drawn.noise.noise.flatten(0, 1)
    with torch.enable_grad():  # the way of training, tokens joined
        draft = pipeline.encoded(batch["drafts"].flatten(0, 1)) if made == "drafts" else None
        found = stage.predict(batch, noisy, drawn, draft).unflatten(0, (2, frames))
    for row in range(2):
        one = {name: value[row].numpy() for name, value in batch.items() if isinstance(value, torch.Tensor)}
        worn = AttributeReference(one["attribute"], one["attribute_mask"], keypoints=one["attribute_keypoints"])
        attributes = () if lost == "attribute" else (worn,)
        pipeline.set_references(one["portrait"], one["hole"], attributes, portrait_keypoints=one["portrait_keypoints"])
        predict = Prediction(
            pipeline.denoiser,
            pipeline.conditioner,
            pipeline.encoded_references,
            pipeline.guide(one["keypoints"], frames),
            None,
            False,
            pipeline.encoded(one["drafts"]) if made == "drafts" else None,
            pipeline.scheduler.alphas_cumprod.sqrt() if made == "scaled" else None,
        )
        expected = predict(
            drawn.noise.noise[row], drawn.noise.timesteps[row, 0], [np.arange(frames)], 0.0 if lost == "both" else 1.0
        )
        assert error(found[row], expected) < 1e-4


@torch.no_grad()
def test_the_loss_is_that_of_latents_as_the_pipeline_encodes_them():
    stage = made_stage(ImageStage, DiffusionSettings(item_weight=2.0))
    batch, pipeline = made_batch(SAMPLES, 1), stage.pipeline(0)
    drawn = drawn_for(stage, 1)
    latents = encode(pipeline.vae, batch["targets"][:, 0].permute(0, 3, 1, 2) / 127.5 - 1)
    output = stage.predict(batch, stage.process.noisy(latents, drawn.noise), drawn)
    alpha = pipeline.scheduler.alphas_cumprod[drawn.noise.timesteps[:, 0]][:, None, None, None]
    noise = drawn.noise.noise[:, 0]
    velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * latents
    share = torch.nn.functional.avg_pool2d(batch["inside"].float() / 255, 8)[:, 0]
    weight = (1 + 2 * share) * (5 * (1 - alpha)).clamp(max=1)[:, 0]  # 1 / (SNR + 1) is 1 - ᾱ
    expected = (weight * (output - velocity).square().mean(1)).mean()
    assert float(stage.loss(batch, drawn)["total"]) == pytest.approx(float(expected), rel=1e-4)
    plain = made_stage(ImageStage, DiffusionSettings())
    assert float(plain.loss(batch, drawn)["total"]) < float(expected)


@torch.no_grad()
def test_with_drafts_what_is_learnt_is_the_difference():
    stage = made_stage(ImageStage, DiffusionSettings(), drafts=True)
    batch, drawn = made_batch(SAMPLES, 1), drawn_for(stage, 1)
    pipeline = stage.pipeline(0)
    difference = pipeline.encoded(batch["targets"][:, 0]) - (draft := pipeline.encoded(batch["drafts"][:, 0]))
    output = stage.predict(batch, stage.process.noisy(difference, drawn.noise), drawn, draft)
    expected = stage.process.loss(output, difference, drawn.noise)
    assert float(stage.loss(batch, drawn)["total"]) == pytest.approx(float(expected), rel=1e-5)
    # Its input is the draft, too.
    assert error(stage.predict(batch, drawn.noise.noise[:, 0], drawn, draft.roll(1, 0)), output) > 1e-3


# Samples do not touch each other


@pytest.mark.parametrize(("kind", "frames"), [(ImageStage, 1), (ImageStage, 3), (TemporalStage, 3)])
def test_a_row_of_a_batch_equals_the_row_alone(kind, frames):
    stage = made_stage(kind, drop_outside_masks=True)
    batch, drawn = made_batch(SAMPLES, frames), drawn_for(stage, frames)
    noisy = drawn.noise.noise.flatten(0, 1)
    together = stage.predict(batch, noisy, drawn).detach().unflatten(0, (SAMPLES, frames))
    losses = []
    for row in range(SAMPLES):
        which = slice(row, row + 1)
        alone = stage.predict(rows(batch, which), drawn.noise.noise[row], drawn_rows(drawn, which)).detach()
        assert error(together[row], alone) < 1e-5
        losses.append(float(stage.loss(rows(batch, which), drawn_rows(drawn, which))["total"].detach()))
    assert float(stage.loss(batch, drawn)["total"].detach()) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize(("kind", "frames"), [(ImageStage, 1), (TemporalStage, 3)])
def test_two_halves_give_the_gradient_of_the_whole(kind, frames):
    stage = made_stage(kind).double()
    batch, drawn = made_batch(SAMPLES, frames), drawn_for(stage, frames)
    stage.loss(batch, drawn)["total"].backward()
    whole = gradients(stage)
    stage.zero_grad()
    for which in (slice(0, 2), slice(2, 4)):
        (stage.loss(rows(batch, which), drawn_rows(drawn, which))["total"] / 2).backward()
    halves = gradients(stage)
    assert halves.keys() == whole.keys()
    largest = max(float(one.abs().max()) for one in whole.values())
    assert all(float((halves[name] - whole[name]).abs().max()) < 1e-9 * largest for name in whole)


# What trains


@pytest.mark.parametrize(("kind", "frames"), [(ImageStage, 1), (TemporalStage, 3)])
@pytest.mark.parametrize("checkpointing", [False, True], ids=["plain", "checkpointed"])
def test_gradients_reach_all_that_trains_and_nothing_else(kind, frames, checkpointing):
    stage = made_stage(kind)
    batch, drawn = made_batch(SAMPLES, frames), drawn_for(stage, frames)
    stage.loss(batch, drawn)["total"].backward()
    reached = gradients(stage)
    is_motion = {name: "motion_modules" in name for name, _ in stage.named_parameters()}
    frozen = ("components.vae", "components.image_encoder")
    expected = {
        name
        for name, motion in is_motion.items()
        if (motion if kind is TemporalStage else not motion and not name.startswith(frozen))
    }
    assert set(reached) == expected == {name for name, one in stage.named_parameters() if one.requires_grad}
    assert all(float(one.abs().max()) > 0 for one in reached.values())
    assert sum(one.numel() for one in stage.trainable()) == sum(one.numel() for one in reached.values())
    trained = {"denoiser"} if kind is TemporalStage else {name.split(".")[1] for name in expected}
    assert set(stage.averaged_modules()) == trained
    if checkpointing:
        stage.zero_grad()
        for part in stage.averaged_modules().values():
            if part._supports_gradient_checkpointing:
                part.enable_gradient_checkpointing()
        stage.loss(batch, drawn)["total"].backward()
        again = gradients(stage)
        assert all(error(again[name], one) < 1e-4 or float(one.abs().max()) < 1e-6 for name, one in reached.items())


@pytest.mark.parametrize("kind", [ImageStage, TemporalStage])
def test_what_does_not_train_stays_in_eval_mode(kind):
    stage = made_stage(kind)
    training = {name for name, part in stage.components.items() if part.training}
    assert training == set(stage.averaged_modules())
    assert not any(part.training for part in stage.eval().components.values())
    assert not stage.pipeline(7, {"steps": 7}).vae.training
    assert stage.pipeline(7, {"steps": 7}).config.trained_steps == 7


# Randomness, precision, memory


def test_a_step_can_be_repeated_and_references_are_lost_as_often_as_said():
    settings = DiffusionSettings(drop_both=0.1, drop_attribute=0.2, drop_portrait=0.05)
    stage, batch = made_stage(ImageStage, settings), made_batch(2, 1)
    first, again, other = (
        float(stage(batch, torch.Generator().manual_seed(seed), 0)["total"].detach()) for seed in (1, 1, 2)
    )
    assert first == again != other
    drawn = stage.draw(20_000, 1, torch.Generator().manual_seed(0))
    attribute, portrait = drawn.drop_attribute.float(), drawn.drop_portrait.float()
    assert float(attribute.mean()) == pytest.approx(0.1 + 0.9 * 0.2, abs=0.01)
    assert float(portrait.mean()) == pytest.approx(0.1 + 0.9 * 0.05, abs=0.01)
    assert float((attribute * portrait).mean()) == pytest.approx(0.1 + 0.9 * 0.2 * 0.05, abs=0.01)


@pytest.mark.parametrize(("kind", "frames"), [(ImageStage, 1), (TemporalStage, 3)])
def test_mixed_precision_is_close(kind, frames):
    stage = made_stage(kind)
    batch, drawn = made_batch(SAMPLES, frames), drawn_for(stage, frames)
    expected = float(stage.loss(batch, drawn)["total"].detach())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = stage.loss(batch, drawn)["total"]
    mixed.backward()
    assert mixed.dtype == torch.float32
    assert float(mixed.detach()) == pytest.approx(expected, rel=0.05)
    assert all(torch.isfinite(one).all() for one in gradients(stage).values())


def test_nothing_is_kept_from_one_step_to_the_next():
    stage = made_stage(TemporalStage)

    def alive() -> int:
        gc.collect()
        return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())

    counts = []
    for step in range(3):
        losses = stage(made_batch(2, 3), torch.Generator().manual_seed(step), step)
        losses["total"].backward()
        stage.zero_grad()
        del losses
        counts.append(alive())
    assert counts[1] == counts[2]
