"""Matting along a mask's outline: the item's share of each pixel."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import smoothstep
from durian.layers.fill import fill
from durian.layers.skin import colour_distance

APART = (18.0, 45.0)
"""Distance of the colours on both sides (levels, RGB) from which the picture is trusted more than the mask."""
SKIN_CONTRAST = (6.0, 16.0)
"""Colour distances (CIE Lab) from the face's skin between which a pixel counts as hair; blond hair on fair skin lies
about 20 away."""


def refined_matte(image: np.ndarray, mask: np.ndarray, band: float) -> np.ndarray:
    """Solve ``I = a F + (1 - a) B`` for ``a`` along a mask's outline.

    ``F`` continues the item's colours outwards, ``B`` the surroundings' inwards (push-pull). Where the two are alike
    the picture says nothing and the mask stays.

    Args:
        image: ``(h, w, 3) float32``.
        mask: ``(h, w) float32`` in [0, 1].
        band: half the width of the zone that is looked at, pixels.

    Returns:
        ``(h, w) float32`` in [0, 1]; equal to ``mask`` outside the zone.
    """
    if band < 1:
        return mask
    core = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    beyond = cv2.distanceTransform((mask <= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inside, outside = core > band, beyond > band
    if inside.sum() < 20 or outside.sum() < 20:
        return mask
    item = fill(image, (inside & (mask > 0.8)).astype(np.float32))
    behind = fill(image, (outside & (mask < 0.1)).astype(np.float32))
    difference = item - behind
    squared = (difference**2).sum(-1)
    share = np.clip(((image - behind) * difference).sum(-1) / np.maximum(squared, 1.0), 0, 1)
    # An item is not one colour: what lies half-way already belongs to it, and specks are not holes.
    share = cv2.GaussianBlur(smoothstep(share, 0.08, 0.65).astype(np.float32), (0, 0), 0.7)
    trust = smoothstep(np.sqrt(squared), *APART)
    zone = np.clip(2 - 2 * np.maximum(core, beyond) / band, 0, 1)
    return (mask + trust * zone * (share - mask)).astype(np.float32)


def without_forehead(image: np.ndarray, mask: np.ndarray, face: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """A mask of hair less what has the colour of the face's skin within the ``face`` ``(h, w) float32``.

    ``skin`` ``(h, w) float32`` marks pixels that surely show skin.
    """
    distance = colour_distance(image, fill(image, skin * (mask < 0.05)))
    return mask * (1 - face * (1 - smoothstep(distance, *SKIN_CONTRAST)))
