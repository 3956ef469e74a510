"""Wrinkles: lines that deepen with age, each of them in the same place for life.

A family of lines has coordinates of its own: across them in cm, and along them. A person's lines wander in these
coordinates, are broken and more or less deep, and each side of a face has its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from durian.synthetic.base.person import Person
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.skin.atlas import Atlas, Layers, chance
from durian.synthetic.skin.patterns import clouds

Coordinates = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""``(|x|, y, z) -> (across, along)``, cm."""


@dataclass(frozen=True)
class Family:
    """Lines that run side by side.

    Attributes:
        box: lowest and highest |x|, y and z of the texels that are looked at.
        coordinates: across and along the lines.
        lines: for each where it lies across and where along it begins and ends, cm.
        depth, width: cm.
        ages: years at which they begin to show and are at their deepest.
        young: share of their depth that is there from the beginning.
        wander: how far lines stray across, cm.
        bulge: height of the skin that hangs over a line on its far side (across > 0), relative to its depth.
        stain: blood and pigment at the bottom.
        broken: how much the depth changes along a line.
        one: whether lines cross the middle of the face, so that both sides share them.
    """

    box: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    coordinates: Coordinates
    lines: tuple[tuple[float, float, float], ...]
    depth: float
    width: float
    ages: tuple[float, float]
    young: float = 0.0
    wander: float = 0.06
    bulge: float = 0.0
    stain: tuple[float, float] = (0.10, 0.20)
    broken: float = 0.3
    one: bool = False


