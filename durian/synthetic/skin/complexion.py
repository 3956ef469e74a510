"""Skin maps of a person: blood and pigment at each place, and the other layers of a complexion.

Nothing jumps: maps change continuously with every number of a person, and chance comes from their seed alone, so that
somebody grows older as the same person.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from durian.synthetic.base.person import Person
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.brows import brow_density
from durian.synthetic.hair.fibres import greyed
from durian.synthetic.head.head import HeadModel
from durian.synthetic.render.surface import SkinMaps
from durian.synthetic.skin.atlas import Atlas, Layers, atlas_of, chance, side_for
from durian.synthetic.skin.lips import paint_lips
from durian.synthetic.skin.makeup import paint_makeup
from durian.synthetic.skin.patterns import clouds, spots
from durian.synthetic.skin.stubble import paint_beard
from durian.synthetic.skin.wrinkles import carve_wrinkles

Bump = tuple[tuple[float, float, float], tuple[float, float, float]]

REDDER: dict[str, tuple[Bump, float, float]] = {
    "cheeks": (((4.3, 0.3, 9.0), (2.2, 1.9, 3.2)), 0.19, 0.08),
    "nose": (((0.0, 0.2, 12.5), (1.7, 1.3, 2.4)), 0.19, 0.08),
    "ears": (((8.6, 0.6, 0.6), (1.6, 4.0, 2.6)), 0.45, 0.15),
    "chin": (((0.0, -5.9, 10.8), (1.7, 1.2, 2.4)), 0.11, 0.06),
    "lids": (((3.2, 3.7, 9.3), (1.7, 0.75, 1.6)), 0.12, 0.06),
    "inner corners": (((1.7, 3.2, 9.2), (0.6, 0.8, 1.2)), 0.12, 0.06),
    "forehead": (((0.0, 8.3, 9.5), (5.5, 3.2, 5.0)), -0.06, 0.04),
    "around the mouth": (((0.0, -3.4, 10.5), (3.2, 1.9, 3.0)), -0.04, 0.08),
    "neck": (((0.0, -13.0, 4.0), (7.0, 4.5, 7.0)), 0.06, 0.08),
}
"""Where there is more blood than elsewhere: middle (|x|, y, z) and size of a bell, cm; amount, and its spread among
people (after Gurney, Color and Light, 2010, "the colour zones of the face"; amounts by eye)."""
DARKER: dict[str, tuple[Bump, float, float]] = {
    "under the eyes": (((3.0, 2.45, 9.4), (1.45, 0.62, 1.6)), 0.17, 0.09),
    "lids": (((3.2, 3.9, 9.3), (1.7, 0.7, 1.6)), 0.10, 0.05),
    "around the mouth": (((0.0, -3.6, 10.5), (2.8, 1.7, 3.0)), 0.03, 0.05),
    "forehead": (((0.0, 8.6, 9.0), (7.0, 4.0, 6.0)), 0.02, 0.03),
    "neck": (((0.0, -10.5, 6.5), (6.0, 2.2, 5.0)), 0.04, 0.06),
}
"""The same for pigment."""

PATCHES = ((2.6, 0.085, 0.05), (0.85, 0.07, 0.045), (0.3, 0.06, 0.04))
"""Uneven skin: size of the patches, cm, and how much blood and pigment differ among them."""
AGE_UNEVEN = 0.65
"""How much more uneven skin is at 80 than at 20."""
SALLOW = 0.10
"""Pigment that skin has gained at 80."""
VEINS = 0.28
"""Blood in widened veins on nose and cheeks of the oldest."""
BAGS = 0.16
"""Pigment that has gathered under the eyes of the oldest."""

FRECKLE, FRECKLE_RADIUS, FRECKLES = 0.28, (0.04, 0.11), 1.0
"""Spacing and radii, cm, and pigment."""
FINE_FRECKLE, FINE_RADIUS = 0.17, (0.025, 0.055)
AGE_SPOT, AGE_RADIUS, AGE_SPOTS, SPOTS_FROM = 1.6, (0.10, 0.48), 0.55, 42.0
MOST_MOLES, MOLE_RADIUS, MOLE, MOLE_HEIGHT = 9, (0.05, 0.13), 1.3, 0.03
"""Moles of head and neck together; they show on two people of three."""
WIDEST = 0.4
"""Half the side (cm) of the cube in which a mole's texels are."""
PORE, PORE_RADIUS, PORE_DEPTH = 0.16, (0.03, 0.055), 0.012
"""Of nose and cheeks; left out where texels are too large to show them."""
PORES_UP_TO = 0.07
"""Size of such texels, cm."""
GRAIN, GRAIN_HEIGHT = 0.24, 0.006
"""Size and height (cm) of the relief of all skin that pictures of 256 pixels still show; it breaks up highlights."""

