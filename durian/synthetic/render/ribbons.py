"""Strands as triangles: ribbons that always face the viewer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares

LONG, COARSER = 12, 2
"""Strands of so many points have half as many segments where less will do."""


@dataclass(frozen=True)
class Threads:
    """P points of strands of any length, one strand after the other.

    Attributes:
        before, after: ``(P,) int32`` neighbours along the strand; at its ends the point itself.
        width: ``(P,) float32`` cm.
        triangles: ``(T, 3) int32`` of :meth:`ribbons`'s vertices, where point p has the vertices 2p and 2p + 1.
        coarse: ``(C, 3) int32`` likewise, with fewer segments to a strand.
    """

    before: np.ndarray
    after: np.ndarray
    width: np.ndarray
    triangles: np.ndarray
    coarse: np.ndarray

    @classmethod
    def of(cls, widths: Sequence[np.ndarray]) -> Threads:
        """Threads of groups of S strands of K points each, whose widths are ``(S, K)``; at least one group."""
        before, after, triangles, coarse, start = [], [], [], [], 0
        for width in widths:
            strands, points = width.shape
            along = np.arange(points)
            number = start + np.arange(strands * points, dtype=np.int32).reshape(strands, points)
            before.append(number[:, np.maximum(along - 1, 0)].ravel())
            after.append(number[:, np.minimum(along + 1, points - 1)].ravel())
            triangles.append(_quads(number))
            fewer = np.unique(np.linspace(0, points - 1, max(2, points // COARSER)).round().astype(int))
            coarse.append(_quads(number[:, fewer]) if points >= LONG else triangles[-1])
            start += strands * points
        flat = np.concatenate([width.ravel() for width in widths]).astype(np.float32)
        before, after = np.concatenate(before), np.concatenate(after)
        return cls(before, after, flat, np.concatenate(triangles), np.concatenate(coarse))

    def ribbons(self, points: np.ndarray, viewer: np.ndarray, vertices: np.ndarray, tangents: np.ndarray) -> None:
        """Write ribbons.

        Args:
            points: ``(P, 3) float32``.
            viewer: ``(3,)``.
            vertices, tangents: ``(2 P, 3) float32`` to fill; tangents are unit vectors towards the tips.
        """
        in_shares(_ribbons, len(points), points, self.before, self.after, self.width, viewer, vertices, tangents)


def _quads(numbers: np.ndarray) -> np.ndarray:
    """Two triangles for each segment of strands whose points have these ``numbers (S, K)``."""
    left, right = 2 * numbers[:, :-1].ravel(), 2 * numbers[:, 1:].ravel()
    first, second = (left, left + 1, right + 1), (left, right + 1, right)
    return np.stack([*first, *second], axis=-1).reshape(-1, 3)


@compiled
def _ribbons(
    first: int,
    last: int,
    points: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    width: np.ndarray,
    viewer: np.ndarray,
    vertices: np.ndarray,
    tangents: np.ndarray,
) -> None:
    for i in range(first, last):
        a, b = before[i], after[i]
        tx, ty, tz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        scale = 1 / (math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-9)
        tx, ty, tz = tx * scale, ty * scale, tz * scale
        vx, vy, vz = viewer[0] - points[i, 0], viewer[1] - points[i, 1], viewer[2] - points[i, 2]
        sx, sy, sz = ty * vz - tz * vy, tz * vx - tx * vz, tx * vy - ty * vx
        half = 0.5 * width[i] / (math.sqrt(sx * sx + sy * sy + sz * sz) + 1e-9)
        for side in range(2):
            sign = half if side else -half
            vertices[2 * i + side, 0] = points[i, 0] + sign * sx
            vertices[2 * i + side, 1] = points[i, 1] + sign * sy
            vertices[2 * i + side, 2] = points[i, 2] + sign * sz
            tangents[2 * i + side, 0], tangents[2 * i + side, 1], tangents[2 * i + side, 2] = tx, ty, tz
