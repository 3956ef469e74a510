"""Materials of worn things: cloth, knitting, felt, straw, leather, plastic, metal; and of teeth and gums.

A texture coordinate is a place on the thing in cm, except where a function says otherwise. Each material returns a
finish as in :mod:`durian.synthetic.render.shading_light`.
"""

from __future__ import annotations

import math

from durian.synthetic.base.compiled import inlined
from durian.synthetic.base.geometry import Material
from durian.synthetic.base.noise import noise, resolved
from durian.synthetic.render.shading_light import METAL_SPECULAR, unit3

Vector = tuple[float, float, float]
Finish = tuple[float, float, float, float, float, float, float, float, float]

WEAVE = 9.0
"""Threads per cm."""
ROUND, GROOVED = 0.785, 0.89
"""Mean height of a rib of knitting, and mean brightness of straw with its grooves: what is left of them far away."""
FOLDS, FOLD_SLOPE = 0.45, 0.10
"""Soft folds of cloth: per cm, slope."""


@inlined
def _finish(colour: Vector, factor: float, normal: Vector, specular: float, roughness: float, fuzz: float) -> Finish:
    r, g, b = colour
    return r * factor, g * factor, b * factor, normal[0], normal[1], normal[2], specular, roughness, fuzz


@inlined
def cloth(colour: Vector, normal: Vector, rest: Vector, uv: tuple[float, float], footprint: float) -> Finish:
    """Woven cotton."""
    x, y, z = rest
    thread = resolved(WEAVE, footprint)
    weave = math.sin(2 * math.pi * WEAVE * uv[0]) * math.sin(2 * math.pi * WEAVE * uv[1]) * thread
    worn = 0.05 * noise(3 * x, 3 * y, 3 * z) + 0.05 * resolved(11, footprint) * noise(11 * x, 11 * y, 11 * z)
    fold_x = FOLD_SLOPE * noise(FOLDS * x + 3, FOLDS * y, FOLDS * z)
    fold_y = FOLD_SLOPE * noise(FOLDS * x, FOLDS * y + 9, FOLDS * z)
    bent = unit3(normal[0] + fold_x, normal[1] + fold_y, normal[2])
    return _finish(colour, 1 + 0.09 * weave + worn, bent, 0.02, 0.8, 0.12)


@inlined
def knit(colour: Vector, normal: Vector, rest: Vector, uv: tuple[float, float], footprint: float) -> Finish:
    """Ribbed knitting; u counts ribs, v counts rows of stitches."""
    rib = 2 * abs(uv[0] - math.floor(uv[0]) - 0.5)
    stitch = math.sin(2 * math.pi * (uv[1] + 0.5 * rib)) * resolved(2.5, footprint)
    deep = ROUND + (math.sqrt(max(0.0, 1 - rib * rib)) - ROUND) * resolved(2.5, footprint)
    fibre = 0.08 * noise(12 * rest[0], 12 * rest[1], 12 * rest[2]) * resolved(12, footprint)
    return _finish(colour, (0.5 + 0.5 * deep) * (0.85 + 0.15 * stitch) + fibre, normal, 0.015, 0.9, 0.3)


@inlined
def felt(colour: Vector, normal: Vector, rest: Vector, footprint: float) -> Finish:
    """Pressed wool."""
    x, y, z = rest
    fibre = 0.07 * noise(3 * x, 3 * y, 3 * z) + 0.08 * noise(8 * x, 8 * y, 8 * z) * resolved(8, footprint)
    fibre += 0.08 * noise(19 * x, 19 * y, 19 * z) * resolved(19, footprint)
    return _finish(colour, 1 + fibre, normal, 0.02, 0.85, 0.22)


@inlined
def straw(colour: Vector, normal: Vector, rest: Vector, uv: tuple[float, float], footprint: float) -> Finish:
    """Plaited straw; u counts strands across a braid, v counts braids."""
    braid = uv[1] - math.floor(uv[1])
    lean = braid if math.floor(uv[1]) % 2 else 1 - braid
    strand = math.sin(2 * math.pi * (uv[0] + lean)) * resolved(2, footprint)
    groove = GROOVED + (1 - 0.5 * math.exp(-((min(braid, 1 - braid) / 0.12) ** 2)) - GROOVED) * resolved(3, footprint)
    dry = 0.10 * noise(6 * rest[0], 25 * rest[1], 6 * rest[2]) * resolved(10, footprint)
    bent = unit3(normal[0], normal[1] + 0.25 * (braid - 0.5), normal[2])
    return _finish(colour, groove * (0.88 + 0.14 * strand + dry), bent, 0.04, 0.5, 0.0)


@inlined
def leather(colour: Vector, normal: Vector, rest: Vector, footprint: float) -> Finish:
    """Grained leather."""
    x, y, z = rest
    grain = resolved(8, footprint)
    gx, gy = noise(8 * x, 8 * y, 8 * z) * grain, noise(8 * x + 40, 8 * y, 8 * z) * grain
    bent = unit3(normal[0] + 0.16 * gx, normal[1] + 0.16 * gy, normal[2])
    return _finish(colour, 1 + 0.12 * noise(2 * x, 2 * y, 2 * z) + 0.06 * gx, bent, 0.045, 0.32, 0.0)


@inlined
def plastic(colour: Vector, normal: Vector) -> Finish:
    """Polished acetate, glass beads, buttons."""
    return _finish(colour, 1.0, normal, 0.045, 0.14, 0.0)


@inlined
def metal(colour: Vector, normal: Vector) -> Finish:
    """Polished metal; ``colour`` is its reflectance."""
    return _finish(colour, 1.0, normal, METAL_SPECULAR, 0.22, 0.0)


@inlined
def teeth(colour: Vector, normal: Vector) -> Finish:
    """Enamel, wet."""
    return _finish(colour, 1.0, normal, 0.04, 0.2, 0.0)


@inlined
def gum(colour: Vector, normal: Vector, rest: Vector, footprint: float) -> Finish:
    """Gums and tongue, wet."""
    x, y, z = rest
    bump = 0.15 * resolved(5, footprint)
    bent = unit3(
        normal[0] + bump * noise(5 * x, 5 * y, 5 * z), normal[1] + bump * noise(5 * x + 9, 5 * y, 5 * z), normal[2]
    )
    return _finish(colour, 1.0, bent, 0.035, 0.25, 0.0)


@inlined
def finish_of(
    material: int, colour: Vector, normal: Vector, rest: Vector, uv: tuple[float, float], footprint: float
) -> Finish:
    """The finish of anything that is neither hair, skin nor an eye."""
    if material == Material.CLOTH:
        finish = cloth(colour, normal, rest, uv, footprint)
    elif material == Material.KNIT:
        finish = knit(colour, normal, rest, uv, footprint)
    elif material == Material.FELT:
        finish = felt(colour, normal, rest, footprint)
    elif material == Material.STRAW:
        finish = straw(colour, normal, rest, uv, footprint)
    elif material == Material.LEATHER:
        finish = leather(colour, normal, rest, footprint)
    elif material == Material.METAL:
        finish = metal(colour, normal)
    elif material == Material.TEETH:
        finish = teeth(colour, normal)
    elif material == Material.GUM:
        finish = gum(colour, normal, rest, footprint)
    else:
        finish = plastic(colour, normal)
    return finish
