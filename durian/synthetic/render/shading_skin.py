"""Shading of skin: its maps, its fine relief, its two highlights, and light through thin parts.

Light that scatters sideways is :mod:`durian.synthetic.render.scatter`'s, which blurs what the shader finds here.
"""

from __future__ import annotations

import math

from durian.synthetic.base.compiled import inlined
from durian.synthetic.base.geometry import Label
from durian.synthetic.base.noise import noise, resolved
from durian.synthetic.render.shading_light import WIDENING, highlight, unit3
from durian.synthetic.render.surface import SkinMaps

SPECULAR = 0.026
"""Reflectance of skin straight on: an index of refraction of 1.39."""
BROAD, SHARP, SHARP_SHARE = 0.36, 0.17, 0.3
"""Widths (alpha) of skin's two highlights, dry cells and the film of oil on them, and the share of the second (after
Weyrich et al., "Analysis of human faces using a measurement-based skin reflectance model", 2006)."""
LIP_ROUGHNESS, LIP_GLOSS = 0.72, 1.5
"""Lips are smoother and shine more: factors of both widths and of the strength."""
OIL, OIL_WIDTH, OIL_FROM = 0.5, 1.9, 8.0
"""Forehead, nose and chin shine more: by how much, half the width (cm) of that band, and the z in front of which it
lies."""

PORES = ((7.0, 0.030), (19.0, 0.045))
"""Relief of bare skin: per cm, slope."""
MOTTLE = ((1.1, 0.030), (4.5, 0.022), (13.0, 0.020))
"""Patches of more or less blood: per cm, share of the colour."""

WRAP = (0.16, 0.08, 0.05)
"""How far red, green and blue light reaches beyond the edge of the shadow that a head casts on itself (cosine)."""
THROUGH = (1.1, 0.22, 0.13)
"""Depth (cm) at which a third of red, green and blue light is left: ears and nostrils glow."""
THROUGH_STRENGTH = 0.5


@inlined
def _corners(u: float, v: float, side: int) -> tuple[int, int, int, int, float, float]:
    x = min(max((u - math.floor(u)) * side - 0.5, 0.0), side - 1.0)
    y = min(max((1 - (v - math.floor(v))) * side - 0.5, 0.0), side - 1.0)
    left, top = int(x), int(y)
    return left, top, min(left + 1, side - 1), min(top + 1, side - 1), x - left, y - top


@inlined
def skin_colour(
    maps: SkinMaps, rest: tuple[float, float, float], uv: tuple[float, float], footprint: float
) -> tuple[float, float, float, float, int, float]:
    """Factor of the vertices' colour ``r, g, b``, gloss, label (0 for none), share of a beard's shadow."""
    x, y, z = rest
    blood = 0.0
    for frequency, share in MOTTLE:
        shown = resolved(frequency, footprint)
        if shown > 0:
            blood += shown * share * noise(x * frequency, y * frequency, z * frequency)
    tile, side = int(uv[0]), maps.colour.shape[1]
    if side == 1 or uv[0] < 0 or tile >= len(maps.colour):
        return 1 + 0.6 * blood, 1 + 1.2 * blood, 1 + 1.1 * blood, 1.0, 0, 0.0
    left, top, right, bottom, s, t = _corners(uv[0], uv[1], side)
    a, b, c, d = (1 - s) * (1 - t), s * (1 - t), (1 - s) * t, s * t
    colour, gloss, beard = maps.colour[tile], maps.gloss[tile], maps.beard[tile]
    red = (
        a * colour[top, left, 0]
        + b * colour[top, right, 0]
        + c * colour[bottom, left, 0]
        + d * colour[bottom, right, 0]
    )
    green = (
        a * colour[top, left, 1]
        + b * colour[top, right, 1]
        + c * colour[bottom, left, 1]
        + d * colour[bottom, right, 1]
    )
    blue = (
        a * colour[top, left, 2]
        + b * colour[top, right, 2]
        + c * colour[bottom, left, 2]
        + d * colour[bottom, right, 2]
    )
    shine = a * gloss[top, left] + b * gloss[top, right] + c * gloss[bottom, left] + d * gloss[bottom, right]
    shadow = a * beard[top, left] + b * beard[top, right] + c * beard[bottom, left] + d * beard[bottom, right]
    label = int(maps.label[tile, bottom if t > 0.5 else top, right if s > 0.5 else left])
    return red * (1 + 0.6 * blood), green * (1 + 1.2 * blood), blue * (1 + 1.1 * blood), shine, label, shadow


@inlined
def map_slope(maps: SkinMaps, uv: tuple[float, float]) -> tuple[float, float]:
    """Slope of the height map along u and v: cm per unit of the texture."""
    tile, side = int(uv[0]), maps.height.shape[1]
    if side == 1 or uv[0] < 0 or tile >= len(maps.height):
        return 0.0, 0.0
    left, top, right, bottom, s, t = _corners(uv[0], uv[1], side)
    height = maps.height[tile]
    along_u = (1 - t) * (height[top, right] - height[top, left]) + t * (height[bottom, right] - height[bottom, left])
    along_v = (1 - s) * (height[top, left] - height[bottom, left]) + s * (height[top, right] - height[bottom, right])
    return along_u * side, along_v * side


@inlined
def pores(
    normal: tuple[float, float, float], rest: tuple[float, float, float], footprint: float
) -> tuple[float, float, float]:
    """The normal with the fine relief that all skin has."""
    nx, ny, nz = normal
    x, y, z = rest
    for frequency, slope in PORES:
        shown = resolved(frequency, footprint) * slope
        if shown > 0:
            u, v, w = x * frequency, y * frequency, z * frequency
            nx += shown * noise(u, v, w)
            ny += shown * noise(u + 31.7, v, w + 5.1)
            nz += shown * noise(u, v + 17.3, w - 9.2)
    return unit3(nx, ny, nz)


@inlined
def oiliness(rest: tuple[float, float, float], label: int, gloss: float) -> float:
    """Strength of highlights at a place of the neutral head."""
    middle = rest[0] / OIL_WIDTH
    strength = gloss * (1 + OIL * math.exp(-middle * middle) * (rest[2] > OIL_FROM))
    return strength * LIP_GLOSS if label == Label.LIPS else strength


@inlined
def skin_highlight(
    normal: tuple[float, float, float],
    light: tuple[float, float, float],
    view: tuple[float, float, float],
    lips: bool,
    radius: float,
) -> float:
    """Light of a lamp that skin mirrors: two lobes, both widened by the lamp's size."""
    narrower = LIP_ROUGHNESS if lips else 1.0
    broad = highlight(normal, light, view, SPECULAR, BROAD * narrower + WIDENING * radius)
    sharp = highlight(normal, light, view, SPECULAR, SHARP * narrower + WIDENING * radius)
    return (1 - SHARP_SHARE) * broad + SHARP_SHARE * sharp


@inlined
def through(facing: float, thickness: float, edge: float) -> float:
    """Light that comes through from behind, of a colour with penetration depth ``edge`` (Jimenez et al., "Real-time
    realistic skin translucency", 2010)."""
    return THROUGH_STRENGTH * min(1.0, max(0.0, 0.3 - facing)) * math.exp(-thickness / edge)


@inlined
def wrapped(facing: float, wrap: float) -> float:
    """Cosine law that reaches ``wrap`` beyond the terminator, with the same mean over the sphere."""
    lit = max(0.0, facing + wrap) / (1 + wrap)
    return lit / (1 + wrap)