MELANIN_HIDES = 0.45
"""How much less red spots and blood show on the darkest skin."""
FULL_LIGHTNESS = 0.35
"""Luminance of skin on which they show all."""
BROW_SHADOW = 0.66
"""How much the colour of brows takes the skin's place below their hairs."""
GLOSS_PATCHES, GLOSS_SPREAD, DRY = 0.16, 0.16, 0.22
"""Unevenness of highlights over a face and among people, and how much they have lost at 80."""
LUMINANCE = (0.2126, 0.7152, 0.0722)


def skin_maps(head: HeadModel, person: Person, pixel: float = 0.0) -> SkinMaps:
    """The skin of a person.

    Args:
        head: the model.
        person: age, tone, freckles, makeup, lips, brows, beard and seed are looked at.
        pixel: size of a picture's pixels, cm: texels are as large, or up to twice as small.

    Returns:
        two square tiles; their sides are powers of two.
    """
    atlas = atlas_of(head, side_for(pixel))
    layers = Layers(atlas, person.tone)
    paint_blood_and_pigment(layers, person)
    paint_spots(layers, person, head)
    carve_wrinkles(layers, person)
    paint_lips(layers, person)
    paint_makeup(layers, person, head)
    _paint_brow_shadow(layers, person)
    paint_beard(layers, person)
    return layers.maps()


def lightness(person: Person) -> float:
    """How light skin is, in [0, 1]: 1 is all that matters to what shows on it."""
    return float(np.clip(np.dot(person.tone, LUMINANCE) / FULL_LIGHTNESS, 0, 1))


def years(person: Person, first: float, last: float) -> float:
    """How far a person has come from one age to another, in [0, 1]."""
    return float(smoothstep(person.age, first, last))


@lru_cache(maxsize=4)
def zones(atlas: Atlas) -> dict[str, dict[str, np.ndarray]]:
    """Bells of ``REDDER`` and ``DARKER`` at an atlas's texels, ``(n,) float32`` in [0, 1]."""
    folded = atlas.points.copy()
    folded[:, 0] = np.abs(folded[:, 0])

    def bell(bump: Bump) -> np.ndarray:
        apart = (folded - np.float32(bump[0])) / np.float32(bump[1])
        return np.exp(-np.einsum("nc,nc->n", apart, apart))

    return {
        kind: {name: bell(bump) for name, (bump, _, _) in table.items()}
        for kind, table in (("blood", REDDER), ("pigment", DARKER))
    }


def paint_blood_and_pigment(layers: Layers, person: Person) -> None:
    """The face's zones, patches everywhere, veins, and what age does to them."""
    points, rng = layers.atlas.points, chance(person.seed, "complexion")
    found, old = zones(layers.atlas), years(person, 25, 85)
    shows = 1 - MELANIN_HIDES * (1 - lightness(person))
    even = 1 - 0.5 * person.makeup  # foundation
    ruddy = np.exp(0.3 * rng.normal())
    for table, bells, target, strength in (
        (REDDER, found["blood"], layers.blood, ruddy * shows),
        (DARKER, found["pigment"], layers.pigment, 1.0),
    ):
        for name, (_, amount, spread) in table.items():
            here = amount + spread * float(np.clip(rng.normal(), -2, 2))
            target += np.float32(strength * even * here) * bells[name]
    uneven = even * (1 + AGE_UNEVEN * old) * np.exp(0.2 * rng.normal())
    for size, blood, pigment in PATCHES:
        patches = clouds(points, size, rng)
        layers.blood += np.float32(uneven * shows * blood) * patches
        # Of one size they are the same places, the other way round here and there.
        layers.pigment += np.float32(uneven * pigment * rng.uniform(-1, 1)) * patches
    layers.pigment += np.float32(SALLOW * old)
    layers.pigment += np.float32(BAGS * even * years(person, 30, 75)) * found["pigment"]["under the eyes"]
    _paint_veins(layers, VEINS * shows * even * years(person, 40, 80) * rng.uniform(0.2, 1), rng)
    glossy = np.exp(GLOSS_SPREAD * rng.normal()) * (1 - DRY * old)
    layers.height += np.float32(GRAIN_HEIGHT * (1 + AGE_UNEVEN * old)) * clouds(points, GRAIN, rng)
    layers.gloss *= np.float32(glossy) * (1 + np.float32(GLOSS_PATCHES) * clouds(points, 0.5, rng))


