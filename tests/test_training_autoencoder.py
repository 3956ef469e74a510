"""The autoencoder's stage, small and real: its losses by hand, its crops, and the config it writes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from diffusion_made import SIZE
from training_made import made_batch, rows, small_pipeline, smooth_batch, trained

from durian.diffusion.latents import encode
from durian.training.stages.autoencoder import (
    AutoencoderSettings,
    AutoencoderStage,
    PatchDiscriminator,
    near_features,
    pyramid_loss,
)


def losses(stage: AutoencoderStage, batch: dict[str, object], step: int = 0, seed: int = 0) -> dict[str, torch.Tensor]:
    return stage(batch, torch.Generator().manual_seed(seed), step)


def test_the_pyramid_sees_details_and_not_levels():
    """A shift of all levels costs nothing; one-pixel stripes are wholly in the finest band, wide ones further down."""
    black, weight = torch.zeros(1, 3, 32, 32), torch.ones(1, 1, 32, 32)
    assert float(pyramid_loss(black + 0.5, black, weight)) == pytest.approx(0, abs=1e-6)
    stripes = (torch.arange(32) % 2 * 2.0 - 1).expand(1, 3, 32, 32)
    assert float(pyramid_loss(stripes, black, weight)) == pytest.approx(1, abs=1e-6)
    assert float(pyramid_loss(stripes, black, 3 * weight)) == pytest.approx(3, abs=1e-6)
    wide = (torch.arange(32) // 4 % 2 * 2.0 - 1).expand(1, 3, 32, 32)
    assert float(pyramid_loss(wide, black, weight)) > 1.1


def test_features_are_what_is_drawn_in_colours():
    drawn = torch.zeros(1, 3, 256, 256)
    drawn[:, :, 20, 20:60] = 150 / 255
    drawn[:, 2, 100, 100] = 1
    found = near_features(drawn)[0, 0]
    assert found.sum() == 81
    assert found[96:105, 96:105].all()


@torch.no_grad()
def test_the_losses_are_those_of_the_pictures():
    """Whole pictures, no noise in the latents: the mean absolute error of decoding what was encoded."""
    pipeline, batch = small_pipeline(), smooth_batch()
    stage = AutoencoderStage(pipeline, AutoencoderSettings(crop=SIZE, pyramid=0.5, kl=0.0)).train()
    pipeline.vae.quant_conv.weight[8:].zero_()
    pipeline.vae.quant_conv.bias[8:] = -30  # log variances
    pictures = batch["targets"][:, 0].permute(0, 3, 1, 2) / 127.5 - 1
    shown = (batch["portrait"].permute(0, 3, 1, 2) / 127.5 - 1) * (1 - batch["hole"][:, None] / 255)
    pictures = torch.cat([pictures, shown])
    latents = pipeline.vae.encode(F.pixel_unshuffle(pictures, 4)).latent_dist.mean
    restored = F.pixel_shuffle(pipeline.vae.decode(latents).sample, 4)
    found = losses(stage, batch)
    absolute = float((restored - pictures).abs().mean())
    assert float(found["absolute"]) == pytest.approx(absolute, rel=1e-4)
    pyramid = float(pyramid_loss(restored, pictures, torch.ones(4, 1, SIZE, SIZE)))
    assert float(found["total"]) == pytest.approx(absolute + 0.5 * pyramid, rel=1e-4)


def test_crops_lie_anywhere_and_weigh_features():
    stage = AutoencoderStage(small_pipeline(), AutoencoderSettings(crop=8, features=2.0))
    batch = made_batch(40, 1)
    across = torch.arange(SIZE, dtype=torch.uint8)[None, None, :, None].expand(40, SIZE, SIZE, 3)[:, None]
    batch["targets"] = across.reshape(40, 1, SIZE, SIZE, 3).contiguous()
    batch["keypoints"][:] = 0
    batch["portrait_keypoints"][:] = torch.tensor([255, 0, 0], dtype=torch.uint8)
    crops, weight = stage._crops(batch, torch.Generator().manual_seed(0))
    lefts = ((crops[:40, 0, 0, 0] + 1) * 127.5).round().long()
    assert set(lefts.tolist()) <= set(range(25))
    assert len(set(lefts.tolist())) > 15
    assert (weight[:40] == 1).all()
    assert (weight[40:] == 3).all()


def test_two_halves_give_the_gradient_of_the_whole():
    settings = AutoencoderSettings(crop=SIZE, kl=0.0)
    stage = AutoencoderStage(small_pipeline(), settings).double()
    with torch.no_grad():
        stage.vae.quant_conv.weight[8:].zero_()
        stage.vae.quant_conv.bias[8:] = -40  # log variances: no noise, which halves would draw differently
    batch = smooth_batch()

    def gradient(*parts: slice) -> torch.Tensor:
        stage.zero_grad()
        for part in parts:
            (losses(stage, rows(batch, part))["total"] / len(parts)).backward()
        return torch.cat([one.grad.flatten() for one in stage.vae.decoder.parameters()])

    whole = gradient(slice(0, 2))
    assert torch.allclose(gradient(slice(0, 1), slice(1, 2)), whole, atol=1e-5 * float(whole.abs().max()))


def test_the_discriminator_and_the_autoencoder_do_not_move_each_other():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(8)
    real, made = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32, requires_grad=True)
    own, believed = discriminator.losses(real, made)
    own.backward(retain_graph=True)
    assert made.grad is None
    assert all(float(one.grad.abs().max()) > 0 for one in discriminator.parameters() if one.ndim > 1)
    discriminator.zero_grad()
    believed.backward()
    assert float(made.grad.abs().max()) > 0
    assert all(one.grad is None or not one.grad.any() for one in discriminator.parameters())


def test_the_autoencoder_hears_the_discriminator_from_its_step_on():
    torch.manual_seed(0)
    settings = AutoencoderSettings(crop=SIZE, adversarial=0.5, adversarial_from=10)
    stage, batch = AutoencoderStage(small_pipeline(), settings).eval(), smooth_batch()
    before, after = losses(stage, batch, step=9), losses(stage, batch, step=10)
    heard = float((after["total"] - before["total"]).detach())
    assert heard == pytest.approx(0.5 * float(after["believed"]), abs=1e-5)
    assert abs(heard) > 1e-4
    assert {name.split(".")[0] for name, one in stage.named_parameters() if one.requires_grad} == {
        "components",
        "discriminator",
    }
    assert set(stage.averaged_modules()) == {"vae"}
    assert not any(one.requires_grad for one in stage.components["denoiser"].parameters())


def test_scaled_latents_have_a_spread_of_1():
    """After training, and by what training saw: the factor is in the config that a pipeline is saved with."""
    pipeline, batch = small_pipeline(), smooth_batch()
    stage = AutoencoderStage(pipeline, AutoencoderSettings(crop=SIZE))
    assert stage.pipeline(0).vae.config.scaling_factor == 1
    history = trained(stage, batch, 60, 5e-3)
    assert history[-1] < 0.5 * history[0]
    kept = stage.latent_moments.clone()
    losses(stage, batch)
    assert torch.equal(stage.latent_moments, kept)  # in eval mode nothing is counted
    stage.latent_moments.zero_()
    stage.train()
    with torch.no_grad():
        for seed in range(3):
            losses(stage, batch, seed=seed)
        vae = stage.pipeline(0).vae
        shown = (batch["portrait"].permute(0, 3, 1, 2) / 127.5 - 1) * (1 - batch["hole"][:, None] / 255)
        latents = encode(vae, torch.cat([batch["targets"][:, 0].permute(0, 3, 1, 2) / 127.5 - 1, shown]))
    assert float(latents.std(correction=0)) == pytest.approx(1, rel=1e-3)
