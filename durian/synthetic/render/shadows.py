"""Shadow maps, and soft shadows from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares, inlined
from durian.synthetic.render.lighting import unit
from durian.synthetic.render.raster import rasterise

MIDDLE = np.array([0, -1, 0], np.float32)
EXTENT = 48.0
"""Middle and side (cm) of the cube that shadows are computed in: head, hair and shoulders in any pose."""
FAR = 100.0
"""Added to distances along the light, so that they are above zero in the z-buffer."""

FEWEST_TEXELS, MOST_TEXELS, TEXELS_A_PIXEL = 320, 640, 1.75
"""Texels along the side of the key light's map, 13 to the cm at most, and how many there are for a picture's pixel."""

BIAS, NORMAL_BIAS = 0.12, 0.15
"""cm that something must be nearer to the light to shade a surface, and by which a surface looks for its shadow
outside itself."""
SEARCH = 1.6
"""How far around a point (cm, at softness 1) something can stand that shades it in part."""
SHADOW_EDGE = 6.0
"""Shadow per cm that something is nearer: none at 0, all at a sixth."""
STRAND_BIAS, STRAND_BLUR = 0.15, 0.6
"""cm that hair must be nearer to the light to shade hair, and the blur of such shadows at softness 1."""
STRAND_DENSITY = 1.6
"""Half of the light is left after 1 / 1.6 cm of hair."""


class ShadowMap(NamedTuple):
    """The key light's shadow map: ``nearness (S, S)``, ``axes (3, 3)`` whose rows are right, down and towards the
    light, ``scale`` texels per cm."""

    nearness: np.ndarray
    axes: np.ndarray
    scale: float


def light_axes(direction: np.ndarray) -> np.ndarray:
    """Rows right, down and towards the light, ``(3, 3) float32``."""
    direction = unit(direction)
    up = (0, 1, 0) if abs(direction[1]) < 0.95 else (1, 0, 0)
    right = unit(np.cross(up, direction))
    return np.stack([right, np.cross(right, direction), direction]).astype(np.float32)


def seen_along(points: np.ndarray, axes: np.ndarray, side: int) -> np.ndarray:
    """Points ``(N, 3) float32`` as a light sees them: ``(3, N) float32`` column, row and nearness in a map of that
    side."""
    seen = np.empty((3, len(points)), np.float32)
    in_shares(_look, len(points), points, axes, side / EXTENT, side / 2, seen)
    return seen


@compiled
def _look(
    first: int, last: int, points: np.ndarray, axes: np.ndarray, scale: float, middle: float, seen: np.ndarray
) -> None:
    for i in range(first, last):
        x, y, z = points[i, 0] - MIDDLE[0], points[i, 1] - MIDDLE[1], points[i, 2] - MIDDLE[2]
        seen[0, i] = (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z) * scale + middle
        seen[1, i] = (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z) * scale + middle
        seen[2, i] = axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z + FAR


def shadow_map(points: np.ndarray, triangles: np.ndarray, direction: np.ndarray, size: int) -> ShadowMap:
    """See ``points (N, 3) float32`` from a light, for a picture of ``size`` pixels along its side."""
    side = min(MOST_TEXELS, max(FEWEST_TEXELS, round(TEXELS_A_PIXEL * size)))
    axes = light_axes(direction)
    nearness = rasterise(seen_along(points, axes, side), triangles, side, side)[1][:, 0]
    return ShadowMap(nearness, axes, side / EXTENT)


@inlined
def _texel(shadow: ShadowMap, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Column and row of a point, with their fractions, and its nearness."""
    axes, half = shadow.axes, 0.5 * len(shadow.nearness)
    x, y, z = x - MIDDLE[0], y - MIDDLE[1], z - MIDDLE[2]
    return (
        (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z) * shadow.scale + half,
        (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z) * shadow.scale + half,
        axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z + FAR,
    )


@inlined
def shadow_at(
    shadow: ShadowMap, radius: float, place: tuple[float, float, float], normal: tuple[float, float, float]
) -> tuple[float, float]:
    """How much of the lamp a point of a surface sees, and the mean distance (cm) to what shades it.

    Percentage-closer soft shadows (Fernando, 2005): the further away what shades, the wider the blur.
    """
    side, off = len(shadow.nearness), NORMAL_BIAS
    u, v, near = _texel(shadow, place[0] + normal[0] * off, place[1] + normal[1] * off, place[2] + normal[2] * off)
    near += BIAS
    reach = max(1.0, SEARCH * radius * shadow.scale * 0.5)
    distance, blockers = 0.0, 0
    for down in range(-1, 2):
        for right in range(-1, 2):
            column, row = int(u + right * reach), int(v + down * reach)
            if 0 <= column < side and 0 <= row < side and shadow.nearness[row, column] > near:
                distance += shadow.nearness[row, column] - near
                blockers += 1
    if blockers == 0:
        return 1.0, 0.0
    distance /= blockers

    step = min(max(1.0, radius * distance * shadow.scale * 0.5), reach)
    dark = 0.0
    for down in range(-2, 3):
        for right in range(-2, 3):
            column, row = int(u + right * step), int(v + down * step)
            if 0 <= column < side and 0 <= row < side:
                dark += min(1.0, max(0.0, (shadow.nearness[row, column] - near) * SHADOW_EDGE))
    return 1 - dark / 25, distance


@inlined
def shadow_in_hair(shadow: ShadowMap, radius: float, place: tuple[float, float, float]) -> float:
    """How much of the lamp gets to a strand: strands shade each other with depth, as a cloud does."""
    side = len(shadow.nearness)
    u, v, near = _texel(shadow, place[0], place[1], place[2])
    near += STRAND_BIAS
    step = max(1.0, STRAND_BLUR * radius * shadow.scale)
    lit = 0.0
    for down in range(-1, 2):
        for right in range(-1, 2):
            column, row = int(u + right * step), int(v + down * step)
            if 0 <= column < side and 0 <= row < side and shadow.nearness[row, column] > near:
                lit += 1 / (1 + STRAND_DENSITY * (shadow.nearness[row, column] - near))
            else:
                lit += 1
    return lit / 9
