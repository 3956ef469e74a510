"""A layer's own colours, unmixed from what lies behind it, and those behind.

Fast multi-level foreground estimation (Germer, Uelwer, Conrad and Harmeling, 2020): F and B that mix to the picture
and change smoothly where α does, found at a few pixels first and refined while their number doubles. Where a layer is
not seen its colours go on outwards, so that neither filtering nor another background shows the old one.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.jit import kept_jit

SMOOTHNESS, SMOOTHNESS_AT_EDGES = 1e-4, 1.0
"""Of F and B everywhere, and by how much more where α changes (the paper's ε_r and ω, for colours in [0, 1])."""
SMALL_SIDE, SMALL_STEPS, LARGE_STEPS = 32, 10, 2
"""Pictures up to that side are improved so often at each level, larger ones so often (the paper's)."""


def foreground_colours(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A layer's own colours everywhere, also beyond its edge.

    Args:
        image: ``(H, W, 3) uint8`` or ``float32`` RGB, 0-255.
        alpha: ``(H, W) float32`` in [0, 1].

    Returns:
        ``(H, W, 3) float32``, 0-255; of :func:`layer_colours` the first.
    """
    return layer_colours(image, alpha)[0]


def layer_colours(image: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F as of :func:`foreground_colours`, and B, what lies behind it (under its opaque part only a smooth guess):
    ``alpha * F + (1 - alpha) * B`` is the picture."""
    picture = np.asarray(image, np.float32) / 255
    alpha = np.asarray(alpha, np.float32)
    height, width = alpha.shape
    levels = max(1, int(np.ceil(np.log2(max(height, width)))))
    item, behind = (_mean(picture, weight) for weight in (alpha, 1 - alpha))
    for level in range(levels + 1):
        size = tuple(max(1, round(side ** (level / levels))) for side in (width, height))
        colours, share = (cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (picture, alpha))
        item, behind = (cv2.resize(values, size, interpolation=cv2.INTER_NEAREST) for values in (item, behind))
        item, behind = _improved(colours, share, item, behind, SMALL_STEPS if max(size) <= SMALL_SIDE else LARGE_STEPS)
    item, behind = _exact(picture, alpha, item, behind)
    return item * np.float32(255), behind * np.float32(255)


def _mean(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The colour ``(1, 1, 3) float32`` of what has a ``weight (H, W)``, or of everything where nothing has."""
    weight = weight if weight.sum() > 1 else np.ones_like(weight)
    return ((picture * weight[..., None]).sum(axis=(0, 1), keepdims=True) / weight.sum()).astype(np.float32)


def _improved(
    picture: np.ndarray, alpha: np.ndarray, item: np.ndarray, behind: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Steps of Jacobi's method on the equations of a level (the paper's equation 4)."""
    for _ in range(steps):
        item, behind = _jacobi_step(picture, alpha, item, behind)
    return item, behind


@kept_jit(nogil=True)
def _jacobi_step(picture, alpha, item, behind):
    """New ``item`` and ``behind`` ``(H, W, 3) float32`` of one level."""
    height, width = alpha.shape
    new_item, new_behind = np.empty_like(item), np.empty_like(behind)
    rows, columns = np.empty(4, np.int64), np.empty(4, np.int64)
    weights = np.empty(4, np.float32)
    everywhere, at_edges, one = np.float32(SMOOTHNESS), np.float32(SMOOTHNESS_AT_EDGES), np.float32(1)
    for y in range(height):
        rows[0], rows[1], rows[2], rows[3] = max(y - 1, 0), min(y + 1, height - 1), y, y
        for x in range(width):
            columns[0], columns[1], columns[2], columns[3] = x, x, max(x - 1, 0), min(x + 1, width - 1)
            a, total = alpha[y, x], np.float32(0)
            b = one - a
            for k in range(4):
                weights[k] = everywhere + at_edges * abs(alpha[rows[k], columns[k]] - a)
                total += weights[k]
            first, mixed, second = a * a + total, a * b, b * b + total
            scale = one / (first * second - mixed * mixed)
            for c in range(3):
                of_item, of_behind = a * picture[y, x, c], b * picture[y, x, c]
                for k in range(4):
                    of_item += weights[k] * item[rows[k], columns[k], c]
                    of_behind += weights[k] * behind[rows[k], columns[k], c]
                new_item[y, x, c] = min(max((second * of_item - mixed * of_behind) * scale, np.float32(0)), one)
                new_behind[y, x, c] = min(max((first * of_behind - mixed * of_item) * scale, np.float32(0)), one)
    return new_item, new_behind


def _exact(
    picture: np.ndarray, alpha: np.ndarray, item: np.ndarray, behind: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """F and B that mix to the picture exactly: what is missing goes to both by their shares, as far as colours go."""
    a, b = alpha[..., None], 1 - alpha[..., None]
    missing = (picture - a * item - b * behind) / (a * a + b * b)
    item, behind = np.clip(item + a * missing, 0, 1), np.clip(behind + b * missing, 0, 1)
    behind = np.where(b > 1e-3, np.clip((picture - a * item) / np.maximum(b, 1e-3), 0, 1), behind)
    item = np.where(a > 1e-3, np.clip((picture - b * behind) / np.maximum(a, 1e-3), 0, 1), item)
    return item.astype(np.float32), behind.astype(np.float32)
