"""The skin that a beard hides, guessed from the skin that its wearer shows."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.head import Head
from durian.layers.fill import fill
from durian.layers.skin import skin_pixels

CLEAR = 0.10
"""Distance from an item, in outer-eye distances, within which skin may already be in its shade or under single
hairs."""
SLOPE_DAMPING = 0.02
"""Ridge on the slopes of the shading, as a share of the number of pixels: below the cheeks it is extrapolated."""
OUTLIER = 2.0
"""Spreads from the shading beyond which a pixel is no plain skin: glasses, strands, highlights."""
ROUNDS = 4
NEARBY = 0.25
"""Distance from known skin, in outer-eye distances, over which its own deviation from the shading fades."""
SIDEWAYS, UP, DOWN = 0.6, -0.6, 0.75
"""Where the shading stops changing, in face widths from the bridge of the nose."""
LEAST_PIXELS = 60
DARKEST = 3.0
"""Levels; logarithms of less are noise."""


def bare_skin(image: np.ndarray, covered: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Skin as it would be without what covers it, ``(h, w, 3) float32``, 0-255.

    Light falls off over a face smoothly, so the logarithm of the skin's colour is a low-order polynomial of the face's
    own axes. Near skin that is seen, its own deviation from that goes on, so that there is no step along an item's
    edge.

    Args:
        image: ``(h, w, 3) float32``, 0-255.
        covered: ``(h, w) float32`` in [0, 1], what is no skin although it lies on the face.
        landmarks: ``(478, 3)`` pixels.
    """
    unit = eye_distance(landmarks)
    shape = image.shape[:2]
    reach = max(1, round(CLEAR * unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    skin = skin_pixels(landmarks, shape)
    known = (skin > 0.9) & (cv2.dilate((covered > 0.1).astype(np.uint8), kernel) == 0)
    if known.sum() < LEAST_PIXELS:
        known = (skin > 0.9) & (covered < 0.5)
    if known.sum() < LEAST_PIXELS:
        known = np.ones(shape, bool)
    logarithm = np.log(np.maximum(image, DARKEST))
    terms = _shading_terms(landmarks, shape)
    weights, plain = _fitted(terms[known], logarithm[known])
    shading = terms @ weights
    seen = np.zeros(shape, np.float32)
    seen[known] = plain
    deviation = fill((logarithm - shading).astype(np.float32), seen)
    away = cv2.distanceTransform((seen < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / (NEARBY * unit)
    return np.exp(shading + deviation * np.exp(-away)[..., None]).clip(1, 255).astype(np.float32)


def _shading_terms(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Constant, slopes and the roundness from side to side, at every pixel, ``(h, w, 4) float32``."""
    head = Head(landmarks)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    offset_x, offset_y = (x - head.landmarks[168, 0]) / head.width, (y - head.landmarks[168, 1]) / head.width
    across = np.clip(offset_x * down[1] - offset_y * down[0], -SIDEWAYS, SIDEWAYS)
    along = np.clip(offset_x * down[0] + offset_y * down[1], UP, DOWN)
    return np.stack([np.ones_like(across), across, along, across**2], -1).astype(np.float32)


def _fitted(terms: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares over plain skin, ``(4, 3)``, and which of the pixels ``(N,) bool`` that is."""
    plain = np.ones(len(terms), bool)
    centre = np.median(values, 0)
    damping = SLOPE_DAMPING * len(terms) * np.diag([0.0, 1.0, 1.0, 1.0])
    for _ in range(ROUNDS):
        own = terms[plain]
        weights = np.linalg.solve(own.T @ own + damping, own.T @ (values[plain] - centre))
        weights[0] += centre
        error = np.abs(values - terms @ weights).max(1)
        spread = 1.48 * float(np.median(error[plain])) + 1e-3
        closer = error < OUTLIER * spread
        if closer.sum() < LEAST_PIXELS // 2:
            break
        plain = closer
    return weights.astype(np.float32), plain
