"""Clips to score, made of one real face or of plain colours."""

from __future__ import annotations

import numpy as np
from PIL import Image

from durian.evaluation.metrics import Case

SIDE = 256


def face_clip(picture: np.ndarray, frames: int = 3, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """``(F, 256, 256, 3) uint8``: the upper left of a portrait, all of it ``shift`` pixels to the right and down."""
    square = np.asarray(Image.fromarray(picture[:380, 50:430]).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    padded = np.pad(square, ((16, 16), (16, 16), (0, 0)), mode="edge")
    x, y = shift
    return np.repeat(padded[None, 16 - y : 16 - y + SIDE, 16 - x : 16 - x + SIDE], frames, 0)


def plain_case(frames: np.ndarray, **given: object) -> Case:
    """A case whose pictures do not matter."""
    picture = np.full(frames.shape[1:], 128, np.uint8)
    about = {"name": "plain", "category": "hat", "portrait": picture, "reference": picture}
    return Case(frames=frames, **{**about, "reference_mask": np.ones(picture.shape[:2], bool), **given})


def noise_clip(seed: int, frames: int = 4, side: int = 32) -> np.ndarray:
    """``(F, S, S, 3) uint8`` of random pixels."""
    return np.random.default_rng(seed).integers(0, 256, (frames, side, side, 3), np.uint8)
