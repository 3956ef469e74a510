"""Woven and printed patterns as meshes, cut along the edges of stripes, checks, dots and ornaments.

The edges are sharp in pictures of any size, and need no fine mesh.
"""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.geometry import Mesh
from durian.synthetic.base.shapes import mesh
from durian.synthetic.base.wear import Colour
from durian.synthetic.worn.fabric import PATTERNS

STRIPE, CHECK, DOT = 0.36, 0.5, 0.25
"""Breadth of stripes, breadth of the two rows of stripes that make gingham, and radius of dots, in periods."""
ROUND, ROUND_EDGE, CENTRE = 0.47, 0.05, 0.13
"""Of an ornament's rounds: radius, breadth of the dark edge, radius of the middle, in periods."""
PETALS, PETAL_BREADTH, PETAL_ENDS = 8, 0.1, (0.18, 0.38)
"""How many petals stand around the middle, how broad they are and from where to where they reach, in periods."""
THIRD_INK = 0.7
"""Brightness of the ornament's third ink, which has the channels of another one in turn."""
ZIGZAG, ZIGZAG_HEIGHT = 0.45, 0.5
"""Breadth of zigzag stripes, and how far they swing, in periods."""
OVERPRINT = 0.25
"""Brightness of the edge where two inks overlap, of the darker one's."""


def printed(
    made: Mesh,
    pattern: str,
    period: float,
    colour: Colour,
    accent: Colour,
    cloth: np.ndarray | None = None,
    shade: np.ndarray | None = None,
) -> Mesh:
    """A mesh in the colours of a pattern.

    Args:
        made: of any colour.
        pattern: one of ``PATTERNS``: stripes and zigzags run across, checks are gingham, dots and the
            rounds of ornaments stand in staggered rows.
        period: of the pattern, cm.
        colour: the ground's.
        accent: the pattern's.
        cloth: ``(V, 2)`` places on the cloth, cm across and along; the texture coordinates if left out.
        shade: ``(V,)`` brightness of the cloth, as in creases; 1 everywhere if left out.

    Raises:
        ValueError: there is no such pattern.
    """
    levels = inside(pattern, made.uv if cloth is None else cloth, period)
    shade = np.ones(len(levels)) if shade is None else np.ravel(shade)
    values = np.concatenate([made.vertices, made.uv, shade[:, None], levels], axis=1).astype(np.float64)
    triangles, source = made.triangles, np.arange(len(made.triangles))
    layers = np.zeros((len(triangles), 0), bool)
    for column in range(values.shape[1] - levels.shape[1], values.shape[1]):
        values, triangles, parent, is_inside = cut(values, triangles, column)
        source, layers = source[parent], np.concatenate([layers[parent], is_inside[:, None]], axis=1)
    # Vertices on an edge have two colours: one vertex for each.
    covered, number = layers.sum(axis=1), layers.shape[1] + 1
    used, corner = np.unique(triangles * number + covered[:, None], return_inverse=True)
    kept = values[used // number]
    return mesh(
        kept[:, :3],
        corner.reshape(-1, 3),
        material=made.material[source],
        label=made.label[source],
        colour=_colours(pattern, number, colour, accent)[used % number] * kept[:, 5:6],
        uv=kept[:, 3:5],
        binding=made.binding,
    )


def _colours(pattern: str, number: int, colour: Colour, accent: Colour) -> np.ndarray:
    """Of places inside none, one ... of a pattern's layers, ``(number, 3)``."""
    share = np.linspace(0, 1, number)[:, None]
    colours = (1 - share) * np.asarray(colour) + share * np.asarray(accent)
    if pattern == "ornament":
        colours[1] = OVERPRINT * np.minimum(colour, accent)
        colours[2] = THIRD_INK * np.roll(max(colour, accent, key=np.ptp), 1)  # as strong as the stronger one
    return colours


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
    if pattern == "ornament":
        return period * _ornament(across / period, along / period)
    if pattern == "zigzag":
        swing = ZIGZAG_HEIGHT * 2 * np.abs(across / period % 1 - 0.5)
        return _band(along + period * swing, period, ZIGZAG)[:, None]
    raise ValueError(f"There is no pattern {pattern!r}: use {', '.join(PATTERNS)}.")


def _ornament(across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Periods by which places are inside staggered rounds, inside their edges, and inside the flowers in them."""
    row = np.floor(along)
    x, y = (across + row / 2) % 1 - 0.5, along - row - 0.5
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    aside = np.abs((angle * PETALS / (2 * np.pi)) % 1 - 0.5) * 2 * np.pi / PETALS * radius
    beyond = np.abs(radius - np.mean(PETAL_ENDS)) - np.ptp(PETAL_ENDS) / 2
    flower = np.maximum(np.minimum(PETAL_BREADTH / 2 - aside, -beyond), CENTRE - radius)
    return np.stack([ROUND - radius, ROUND - ROUND_EDGE - radius, flower], axis=1)


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
