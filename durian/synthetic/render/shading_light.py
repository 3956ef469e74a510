"""Light on surfaces other than hair: a material's finish, and its highlights.

A material is a function that returns a finish: ``(r, g, b, nx, ny, nz, specular, roughness, fuzz)``: colour, the
normal with its fine relief, reflectance straight on, the width of highlights (GGX's alpha), and how much its fibres
glow at grazing angles.
"""

from __future__ import annotations

import math

from durian.synthetic.base.compiled import inlined

METAL_SPECULAR = 0.9
"""Reflectance from which on a finish is a metal's: its colour is its reflection's."""

WIDENING = 0.25
"""By how much a lamp's radius widens its highlights."""
SMALLEST_LAMP, UPRIGHT = 0.06, 1.3
"""Least radius of a lamp that eyes mirror, a bulb with its shade; and how much higher than wide lamps are, as most
windows."""


@inlined
def unit3(x: float, y: float, z: float) -> tuple[float, float, float]:
    """The vector at length one."""
    scale = 1 / math.sqrt(x * x + y * y + z * z + 1e-12)
    return x * scale, y * scale, z * scale


@inlined
def fresnel(cosine: float, straight: float) -> float:
    """Schlick's reflectance at an angle, of what reflects ``straight`` straight on."""
    grazing = 1 - min(1.0, max(0.0, cosine))
    squared = grazing * grazing
    return straight + (1 - straight) * squared * squared * grazing


@inlined
def highlight(
    normal: tuple[float, float, float],
    light: tuple[float, float, float],
    view: tuple[float, float, float],
    straight: float,
    alpha: float,
) -> float:
    """Light of a lamp of colour 1 that a surface mirrors towards the viewer.

    GGX with the visibility of Kelemen and Szirmay-Kalos (2001), times π as the lamp's colour is irradiance over π.
    """
    facing = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]
    if facing <= 0:
        return 0.0
    hx, hy, hz = unit3(light[0] + view[0], light[1] + view[1], light[2] + view[2])
    nh = max(0.0, normal[0] * hx + normal[1] * hy + normal[2] * hz)
    lh = light[0] * hx + light[1] * hy + light[2] * hz
    squared = alpha * alpha
    spread = nh * nh * (squared - 1) + 1
    return facing * fresnel(lh, straight) * squared / (4 * max(0.05, lh * lh) * spread * spread)


@inlined
def catch_light(
    normal: tuple[float, float, float],
    light: tuple[float, float, float],
    view: tuple[float, float, float],
    straight: float,
    radius: float,
    blur: float,
) -> float:
    """Light of an upright rectangular lamp of colour 1 that a smooth surface mirrors towards the viewer.

    ``radius`` is the tangent of half the lamp's angle, ``blur`` the angle that a pixel shows of what is mirrored, over
    which the rectangle's edges are averaged.
    """
    facing = normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2]
    mx, my, mz = 2 * facing * normal[0] - view[0], 2 * facing * normal[1] - view[1], 2 * facing * normal[2] - view[2]
    if mx * light[0] + my * light[1] + mz * light[2] <= 0:
        return 0.0
    # Across: horizontal, at a right angle to the lamp's direction; the other side of the rectangle follows.
    ax, _, az = unit3(light[2], 0.0, -light[0])
    ux, uy, uz = light[1] * az, light[2] * ax - light[0] * az, -light[1] * ax
    width, height = max(radius, SMALLEST_LAMP), UPRIGHT * max(radius, SMALLEST_LAMP)
    across = _box(ax * mx + az * mz, width, blur) * _box(ux * mx + uy * my + uz * mz, height, blur)
    return fresnel(facing, straight) * across * math.pi / (4 * width * height)


@inlined
def _box(place: float, half: float, blur: float) -> float:
    """Share of the interval ``place`` ± blur / 2 that lies within ± half."""
    low, high = max(place - blur / 2, -half), min(place + blur / 2, half)
    return max(0.0, high - low) / blur


@inlined
def mirror_strength(facing: float, straight: float, alpha: float) -> float:
    """Share of even surroundings that a surface mirrors (Karis's fit of GGX's integral, "Physically based shading on
    mobile", 2014)."""
    rough = math.sqrt(alpha)
    smooth = 1 - rough
    a = min(smooth * smooth, 2 ** (-9.28 * max(0.0, facing))) * smooth + 0.0425 - 0.0275 * rough
    return max(0.0, straight * (1.04 - 0.572 * rough - 1.04 * a) + 1.04 * a + 0.022 * rough - 0.04)
