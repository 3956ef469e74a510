"""Training and pipeline agree: what two samples taught a tiny model, the pipeline makes of their references."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler
from training_made import made_batch

from durian.diffusion.conditioning import Conditioner
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.guider import KeypointGuider
from durian.diffusion.pipeline import AttributeReference, DurianPipeline
from durian.diffusion.presets import SCHEDULE
from durian.diffusion.reference_net import ReferenceNet
from durian.training.autoencoder_stage import AutoencoderSettings, AutoencoderStage
from durian.training.diffusion_stage import ImageStage
from durian.training.networks import start_alike
from durian.training.stage import Stage

SIDE, REPEATED = 32, 6
"""Pixels, and how often each sample's target is in a batch, with noise of its own."""
SHAPE = {
    "latent_channels": 8,
    "block_out_channels": (32, 48),
    "attention_levels": (True, True),
    "layers_per_block": 1,
    "num_attention_heads": 2,
    "norm_num_groups": 8,
}
GUIDER_CHANNELS = (8, 16, 16)
"""Two strides: a latent position is 4 pixels wide."""


def small_pipeline() -> DurianPipeline:
    """Three nets, folded pixels as in ``mini-256``; from nothing."""
    torch.manual_seed(0)
    net = {**SHAPE, "cross_attention_dim": None, "keypoint_channels": GUIDER_CHANNELS}
    pipeline = DurianPipeline(
        vae=AutoencoderKL(
            in_channels=48,
            out_channels=48,
            down_block_types=("DownEncoderBlock2D",),
            up_block_types=("UpDecoderBlock2D",),
            block_out_channels=(48,),
            layers_per_block=1,
            latent_channels=SHAPE["latent_channels"],
            norm_num_groups=8,
            mid_block_add_attention=False,
            scaling_factor=1.0,
        ),
        attribute_reference_net=ReferenceNet(**net),
        portrait_reference_net=ReferenceNet(**net),
        denoiser=Denoiser(**SHAPE, cross_attention_dim=32, motion_num_attention_heads=2, motion_max_frames=4),
        guider=KeypointGuider(SHAPE["block_out_channels"][0], GUIDER_CHANNELS),
        conditioner=Conditioner("pooled", 32, 48, 48, tokens=2),
        scheduler=DDIMScheduler(**SCHEDULE),
        size=SIDE,
        steps=6,
        guidance_scale=1.0,
        window=4,
        overlap=1,
    )
    pipeline.set_progress_bar_config(disable=True)
    start_alike(pipeline)
    return pipeline


def two_samples() -> dict[str, object]:
    """Smooth pictures; both samples have the same keypoints, so that only references say what is to be made."""
    batch = made_batch(2, 1, seed=4, size=SIDE)
    random = torch.Generator().manual_seed(2)
    for name in ("attribute", "portrait"):
        coarse = torch.rand((2, 3, 4, 4), generator=random)
        smooth = torch.nn.functional.interpolate(coarse, SIDE, mode="bicubic").clamp(0, 1)
        batch[name] = (255 * smooth).byte().permute(0, 2, 3, 1)
    batch["attribute_mask"][:] = batch["hole"]
    worn = batch["hole"][..., None] == 255
    batch["targets"] = torch.where(worn, batch["attribute"], batch["portrait"])[:, None]
    batch["keypoints"][1] = batch["keypoints"][0]
    return batch


def trained(stage: Stage, batch: dict[str, object], steps: int, rate: float) -> list[float]:
    """The losses of some steps with AdamW, its rate falling."""
    optimiser = torch.optim.AdamW(stage.train().trainable(), rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.1)
    losses = []
    for step in range(steps):
        total = stage(batch, torch.Generator().manual_seed(step), step)["total"]
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(stage.trainable(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(float(total.detach()))
    stage.eval()
    return losses


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR in dB of uint8 pictures."""
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))


def test_two_samples_are_learned_by_heart_and_the_pipeline_knows_them():
    """Autoencoder, then image stage; the frames sampled from each sample's references are its target's, in 6 steps."""
    pipeline, batch = small_pipeline(), two_samples()
    autoencoder = AutoencoderStage(pipeline, AutoencoderSettings(crop=SIDE))
    trained(autoencoder, batch, 120, 5e-3)
    pipeline = autoencoder.pipeline(0)
    repeated = {
        name: value.repeat_interleave(REPEATED, 1) if name in ("targets", "keypoints", "inside") else value
        for name, value in batch.items()
    }
    stage = ImageStage(pipeline)
    losses = trained(stage, repeated, 200, 3e-3)
    print("losses", np.array(losses).reshape(-1, 20).mean(1).round(3))
    assert np.mean(losses[-20:]) < 0.35 * np.mean(losses[:20])
    pipeline = stage.pipeline(200)
    targets = batch["targets"][:, 0].numpy()
    for row in range(2):
        one = {name: value[row].numpy() for name, value in batch.items() if isinstance(value, torch.Tensor)}
        worn = AttributeReference(one["attribute"], one["attribute_mask"], keypoints=one["attribute_keypoints"])
        pipeline.set_references(one["portrait"], one["hole"], [worn], portrait_keypoints=one["portrait_keypoints"])
        (frame,) = pipeline(one["keypoints"], seed=row).frames
        encoded = pipeline.pixels(targets[row : row + 1]) * 2 - 1
        from durian.diffusion.latents import encode

        with torch.no_grad():
            (restored,) = pipeline.decode(encode(pipeline.vae, encoded))
        print(f"sample {row}: {likeness(frame, targets[row]):.1f} dB, autoencoder alone "
              f"{likeness(restored, targets[row]):.1f}, the other's {likeness(frame, targets[1 - row]):.1f}")
        assert likeness(frame, targets[row]) > 20
        assert likeness(frame, targets[row]) > likeness(frame, targets[1 - row]) + 6
