"""Inputs of the reference nets: masked pictures and their latents, the same in a request as in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.diffusion.latents import encode
from durian.diffusion.reference_net import ReferenceFeatures, ReferenceNet

if TYPE_CHECKING:
    from durian.diffusion.latents import Autoencoder
    from durian.diffusion.pipeline import DurianPipeline

HOLE_COLOUR = 0.0
"""Value of masked-out pixels, in [-1, 1]: mid-grey. The paper only says that picture and mask are multiplied."""


@dataclass(frozen=True)
class ReferenceInputs:
    """B masked pictures.

    ``latents``: ``(B, C, h, w)``. ``mask``: ``(B, 1, h, w)`` in [0, 1], 1 where a picture shows something.
    ``embedding``: ``(B, D)`` for a conditioner of kind ``clip``. ``keypoints``: ``(B, 3, S, S)`` in [0, 1] for nets
    that see them.
    """

    latents: Tensor
    mask: Tensor
    embedding: Tensor | None = None
    keypoints: Tensor | None = None

    @classmethod
    def of(
        cls,
        pipeline: DurianPipeline,
        pictures: np.ndarray | Tensor,
        masks: np.ndarray | Tensor,
        keypoints: np.ndarray | Tensor | None = None,
    ) -> ReferenceInputs:
        """Prepare pictures for a reference net, as far as no training changes the result.

        Args:
            pipeline: its autoencoder and, for a conditioner of kind ``clip``, its image encoder are used.
            pictures: ``(B, S, S, 3) uint8``.
            masks: ``(B, S, S) uint8``, 255 where they are shown.
            keypoints: ``(B, S, S, 3) uint8``.
        """
        drawn = () if keypoints is None else (keypoints,)
        there, where, *seen = pipeline.on_device(pictures, masks[..., None], *drawn)
        inside = pipeline.pixels(where)
        shown = masked(pipeline.pixels(there) * 2 - 1, inside)
        latents, small = encode_masked(pipeline.vae, shown, inside)
        is_clip = pipeline.conditioner.config.kind == "clip"
        embedding = _clip_embedding(pipeline, shown).to(latents) if is_clip else None
        return cls(latents, small, embedding, pipeline.pixels(seen[0]) if seen else None)

    def seen_by(self, net: ReferenceNet) -> ReferenceFeatures:
        """The features of the pictures in ARNet or PRNet, to which an embedding is one semantic token."""
        tokens = None if self.embedding is None else self.embedding[:, None]
        return net(self.latents, self.mask, tokens, None if net.keypoints is None else self.keypoints)


def masked(pixels: Tensor, inside: Tensor) -> Tensor:
    """A picture with what lies outside its mask taken away: ``Ĩ = I ⊙ M``, about :data:`HOLE_COLOUR`.

    Args:
        pixels: ``(N, 3, S, S)`` in [-1, 1].
        inside: ``(N, 1, S, S)`` in [0, 1].
    """
    return HOLE_COLOUR + (pixels - HOLE_COLOUR) * inside


def encode_masked(vae: Autoencoder, shown: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Latents ``(N, C, h, w)`` of pictures from :func:`masked`, and their masks at that size, ``(N, 1, h, w)``."""
    latents = encode(vae, shown)
    return latents, F.interpolate(inside, latents.shape[2:], mode="area")


def _clip_embedding(pipeline: DurianPipeline, pixels: Tensor) -> Tensor:
    """CLIP's image embeddings ``(B, D)`` of ``(B, 3, S, S)`` in [-1, 1]."""
    prepared = pipeline.image_processor(
        (pixels.float() / 2 + 0.5).clamp(0, 1).cpu(), do_rescale=False, return_tensors="pt"
    ).pixel_values
    return pipeline.image_encoder(prepared.to(pixels.device, pipeline.image_encoder.dtype)).image_embeds
