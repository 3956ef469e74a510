"""Cloth wound into thick rolls that hide all hair: the African head wrap, the bath towel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from durian.synthetic.geometry import HatFit, Label, Material, Mesh
from durian.synthetic.head import HeadModel
from durian.synthetic.looks import HatLook
from durian.synthetic.millinery import (
    HatParts,
    angle_from,
    around,
    bump,
    fit_inside,
    hem_values,
    hemmed,
)
from durian.synthetic.prints import printed
from durian.synthetic.shapes import grid
from durian.synthetic.skull import Dome, Rim, Skull, directions, level_rim, skull_of
from durian.synthetic.wear import ripples, smoothstep, styled

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


def _fit(skull: Skull) -> HatFit:
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
            turns: of its two strands around each other, whole ones if it is closed.
            depth: of the furrows between the strands, as a share of its thickness.
            rng: chance of its creases.

        Returns:
            points ``(SIDES, N, 3)``, to be wrapped over rows; places on the cloth ``(SIDES, N, 2)``, cm; and its
            brightness ``(SIDES, N)``.
        """
        step = (
            np.roll(self.middle, -1, 0) - np.roll(self.middle, 1, 0)
            if self.closed
            else np.gradient(self.middle, axis=0)
        )
        along = step / np.linalg.norm(step, axis=1, keepdims=True)
        across = np.cross(self.outwards, along)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        out = np.cross(along, across)
        place = np.linspace(0, 1, len(self.middle), endpoint=not self.closed)
        # From the inside, where the seam of the print is not seen.
        angle = np.linspace(-np.pi / 2, 1.5 * np.pi, SIDES, endpoint=False)[:, None]
        twisted = angle + 2 * np.pi * turns / 2 * place
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


