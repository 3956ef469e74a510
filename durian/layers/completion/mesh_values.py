"""Values of a face's mesh, drawn over a picture."""

from __future__ import annotations

import numpy as np

from durian.geometry.mesh import MESH_POINTS
from durian.geometry.raster import rasterize


def drawn(
    points: np.ndarray, values: np.ndarray, triangles: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Two values a point, drawn over the mesh's front.

    Args:
        points: ``(V, 3) float32`` pixels, a smaller z is nearer.
        values: ``(V, 2) float32``.
        triangles: ``(T, 3) int32``, of positive area where they are seen from the front.
        shape: the picture's height and width.

    Returns:
        ``(H, W) float32`` each; :data:`~durian.geometry.raster.NOWHERE` beside the mesh.
    """
    first, second, depth = (np.empty(shape, np.float32) for _ in range(3))
    facing = np.ones(len(triangles), np.float32)
    rasterize(points, np.ascontiguousarray(values, np.float32), triangles, facing, first, second, depth)
    return first, second


def at_points(of_triangles: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Means of the values ``(T,)`` of ``triangles (T, 3)`` around each point of the mesh, ``(468, 2) float32``, twice
    the same, as :func:`drawn` takes them."""
    total, count = np.zeros(MESH_POINTS, np.float32), np.zeros(MESH_POINTS, np.float32)
    for corner in triangles.T:
        np.add.at(total, corner, of_triangles)
        np.add.at(count, corner, 1)
    return np.repeat((total / np.maximum(count, 1))[:, None], 2, 1)
