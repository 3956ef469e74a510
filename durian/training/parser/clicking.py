"""Simulated clicks to train the click network with.

After Sofiiuk et al., "Reviving iterative training with mask guidance for interactive segmentation", 2022: masks before
are damaged truths, clicks go to the largest errors.
"""

from __future__ import annotations

import cv2
import numpy as np

NOTHING_BEFORE = 0.35
MOST_CLICKS = 8
SLOPPY = 0.35
"""Share of clicks that go anywhere in an error instead of its middle."""


def damaged(truth: np.ndarray, others: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A mask as a start or earlier clicks may have left it, ``(S, S) bool``; often there is none.

    Args:
        truth: ``(S, S) bool``.
        others: masks of other things, one of which may have been taken along.
    """
    if rng.random() < NOTHING_BEFORE:
        return np.zeros_like(truth)
    mask, side = truth.astype(np.uint8), len(truth)
    if rng.random() < 0.6:
        size = 1 + 2 * int(rng.uniform(0.004, 0.03) * side)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        mask = (cv2.dilate if rng.random() < 0.5 else cv2.erode)(mask, kernel)
    if others and rng.random() < 0.4:
        mask = mask | others[rng.integers(len(others))].astype(np.uint8)
    for add in (False, True):
        if rng.random() < 0.4:
            rows, columns = np.nonzero(mask if not add else cv2.dilate(mask, np.ones((25, 25), np.uint8)))
            if len(rows):
                pick = rng.integers(len(rows))
                axes = tuple(int(value) + 1 for value in rng.uniform(0.02, 0.2, 2) * side)
                place = int(columns[pick]), int(rows[pick])
                cv2.ellipse(mask, place, axes, rng.uniform(0, 180), 0, 360, int(add), -1)
    return mask.astype(bool)


def simulate(truth: np.ndarray, before: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Clicks on the errors of a mask, largest first: points ``(N, 2)`` and labels ``(N,)``; none if it has none."""
    points, labels = [], []
    missing, extra = truth & ~before, before & ~truth
    for _ in range(int(rng.integers(1, MOST_CLICKS + 1))):
        found = _clicked_error(missing, extra, rng)
        if found is None:
            break
        place, label, depth = found
        points.append(place)
        labels.append(label)
        # Take the neighbourhood as mended, so that the next click goes elsewhere.
        mended = np.zeros(truth.shape, np.uint8)
        cv2.circle(mended, place, max(3, int(1.5 * depth)), 1, -1)
        missing, extra = missing & ~mended.astype(bool), extra & ~mended.astype(bool)
    return np.array(points, np.float32).reshape(-1, 2), np.array(labels, np.int64)


def next_click(mask: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[int, int, int] | None:
    """``(x, y, label)`` of a click on the largest error of ``mask (S, S) bool``; ``None`` if it has none."""
    found = _clicked_error(truth & ~mask, mask & ~truth, rng)
    return None if found is None else (*found[0], found[1])


def _clicked_error(
    missing: np.ndarray, extra: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[int, int], int, float] | None:
    """Place, label and depth in pixels of the largest error, ``(S, S) bool`` each; mostly in its middle."""
    found = [(_deepest(error), error, label) for error, label in ((missing, 1), (extra, 0))]
    (depth, place), error, label = max(found, key=lambda one: one[0][0])
    if depth <= 0:
        return None
    if rng.random() < SLOPPY:
        rows, columns = np.nonzero(error)
        pick = rng.integers(len(rows))
        place = int(columns[pick]), int(rows[pick])
    return place, label, depth


def _deepest(error: np.ndarray) -> tuple[float, tuple[int, int]]:
    """How far the place of an error that is farthest from its edge is from it, and that place."""
    padded = np.pad(error.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = divmod(int(depth.argmax()), depth.shape[1])
    return float(depth[row, column]), (column, row)
