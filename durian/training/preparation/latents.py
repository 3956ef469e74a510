"""Latents of a clip's frames, by the autoencoder of a model's folder."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from durian.clips import Encode
from durian.diffusion.latents import encode
from durian.errors import WeightsMissing
from durian.settings import get_settings

BATCH = 8
"""Frames that go through the autoencoder together."""


@lru_cache(maxsize=1)
def encoder_of(folder: Path) -> Encode:
    """The encoder of frames ``(N, S, S, 3) uint8`` into latents ``(N, C, h, w) float16``; once per process.

    Args:
        folder: of a whole model, whose autoencoder is in ``vae``, or of an autoencoder.

    Raises:
        WeightsMissing: there is no autoencoder.
    """
    from diffusers import AutoModel

    from durian.diffusion.cosine_autoencoder import CosineAutoencoder

    where = folder / "vae" if (folder / "vae").is_dir() else folder
    try:
        is_cosine = json.loads((where / "config.json").read_text())["_class_name"] == CosineAutoencoder.__name__
        kind = CosineAutoencoder if is_cosine else AutoModel
        vae = kind.from_pretrained(str(where), use_safetensors=True, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsMissing(f"{folder} holds no autoencoder: give a model's folder, or that of its vae.") from error
    vae = vae.to(get_settings().torch_device()).eval()

    @torch.no_grad()
    def encoded(frames: np.ndarray) -> np.ndarray:
        parts = []
        for chunk in torch.from_numpy(frames).split(BATCH):
            images = chunk.to(vae.device).permute(0, 3, 1, 2).to(vae.dtype) / 127.5 - 1
            parts.append(encode(vae, images).half().cpu())
        return torch.cat(parts).numpy()

    return encoded
