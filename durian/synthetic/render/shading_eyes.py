"""Shading of eyes: an iris and a pupil painted on the eyeball, the white around them, and their wet shine."""

from __future__ import annotations

import math

from durian.synthetic.base.compiled import inlined
from durian.synthetic.base.noise import noise, resolved
from durian.synthetic.render.surface import Eyes

EYEBALL = 5.5
"""Size of an eyeball's texture in cm, roughly; turns a pixel's size into a share of the texture."""
LIMBUS = 0.16
"""Width of the dark ring around the iris, as a share of its radius."""
WHITE, VEINS = (0.54, 0.49, 0.465), (0.455, 0.315, 0.285)
"""Linear colours of the white near the iris and in the corners."""
VEIL, VEIL_WIDTH = 0.3, 0.22
"""Depth of the grey in which the white meets the iris, and how far it reaches, as a share of the iris's radius."""
GLINT, CURVATURE = 1.5, 0.6
"""Cameras let a catch-light bloom: its strength. Radius (cm) of the surface that mirrors it, between the cornea's and
the eyeball's."""
SPECULAR, ROUGHNESS = 0.03, 0.06
"""Of the tear film: index of refraction 1.38."""
UNEVEN = 0.4
"""Strength of what the white mirrors, whose film is less smooth than the cornea's."""
CORNEA = 0.12
"""How far (cm) the cornea stands out of the eyeball."""


@inlined
def eye(
    eyes: Eyes,
    rest: tuple[float, float, float],
    uv: tuple[float, float],
    shade: tuple[float, float, float],
    footprint: float,
) -> tuple[float, float, float, bool]:
    """Colour and whether it is the iris's; ``shade`` is the shadow of lids and lashes."""
    du, dv = uv[0] - 0.5, uv[1] - 0.5
    distance = math.sqrt(du * du + dv * dv)
    blur = max(0.004, 0.7 * footprint / EYEBALL)
    outside = min(1.0, max(0.0, (distance - eyes.radius) / (LIMBUS * eyes.radius) + 0.5))
    away = min(1.0, max(0.0, (distance - eyes.radius) / 0.16))
    vein = 0.03 * noise(rest[0] * 6 + eyes.seed, rest[1] * 14, rest[2] * 3) * resolved(10, footprint)
    r = WHITE[0] + (VEINS[0] - WHITE[0]) * away * away
    g = WHITE[1] + (VEINS[1] - WHITE[1]) * away * away - abs(vein)
    b = WHITE[2] + (VEINS[2] - WHITE[2]) * away * away - abs(vein)
    from_iris = max(0.0, distance - eyes.radius) / (VEIL_WIDTH * eyes.radius)
    veil = 1 - VEIL * math.exp(-from_iris * from_iris)
    r, g, b = r * veil, g * veil, b * veil
    if outside < 1:
        inwards = min(1.0, distance / eyes.radius)
        x, y = du / (distance + 1e-5), dv / (distance + 1e-5)
        fibres = (
            0.62
            + 0.25 * noise(x * 9 + eyes.seed, y * 9, inwards * 2)
            + 0.2 * noise(x * 24 + eyes.seed, y * 24, inwards * 3)
        )
        collar = math.exp(-(((inwards - 0.52) / 0.16) ** 2))
        ring = 1 - 0.7 * max(0.0, (inwards - 0.72) / 0.28) ** 1.5
        open_ = min(1.0, max(0.0, (distance - eyes.pupil) / blur + 0.5))
        # The lens gathers light on the side away from the lamp; most lamps are above.
        glow = 1.15 - 0.5 * dv / eyes.radius
        strength = (fibres * 0.95 + 0.3 * collar) * ring * open_ * glow
        inside = 1 - outside
        r = r * outside + inside * (eyes.colour[0] * strength + 0.02 * collar * open_ + 0.003)
        g = g * outside + inside * (eyes.colour[1] * strength + 0.012 * collar * open_ + 0.003)
        b = b * outside + inside * (eyes.colour[2] * strength + 0.003)
    return r * shade[0], g * shade[1], b * shade[2], outside < 0.5


@inlined
def cornea_slope(eyes: Eyes, uv: tuple[float, float]) -> tuple[float, float]:
    """Slope of the cornea over the eyeball along u and v, cm per unit of the texture; its height is CORNEA (1 -
    r²)²."""
    du, dv = uv[0] - 0.5, uv[1] - 0.5
    edge = 1.1 * eyes.radius
    inside = 1 - (du * du + dv * dv) / (edge * edge)
    if inside <= 0:
        return 0.0, 0.0
    slope = -4 * CORNEA * inside / (edge * edge)
    return slope * du, slope * dv
