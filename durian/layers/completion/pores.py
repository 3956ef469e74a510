"""Skin texture synthesised as noise with the spectrum of the skin that is seen (Galerne et al. 2011)."""

from __future__ import annotations

import cv2
import numpy as np

CLIP = 3.0
"""Deviations at which single hairs, moles and highlights are cut off."""
EVEN = 30
"""Percentile of the detail's strength from place to place that even skin has: the rest are wrinkles and stubble."""


def pores(values: np.ndarray, skin: np.ndarray, sigma: float, seed: int, most: float = np.inf) -> np.ndarray:
    """Noise like the detail of ``values`` finer than ``sigma`` pixels.

    Args:
        values: ``(S, S, 3) float32``.
        skin: ``(S, S) bool`` where its detail is taken from.
        sigma: pixels.
        seed: of its places.
        most: deviation that it has at most.

    Returns:
        ``(S, S, 3) float32`` with mean 0; all 0 where nothing is to be taken.
    """
    inner = cv2.erode(skin.astype(np.uint8), np.ones((3, 3))).astype(np.float32)
    if inner.sum() < 200:
        return np.zeros_like(values)
    weight = np.maximum(cv2.GaussianBlur(inner, (0, 0), sigma), 1e-4)[..., None]
    detail = values - cv2.GaussianBlur(values * inner[..., None], (0, 0), sigma) / weight
    kept = inner > 0
    local = cv2.GaussianBlur(detail**2 * inner[..., None], (0, 0), 4 * sigma)
    near = np.maximum(cv2.GaussianBlur(inner, (0, 0), 4 * sigma), 1e-4)[..., None]
    strength = np.minimum(np.sqrt(np.percentile((local / near)[kept], EVEN, axis=0)), most)
    limit = CLIP * strength
    detail = np.clip(detail, -limit, limit) * inner[..., None]
    detail -= inner[..., None] * detail[kept].mean(0)
    white = np.random.default_rng(seed).standard_normal(skin.shape, np.float32)
    spectrum = np.fft.rfft2(white)[..., None] * np.fft.rfft2(detail, axes=(0, 1))
    noise = np.fft.irfft2(spectrum, s=skin.shape, axes=(0, 1))
    return (noise * strength / np.maximum(noise.std((0, 1)), 1e-9)).astype(np.float32)