WRAP_PROFILE = (0.0, 0.3, 0.62, 1.02)
"""Shares of the dome, from crown to rim, between which a wrap is full."""


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
    skull, rim, rng = skull_of(head), level_rim(front, back), look.rng()
    dome = Dome.over(skull, rim, CLEARANCE, rows=48, columns=96)

    def off(share: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
        around_it = smoothstep(share, WRAP_PROFILE[3], WRAP_PROFILE[2]) * (0.35 + 0.65 * smoothstep(share, 0.0, 0.3))
        behind = (1 - np.cos(azimuth)) / 2
        return CLEARANCE + height * smoothstep(share, 0.75, 0.1) + (fullness + lean * behind) * around_it

    def finish(points: np.ndarray, cloth: np.ndarray, shade: np.ndarray, **wrap: bool) -> Mesh:
        made = around(points, material=Material.CLOTH, colour=look.colour, uv=cloth, **wrap)
        wide = np.concatenate([shade, shade[:, :1]], axis=1)
        return printed(made, look.pattern, print_size, look.colour, look.accent, shade=wide)

    folds = ripples(dome.points(0.0) * [1, 2.2, 1], 8.0, rng)
    calm = smoothstep(dome.share, 1.0, 0.9)
    points = dome.points(off(dome.share, dome.azimuth) + (0.12 * folds - 0.2) * calm)
    shade = 1 - 0.15 * smoothstep(folds, 0.2, -1.5) * calm
    meshes = [finish(hemmed(points, dome.outwards()[-1], 0.4), hem_values(dome.draped_uv()), _rows(shade))]

    count, phase = rng.integers(3, 7), rng.choice([-1, 1])
    azimuth = np.linspace(-np.pi, np.pi, 144, endpoint=False)
    lowest = np.interp(azimuth, dome.azimuth[0], dome.elevation[-1], period=2 * np.pi)
    for number in range(count):
        level = 0.86 - 0.66 * number / (count - 1) + rng.uniform(-0.03, 0.03)
        towards = phase * (1 if number % 2 else -1) * rng.uniform(0.5, 1.3)
        share = level + tilt * min(1.0, 2 * level) * np.cos(azimuth - towards) * (0.4 if number == 0 else 1.0)
        share = np.minimum(share, 0.94)
        swell = 1 + 0.22 * np.cos(azimuth - rng.uniform(0, 2 * np.pi)) + 0.1 * ripples(azimuth[:, None] * 9, 14.0, rng)
        breadth = thickness * swell * rng.uniform(0.85, 1.2) * (1.25 if number == 0 else 1.0)
        rise = breadth * rng.uniform(0.55, 0.8)
        outwards = directions(azimuth, np.pi / 2 + (lowest - np.pi / 2) * share)
        radius = skull.radius(azimuth, np.pi / 2 + (lowest - np.pi / 2) * share)
        middle = skull.centre + outwards * (radius + off(share, azimuth) + 0.1 * rng.uniform(-1, 1))[:, None]
        course = Course(middle, outwards, breadth, rise, closed=True)
        meshes.append(finish(*course.roll(skull, 2 * rng.integers(2, 6), twist, rng), wrap_rows=True))
    if rng.random() < 0.4:
        side = rng.choice([0.0, 0.0, 0.7, -0.7])
        place = points[int(0.55 * len(points)), np.abs(angle_from(dome.azimuth[0], side)).argmin()]
        meshes += [
            finish(*course.roll(skull, 2, twist, rng), wrap_rows=True) for course in _knot(skull, place, thickness)
        ]
    return HatParts(meshes, _fit(skull))


def _rows(shade: np.ndarray) -> np.ndarray:
    """Brightness ``(R, C)`` with that of a hem."""
    return hem_values(shade[..., None])[..., 0]


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


EAR_ROOM = 1.5
"""How much further a towel is from the skull where it lies on the ears, cm."""

LAP, LAP_SLANT = 0.55, 1.5
"""Of the towel's side that lies over the other: thickness, cm; lean of its edge, radians from crown to rim."""

LOWEST_RIM = -3.5
"""Height y down to which there is a skull to lie on, cm."""


def _towel_rim(front: float, back: float, drop: float) -> Rim:
    """A level rim that comes down by ``drop`` cm beside the ears."""
    level = level_rim(front, back)
    return lambda z: np.maximum(level(z) - drop * smoothstep(z, 7.5, 1.5) * smoothstep(z, -9.5, -4.0), LOWEST_RIM)


@styled(
    front=(7.6, 9.8),
    back=(-3.4, 0.0),
    drop=(0.0, 4.0),
    bulk=(1.0, 2.8),
    roll=(3.2, 4.8),
    aside=(-0.45, 0.45),
    twist=(0.04, 0.22),
    tail=(3.0, 15.0),
    swing=(-10.0, 10.0),
)
def towel(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    drop: float,
    bulk: float,
    roll: float,
    aside: float,
    twist: float,
    tail: float,
    swing: float,
) -> HatParts:
    """A bath towel around wet hair, twisted over the forehead into a roll that goes back over the head.

    ``bulk`` is how far the hair fills it, ``roll`` half the roll's breadth, ``tail`` how far its end hangs down behind,
    ``swing`` how far to the left of the middle; cm. ``aside`` is the azimuth at which the twist begins.
    """
    skull, rng = skull_of(head), look.rng()
    dome = Dome.over(skull, _towel_rim(front, back, drop), CLEARANCE, rows=80, columns=144)
    share, azimuth = dome.share, dome.azimuth
    body = smoothstep(share, 1.02, 0.55) * (0.55 + 0.45 * (1 - np.cos(azimuth)) / 2)
    ears = bump(np.abs(azimuth), 1.65, 0.75) * smoothstep(dome.elevation, 0.05, -0.35)
    # Folds run towards the place where the towel is twisted, over the forehead.
    start = np.array([8.0 * np.sin(aside), 8.0])
    away = dome.draped_uv() - start
    angle, distance = np.arctan2(away[..., 0], -away[..., 1]), np.hypot(*np.moveaxis(away, -1, 0))
    wrinkled = ripples(dome.points(0.0), 10.0, rng)
    pulled = smoothstep(distance, 1.0, 4.0) * smoothstep(distance, 30.0, 10.0) * smoothstep(share, 1.0, 0.88)
    folds = np.abs(np.sin(6.5 * angle + 0.6 * wrinkled + rng.uniform(0, np.pi))) ** 0.7
    # The left side lies over the right one.
    border = azimuth - aside - LAP_SLANT * (share - 0.7)
    lap = bump(border, 0.9, 1.5) * smoothstep(share, 0.5, 0.7)
    clearance = CLEARANCE + bulk * body + EAR_ROOM * ears + (0.75 * folds - 0.2) * pulled
    clearance += 0.35 * bump(share, 0.93, 0.1) + 0.1 * wrinkled * smoothstep(share, 1.0, 0.9)
    clearance += LAP * lap * smoothstep(border, -0.05, 0.03)
    points = dome.points(clearance)
    shade = 1 - CREASE_SHADE * (pulled * smoothstep(folds, 0.5, 0.0) + lap * bump(border, -0.06, 0.08))
    terry = {"material": Material.FELT, "label": Label.HAT}
    body_colour = np.asarray(look.colour) * _rows(shade)[..., None]
    made = around(
        hemmed(points, dome.outwards()[-1], 0.5), colour=body_colour, uv=hem_values(dome.draped_uv()), **terry
    )

    course = _over_the_top(skull, bulk, roll, aside, tail, swing)
    surface, cloth, shade = course.roll(skull, 2.5, twist, rng)
    end = grid(surface, wrap_rows=True, colour=np.asarray(look.colour) * shade[..., None], uv=cloth, **terry)
    return HatParts([made, end], _fit(skull))


def _over_the_top(skull: Skull, bulk: float, roll: float, aside: float, tail: float, swing: float) -> Course:
    """The way of a towel's twist from above the forehead to the nape, and down from there."""
    azimuth = np.array([aside, aside, 0.6 * aside, np.pi, np.pi, np.pi])
    elevation = np.array([0.66, 0.95, 1.42, 1.15, 0.6, 0.05])
    off = (
        CLEARANCE + np.array([0.5, 0.7, 1.0, 1.0, 0.9, 0.8]) * bulk + np.array([0.02, 0.16, 0.3, 0.2, 0.1, 0.1]) * roll
    )
    outwards = directions(azimuth, elevation)
    places = skull.centre + outwards * (skull.radius(azimuth, elevation) + off)[:, None]
    hang = np.linspace(0.4, 1, 3)[:, None]
    falling = places[-1] + hang * np.array([swing, -tail - 3.0, -1.0])
    places[3:, 0] += swing * np.array([0.05, 0.1, 0.15])
    places = np.concatenate([places, falling])
    outwards = np.concatenate([outwards, np.tile([0.0, 0.0, -1.0], (3, 1))])
    knots = np.linspace(0, 1, len(places))
    at = np.linspace(0, 1, 120)
    middle, out = CubicSpline(knots, places)(at), CubicSpline(knots, outwards)(at)
    breadth = roll * np.interp(at, [0, 0.12, 0.3, 0.5, 0.7, 1.0], [0.55, 0.8, 1.0, 1.0, 0.8, 1.0])
    height = roll * np.interp(at, [0, 0.12, 0.3, 0.5, 0.7, 1.0], [0.3, 0.5, 0.62, 0.55, 0.35, 0.2])
    ends = smoothstep(at, 0.0, 0.04) * smoothstep(at, 1.0, 0.98)
    return Course(middle, out, breadth * np.maximum(ends, 0.02), height * np.maximum(ends, 0.02))
