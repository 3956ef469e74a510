"""Woven and printed patterns: meshes cut along the edges of stripes, checks and dots, so that these are sharp in
pictures of any size and need no fine mesh."""

from __future__ import annotations

import numpy as np

from durian.synthetic.fabric import PATTERNS
from durian.synthetic.geometry import Mesh
from durian.synthetic.shapes import mesh
from durian.synthetic.wear import Colour

STRIPE, CHECK, DOT = 0.36, 0.5, 0.25
"""Breadth of stripes, breadth of the two rows of stripes that make gingham, and radius of dots, in periods."""


def printed(
    made: Mesh, pattern: str, period: float, colour: Colour, accent: Colour, cloth: np.ndarray | None = None
) -> Mesh:
    """A mesh in the colours of a pattern.

    Args:
        made: of any colour.
        pattern: one of ``PATTERNS``: stripes run across, checks are gingham, dots stand in staggered rows.
        period: of the pattern, cm.
        colour: the ground's.
        accent: the pattern's.
        cloth: ``(V, 2)`` places on the cloth, cm across and along; the texture coordinates if left out.

    Raises:
        ValueError: there is no such pattern.
    """
    levels = inside(pattern, made.uv if cloth is None else cloth, period)
    values = np.concatenate([made.vertices, made.uv, levels], axis=1).astype(np.float64)
    triangles, source = made.triangles, np.arange(len(made.triangles))
    layers = np.zeros((len(triangles), 0), bool)
    for column in range(values.shape[1] - levels.shape[1], values.shape[1]):
        values, triangles, parent, is_inside = cut(values, triangles, column)
        source, layers = source[parent], np.concatenate([layers[parent], is_inside[:, None]], axis=1)
    # Vertices on an edge have two colours: one vertex for each.
    covered, number = layers.sum(axis=1), layers.shape[1] + 1
    used, corner = np.unique(triangles * number + covered[:, None], return_inverse=True)
    share = (used % number)[:, None] / max(1, number - 1)
    kept = values[used // number]
    return mesh(
        kept[:, :3],
        corner.reshape(-1, 3),
        material=made.material[source],
        label=made.label[source],
        colour=(1 - share) * np.asarray(colour) + share * np.asarray(accent),
        uv=kept[:, 3:5],
        binding=made.binding,
    )


def inside(pattern: str, cloth: np.ndarray, period: float) -> np.ndarray:
    """``(V, L)`` cm by which places ``(V, 2)`` are inside each of a pattern's L layers; arguments as in
    :func:`printed`."""
    across, along = np.asarray(cloth, np.float64).T
    if pattern == "plain":
        return np.zeros((len(cloth), 0))
    if pattern == "stripes":
        return _band(along, period, STRIPE)[:, None]
    if pattern == "checks":
        return np.stack([_band(across, period, CHECK), _band(along, period, CHECK)], axis=1)
    if pattern == "dots":
        row = np.floor(along / period)
        x = (across / period + row / 2) % 1 - 0.5
        y = along / period - row - 0.5
        return period * (DOT - np.hypot(x, y))[:, None]
    raise ValueError(f"There is no pattern {pattern!r}: use {', '.join(PATTERNS)}.")


def _band(place: np.ndarray, period: float, share: float) -> np.ndarray:
    return period * (share / 2 - np.abs(place / period % 1 - 0.5))


def cut(
    values: np.ndarray, triangles: np.ndarray, column: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Triangles cut where one of their vertices' values crosses zero.

    Args:
        values: ``(V, N)`` of vertices; all are interpolated.
        triangles: ``(T, 3)``.
        column: of the value that counts.

    Returns:
        Values ``(V + E, N)`` with those of the vertices on cut edges behind the old ones; triangles ``(U, 3)``; of
        which of the old ones each is a part; and ``(U,) bool`` whether its value is above zero.
    """
    above = values[:, column] > 0
    sides = above[triangles]
    count = sides.sum(axis=1)
    whole, mixed = np.flatnonzero(count % 3 == 0), np.flatnonzero(count % 3)
    # The corner that is alone on its side first.
    alone = (sides[mixed] == (count[mixed] == 1)[:, None]).argmax(axis=1)
    a, b, c = np.take_along_axis(triangles[mixed], (alone[:, None] + np.arange(3)) % 3, axis=1).T
    edges = np.sort(np.stack([np.concatenate([a, a]), np.concatenate([b, c])], axis=1), axis=1)
    edges, number = np.unique(edges, axis=0, return_inverse=True)
    first, second = values[edges[:, 0]], values[edges[:, 1]]
    part = first[:, column] / (first[:, column] - second[:, column])
    p, q = (len(values) + number.reshape(2, -1)).astype(triangles.dtype)
    pieces = [triangles[whole], np.stack([a, p, q], axis=1), np.stack([p, b, c], axis=1), np.stack([p, c, q], axis=1)]
    is_inside = [count[whole] == 3, above[a], ~above[a], ~above[a]]
    return (
        np.concatenate([values, first + part[:, None] * (second - first)]),
        np.concatenate(pieces),
        np.concatenate([whole, mixed, mixed, mixed]),
        np.concatenate(is_inside),
    )
