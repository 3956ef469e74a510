"""Illumination of one point by all lights: of a strand, of skin, of everything else."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from durian.synthetic.base.compiled import inlined
from durian.synthetic.render.lighting import Lamp, Surroundings, radiance
from durian.synthetic.render.shading_eyes import CURVATURE, GLINT
from durian.synthetic.render.shading_hair import hair_light
from durian.synthetic.render.shading_light import METAL_SPECULAR, WIDENING, catch_light, highlight, mirror_strength
from durian.synthetic.render.shading_skin import BROAD, SPECULAR, THROUGH, WRAP, skin_highlight, through, wrapped
from durian.synthetic.render.shadows import ShadowMap, shadow_at, shadow_in_hair

Vector = tuple[float, float, float]


class Lights(NamedTuple):
    """The lights of a scene: a key light with its shadow map, a rim light, the surroundings and their mean radiance."""

    key: Lamp
    shadow: ShadowMap
    rim: Lamp
    around: Surroundings
    level: float


@inlined
def _triple(values: np.ndarray) -> Vector:
    return values[0], values[1], values[2]


@inlined
def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def mirrored_surroundings(
    normal: Vector, view: Vector, ambient: Vector, straight: float, alpha: float, lights: Lights
) -> Vector:
    """The surroundings in a mirror that is ``alpha`` blurred, as far as they are seen from there."""
    facing = _dot(normal, view)
    around = radiance(
        lights.around,
        2 * facing * normal[0] - view[0],
        2 * facing * normal[1] - view[1],
        2 * facing * normal[2] - view[2],
    )
    seen = min(1.0, (ambient[0] + ambient[1] + ambient[2]) / (3 * lights.level + 1e-6))
    strength = mirror_strength(facing, straight, alpha) * seen
    return around[0] * strength, around[1] * strength, around[2] * strength


@inlined
def light_hair(
    place: Vector, tangent: Vector, view: Vector, colour: Vector, ambient: Vector, rim_seen: float, lights: Lights
) -> Vector:
    key, rim = lights.key, lights.rim
    lit = shadow_in_hair(lights.shadow, key.radius, place)
    r, g, b = hair_light(tangent, _triple(key.direction), view, colour, lit)
    r, g, b = r * key.colour[0], g * key.colour[1], b * key.colour[2]
    if rim.colour[0] > 0:
        x, y, z = hair_light(tangent, _triple(rim.direction), view, colour, rim_seen)
        r, g, b = r + x * rim.colour[0], g + y * rim.colour[1], b + z * rim.colour[2]
    return r + colour[0] * ambient[0], g + colour[1] * ambient[1], b + colour[2] * ambient[2]


@inlined
def light_skin(
    place: Vector,
    smooth: Vector,
    normal: Vector,
    view: Vector,
    ambient: Vector,
    rim_seen: float,
    shine: float,
    lips: bool,
    lights: Lights,
) -> tuple[Vector, Vector]:
    """Light that skin mirrors, and light that enters it; ``smooth`` is the normal without relief, which casts no
    shadow."""
    key, rim = lights.key, lights.rim
    direction = _triple(key.direction)
    lit, thickness = shadow_at(lights.shadow, key.radius, place, smooth)
    facing = _dot(normal, direction)
    behind = _dot(smooth, direction)
    r = ambient[0] + key.colour[0] * (
        lit * wrapped(facing, WRAP[0]) + through(behind, thickness, THROUGH[0]) * (1 - lit)
    )
    g = ambient[1] + key.colour[1] * (
        lit * wrapped(facing, WRAP[1]) + through(behind, thickness, THROUGH[1]) * (1 - lit)
    )
    b = ambient[2] + key.colour[2] * (
        lit * wrapped(facing, WRAP[2]) + through(behind, thickness, THROUGH[2]) * (1 - lit)
    )
    mirrored = shine * lit * skin_highlight(normal, direction, view, lips, key.radius)
    mr, mg, mb = mirrored_surroundings(normal, view, ambient, SPECULAR * shine, BROAD, lights)
    mr, mg, mb = mr + mirrored * key.colour[0], mg + mirrored * key.colour[1], mb + mirrored * key.colour[2]
    if rim.colour[0] > 0:
        direction = _triple(rim.direction)
        facing = _dot(normal, direction)
        mirrored = shine * rim_seen * skin_highlight(normal, direction, view, lips, rim.radius)
        r += rim_seen * rim.colour[0] * wrapped(facing, WRAP[0])
        g += rim_seen * rim.colour[1] * wrapped(facing, WRAP[1])
        b += rim_seen * rim.colour[2] * wrapped(facing, WRAP[2])
        mr, mg, mb = mr + mirrored * rim.colour[0], mg + mirrored * rim.colour[1], mb + mirrored * rim.colour[2]
    return (mr, mg, mb), (r, g, b)


@inlined
def light_stuff(
    place: Vector,
    smooth: Vector,
    view: Vector,
    finish: tuple[float, float, float, float, float, float, float, float, float],
    is_eye: bool,
    ambient: Vector,
    rim_seen: float,
    footprint: float,
    lights: Lights,
) -> Vector:
    """Everything that is neither skin nor hair. An eye shines on its cornea but is painted on its ball."""
    fr, fg, fb, nx, ny, nz, specular, roughness, fuzz = finish
    normal, colour = (nx, ny, nz), (max(0.0, fr), max(0.0, fg), max(0.0, fb))
    matte = smooth if is_eye else normal
    is_metal = specular >= METAL_SPECULAR
    key, rim = lights.key, lights.rim
    lit, _ = shadow_at(lights.shadow, key.radius, place, smooth)
    direction = _triple(key.direction)
    cosine = max(0.0, _dot(matte, direction)) * lit
    if is_eye:
        blur = roughness + 2 * footprint / CURVATURE
        shine = GLINT * math.sqrt(lit) * catch_light(normal, direction, view, specular, key.radius, blur)
    else:
        shine = lit * highlight(normal, direction, view, specular, roughness + WIDENING * key.radius)
    grazing = 1 - max(0.0, _dot(normal, view))
    glow = 1 + 4 * fuzz * grazing * grazing * grazing
    mr, mg, mb = mirrored_surroundings(normal, view, ambient, specular, roughness, lights)
    mr, mg, mb = mr + shine * key.colour[0], mg + shine * key.colour[1], mb + shine * key.colour[2]
    dr, dg, db = (
        ambient[0] + cosine * key.colour[0],
        ambient[1] + cosine * key.colour[1],
        ambient[2] + cosine * key.colour[2],
    )
    if rim.colour[0] > 0:
        direction = _triple(rim.direction)
        cosine = max(0.0, _dot(matte, direction)) * rim_seen
        shine = rim_seen * highlight(normal, direction, view, specular, roughness + WIDENING * rim.radius)
        dr, dg, db = dr + cosine * rim.colour[0], dg + cosine * rim.colour[1], db + cosine * rim.colour[2]
        mr, mg, mb = mr + shine * rim.colour[0], mg + shine * rim.colour[1], mb + shine * rim.colour[2]
    if is_metal:
        return colour[0] * mr, colour[1] * mg, colour[2] * mb
    return colour[0] * dr * glow + mr, colour[1] * dg * glow + mg, colour[2] * db * glow + mb
