"""Batches of random pictures for tests of the training's stages, of the size of the tiny models."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler
from diffusion_made import SIZE, TOKEN_WIDTH, tiny_clip, tiny_pipeline, tiny_reference_net

from durian.diffusion.conditioning import Conditioner
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.guider import KeypointGuider
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.presets import SCHEDULE
from durian.diffusion.reference_net import ReferenceNet
from durian.training.stages.networks import start_alike
from durian.training.stages.stage import Stage

SMALL = {
    "latent_channels": 8,
    "block_out_channels": (32, 48),
    "attention_levels": (True, True),
    "layers_per_block": 1,
    "num_attention_heads": 2,
    "norm_num_groups": 8,
}
SMALL_GUIDER = (8, 16, 16)
"""Two strides: a latent position is 4 pixels wide."""


def made_batch(samples: int, frames: int, seed: int = 0, size: int = SIZE) -> dict[str, object]:
    """As a loader stacks samples."""
    random = np.random.default_rng(seed)

    def levels(*shape: int) -> torch.Tensor:
        return torch.from_numpy(random.integers(0, 256, (samples, *shape), dtype=np.uint8))

    def mask(*shape: int) -> torch.Tensor:
        return 255 * (levels(*shape, size // 8, size // 8) > 127).to(torch.uint8).repeat_interleave(
            8, -1
        ).repeat_interleave(8, -2)

    picture = (size, size, 3)
    return {
        "attribute": levels(*picture),
        "attribute_mask": mask(),
        "attribute_keypoints": levels(*picture),
        "portrait": levels(*picture),
        "hole": mask(),
        "portrait_keypoints": levels(*picture),
        "targets": levels(frames, *picture),
        "keypoints": levels(frames, *picture),
        "inside": mask(frames),
        "category": ["hair"] * samples,
        "drafts": levels(frames, *picture),
        "has_truth": [False] * samples,
        "clip": [f"clip {number}" for number in range(samples)],
    }


def rows(batch: dict[str, object], which: slice) -> dict[str, object]:
    """Some samples of a batch."""
    return {name: value[which] for name, value in batch.items()}


def tiny_clip_pipeline() -> DurianPipeline:
    """A pipeline that is conditioned by CLIP, as at the paper's scale."""
    encoder, processor = tiny_clip()
    parts = tiny_pipeline().components | {
        "image_encoder": encoder,
        "image_processor": processor,
        "conditioner": Conditioner("clip", TOKEN_WIDTH, TOKEN_WIDTH, TOKEN_WIDTH).eval(),
        "attribute_reference_net": tiny_reference_net(TOKEN_WIDTH, keypoints=False),
        "portrait_reference_net": tiny_reference_net(TOKEN_WIDTH, keypoints=False),
    }
    return DurianPipeline(**parts, size=SIZE, steps=2, window=4, overlap=2)


def small_pipeline() -> DurianPipeline:
    """Three nets, folded pixels as in ``mini-256``; from nothing."""
    torch.manual_seed(0)
    net = {**SMALL, "cross_attention_dim": None, "keypoint_channels": SMALL_GUIDER}
    pipeline = DurianPipeline(
        vae=AutoencoderKL(
            in_channels=48,
            out_channels=48,
            down_block_types=("DownEncoderBlock2D",),
            up_block_types=("UpDecoderBlock2D",),
            block_out_channels=(48,),
            layers_per_block=1,
            latent_channels=SMALL["latent_channels"],
            norm_num_groups=8,
            mid_block_add_attention=False,
            scaling_factor=1.0,
        ),
        attribute_reference_net=ReferenceNet(**net),
        portrait_reference_net=ReferenceNet(**net),
        denoiser=Denoiser(**SMALL, cross_attention_dim=32, motion_num_attention_heads=2, motion_max_frames=4),
        guider=KeypointGuider(SMALL["block_out_channels"][0], SMALL_GUIDER),
        conditioner=Conditioner("pooled", 32, 48, 48, tokens=2),
        scheduler=DDIMScheduler(**SCHEDULE),
        size=SIZE,
        steps=6,
        guidance_scale=1.0,
        window=4,
        overlap=1,
    )
    pipeline.set_progress_bar_config(disable=True)
    start_alike(pipeline)
    return pipeline


def smooth_batch() -> dict[str, object]:
    """Smooth pictures; both samples have the same keypoints, so that only references say what is to be made."""
    batch = made_batch(2, 1, seed=4, size=SIZE)
    random = torch.Generator().manual_seed(2)
    for name in ("attribute", "portrait"):
        coarse = torch.rand((2, 3, 4, 4), generator=random)
        smooth = torch.nn.functional.interpolate(coarse, SIZE, mode="bicubic").clamp(0, 1)
        batch[name] = (255 * smooth).byte().permute(0, 2, 3, 1)
    batch["attribute_mask"][:] = batch["hole"]
    worn = batch["hole"][..., None] == 255
    batch["targets"] = torch.where(worn, batch["attribute"], batch["portrait"])[:, None]
    batch["keypoints"][1] = batch["keypoints"][0]
    return batch


def trained(stage: Stage, batch: dict[str, object], steps: int, rate: float) -> list[float]:
    """The losses of some steps with AdamW, its rate falling."""
    optimiser = torch.optim.AdamW(stage.train().trainable(), rate, weight_decay=0.0, fused=True)
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