def _along(curve: tuple[tuple[float, float], ...]) -> Coordinates:
    """Coordinates of a curve of (|x|, y): across it, outward positive, and the length along it."""
    points = np.array(curve)
    begin, way = points[:-1], np.diff(points, axis=0)
    length = np.linalg.norm(way, axis=1)
    reached = np.concatenate([[0], np.cumsum(length)[:-1]])

    def coordinates(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places = np.stack([x, y], axis=-1)[:, None]
        share = ((places - begin) * way).sum(-1) / length**2
        first, last = np.arange(len(way)) == 0, np.arange(len(way)) == len(way) - 1
        share = np.clip(share, np.where(first, -9, 0), np.where(last, 9, 1))
        apart = places - begin - share[..., None] * way
        distance = np.linalg.norm(apart, axis=-1)
        nearest = distance.argmin(axis=1)
        row = np.arange(len(x))
        apart, on = apart[row, nearest], way[nearest]
        side = np.where(apart[:, 0] * -on[:, 1] + apart[:, 1] * on[:, 0] > 0, 1, -1)
        return side * distance[row, nearest], reached[nearest] + share[row, nearest] * length[nearest]

    return coordinates


def _fan(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Around the outer corner of an eye: angles, as cm at a radius of 1, and distances along the skin."""
    outward = np.hypot(x - 4.3, z - 8.9) * np.sign(x - 4.3)
    up = y - 3.45
    return np.arctan2(up, np.maximum(outward, 0.05)), np.hypot(outward, up)


def _below_eye(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lid = np.interp(x, *np.transpose(LOWER_LID))
    return lid - y, x


LOWER_LID = ((1.7, 3.25), (2.17, 3.15), (2.85, 2.96), (3.2, 2.92), (3.9, 3.0), (4.45, 3.24), (4.9, 3.45))
"""Edge of the lower lid, (|x|, y): the roots of the model's lashes."""
FOLD = ((1.9, 0.75), (2.22, 0.2), (2.65, -0.7), (3.08, -1.7), (3.38, -2.7), (3.5, -3.6), (3.42, -4.4))
"""From the wing of the nose past the corner of the mouth."""
MARIONETTE = ((2.72, -3.75), (3.0, -4.6), (3.15, -5.4), (3.1, -6.4))
TROUGH = ((1.75, 2.95), (2.1, 2.35), (2.7, 1.85), (3.5, 1.6), (4.3, 1.65))
"""From the inner corner of an eye down along the rim of its socket."""

FAMILIES: dict[str, Family] = {
    "forehead": Family(
        ((0, 5.6), (6.4, 10.8), (5, 14)), lambda x, y, z: (y + 0.028 * x * x - 0.2 * np.cos(0.9 * x), x),
        ((7.0, 0, 4.6), (7.75, 0, 5.0), (8.5, 0, 4.7), (9.2, 0, 4.0), (9.85, 0, 3.0)),
        depth=0.085, width=0.14, ages=(25, 66), young=0.03, wander=0.13, one=True,
    ),
    "frown": Family(
        ((0, 1.4), (4.3, 7.2), (9, 14)), lambda x, y, z: (x, y),
        ((0.55, 4.6, 6.4), (0.95, 5.0, 6.2)),
        depth=0.075, width=0.12, ages=(27, 64), young=0.04, wander=0.07,
    ),
    "nose root": Family(
        ((0, 1.3), (3.3, 4.9), (9, 14)), lambda x, y, z: (y - 0.15 * x, x),
        ((4.15, 0, 0.8), (3.75, 0, 0.7)),
        depth=0.04, width=0.11, ages=(35, 69), one=True,
    ),
    "crow's feet": Family(
        ((4.2, 7.6), (0.6, 6.2), (3, 10)), _fan,
        ((0.55, 0.55, 1.9), (0.24, 0.5, 2.3), (-0.05, 0.5, 2.4), (-0.36, 0.55, 2.3), (-0.72, 0.7, 2.1)),
        depth=0.065, width=0.11, ages=(24, 62), young=0.02, wander=0.05,
    ),
    "below the eyes": Family(
        ((1.5, 5.0), (1.2, 3.5), (6, 11)), _below_eye,
        ((0.30, 2.1, 4.4), (0.52, 2.3, 4.6), (0.78, 2.6, 4.6), (1.02, 3.0, 4.7)),
        depth=0.032, width=0.09, ages=(29, 66), young=0.05, wander=0.06, stain=(0.08, 0.12),
    ),
    "trough": Family(
        ((1.3, 4.9), (0.8, 3.3), (6, 12)), _along(TROUGH), ((0.0, 0.1, 3.1),),
        depth=0.095, width=0.24, ages=(22, 69), young=0.14, wander=0.05, bulge=0.5, stain=(0.10, 0.16),
    ),
    "fold": Family(
        ((1.2, 5.4), (-5.0, 1.4), (5, 13)), _along(FOLD), ((0.0, 0.15, 5.2),),
        depth=0.17, width=0.25, ages=(20, 69), young=0.10, wander=0.12, bulge=0.55, stain=(0.08, 0.10), broken=0.15,
    ),
    "marionette": Family(
        ((2.0, 4.6), (-7.0, -3.4), (5, 12)), _along(MARIONETTE), ((0.0, 0.1, 2.6),),
        depth=0.11, width=0.17, ages=(35, 74), wander=0.08, bulge=0.5,
    ),
    "chin": Family(
        ((0, 2.0), (-5.6, -4.5), (8, 13)), lambda x, y, z: (y + 0.12 * x * x, x), ((-4.95, 0, 1.5),),
        depth=0.05, width=0.16, ages=(32, 69), young=0.1, wander=0.05, one=True,
    ),
    "upper lip": Family(
        ((0, 2.4), (-3.1, -1.3), (9, 13)), lambda x, y, z: (x + 0.12 * (y + 2.4) * x, y),
        tuple((0.35 + 0.3 * n, -2.75, -1.75) for n in range(6)),
        depth=0.018, width=0.075, ages=(48, 80), wander=0.11,
    ),
    "neck": Family(
        ((0, 8.0), (-19, -8.0), (-5, 12)), lambda x, y, z: (y - 0.28 * z + 0.02 * x * x, x),
        ((-11.6, 0, 6.5), (-13.6, 0, 6.8), (-15.6, 0, 6.0)),
        depth=0.10, width=0.20, ages=(20, 66), young=0.10, wander=0.22, one=True,
    ),
}  # fmt: skip
"""Lines of a face; places by eye on the neutral head, which other people's skin follows."""

NARROWEST = 0.85
"""Width of a line in texels, at least; narrower ones become as wide and as much shallower."""
SPREAD, LINE_SPREAD, SIDE_SPREAD = 0.35, 0.35, 0.15
"""How much people differ in how deep a family of lines is, lines of a family, and both sides of a line (logarithm)."""
DEEP = 0.06
"""cm below the skin at which a stain is all there."""
WAVES = ((0.55, 1.0), (1.3, 0.6), (2.9, 0.3))
"""How lines wander: radians per cm, and share."""
CREPE, CREPE_DEPTH, CREPE_AGES = (0.16, 0.45, 0.3), 0.020, (45.0, 85.0)
"""Fine creases of thin skin: their size (cm) along x, y and z, depth, and when they come."""


@lru_cache(maxsize=4)
def _places(atlas: Atlas) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Texels of each family, the sides they are on, and their coordinates across and along."""
    found = {}
    ax, y, z = np.abs(atlas.points[:, 0]), atlas.points[:, 1], atlas.points[:, 2]
    for name, family in FAMILIES.items():
        within = np.ones(len(ax), bool)
        for values, (low, high) in zip((ax, y, z), family.box):
            within &= (values >= low) & (values <= high)
        index = np.flatnonzero(within)
        across, along = family.coordinates(ax[index], y[index], z[index])
        x = atlas.points[index, 0]
        side = np.zeros(len(index), np.int64) if family.one else (x > 0).astype(np.int64)
        along = np.where(family.one, x, along)
        found[name] = index, side, across.astype(np.float32), along.astype(np.float32)
    return found


def carve_wrinkles(layers: Layers, person: Person) -> None:
    """Lines of a person's age, in relief and a little in colour."""
    places = _places(layers.atlas)
    for name, family in FAMILIES.items():
        rng = chance(person.seed, name)
        depth = family.depth * np.exp(SPREAD * float(np.clip(rng.normal(), -1.6, 1.6)))
        aged = family.young + (1 - family.young) * float(smoothstep(person.age, *family.ages))
        if aged > 0:
            _carve(layers, family, depth * aged, places[name], rng)
    _crease(layers, person)


def _carve(
    layers: Layers,
    family: Family,
    depth: float,
    places: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> None:
    index, side, across, along = places
    width = max(family.width, NARROWEST * layers.atlas.texel)
    ground, hanging = np.zeros(len(index), np.float32), np.zeros(len(index), np.float32)
    for at, begin, end in family.lines:
        phase, gap = np.float32(rng.uniform(0, 2 * np.pi, (2, len(WAVES), 2))), family.broken * rng.uniform(0.4, 1.4)
        strength = np.exp(LINE_SPREAD * rng.normal() + SIDE_SPREAD * rng.normal(size=2))
        shift = 0.6 * family.wander * rng.normal(size=2)
        stray, broken = np.zeros(len(index), np.float32), np.zeros(len(index), np.float32)
        for number, (frequency, share) in enumerate(WAVES):
            stray += share * np.sin(frequency * along + phase[0, number, side])
            broken += share * np.sin(2 * frequency * along + phase[1, number, side])
        offset = (across - at - shift[side] - family.wander * stray) / width
        low = -end if family.one else begin
        fade = 0.22 * (end - low)
        here = smoothstep(along, low, low + fade) * smoothstep(along, end, end - fade)
        here = here * strength[side] * np.clip(1 - gap + gap * broken, 0.15, 1.4)
        ground = np.maximum(ground, here * np.exp(-(offset**2)))
        if family.bulge:
            hanging = np.maximum(hanging, here * np.exp(-(((offset - 2.0) / 1.6) ** 2)))
    ground, hanging = ground.astype(np.float32), hanging.astype(np.float32)
    cut = np.float32(depth * family.width / width)
    layers.height[index] += cut * (np.float32(family.bulge) * hanging - ground)
    stained = np.minimum(cut / np.float32(DEEP), 1.6) * ground
    layers.blood[index] += np.float32(family.stain[0]) * stained
    layers.pigment[index] += np.float32(family.stain[1]) * stained


def _crease(layers: Layers, person: Person) -> None:
    much = float(smoothstep(person.age, *CREPE_AGES))
    if much == 0:
        return
    points, rng = layers.atlas.points, chance(person.seed, "crepe")
    here = np.flatnonzero((points[:, 2] > 2) & (points[:, 1] < 5) & (np.abs(points[:, 0]) > 1.6))
    fine = clouds(points[here], CREPE, rng) * (0.6 + 0.4 * clouds(points[here], 2.0, rng))
    layers.height[here] += np.float32(CREPE_DEPTH * much * np.exp(0.3 * rng.normal())) * fine
