"""How far points are from a surface, and which way is out: what keeps strands outside a head."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from durian.synthetic.head import HeadModel

SPACING, REACH = 0.5, 3.0
"""Of the grid, cm: how fine it is, and how far beyond the surface it goes."""
NEIGHBOURS, SOFTNESS, INEXACT = 6, 0.3, 0.25
"""Vertices whose tangent planes make the distance, a distance (cm) within which all count alike, and by which part a
vertex may be further off than the nearest; the last halves the time."""


class DistanceField:
    """Signed distance (cm, positive outside) to a surface given by its vertices, sampled on a grid and interpolated.

    The distance at a point is the mean of those to the tangent planes of the vertices nearby (Kolluri, Provably good
    moving least squares, 2005); between grid points it is trilinear. Beyond the grid it is that of the grid's edge.
    """

    def __init__(self, vertices: np.ndarray, normals: np.ndarray, spacing: float = SPACING) -> None:
        from scipy.spatial import cKDTree

        self.origin = vertices.min(axis=0) - REACH
        self.spacing = spacing
        self.size = np.ceil((vertices.max(axis=0) + REACH - self.origin) / spacing).astype(int) + 1
        axes = [start + spacing * np.arange(count) for start, count in zip(self.origin, self.size)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        apart, index = cKDTree(vertices).query(grid.astype(np.float32), NEIGHBOURS, eps=INEXACT)
        weights = 1 / (apart + SOFTNESS) ** 2
        weights /= weights.sum(axis=1, keepdims=True)
        planes = np.einsum("nkc,nkc->nk", grid[:, None] - vertices[index], normals[index])
        values = np.concatenate(
            [(weights * planes).sum(axis=1, keepdims=True), np.einsum("nk,nkc->nc", weights, normals[index])], axis=1
        )
        self._values = values.astype(np.float32)  # distance, then the way out

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distances ``(N,) float32`` of ``points (N, 3)`` and unit vectors ``(N, 3) float32`` that lead out."""
        place = np.clip((points - self.origin) / self.spacing, 0, self.size - 1.001).astype(np.float32)
        corner = place.astype(np.int64)
        x, y, z = (place - corner).T
        strides = np.array([self.size[1] * self.size[2], self.size[2], 1])
        first = corner @ strides
        found = np.zeros((len(points), 4), np.float32)
        for i, j, k in np.ndindex(2, 2, 2):
            weight = (x if i else 1 - x) * (y if j else 1 - y) * (z if k else 1 - z)
            found += weight[:, None] * self._values[first + (i, j, k) @ strides]
        outward = found[:, 1:]
        return found[:, 0], outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)


@lru_cache(maxsize=2)
def distance_to_skin(head: HeadModel) -> DistanceField:
    """The field of the neutral head's skin; the first call takes about a second."""
    return DistanceField(head.neutral[head.skin_vertices], head.normals[head.skin_vertices])
