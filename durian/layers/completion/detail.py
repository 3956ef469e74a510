"""Measures a picture's fine structure from place to place."""

from __future__ import annotations

import cv2
import numpy as np

from durian.layers.fill import blurred, fill

COARSEST = 0.012
"""Size of the coarsest detail, as a share of the picture's longer side: a wall's light and a sky change more slowly."""

COARSER = 0.25
"""Size at which it is gone on with, as a share of the picture's."""
LEAST_SHARE = 0.1
"""Share of a window that has to be known for its mean to count in full."""


def detail(picture: np.ndarray, known: np.ndarray, window: int) -> np.ndarray:
    """How far pixels are from the mean of what is around them, on average, and gone on with where nothing is known.

    Args:
        picture: ``(H, W, 3) float32`` 0-255.
        known: ``(H, W) bool`` pixels that count.
        window: side of the square that is averaged over, pixels.

    Returns:
        ``(H, W) float32`` levels; 0 with nothing known.
    """
    share, sigma = known.astype(np.float32), max(1.0, COARSEST * max(known.shape))
    if not known.any():
        return np.zeros_like(share)
    weight = np.maximum(blurred(share, sigma), 1e-4)
    planes = (np.ascontiguousarray(plane, np.float32) for plane in np.moveaxis(picture, -1, 0))
    off = np.mean([np.abs(plane - blurred(plane * share, sigma) / weight) for plane in planes], 0)
    total, count = (
        cv2.resize(cv2.blur(values, (window, window)), None, fx=COARSER, fy=COARSER, interpolation=cv2.INTER_AREA)
        for values in (off * share, share)
    )
    mean = np.repeat((total / np.maximum(count, 1e-4))[..., None], 3, 2)
    return cv2.resize(fill(mean, np.minimum(count / LEAST_SHARE, 1)), known.shape[::-1])[..., 0]
