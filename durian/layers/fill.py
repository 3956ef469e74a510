"""Filling of missing pixels from their surroundings: push-pull over an image pyramid."""

from __future__ import annotations

import cv2
import numpy as np

from durian.jit import kept_jit

RELAXATIONS = 6
"""Steps towards a membrane (Laplace's equation) at each level of the pyramid: without them the mean colour of all that
is known shows as a haze in the middle of a large hole."""


def fill(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Replace unknown pixels by a smooth continuation of the known ones (Gortler et al. 1996, push-pull).

    Args:
        image: ``(H, W, 3) float32``.
        known: ``(H, W) float32`` in [0, 1]; where nothing at all is known the image comes back unchanged.

    Returns:
        ``(H, W, 3) float32``; equal to ``image`` where ``known`` is 1.
    """
    if known.max() <= 0:
        return image.copy()
    colours, weights = [image * _for_each_channel(known)], [known]
    while min(weights[-1].shape) > 2:
        colours.append(cv2.pyrDown(colours[-1]))
        weights.append(cv2.pyrDown(weights[-1]))
    total = max(float(weights[-1].sum()), 1e-6)
    filled = np.broadcast_to(colours[-1].sum((0, 1)) / total, colours[-1].shape).astype(np.float32)
    for colour, weight in zip(reversed(colours), reversed(weights), strict=True):
        if filled.shape != colour.shape:
            filled = cv2.pyrUp(filled, dstsize=(colour.shape[1], colour.shape[0]))
        # A pixel seen through a little weight is already an average of known neighbours: trust it fully.
        trust = np.clip(weight * 4, 0, 1) if weight is not known else weight
        kept = colour * _for_each_channel(trust / np.maximum(weight, 1e-6))
        rest = _for_each_channel(1 - trust)
        filled = kept + filled * rest
        _relax(*(np.ascontiguousarray(part).reshape(len(part), -1) for part in (filled, kept, rest)), RELAXATIONS)
    return filled


@kept_jit(nogil=True)
def _relax(filled, kept, rest, steps):
    """``filled`` becomes ``rest`` times its mean over 3 x 3 pixels and ``kept`` more, in place and so often; all are
    ``(H, W * 3) float32``."""
    height, width = filled.shape
    # Of the row before, the row itself and the next.
    sums = np.empty((3, width), np.float64)
    share = 1.0 / 9.0
    for _ in range(steps):
        _sum_row(filled[min(1, height - 1)], sums[0])
        _sum_row(filled[0], sums[1])
        for y in range(height):
            before, own, after = sums[y % 3], sums[(y + 1) % 3], sums[(y + 2) % 3]
            if y + 1 < height:
                _sum_row(filled[y + 1], after)
            else:
                after = before if height > 1 else own
            row, more, times = filled[y], kept[y], rest[y]
            for k in range(width):
                row[k] = np.float32((before[k] + own[k] + after[k]) * share) * times[k] + more[k]


@kept_jit(nogil=True)
def _sum_row(row, sums):
    """Each value and its neighbours' in a row ``(W * 3,)``, mirrored at the edges."""
    width = len(row)
    left, middle, right, inner = row[: width - 6], row[3 : width - 3], row[6:], sums[3 : width - 3]
    for k in range(len(inner)):
        inner[k] = np.float64(left[k]) + np.float64(middle[k]) + np.float64(right[k])
    for c in range(3):
        second, last, before_last = min(3, width - 3) + c, width - 3 + c, max(width - 6, 0) + c
        sums[c] = np.float64(row[second]) + np.float64(row[c]) + np.float64(row[second])
        sums[last] = np.float64(row[before_last]) + np.float64(row[last]) + np.float64(row[before_last])


def _for_each_channel(values: np.ndarray) -> np.ndarray:
    """``(H, W)`` to ``(H, W, 3)``: six times as fast as broadcasting over an axis as short as that of colours."""
    return cv2.merge([values] * 3)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of ``(H, W) float32``; a wide one is done at a quarter of the size, where nothing is lost by it."""
    if sigma < 6:
        return cv2.GaussianBlur(image, (0, 0), max(sigma, 0.1))
    height, width = image.shape[:2]
    small = cv2.resize(image, ((width + 3) // 4, (height + 3) // 4), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), (width, height), interpolation=cv2.INTER_LINEAR)


def blurred_within(values: np.ndarray, share: np.ndarray, sigma: float) -> np.ndarray:
    """Blur of ``(S, S, 3) float32`` that takes nothing from where ``share (S, S)`` is 0."""
    weight = np.maximum(blurred(share, sigma), 1e-4)[..., None]
    return cv2.GaussianBlur(values * share[..., None], (0, 0), max(sigma, 0.1)) / weight
