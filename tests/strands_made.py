"""A head of hair made of a solid middle and thin strands around it, with its exact matte."""

from __future__ import annotations

import cv2
import numpy as np

SIDE, UNIT = 256, 60.0
HAIR = (70, 40, 25)


def strands_matte(seed: int = 0) -> np.ndarray:
    """``(SIDE, SIDE) float32``: a disc and 60 strands out of it, drawn at eight times the size."""
    rng, scale = np.random.default_rng(seed), 8
    drawn = np.zeros((SIDE * scale, SIDE * scale), np.uint8)
    middle = SIDE * scale // 2
    cv2.circle(drawn, (middle, middle), 60 * scale, 255, -1)
    for angle, length in zip(rng.uniform(0, 2 * np.pi, 60), rng.uniform(66, 80, 60), strict=True):
        ends = [
            (round(middle + r * scale * np.cos(a)), round(middle + r * scale * np.sin(a)))
            for r, a in ((50, angle), (length, angle + rng.normal(0, 0.05)))
        ]
        cv2.line(drawn, *ends, 255, int(rng.integers(8, 20)))
    return cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def over(alpha: np.ndarray, item: tuple[int, int, int] | np.ndarray, behind: np.ndarray) -> np.ndarray:
    """An item of one colour or a picture of it over what lies behind, ``(SIDE, SIDE, 3) uint8``."""
    mixed = alpha[..., None] * np.asarray(item, np.float32) + (1 - alpha[..., None]) * behind
    return np.rint(mixed).astype(np.uint8)


def plain(colour: tuple[int, int, int]) -> np.ndarray:
    """One colour everywhere, ``(SIDE, SIDE, 3) float32``."""
    return np.full((SIDE, SIDE, 3), colour, np.float32)


def two_tones(left: tuple[int, int, int], right: tuple[int, int, int]) -> np.ndarray:
    """Two colours side by side, likewise."""
    behind = plain(left)
    behind[:, SIDE // 2 :] = right
    return behind


def rough_mask(alpha: np.ndarray) -> np.ndarray:
    """The mask that somebody finds who does not see strands, ``(SIDE, SIDE) float32``."""
    return (cv2.GaussianBlur(alpha, (0, 0), 4) > 0.5).astype(np.float32)
