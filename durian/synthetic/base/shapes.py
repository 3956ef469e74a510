"""Generic meshes: tubes, spheres, grids, their union, and vertex normals.

Closed shapes are watertight, and corners run counter-clockwise seen from outside, so that normals point outwards. What
a shape is made of goes to every function by name: ``material``, ``label``, ``colour``, and where wanted ``uv``,
``binding`` and ``lens``; see :func:`mesh`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from durian.jit import kept_jit
from durian.synthetic.base.geometry import Label, Lens, Material, Mesh

ALONG_UP = 1e-3
"""Sine of the angle between a tube and its ``up`` below which its cross-section has no direction."""


def mesh(
    vertices: np.ndarray,
    triangles: np.ndarray,
    *,
    material: Material | np.ndarray,
    label: Label | np.ndarray,
    colour: Sequence[float] | np.ndarray,
    uv: np.ndarray | None = None,
    binding: str = "skin",
    lens: Lens | None = None,
) -> Mesh:
    """A :class:`Mesh` of the right types.

    Args:
        vertices: ``(V, 3)``, cm.
        triangles: ``(T, 3)``.
        material: one for all, or ``(T,)``.
        label: one for all, or ``(T,)``.
        colour: linear RGB, ``(3,)`` for all or ``(V, 3)``.
        uv: ``(V, 2)``; zeros if left out.
        binding: see :class:`Mesh`.
        lens: see :class:`Mesh`.
    """
    vertices = np.ascontiguousarray(vertices, np.float32)
    triangles = np.ascontiguousarray(triangles, np.int32)

    def spread(value: Any, shape: tuple[int, ...], kind: type) -> np.ndarray:
        return np.array(np.broadcast_to(np.asarray(value, kind), shape))

    return Mesh(
        vertices=vertices,
        triangles=triangles,
        material=spread(material, (len(triangles),), np.uint8),
        label=spread(label, (len(triangles),), np.uint8),
        colour=spread(colour, (len(vertices), 3), np.float32),
        uv=spread(0 if uv is None else uv, (len(vertices), 2), np.float32),
        binding=binding,
        lens=lens,
    )


def tube(
    path: np.ndarray,
    radius: float | np.ndarray,
    *,
    height: float | np.ndarray | None = None,
    up: Sequence[float] | None = None,
    sides: int = 8,
    closed: bool = False,
    **finish: Any,
) -> Mesh:
    """A tube along a path; its ends are flat, a closed one bites its tail.

    Vertices lie ring after ring, ``sides`` to a ring; an open tube has the middles of its two ends behind them.

    Args:
        path: ``(N, 3)`` middles of the rings, cm. A closed path does not repeat its first point.
        radius: half the width, one or ``(N,)``.
        height: half the extent towards ``up``, one or ``(N,)``; as ``radius`` if left out.
        up: the direction of ``height``; the normal of the plane the path lies in, roughly, if left out.
        sides: corners of a ring.
        closed: join the last ring to the first.
        finish: what it is made of, as in :func:`mesh`.

    Raises:
        ValueError: the path runs along ``up``, stands still, or has too few points.
    """
    path = np.asarray(path, np.float64)
    if len(path) < (3 if closed else 2):
        raise ValueError(f"A tube needs two points, a closed one three, not {len(path)}.")
    if closed:
        along = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    else:
        along = np.gradient(path, axis=0)
    along = _unit(along)
    if up is None:
        up = np.linalg.svd(along)[2][-1]  # the direction the path turns to least
    across = np.cross(along, _unit(np.asarray(up, np.float64)))
    if not (np.linalg.norm(across, axis=1) > ALONG_UP).all():
        raise ValueError("The tube's path stands still or runs along its up: give another up.")
    across = _unit(across)
    upward = np.cross(across, along)

    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None]
    width = np.broadcast_to(radius, len(path))[:, None, None]
    height = width if height is None else np.broadcast_to(height, len(path))[:, None, None]
    rings = path[:, None] + width * np.cos(angle) * across[:, None] + height * np.sin(angle) * upward[:, None]
    return mesh(*_closed_surface(rings, None if closed else path[[0, -1]]), **finish)


def sphere(
    centre: Sequence[float] | np.ndarray,
    radius: float | Sequence[float] | np.ndarray,
    *,
    rings: int = 12,
    **finish: Any,
) -> Mesh:
    """A sphere or, with three radii, an ellipsoid; its poles are below and above.

    Args:
        centre: ``(3,)``, cm.
        radius: one or ``(3,)``.
        rings: circles between the poles; each has twice as many corners, and two more.
        finish: what it is made of, as in :func:`mesh`.
    """
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rings + 2)[1:-1, None]
    longitude = np.linspace(0, 2 * np.pi, 2 * (rings + 1), endpoint=False)
    x, z = np.cos(longitude) * np.cos(latitude), np.sin(longitude) * np.cos(latitude)
    circles = np.stack([x, np.broadcast_to(np.sin(latitude), x.shape), z], axis=-1)
    vertices, triangles = _closed_surface(circles, np.array([[0, -1, 0], [0, 1, 0]]))
    return mesh(np.asarray(centre) + np.asarray(radius) * vertices, triangles, **finish)


def grid(points: np.ndarray, *, wrap_rows: bool = False, wrap_columns: bool = False, **finish: Any) -> Mesh:
    """A sheet through ``points (R, C, 3)``; its front is where columns run counter-clockwise of rows.

    Args:
        points: vertices, row after row, cm.
        wrap_rows: join the last row to the first.
        wrap_columns: join the last column to the first.
        finish: what it is made of, as in :func:`mesh`; per-vertex values may have the shape of the grid.
    """
    rows, columns = points.shape[:2]
    flat = {name: _flat(value, rows, columns) for name, value in finish.items()}
    return mesh(points.reshape(-1, 3), grid_triangles(rows, columns, wrap_rows, wrap_columns), **flat)


def _flat(value: Any, rows: int, columns: int) -> Any:
    on_grid = isinstance(value, np.ndarray) and value.ndim == 3 and value.shape[:2] == (rows, columns)
    return value.reshape(rows * columns, -1) if on_grid else value


def grid_triangles(rows: int, columns: int, wrap_rows: bool = False, wrap_columns: bool = False) -> np.ndarray:
    """Two triangles a cell of a grid of vertices, ``(T, 3) int32``; vertex ``(r, c)`` is number ``r * columns + c``."""
    r = np.arange(rows if wrap_rows else rows - 1)[:, None]
    c = np.arange(columns if wrap_columns else columns - 1)[None]
    below, above = r * columns, (r + 1) % rows * columns
    left, right = c, (c + 1) % columns
    a, b, d, e = below + left, above + left, above + right, below + right
    return np.stack([a, b, d, a, d, e], axis=-1).reshape(-1, 3).astype(np.int32)


def merged(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several.

    Raises:
        ValueError: there are none, or they do not all have the same binding and the same lens.
    """
    if not meshes:
        raise ValueError("There are no meshes to merge.")
    first = meshes[0]
    if any(other.binding != first.binding or other.lens is not first.lens for other in meshes):
        raise ValueError("Meshes of different bindings or lenses cannot be merged.")
    offsets = np.cumsum([0, *(len(part.vertices) for part in meshes[:-1])])
    joined = {
        name: np.concatenate([getattr(part, name) for part in meshes])
        for name in ("vertices", "material", "label", "colour", "uv")
    }
    triangles = np.concatenate([part.triangles + offset for part, offset in zip(meshes, offsets)])
    return mesh(triangles=triangles, binding=first.binding, lens=first.lens, **joined)


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals ``(V, 3) float32``: each the mean of its triangles', weighted by area; zero where there are none."""
    normals = np.zeros((len(vertices), 3), np.float32)
    _add_normals(np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(triangles, np.int32), normals)
    return normals


# One thread: a head takes under a millisecond, and the order of the sums stays the same whatever the machine.
@kept_jit()
def _add_normals(vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> None:
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += x
            normals[corner, 1] += y
            normals[corner, 2] += z
    for v in range(len(normals)):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length > 0:
            normals[v] /= length


def _closed_surface(rings: np.ndarray, tips: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles through rings ``(N, sides, 3)``, which end in two ``tips (2, 3)`` or else join up."""
    count, sides = rings.shape[:2]
    triangles = grid_triangles(count, sides, wrap_rows=tips is None, wrap_columns=True)
    vertices = rings.reshape(-1, 3)
    if tips is None:
        return vertices, triangles
    this = np.arange(sides)
    following, last = (this + 1) % sides, (count - 1) * sides
    first_tip = np.full(sides, count * sides)
    caps = [
        np.stack([first_tip, this, following], axis=1),
        np.stack([first_tip + 1, last + following, last + this], axis=1),
    ]
    return np.concatenate([vertices, tips]), np.concatenate([triangles, *caps])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
