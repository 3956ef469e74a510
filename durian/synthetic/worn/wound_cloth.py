"""Cloth wound into thick rolls that hide all hair, and the African head wrap that is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from durian.synthetic.base.geometry import HatFit, Material, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.wear import ripples, smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import Dome, Skull, directions, level_rim, skull_of
from durian.synthetic.worn.millinery import (
    HatParts,
    angle_from,
    around,
    fit_inside,
    hem_values,
    hemmed,
)
from durian.synthetic.worn.prints import printed

CLEARANCE = 0.6
"""How far the cloth is from the skull at its rim, over flattened hair, cm."""
INSIDE = 0.3
"""How far the inside of a roll stays from the skull, cm."""
SIDES = 32
"""Corners of a roll's section."""
PLEATS, PLEAT_DEPTH = 5, 0.05
"""Creases along a roll, and how deep they are, as a share of its thickness."""
CREASE_SHADE = 0.45
"""How much darker cloth is at the bottom of its creases."""
EVERYTHING = -100.0
"""A height below all hair."""


def hiding_fit(skull: Skull) -> HatFit:
    """The fit of wound cloth, under which all hair is put up."""
    return fit_inside(skull, lambda z: np.full(np.shape(z), EVERYTHING), CLEARANCE, 0.0)


@dataclass
class Course:
    """Where a roll of cloth runs: N places, its middles ``(N, 3)``, outward unit vectors ``(N, 3)``, half its breadth
    along what it lies on and half its height, cm, ``(N,)``."""

    middle: np.ndarray
    outwards: np.ndarray
    breadth: np.ndarray
    height: np.ndarray
    closed: bool = False

    def roll(
        self, skull: Skull, turns: float, depth: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The roll's surface.

        Args:
            skull: what it does not go into.
            turns: of its two strands around each other; an even number if it is closed.
            depth: of the furrows between the strands, as a share of its thickness.
            rng: chance of its creases.

        Returns:
            points ``(SIDES, N, 3)``, to be wrapped over rows; places on the cloth ``(SIDES, N, 2)``, cm; and its
            brightness ``(SIDES, N)``.
        """
        if self.closed:
            step = np.roll(self.middle, -1, axis=0) - np.roll(self.middle, 1, axis=0)
        else:
            step = np.gradient(self.middle, axis=0)
        along = step / np.linalg.norm(step, axis=1, keepdims=True)
        across = np.cross(self.outwards, along)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        out = np.cross(along, across)
        place = np.linspace(0, 1, len(self.middle), endpoint=not self.closed)
        # From the inside, where the seam of the print is not seen.
        angle = np.linspace(-np.pi / 2, 1.5 * np.pi, SIDES, endpoint=False)[:, None]
        twisted = angle + np.pi * turns * place
        smooth = self.middle + np.cos(angle)[..., None] * across + np.sin(angle)[..., None] * out
        wrinkled = 1.2 * ripples(smooth, 7.0, rng)
        furrow = np.abs(np.sin(twisted + 0.25 * wrinkled)) ** 0.6
        pleat = 0.5 + 0.5 * np.cos(PLEATS * twisted + wrinkled + rng.uniform(0, 2 * np.pi))
        radius = 1 - depth * (1 - furrow) - PLEAT_DEPTH * (1 - pleat) + 0.05 * wrinkled / 1.2
        x, y = (radius * self.breadth * np.cos(angle))[..., None], (radius * self.height * np.sin(angle))[..., None]
        points = skull.push_out(self.middle + x * across + y * out, INSIDE)
        girth = (self.breadth + self.height) / 2
        length = np.linalg.norm(np.diff(self.middle, axis=0, prepend=self.middle[:1]), axis=1).cumsum()
        cloth = np.stack(np.broadcast_arrays(twisted * girth.mean(), length), axis=-1)
        shade = 1 - CREASE_SHADE * (min(1.0, 3 * depth) * smoothstep(furrow, 0.65, 0.1) + 0.3 * (1 - pleat) ** 2)
        return points, cloth, shade


ROLLS = (3, 6)
"""How many rolls a head wrap has."""
LOWEST_ROLL, HIGHEST_ROLL, OVER_RIM = 0.86, 0.2, 0.94
"""Shares of the way from crown to rim at which the first and the last roll lie, and which none exceeds."""
KNOTS = 0.4
"""Share of head wraps that have a knot."""


@dataclass
class Bulk:
    """How far a head wrap stands off the skull, cm; the numbers are those of :func:`head_wrap`."""

    height: float
    fullness: float
    lean: float

    def off(self, share: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
        """Cm at shares of the way from crown to rim and at azimuths."""
        full = smoothstep(share, 1.02, 0.62) * (0.35 + 0.65 * smoothstep(share, 0.0, 0.3))
        behind = (1 - np.cos(azimuth)) / 2
        return CLEARANCE + self.height * smoothstep(share, 0.75, 0.1) + (self.fullness + self.lean * behind) * full


@styled(
    front=(8.2, 10.0),
    back=(-3.0, 1.5),
    height=(1.0, 4.5),
    fullness=(1.0, 2.6),
    lean=(0.0, 2.2),
    thickness=(1.3, 2.1),
    twist=(0.06, 0.3),
    tilt=(0.06, 0.26),
    print_size=(3.2, 6.5),
)
def head_wrap(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    height: float,
    fullness: float,
    lean: float,
    thickness: float,
    twist: float,
    tilt: float,
    print_size: float,
) -> HatParts:
    """Three to six thick rolls around the head that cross each other, above a smooth band along the forehead; some have
    a knot.

    ``height`` and ``fullness`` are how far the cloth stands off at the crown and around, ``lean`` how much further at
    the back; ``thickness`` is half a roll's breadth; cm. ``twist`` is the depth of its furrows, as a share of that, and
    ``tilt`` how much higher a roll is on its one side, as a share of the way from rim to crown.
    """
    skull, rng = skull_of(head), look.rng()
    dome, bulk = Dome.over(skull, level_rim(front, back), CLEARANCE, rows=48, columns=96), Bulk(height, fullness, lean)

    def finish(points: np.ndarray, cloth: np.ndarray, shade: np.ndarray, **wrap: bool) -> Mesh:
        made = around(points, material=Material.CLOTH, colour=look.colour, uv=cloth, **wrap)
        shade = np.concatenate([shade, shade[:, :1]], axis=1)
        return printed(made, look.pattern, print_size, look.colour, look.accent, shade=shade)

    folds = ripples(dome.points(0.0) * [1, 2.2, 1], 8.0, rng)
    calm = smoothstep(dome.share, 1.0, 0.9)
    points = dome.points(bulk.off(dome.share, dome.azimuth) + (0.12 * folds - 0.2) * calm)
    shade = hem_values((1 - 0.15 * smoothstep(folds, 0.2, -1.5) * calm)[..., None])[..., 0]
    meshes = [finish(hemmed(points, dome.outwards()[-1], 0.4), hem_values(dome.draped_uv()), shade)]
    for course in _rolls(skull, dome, bulk, thickness, tilt, rng):
        meshes.append(finish(*course.roll(skull, 2 * rng.integers(2, 6), twist, rng), wrap_rows=True))
    if rng.random() < KNOTS:
        side = rng.choice([0.0, 0.0, 0.7, -0.7])
        place = points[int(0.55 * len(points)), np.abs(angle_from(dome.azimuth[0], side)).argmin()]
        for course in _knot(skull, place, thickness):
            meshes.append(finish(*course.roll(skull, 2, twist, rng), wrap_rows=True))
    return HatParts(meshes, hiding_fit(skull))


def _rolls(
    skull: Skull, dome: Dome, bulk: Bulk, thickness: float, tilt: float, rng: np.random.Generator
) -> Iterator[Course]:
    """Courses around the head from the rim upwards, each leaning to the other side than the one before."""
    count, first = rng.integers(ROLLS[0], ROLLS[1] + 1), rng.choice([-1, 1])
    azimuth = np.linspace(-np.pi, np.pi, 144, endpoint=False)
    lowest = np.interp(azimuth, dome.azimuth[0], dome.elevation[-1], period=2 * np.pi)
    for number in range(count):
        at_rim = number == 0  # a broad and nearly level one
        level = LOWEST_ROLL + (HIGHEST_ROLL - LOWEST_ROLL) * number / (count - 1) + rng.uniform(-0.03, 0.03)
        towards = first * (-1) ** number * rng.uniform(0.5, 1.3)
        share = level + tilt * min(1.0, 2 * level) * np.cos(azimuth - towards) * (0.4 if at_rim else 1.0)
        share = np.minimum(share, OVER_RIM)
        swell = 1 + 0.22 * np.cos(azimuth - rng.uniform(0, 2 * np.pi))
        swell += 0.1 * ripples(9 * np.stack([np.sin(azimuth), np.cos(azimuth)], axis=-1), 14.0, rng)
        breadth = thickness * swell * rng.uniform(0.85, 1.2) * (1.25 if at_rim else 1.0)
        elevation = np.pi / 2 + (lowest - np.pi / 2) * share
        outwards = directions(azimuth, elevation)
        off = skull.radius(azimuth, elevation) + bulk.off(share, azimuth) + 0.1 * rng.uniform(-1, 1)
        middle = skull.centre + outwards * off[:, None]
        yield Course(middle, outwards, breadth, breadth * rng.uniform(0.55, 0.8), closed=True)


KNOT_RADIUS = 1.0
"""Of the coil of a head wrap's knot, in half breadths of a roll."""


def _knot(skull: Skull, place: np.ndarray, thickness: float) -> list[Course]:
    """A coil that lies on the rolls, and a smaller one in it."""
    out = (place - skull.centre) / np.linalg.norm(place - skull.centre)
    left = np.cross([0, 1, 0], out)
    left /= np.linalg.norm(left)
    up = np.cross(out, left)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)[:, None]
    courses = []
    for size, lift in ((1.0, 0.7), (0.42, 1.15)):
        circle = np.cos(turn) * left + np.sin(turn) * up
        middle = place + lift * thickness * out + KNOT_RADIUS * size * thickness * circle
        breadth = np.full(len(turn), 0.62 * thickness)
        courses.append(Course(middle, np.broadcast_to(out, middle.shape), breadth, breadth, closed=True))
    return courses
