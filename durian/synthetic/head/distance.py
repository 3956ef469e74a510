"""Signed distances of points from a surface, which keep strands outside a head."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares, inlined

if TYPE_CHECKING:
    from durian.synthetic.head.head import HeadModel

SPACING, REACH = 0.5, 3.0
"""Of the grid, cm: how fine it is, and how far beyond the surface it goes."""
NEIGHBOURS, SOFTNESS, INEXACT = 6, 0.3, 0.25
"""Vertices whose tangent planes make the distance, a distance (cm) within which all count alike, and by which part a
vertex may be further off than the nearest; the last halves the time."""


class Grid(NamedTuple):
    """``values (X, Y, Z, 4) float32``: distance and the way out, ``spacing`` cm apart from ``origin (3,)`` on."""

    values: np.ndarray
    origin: np.ndarray
    spacing: float


class DistanceField:
    """Signed distance (cm, positive outside) to a surface given by its vertices, sampled on a grid and interpolated.

    The distance at a point is the mean of those to the tangent planes of the vertices nearby (Kolluri, Provably good
    moving least squares, 2005); between grid points it is trilinear. Beyond the grid it is that of the grid's edge.
    """

    def __init__(self, vertices: np.ndarray, normals: np.ndarray, spacing: float = SPACING) -> None:
        from scipy.spatial import cKDTree

        origin = (vertices.min(axis=0) - REACH).astype(np.float32)
        size = np.ceil((vertices.max(axis=0) + REACH - origin) / spacing).astype(int) + 1
        axes = [start + spacing * np.arange(count) for start, count in zip(origin, size)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        apart, index = cKDTree(vertices).query(grid.astype(np.float32), NEIGHBOURS, eps=INEXACT)
        weights = 1 / (apart + SOFTNESS) ** 2
        weights /= weights.sum(axis=1, keepdims=True)
        planes = np.einsum("nkc,nkc->nk", grid[:, None] - vertices[index], normals[index])
        values = np.concatenate(
            [(weights * planes).sum(axis=1, keepdims=True), np.einsum("nk,nkc->nc", weights, normals[index])], axis=1
        )
        self.grid = Grid(values.astype(np.float32).reshape(*size, 4), origin, np.float32(spacing))

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distances ``(N,) float32`` of ``points (N, 3)`` and unit vectors ``(N, 3) float32`` that lead out."""
        points = np.ascontiguousarray(points, np.float32)
        distance, outward = np.empty(len(points), np.float32), np.empty((len(points), 3), np.float32)
        in_shares(_look_up, len(points), points, self.grid, distance, outward)
        return distance, outward

    def pushed_out(self, points: np.ndarray, clearance: float, times: int) -> np.ndarray:
        """Points ``(N, 3) float32`` that are nearer than ``clearance`` (cm) moved out to it, so many times: where a
        surface is bent the first way out is not all of it."""
        points = np.array(points, np.float32, order="C")
        in_shares(_push_out, len(points), points, self.grid, clearance, times)
        return points


@inlined
def interpolated(grid: Grid, x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Distance at a point and the unit vector that leads out."""
    values, origin, spacing = grid.values, grid.origin, grid.spacing
    x = min(max((x - origin[0]) / spacing, np.float32(0)), np.float32(values.shape[0] - 1.001))
    y = min(max((y - origin[1]) / spacing, np.float32(0)), np.float32(values.shape[1] - 1.001))
    z = min(max((z - origin[2]) / spacing, np.float32(0)), np.float32(values.shape[2] - 1.001))
    a, b, c = int(x), int(y), int(z)
    u, v, w = x - np.float32(a), y - np.float32(b), z - np.float32(c)
    gap = ox = oy = oz = np.float32(0)
    for i in range(2):
        for j in range(2):
            for k in range(2):
                near = values[a + i, b + j, c + k]
                weight = (u if i else 1 - u) * (v if j else 1 - v) * (w if k else 1 - w)
                gap += weight * near[0]
                ox += weight * near[1]
                oy += weight * near[2]
                oz += weight * near[3]
    length = max(np.sqrt(ox * ox + oy * oy + oz * oz), np.float32(1e-6))
    return gap, ox / length, oy / length, oz / length


@compiled
def _look_up(
    first: int,
    last: int,
    points: np.ndarray,
    grid: Grid,
    distance: np.ndarray,
    outward: np.ndarray,
) -> None:
    for i in range(first, last):
        distance[i], outward[i, 0], outward[i, 1], outward[i, 2] = interpolated(
            grid, points[i, 0], points[i, 1], points[i, 2]
        )


@compiled
def _push_out(
    first: int,
    last: int,
    points: np.ndarray,
    grid: Grid,
    clearance: float,
    times: int,
) -> None:
    for i in range(first, last):
        for _ in range(times):
            gap, x, y, z = interpolated(grid, points[i, 0], points[i, 1], points[i, 2])
            missing = np.float32(clearance) - gap
            if missing <= 0:
                break
            points[i, 0] += x * missing
            points[i, 1] += y * missing
            points[i, 2] += z * missing


@lru_cache(maxsize=2)
def distance_to_skin(head: HeadModel) -> DistanceField:
    """The field of the neutral head's skin; the first call takes about a second."""
    return DistanceField(head.neutral[head.skin_vertices], head.normals[head.skin_vertices])
