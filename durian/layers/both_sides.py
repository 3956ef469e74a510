"""Share of a beard's effect that both halves of its owner's face show: hair grows on both, a shadow falls on one."""

from __future__ import annotations

import numpy as np

from durian.geometry.mesh import smoothstep
from durian.layers.completion.mirrored import FaceSurface
from durian.layers.fill import blurred, fill

EVEN_OVER = 0.12
"""Over which a beard is as dense on one side as on the other, in outer-eye distances: hairs are each their own."""
LEAST = 0.02
"""Share of skin that is hidden, below which nothing is to be evened out."""
ALIKE = 1.4
"""How much denser a beard may be on one side than on the other before it counts as shade."""
DENSE = (0.25, 0.45)
"""Share of the skin that is hidden on both sides, from which on a beard comes to be too dense for a shadow: a side that
its counterpart does not have is then a mask's fault, or its owner's."""
TOLD = (0.3, 0.9)
"""How well the counterpart shows, between which it comes to count: that of a turned face's far side says little."""


def on_both_sides(
    hidden: np.ndarray, density: np.ndarray, matte: np.ndarray, landmarks: np.ndarray, unit: float
) -> np.ndarray:
    """How much of a beard's effect stays where the other half of the face has less of it.

    Args:
        hidden: ``(h, w) float32`` in [0, 1], how much of the skin is hidden.
        density: ``(h, w) float32`` in [0, 1], 0 for stubble. Dense hair that a mask misses on the other side is hair
            all the same; stubble is a shadow then.
        matte: ``(h, w) float32`` in [0, 1], the beard.
        landmarks: ``(478, 3)`` pixels.
        unit: outer-eye distance in pixels.

    Returns:
        ``(h, w) float32`` in [0, 1]; beyond the face as beside it, and 1 where nothing tells.
    """
    height, width = matte.shape
    surface = FaceSurface.of(landmarks, max(height, width))
    inside = (slice(0, height), slice(0, width))
    near = np.maximum(blurred(matte, EVEN_OVER * unit), 1e-3)
    around = blurred(hidden * matte, EVEN_OVER * unit) / near
    square = np.zeros((*surface.covered.shape, 3), np.float32)
    square[inside] = np.stack([around * matte, matte, surface.seen[inside]], -1)
    there, worn, seen = np.moveaxis(surface.mirrored(square)[inside], -1, 0)
    stubble = 1 - density
    other = there / np.maximum(worn, np.maximum(stubble, 1e-3))
    less = np.clip(ALIKE * other / np.maximum(around, LEAST), 0, 1)
    # Along the jaw the mesh ends, or its counterpart hardly shows: there it goes on as beside it.
    told = (smoothstep(np.maximum(worn, stubble) * seen, *TOLD) * (matte > 0.5)).astype(np.float32)
    if not (told > 0.5).any():
        return np.ones_like(matte)
    both = fill(np.repeat(less[..., None].astype(np.float32), 3, 2), told)[..., 0].clip(0, 1)
    dense = float(smoothstep((both * hidden * matte).sum() / matte.sum(), *DENSE))
    return both + dense * (1 - both)
