"""Estimate of the light on a face from the skin that it shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from durian.geometry.head import Head
from durian.layers.photo_tone import PhotoTone
from durian.layers.skin import skin_pixels

EXPOSED = (62.0, 210.0)
"""Levels between which a face's mean lies in a well exposed photograph, whatever its skin: of some 200 real people
those beyond look too dark or too bright."""


@dataclass(frozen=True)
class FaceLight:
    """Light on a face: mean log colour ``(3,)`` and its gradient ``(2, 3)`` along the head's axes per face width; and
    its photograph's tone, ``None`` of one in colour."""

    mean: np.ndarray
    gradient: np.ndarray
    tone: PhotoTone | None = None

    @classmethod
    def of(cls, image: np.ndarray, landmarks: np.ndarray) -> FaceLight:
        """Measure on the skin of a face; ``image`` ``(H, W, 3) float32``."""
        tone = PhotoTone.of(image, landmarks)
        skin = skin_pixels(landmarks, image.shape[:2]) > 0.9
        if skin.sum() < 30:
            return cls(np.full(3, np.log(128.0)), np.zeros((2, 3)), tone)
        head = Head(landmarks)
        y, x = np.nonzero(skin)
        place = head_coordinates(head, np.stack([x, y], 1))
        colours = np.log(np.clip(image[y, x], 4, None))
        design = np.concatenate([np.ones((len(x), 1)), place], 1)
        solution = np.linalg.lstsq(design.T @ design + 1e-3 * np.eye(3), design.T @ colours, rcond=None)[0]
        return cls(np.median(colours, 0), solution[1:], tone)

    @property
    def exposure(self) -> float:
        """How far the face is from being well exposed, natural logarithm: below 0 too dark, above too bright."""
        level, (low, high) = float(self.mean.mean()), np.log(EXPOSED)
        return min(0.0, level - low) + max(0.0, level - high)


def head_coordinates(head: Head, points: np.ndarray) -> np.ndarray:
    """Picture points ``(N, 2)`` along the head's own axes, in face widths from the nose bridge, ``(N, 2)``."""
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    across = np.array([down[1], -down[0]])
    offset = (points - head.landmarks[168, :2]) / head.width
    return np.stack([offset @ across, offset @ down], 1)
