"""Glasses: which of their pixels are seen, and which are seen through."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import BROWS, EYES, smoothstep
from durian.layers.fill import fill
from durian.layers.skin import colour_distance, polygon, skin_pixels

# Colour distance (CIE Lab) from the skin around, and how deep a frame reaches in from the outline, in outer-eye
# distances. Taste, tuned on photographs.
FRAME_CONTRAST = (7.0, 22.0)
LENS_CONTRAST = (16.0, 34.0)
FRAME_DEPTH = (0.06, 0.12)
LENS_PERCENTILE = 30
"""Reflections cover part of a clear lens; a dark one is dark nearly everywhere."""


def glasses_opacity(image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Frames are opaque, clear lenses are not, dark lenses are.

    What differs from the skin around it is frame if it lies along the outline; if the whole inside differs, the
    lenses are dark.

    Args:
        image: ``(h, w, 3) float32``.
        mask: ``(h, w) float32`` in [0, 1], frames and lenses.
        landmarks: ``(478, 3)`` of the wearer.

    Returns:
        ``(h, w) float32`` in [0, 1], to be multiplied with the mask.
    """
    contrast, depth = _contrast_and_depth(image, mask, landmarks)
    frame = smoothstep(contrast, *FRAME_CONTRAST) * (1 - smoothstep(depth, *FRAME_DEPTH))
    return np.maximum(frame, _darkness(contrast, depth, landmarks)).astype(np.float32)


def _contrast_and_depth(image, mask, landmarks) -> tuple[np.ndarray, np.ndarray]:
    eyes = float(np.linalg.norm(landmarks[33, :2] - landmarks[263, :2]))
    skin = fill(image, skin_pixels(landmarks, mask.shape) * (cv2.dilate(mask, np.ones((3, 3))) < 0.05))
    contrast = colour_distance(image, skin)
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / eyes
    return contrast, depth


def _darkness(contrast: np.ndarray, depth: np.ndarray, landmarks: np.ndarray) -> float:
    eyes = float(np.linalg.norm(landmarks[33, :2] - landmarks[263, :2]))
    inside = depth > FRAME_DEPTH[1]
    rounds = max(1, int(0.03 * eyes))
    for part in (*EYES, *BROWS):  # seen through a clear lens, these too differ from skin
        inside &= cv2.dilate(polygon(landmarks[part], depth.shape), np.ones((3, 3)), iterations=rounds) < 0.05
    if inside.sum() < 10:
        return 0.0
    return float(smoothstep(np.percentile(contrast[inside], LENS_PERCENTILE), *LENS_CONTRAST))
