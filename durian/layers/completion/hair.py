"""Completion of hair that a hat, a brim or a picture's edge hid."""

from __future__ import annotations

import cv2
import numpy as np

from durian.layers.completion.exemplar import synthesise
from durian.layers.fill import fill

SURE = 0.95
"""Share of a pixel that must be hair for it to be taken as an example."""
STRANDS = 0.006
"""Scale at which strands have a direction, as a share of the picture's side."""
ALONG = 14.0
"""How much a strand across another counts against a match, in levels."""


def complete_hair(image: np.ndarray, hair: np.ndarray, wanted: np.ndarray, seed: int = 0) -> np.ndarray:
    """Go on with somebody's hair in the direction of its strands.

    Args:
        image: ``(S, S, 3) float32`` 0-255.
        hair: ``(S, S) float32`` in [0, 1] how much of each pixel is hair that is seen.
        wanted: ``(S, S) float32`` in [0, 1] where hair is to be.
        seed: of the search.

    Returns:
        ``(S, S, 3) float32``: where hair is wanted and not seen made up, elsewhere ``image``.
    """
    image = image.astype(np.float32)
    source = hair > SURE
    hole = (wanted > 0) & ~source
    if not hole.any() or not source.any():
        return image.copy()
    start = np.where(hole[..., None], fill(image, source.astype(np.float32)), image)
    made = synthesise(start, hole, source, seed, strands(image, source))
    return np.where(hole[..., None], np.clip(made, 0, 255), image).astype(np.float32)


def strands(image: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """The direction of strands, continued beyond the ``hair (S, S) bool``, as a guide ``(S, S, 2) float32``: cosine and
    sine of twice the angle, since a strand has no front, times how clear it is."""
    sigma = max(STRANDS * len(hair), 0.8)
    inner = cv2.erode(hair.astype(np.uint8), np.ones((3, 3))).astype(np.float32)
    grey = cv2.GaussianBlur(cv2.transform(image, np.full((1, 3), 1 / 3, np.float32)), (0, 0), 1.0)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    tensor = np.stack([across**2 - down**2, 2 * across * down, across**2 + down**2], -1) * inner[..., None]
    tensor = cv2.GaussianBlur(tensor, (0, 0), 2 * sigma)
    energy = np.maximum(tensor[..., 2:], 1e-3)
    direction = fill(np.concatenate([tensor[..., :2] / energy, np.ones_like(energy)], -1), inner)
    return np.ascontiguousarray(ALONG * direction[..., :2], np.float32)
