"""Shading of hair: the three paths of light through a fibre, and light scattered from fibre to fibre.

The lobes are Karis's fits ("Physically based hair shading in Unreal", 2016) of the model of Marschner et al. ("Light
scattering from human hair fibers", 2003): R mirrors at the surface and is white; TT goes through; TRT is mirrored
inside, coloured, and makes the second highlight, further towards the tip.
"""

from __future__ import annotations

import math

from durian.synthetic.base.compiled import inlined

SCALES = 0.1
"""Tilt of the cuticle's scales in radians: the first highlight moves towards the root by twice, the second to the tip
by four times it."""
WIDTH = 0.16
"""Width of the first highlight (radians); TT is half, TRT twice as wide."""
SPECULAR = 0.0465
"""Reflectance of keratin straight on (index of refraction 1.55)."""
MIRRORED, SECOND, PASSED = 1.3, 0.9, 0.5
"""Strengths of R, TRT and TT, below one as neighbours shade each other."""
SCATTERED = 0.34
"""Light that comes back after many fibres, for a lamp from the side."""


@inlined
def _bell(x: float, width: float) -> float:
    x /= width
    return math.exp(-0.5 * x * x) / (width * 2.5066)


@inlined
def hair_light(
    tangent: tuple[float, float, float],
    light: tuple[float, float, float],
    view: tuple[float, float, float],
    colour: tuple[float, float, float],
    lit: float,
) -> tuple[float, float, float]:
    """Light of a lamp of colour 1 that hair sends to the viewer.

    Args:
        tangent: unit, towards the tip.
        light: unit, to the lamp.
        view: unit, to the viewer.
        colour: of the hair.
        lit: how much of the lamp gets there.
    """
    tx, ty, tz = tangent
    sin_light = min(1.0, max(-1.0, tx * light[0] + ty * light[1] + tz * light[2]))
    sin_view = min(1.0, max(-1.0, tx * view[0] + ty * view[1] + tz * view[2]))
    between = light[0] * view[0] + light[1] * view[1] + light[2] * view[2]
    cos_light, cos_view = math.sqrt(1 - sin_light * sin_light), math.sqrt(1 - sin_view * sin_view)
    around = (between - sin_light * sin_view) / (
        cos_light * cos_view + 1e-4
    )  # cosine of the azimuth between light and view
    around = min(1.0, max(-1.0, around))
    half = math.sqrt(0.5 + 0.5 * around)
    tilt = sin_light + sin_view

    grazing = (1 - math.sqrt(max(0.0, 0.5 + 0.5 * between))) ** 5
    mirrored = MIRRORED * 0.25 * half * _bell(tilt + 2 * SCALES, WIDTH) * (SPECULAR + (1 - SPECULAR) * grazing)
    second = SECOND * math.exp(17 * around - 16.78) * 0.35 * _bell(tilt - 4 * SCALES, 2 * WIDTH)
    second += SECOND * 0.06 * half * _bell(tilt - 4 * SCALES, 2 * WIDTH)
    passed = PASSED * math.exp(-3.65 * around - 3.98) * _bell(tilt - SCALES, 0.5 * WIDTH)
    scattered = SCATTERED * cos_light * (0.75 + 0.25 * around)
    strength = lit * (0.3 + 0.7 * cos_light)
    passed *= lit  # what goes through one fibre meets the next ones
    return (
        strength * _fibre(colour[0], mirrored, second, passed, scattered),
        strength * _fibre(colour[1], mirrored, second, passed, scattered),
        strength * _fibre(colour[2], mirrored, second, passed, scattered),
    )


@inlined
def _fibre(colour: float, mirrored: float, second: float, passed: float, scattered: float) -> float:
    once = math.sqrt(colour)
    return mirrored + second * once * math.sqrt(once) + passed * once + scattered * colour
