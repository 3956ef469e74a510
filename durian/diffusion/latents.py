"""Encoding of pictures to latents and decoding, with diffusers' ``AutoencoderKL``, ``AutoencoderTiny`` for previews, or
the cosine transform (:class:`~durian.diffusion.cosine_autoencoder.CosineAutoencoder`).

An autoencoder of ``in_channels = 3 · p²`` works on pictures whose p x p pixel patches are folded into channels, so that
no convolution runs at full resolution; 3 is p = 1, the usual kind, 12 is p = 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.errors import InvalidRequest

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, AutoencoderTiny

    from durian.diffusion.cosine_autoencoder import CosineAutoencoder

    Autoencoder: TypeAlias = AutoencoderKL | AutoencoderTiny | CosineAutoencoder


def patch_size(vae: Autoencoder) -> int:
    """Pixels to a side of the patches that the autoencoder takes as one position.

    Raises:
        InvalidRequest: its input channels are not those of square patches of three colours.
    """
    channels = vae.config.in_channels
    patch = math.isqrt(channels // 3)
    if patch < 1 or 3 * patch * patch != channels:
        raise InvalidRequest(f"An autoencoder of {channels} input channels takes no pictures: use 3, 12, 48 or 192.")
    return patch


def latent_factor(vae: Autoencoder) -> int:
    """Pixels to a side of what becomes one latent position: the patch, doubled by every level after the first."""
    return patch_size(vae) * 2 ** (len(vae.config.block_out_channels) - 1)


def encode(vae: Autoencoder, images: Tensor) -> Tensor:
    """Latents of pictures: the posterior's mean, as the diffusion model sees it.

    Args:
        vae: on the device of ``images``.
        images: ``(N, 3, S, S)`` in [-1, 1]; S a multiple of :func:`latent_factor`.

    Returns:
        ``(N, C, S / factor, S / factor)`` in the autoencoder's dtype, times its scaling factor.

    Raises:
        InvalidRequest: S is no multiple of the factor.
    """
    factor = latent_factor(vae)
    height, width = images.shape[-2:]
    if height % factor or width % factor:
        raise InvalidRequest(f"A picture of {width} x {height} cannot be encoded: give sides of multiples of {factor}.")
    encoded = vae.encode(F.pixel_unshuffle(images.to(vae.dtype), patch_size(vae)))
    latents = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
    return latents * vae.config.scaling_factor


def decode(vae: Autoencoder, latents: Tensor, batch: int) -> Iterator[np.ndarray]:
    """Pictures of latents, one after another; no more than ``batch`` of them are in memory at a time.

    Args:
        vae: on the device of ``latents``.
        latents: ``(N, C, h, w)``, scaled.
        batch: how many go through the decoder together; does not change the pictures.

    Yields:
        ``(S, S, 3) uint8`` RGB, N times.
    """
    for chunk in latents.split(batch):
        yield from _decoded(vae, chunk)


@torch.no_grad()
def _decoded(vae: Autoencoder, latents: Tensor) -> np.ndarray:
    decoded = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor).sample
    images = F.pixel_shuffle(decoded, patch_size(vae)).float()  # N x 3 x S x S
    levels = (images * 127.5 + 127.5).clamp(0, 255).round().byte()
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