def _paint_veins(layers: Layers, blood: float, rng: np.random.Generator) -> None:
    found = zones(layers.atlas)["blood"]
    flushed = np.maximum(found["cheeks"], found["nose"])
    here = np.flatnonzero(flushed > 0.05)
    # Noise crosses zero along lines.
    lines = 1 - np.abs(clouds(layers.atlas.points[here], 0.55, rng, octaves=2))
    layers.blood[here] += np.float32(5 * blood) * np.maximum(lines - 0.8, 0) * flushed[here]


def paint_spots(layers: Layers, person: Person, head: HeadModel) -> None:
    """Freckles, moles, age spots and pores."""
    atlas, rng = layers.atlas, chance(person.seed, "spots")
    points, texel, blood = atlas.points, atlas.texel, zones(atlas)["blood"]
    light = 0.2 + 0.8 * lightness(person)
    hidden = 1 - 0.6 * person.makeup
    seeds = rng.integers(0, 2**31, 4)
    if person.freckles > 0:
        sunny = np.minimum(1, 0.25 + 0.9 * blood["cheeks"] + 0.8 * blood["nose"])
        sunny = sunny * smoothstep(points[:, 2], -2.0, 6.0) * smoothstep(points[:, 1], -12.0, -5.0)
        dense, pigment = person.freckles * sunny, np.float32(FRECKLES * light * hidden * min(1, 0.4 + person.freckles))
        for seed, spacing, radius in ((0, FRECKLE, FRECKLE_RADIUS), (1, FINE_FRECKLE, FINE_RADIUS)):
            layers.pigment += pigment * spots(points, spacing, radius, dense, np.random.default_rng(seeds[seed]), texel)
    aged = years(person, SPOTS_FROM, 90) * rng.uniform(0.3, 1.0)
    if aged > 0:
        where = smoothstep(points[:, 1], -3.0, 2.0) * smoothstep(points[:, 2], -6.0, 5.0) * aged
        blotches = spots(points, AGE_SPOT, AGE_RADIUS, where, np.random.default_rng(seeds[2]), texel)
        layers.pigment += np.float32(AGE_SPOTS * light * hidden) * np.minimum(1, 2.2 * blotches)
    if texel <= PORES_UP_TO:
        porous = np.clip(blood["cheeks"] + blood["nose"] + 0.3 * blood["chin"], 0, 1)
        holes = spots(points, PORE, PORE_RADIUS, porous, np.random.default_rng(seeds[3]), texel)
        layers.height -= np.float32(PORE_DEPTH) * holes
        layers.pigment += np.float32(0.12) * holes
    _paint_moles(layers, person, head)


def _paint_moles(layers: Layers, person: Person, head: HeadModel) -> None:
    rng, points = chance(person.seed, "moles"), layers.atlas.points
    places = head.neutral[rng.choice(head.skin_vertices, MOST_MOLES)] + rng.normal(0, 0.15, (MOST_MOLES, 3))
    shown = np.clip(rng.uniform(-4, 3) - np.arange(MOST_MOLES), 0, 1)
    # They come with the years, most of them before thirty.
    radius = rng.uniform(*MOLE_RADIUS, MOST_MOLES) * (0.6 + 0.4 * years(person, 10, 40))
    dark = MOLE * rng.uniform(0.4, 1, MOST_MOLES) * (0.35 + 0.65 * lightness(person))
    raised = MOLE_HEIGHT * rng.uniform(0, 1, MOST_MOLES) ** 2
    for place, much, size, pigment, height in zip(places, shown, radius, dark, raised):
        if much == 0:
            continue
        near = np.flatnonzero(np.abs(points[:, 1] - np.float32(place[1])) < WIDEST)
        near = near[np.abs(points[near] - place).max(axis=1) < WIDEST]
        distance = np.linalg.norm(points[near] - place, axis=1)
        edge = max(0.4 * size, 0.7 * layers.atlas.texel)
        share = much * smoothstep(distance, size + edge, size - edge)
        layers.pigment[near] += (pigment * share).astype(np.float32)
        layers.height[near] += (height * share).astype(np.float32)


def _paint_brow_shadow(layers: Layers, person: Person) -> None:
    points = layers.atlas.points
    near = np.flatnonzero((points[:, 2] > 5) & (points[:, 1] > 3.5) & (points[:, 1] < 8))
    share = BROW_SHADOW * brow_density(points[near], person.brows)
    colour = greyed(person.brows.colour, person.brows.parameters.get("grey", 0.0))
    layers.cover(share, colour, near)
