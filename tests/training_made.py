"""Batches of random pictures for tests of the training's stages, of the size of the tiny models."""

from __future__ import annotations

import numpy as np
import torch
from diffusion_made import SIZE, TOKEN_WIDTH, tiny_clip, tiny_pipeline, tiny_reference_net

from durian.diffusion.conditioning import Conditioner
from durian.diffusion.pipeline import DurianPipeline


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
