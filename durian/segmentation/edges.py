"""Snapping of a mask's edge to the edges of the picture."""

from __future__ import annotations

import cv2
import numpy as np


def follow_edges(image: np.ndarray, mask: np.ndarray, radius: int, epsilon: float = 1e-3) -> np.ndarray:
    """Guided filters (He, Sun and Tang, "Guided image filtering", 2010), one for each channel, and their mean.

    OpenCV's filter for colour guides takes no edge between two plain colours: the covariance of three channels that go
    together is nearly singular, and it then blurs.

    Args:
        image: ``(h, w, 3) uint8`` guide.
        mask: ``(h, w) float32`` in [0, 1].
        radius: pixels.
        epsilon: edges with a variance below it (guide in [0, 1]) are smoothed over.

    Returns:
        ``(h, w) float32`` in [0, 1].
    """
    mask = mask.astype(np.float32)
    filtered = [
        cv2.ximgproc.guidedFilter(
            np.ascontiguousarray(image[..., channel]).astype(np.float32) / 255, mask, radius, epsilon
        )
        for channel in range(3)
    ]
    return np.clip(sum(filtered) / 3, 0, 1)
