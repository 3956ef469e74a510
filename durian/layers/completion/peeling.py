"""First guess of a hole's contents: from its edge inwards, each pixel as in the known patch most like its surroundings.

A smooth continuation is most like the flattest of all known patches, and a search that begins with it stays there:
planks end at the hole, and foliage becomes a haze. What is copied from the edge inwards has the edge's own structure.
"""

from __future__ import annotations

import cv2
import numpy as np

MOST_SOURCES = 3000
"""Known patches that are compared with each pixel's surroundings."""
LIKE_START = 0.05
"""How much a patch's middle counts that is unlike the smooth continuation, beside one pixel of what is known."""


def peeled(
    picture: np.ndarray, hole: np.ndarray, known: np.ndarray, centres: np.ndarray, reach: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill a small picture's hole from its edge inwards.

    Args:
        picture: ``(H, W, 3) float32`` 0-255, in the hole a smooth continuation.
        hole: ``(H, W) bool``.
        known: ``(H, W) bool`` pixels that surroundings are compared by; none of the hole.
        centres: ``(H, W) bool`` middles of patches that are known all over, at least one.
        reach: pixels from a patch's middle to its side.
        rng: draws the patches that are compared, where there are too many.

    Returns:
        The filled picture ``(H, W, 3) float32``, and the row and column of the patch that each of the hole's pixels is
        the middle of, ``(H, W) int32`` each, -1 where nothing known is within reach of it.
    """
    places = np.argwhere(centres)
    if len(places) > MOST_SOURCES:
        places = places[np.sort(rng.choice(len(places), MOST_SOURCES, replace=False))]
    side = 2 * reach + 1
    filled, done = picture.copy(), known & ~hole
    padded = ((reach, reach), (reach, reach))
    examples = _patches(np.pad(filled, (*padded, (0, 0))), places, side)
    middles = picture[places[:, 0], places[:, 1]]
    squared = (examples**2).sum(-1)
    match_y, match_x = (np.full(hole.shape, -1, np.int32) for _ in range(2))
    while True:
        ring = hole & ~done & (cv2.dilate(done.astype(np.uint8), np.ones((3, 3))) > 0)
        targets = np.argwhere(ring)
        if len(targets) == 0:
            return filled, match_y, match_x
        weights = _patches(np.pad(done.astype(np.float32), padded)[..., None], targets, side)[..., 0]
        seen = _patches(np.pad(filled, (*padded, (0, 0))), targets, side) * weights[..., None]
        cost = weights @ squared.T - 2 * seen.reshape(len(targets), -1) @ examples.reshape(len(places), -1).T
        start = filled[targets[:, 0], targets[:, 1]]
        unlike = (start**2).sum(-1)[:, None] - 2 * start @ middles.T + (middles**2).sum(-1)
        best = (cost + LIKE_START * weights.sum(-1, keepdims=True) * unlike).argmin(1)
        filled[ring] = middles[best]
        match_y[ring], match_x[ring] = places[best].T
        done |= ring


def _patches(padded: np.ndarray, places: np.ndarray, side: int) -> np.ndarray:
    """Patches ``(N, side * side, C)`` of a picture with a border, about ``places (N, 2)`` of it without."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(0, 1))
    found = windows[places[:, 0], places[:, 1]]
    return np.moveaxis(found, 1, -1).reshape(len(places), side * side, -1)
