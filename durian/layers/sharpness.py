"""Measures a face's blur at the edges of its eyes, brows and lips."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.mesh import FACE_OVAL

WORKING_UNIT = 128.0
"""Outer-eye distance in pixels at which a larger face is measured."""
FINE, COARSE = 0.8, 2.0
"""Standard deviations in pixels of the two scales at which edges are compared."""
DIFFERENCE = 1 / 3
"""Variance in pixels that a central difference adds to a scale."""
EDGE_SHARE = 3.0
"""Percentage of a face's pixels that are taken for its edges."""
LEAST_CONTRAST = 1.0
"""Levels a pixel below which there is no edge to measure."""
MOST_BLUR = 8.0
"""Standard deviation in pixels beyond which the two scales no longer tell blurs apart."""


def blur(image: np.ndarray, landmarks: np.ndarray) -> float | None:
    """Standard deviation of the Gaussian that an ideal edge of a face was blurred by, in outer-eye distances.

    An edge blurred by ``s`` and seen at scales ``a`` and ``b`` has slopes whose ratio is
    ``R² = (s² + b²) / (s² + a²)`` (Zhuo and Sim 2011, equation 5), whatever its height.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 3)`` pixels of it.

    Returns:
        The blur, or ``None`` where the face shows no edges.
    """
    grey, scale = face_part(image, landmarks, WORKING_UNIT)
    grey = cv2.cvtColor(grey, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, coarse = (_slope(cv2.GaussianBlur(grey, (0, 0), sigma)) for sigma in (FINE, COARSE))
    edge = coarse > max(LEAST_CONTRAST, float(np.percentile(coarse, 100 - EDGE_SHARE)))
    # Only the ridge of an edge has the slope that the equation is about.
    edge &= coarse >= cv2.dilate(coarse, np.ones((3, 3), np.uint8)) * 0.98
    if edge.sum() < 10:
        return None
    low, high = FINE**2 + DIFFERENCE, COARSE**2 + DIFFERENCE
    ratio = np.clip((fine[edge] / coarse[edge]) ** 2, (MOST_BLUR**2 + high) / (MOST_BLUR**2 + low), high / low)
    squared = (high - ratio * low) / (ratio - 1)
    return float(np.sqrt(np.median(squared))) / (eye_distance(landmarks) * scale)


def face_part(image: np.ndarray, landmarks: np.ndarray, unit: float) -> tuple[np.ndarray, float]:
    """A face's rectangle of a picture, shrunk until its eyes are at most ``unit`` pixels apart, and the scale of
    that."""
    points = landmarks[FACE_OVAL, :2]
    low = np.clip(np.floor(points.min(axis=0)).astype(int), 0, np.array(image.shape[1::-1]) - 1)
    high = np.maximum(np.ceil(points.max(axis=0)).astype(int) + 1, low + 1)
    part = image[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, unit / eye_distance(landmarks))
    if scale == 1 or min(part.shape[:2]) * scale < 1:
        return part, 1.0
    return cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def _slope(grey: np.ndarray) -> np.ndarray:
    return cv2.magnitude(*(cv2.Sobel(grey, cv2.CV_32F, *way, ksize=1, scale=0.5) for way in ((1, 0), (0, 1))))
