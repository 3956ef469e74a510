"""The named start for lips, from the landmarks."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face.geometry import INNER_LIPS, OUTER_LIPS

OVERSAMPLING_BITS = 4
"""Polygons are drawn at 1/16 pixel."""


def lips_mask(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The red of the lips without the open mouth between them, ``(H, W) uint8``, anti-aliased."""
    outer, inner = (_polygon(image.shape, landmarks[list(ring), :2]) for ring in (OUTER_LIPS, INNER_LIPS))
    return np.where(inner > 0, np.minimum(outer, 255 - inner), outer).astype(np.uint8)


def _polygon(shape: tuple[int, ...], points: np.ndarray) -> np.ndarray:
    canvas = np.zeros(shape[:2], np.uint8)
    fixed = np.rint(points.astype(np.float64) * 2**OVERSAMPLING_BITS).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 255, lineType=cv2.LINE_AA, shift=OVERSAMPLING_BITS)
    return canvas
