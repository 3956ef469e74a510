"""Inputs of the reference nets: masked pictures and their latents, the same in a request as in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.diffusion.conditioning import Conditioner
from durian.diffusion.latents import encode
from durian.diffusion.reference_net import ReferenceFeatures, ReferenceNet

if TYPE_CHECKING:
    from durian.diffusion.latents import Autoencoder

HOLE_COLOUR = 0.0
"""What masked-out pixels become, in [-1, 1]: mid-grey. The paper only says that picture and mask are multiplied."""


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

    def seen_by(self, net: ReferenceNet, conditioner: Conditioner, of: str) -> ReferenceFeatures:
        """A reference net's features of the pictures.

        Args:
            net: ARNet or PRNet.
            conditioner: the model's.
            of: ``"attribute"`` or ``"portrait"``: whose semantic tokens the net sees.
        """
        tokens = None
        if self.embedding is not None:
            tokens = getattr(conditioner, f"for_{of}_net")(self.embedding)
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
