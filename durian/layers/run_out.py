"""Ends hair in locks where its picture's left, right or lower edge cuts it off straight."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import smoothstep

LENGTH = (0.12, 0.55)
"""Length of the shortest and the longest lock that runs out, in outer-eye distances. Taste."""
LOCK = 0.09
"""Width of a lock, in outer-eye distances."""
CUT = 0.3
"""Share of a pixel at the picture's edge from which on the item is cut there."""


def shown_sides(mask: np.ndarray) -> tuple[bool, bool, bool]:
    """Whether hair ends within the portrait's picture to the left, to the right and below.

    Args:
        mask: ``(S, S) uint8``, the hair where it lies on the portrait: where it reaches the picture's edge its own
            picture's edge lies beyond.
    """
    return tuple(not (side > 127).any() for side in (mask[:, 0], mask[:, -1], mask[-1]))


def run_out(
    alpha: np.ndarray,
    edges: tuple[float, float, float],
    unit: float,
    shown: tuple[bool, bool, bool] = (True, True, True),
    seed: int = 0,
) -> np.ndarray:
    """Let hair end in locks where its picture's left, right and lower edges cut it.

    Args:
        alpha: ``(h, w) float32`` in [0, 1].
        edges: the first and last column and the last row of the picture in pixels of ``alpha``, which may lie beyond.
        unit: distance of the outer eye corners, pixels.
        shown: which of these edges anybody sees.
        seed: of the locks.

    Returns:
        ``(h, w) float32``; ``alpha`` itself where nothing is cut.
    """
    left, right, bottom = edges
    height, width = alpha.shape
    rng = np.random.default_rng(seed)
    kept = np.ones_like(alpha)
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    sides = []
    if shown[2] and bottom < height + 0.5 and _is_cut(alpha[-1], unit):
        sides.append((bottom - rows, _locks(width, unit, rng)[None]))
    if shown[1] and right < width + 0.5 and _is_cut(alpha[:, -1], unit):
        sides.append((right - columns, _locks(height, unit, rng)[:, None]))
    if shown[0] and left > -1.5 and _is_cut(alpha[:, 0], unit):
        sides.append((columns - left, _locks(height, unit, rng)[:, None]))
    for inwards, locks in sides:
        kept *= smoothstep(inwards / (locks * unit), 0.25, 1.0)
    return (alpha * kept).astype(np.float32)


def _is_cut(along: np.ndarray, unit: float) -> bool:
    return (along > CUT).sum() > 2 * LOCK * unit


def _locks(count: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    """How long the lock at each place along an edge is, in outer-eye distances, ``(count,)``."""
    noise = cv2.GaussianBlur(rng.standard_normal((1, count)).astype(np.float32), (0, 0), max(LOCK * unit, 0.6))[0]
    span = max(float(np.ptp(noise)), 1e-6)
    return LENGTH[0] + (LENGTH[1] - LENGTH[0]) * (noise - noise.min()) / span
