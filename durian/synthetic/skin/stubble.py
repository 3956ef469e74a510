"""Stubble on the skin: the bluish tone and fine dots of shaved hairs, stubble, and the shade under longer beards."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from durian.synthetic.base.person import Person
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.beard import beard_shade, shade_colour, stubble_density
from durian.synthetic.skin.atlas import Atlas, Layers, chance
from durian.synthetic.skin.patterns import clouds, spots

UNDER_SKIN = (0.95, 1.05, 1.25)
"""Colour of hair seen through skin, relative to the hair's: short light is scattered back before it reaches it."""
SHAVED = 0.30
"""How much of the skin's colour the shadow of a well shaved, dense beard takes."""
SHAVED_FROM = (16.0, 26.0)
"""Ages between which it comes."""
SPACING, RADIUS = 0.11, (0.025, 0.05)
"""Between hairs and of their cut ends, cm; rather more than hairs are wide, as each stands on a dark root."""
TONE, DOTS = 0.42, 0.8
"""Shares that the soft tone and the dots of the densest stubble take."""
UNDER_BEARD = 0.8
"""Share that the colour of a longer beard takes below its hairs where it is densest."""
ROUGH = 0.012
"""How high (cm) stubble stands out."""
DULL = 0.45
"""How much less skin shines between stubble."""


@lru_cache(maxsize=4)
def _bearded(atlas: Atlas) -> tuple[np.ndarray, np.ndarray]:
    """Texels where men's beards can grow, and how densely, ``(m,)``."""
    x, y, z = atlas.points.T
    near = np.flatnonzero((y < 5.0) & (y > -11.0) & (z > 0.0) & (np.abs(x) < 9.0))
    return near, stubble_density(atlas.points[near]).astype(np.float32)


def paint_beard(layers: Layers, person: Person) -> None:
    """The skin of somebody's beard.

    The map ``beard``, the soft mask of what is not strands, is the density of a worn beard, stubble or the ground of a
    longer one. A beard that is only shaved off leaves it at 0: it is part of a face, not something one wears, and as
    dark as the brows.
    """
    points, rng = layers.atlas.points, chance(person.seed, "stubble")
    near, dense = _bearded(layers.atlas)
    there = points[near]
    manly = float(smoothstep(person.feminine, 0.55, 0.3) * smoothstep(person.age, *SHAVED_FROM))
    shaved = manly * rng.uniform(0.15, 1.0)
    uneven = 1 + 0.18 * clouds(there, 0.9, rng, octaves=2)
    dense = np.clip(shaved * dense * uneven, 0, 1)
    hair = shade_colour(person.beard)
    seeds = rng.integers(0, 2**31, 2)
    if shaved > 0:
        layers.cover(np.clip(SHAVED * dense, 0, 1), np.asarray(UNDER_SKIN) * person.brows.colour, near)
    if not person.beard.is_worn:
        return
    worn = beard_shade(there, person.beard)
    layers.beard[near] = worn
    if person.beard.style != "stubble":
        layers.cover(UNDER_BEARD * worn, hair, near)
        return
    grown = np.clip(worn * uneven, 0, 1)
    layers.cover(TONE * grown, np.asarray(UNDER_SKIN) * hair, near)
    dots = np.zeros(len(there), np.float32)
    for seed in seeds:
        dots = np.maximum(dots, spots(there, SPACING, RADIUS, grown, np.random.default_rng(seed), layers.atlas.texel))
    layers.cover(np.clip(DOTS * dots, 0, 1) * smoothstep(grown, 0.0, 0.4), hair, near)
    layers.height[near] += np.float32(ROUGH) * dots
    layers.gloss[near] *= (1 - DULL * grown).astype(np.float32)
