"""A beard's strands in the light of another face."""

from __future__ import annotations

import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import smoothstep
from durian.layers.face_light import FaceLight, head_coordinates
from durian.layers.skin import skin_pixels
from durian.preview.light import mean_change

SLOPE_SHARE = 0.6
"""How much of the difference between the two faces' shading from side to side goes on over a beard, which lies below
the skin that it was measured on; downwards nothing is known, and chins are in their own shade."""
SLOPE_LIMIT = 0.35
"""Largest such change, natural logarithm."""
DARK = (0.25, 0.6)
"""How much darker than its owner's skin hair is, natural logarithm, between which it begins to be dark hair, and is."""
LEAST_CONTRAST = 0.6
"""How much darker than its wearer's skin dark hair is at least, if it was on its owner."""
LEAST_PIXELS = 30


def strand_change(
    image: np.ndarray, matte: np.ndarray, landmarks: np.ndarray, own: FaceLight, wearer: FaceLight, light: float
) -> np.ndarray:
    """Factors that bring a beard's strands into its wearer's light, ``(h, w, 3) float32``.

    Args:
        image: ``(h, w, 3) float32``, 0-255, its owner.
        matte: ``(h, w) float32`` in [0, 1], the beard.
        landmarks: ``(478, 3)`` pixels of both.
        own, wearer: the light on the two faces.
        light: 0 changes nothing; from 0.5 on all of the shading is followed.
    """
    height, width = matte.shape
    y, x = np.mgrid[:height, :width]
    place = np.clip(head_coordinates(Head(landmarks), np.stack([x.ravel(), y.ravel()], 1)), -1, 1)
    following = min(1.0, 2 * light)
    # Brightness only: the gradient's colour is mostly noise.
    shading, wanted = (place[:, 0] * face.gradient[0].mean() for face in (own, wearer))
    slope = np.clip(SLOPE_SHARE * (wanted - shading), -SLOPE_LIMIT, SLOPE_LIMIT).reshape(height, width, 1)
    mean = mean_change(own, wearer, light)
    contrast = _contrast(image, matte, landmarks, own, shading.reshape(height, width))
    lighter = float(own.mean.mean() + mean.mean() - wearer.mean.mean())
    lost = smoothstep(contrast, *DARK) * max(0.0, min(contrast, LEAST_CONTRAST) - (contrast - lighter))
    return np.exp(mean + following * (slope - lost)).astype(np.float32)


def _contrast(
    image: np.ndarray, matte: np.ndarray, landmarks: np.ndarray, own: FaceLight, shading: np.ndarray
) -> float:
    """How much darker hair is than its owner's skin in the same light, natural logarithm; 0 where hardly any is on the
    face."""
    hair = (matte > 0.9) & (skin_pixels(landmarks, matte.shape) > 0.5)
    if hair.sum() < LEAST_PIXELS:
        return 0.0
    brightness = np.log(np.clip(image[hair], 4, None)).mean(1) - shading[hair]
    return float(own.mean.mean() - np.median(brightness))
