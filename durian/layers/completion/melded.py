"""Joins of patches in a completed picture, evened out in the domain of its gradients (Darabi et al. 2012).

Where two neighbouring pixels come from patches of different places, a wall's or a sky's light makes a step that no
patch has. The patches themselves say how much neighbours differ; what the picture differs from that is spread smoothly.
"""

from __future__ import annotations

import numpy as np

from durian.jit import kept_jit

LARGEST = 12.0
"""Largest step in levels that is spread: a larger one is an edge of things, and spread it would be a haze."""
HELD = 0.002
"""How much a pixel's own colour counts beside its differences from its neighbours: a step is spread over some
``HELD ** -0.5`` pixels."""
SWEEPS, RELAXATION = 40, 1.8
"""Of the solver (successive over-relaxation)."""


def melded(
    picture: np.ndarray,
    hole: np.ndarray,
    targets: np.ndarray,
    matches: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray,
    window: np.ndarray,
) -> np.ndarray:
    """A picture completed by patches without steps where patches of different places meet.

    Args:
        picture: ``(H, W, 3) float32`` 0-255, completed.
        hole: ``(H, W) bool`` what was completed.
        targets: ``(N, 2) int32`` middles of patches.
        matches: rows and columns ``(H, W) int32`` of the patch that each was taken from.
        weight: ``(H, W) float32`` how much the patch about each target counts.
        window: ``(side, side) float32`` how much each place in a patch counts.

    Returns:
        ``(H, W, 3) float32``, ``picture`` outside the hole.
    """
    height, width = hole.shape
    sums, counts = np.zeros((2, height, width, 3), np.float32), np.zeros((2, height, width), np.float32)
    known = np.ascontiguousarray(picture, np.float32)
    _vote_differences(known, targets, hole, *matches, weight, window, sums, counts)
    steps = np.zeros_like(sums)
    for axis, own in ((0, np.diff(picture, axis=0)), (1, np.diff(picture, axis=1))):
        inner = np.s_[: height - 1, :] if axis == 0 else np.s_[:, : width - 1]
        told = counts[axis][inner] > 0
        step = sums[axis][inner] / np.maximum(counts[axis][inner], 1e-12)[..., None] - own
        small = told & (np.abs(step).max(-1) < LARGEST)
        steps[axis][inner] = np.where(small[..., None], step, 0)
    change = np.zeros((height, width, 3), np.float32)
    _solve(steps, hole, np.argwhere(hole).astype(np.int32), change, np.float32(HELD), np.float32(RELAXATION), SWEEPS)
    return picture + change


@kept_jit(nogil=True)
def _vote_differences(source, targets, hole, match_y, match_x, weight, window, sums, counts):
    """Sums of how much each pixel's lower and right neighbour differ from it in patches, ``sums (2, H, W, 3)`` with the
    weights ``counts (2, H, W)``, where one of both is in the hole."""
    reach = window.shape[0] // 2
    for t in range(targets.shape[0]):
        y, x = targets[t, 0], targets[t, 1]
        sy, sx, whole = match_y[y, x], match_x[y, x], weight[y, x]
        for row in range(-reach, reach + 1):
            for column in range(-reach, reach + 1):
                py, px, qy, qx = y + row, x + column, sy + row, sx + column
                own = whole * window[row + reach, column + reach]
                if row < reach and (hole[py, px] or hole[py + 1, px]):
                    counts[0, py, px] += own
                    for k in range(3):
                        sums[0, py, px, k] += own * (source[qy + 1, qx, k] - source[qy, qx, k])
                if column < reach and (hole[py, px] or hole[py, px + 1]):
                    counts[1, py, px] += own
                    for k in range(3):
                        sums[1, py, px, k] += own * (source[qy, qx + 1, k] - source[qy, qx, k])


@kept_jit(nogil=True)
def _solve(steps, hole, places, change, held, relaxation, sweeps):
    """The smallest ``change (H, W, 3)`` of a hole's pixels whose differences are the ``steps (2, H, W, 3)``: down and
    to the right."""
    height, width = hole.shape
    for sweep in range(sweeps):
        for number in range(places.shape[0]):
            place = number if sweep % 2 == 0 else places.shape[0] - 1 - number
            y, x = places[place, 0], places[place, 1]
            for k in range(3):
                total, count = np.float32(0), held
                if y > 0:
                    total += change[y - 1, x, k] + steps[0, y - 1, x, k]
                    count += np.float32(1)
                if y < height - 1:
                    total += change[y + 1, x, k] - steps[0, y, x, k]
                    count += np.float32(1)
                if x > 0:
                    total += change[y, x - 1, k] + steps[1, y, x - 1, k]
                    count += np.float32(1)
                if x < width - 1:
                    total += change[y, x + 1, k] - steps[1, y, x, k]
                    count += np.float32(1)
                change[y, x, k] += relaxation * (total / count - change[y, x, k])
