"""A bath towel wound around wet hair."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from durian.synthetic.base.geometry import Label, Material
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import grid
from durian.synthetic.base.wear import ripples, smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import Dome, Rim, Skull, directions, level_rim, skull_of
from durian.synthetic.worn.millinery import HatParts, around, bump, hem_values, hemmed
from durian.synthetic.worn.wound_cloth import CLEARANCE, CREASE_SHADE, Course, hiding_fit

EAR_ROOM = 1.5
"""How much further a towel is from the skull where it lies on the ears, cm."""

LAP, LAP_SLANT = 0.55, 1.5
"""Of the towel's side that lies over the other: thickness, cm; lean of its edge, radians from crown to rim."""
HEM = 0.5
"""Thickness of its edge, cm."""
FOLDS, FOLD_DEPTH, TWISTED_AT = 13, 0.75, 8.0
"""Folds around the place where it is twisted, their depth, and how far from the crown that is, cm."""
TURNS = 2.5
"""Of the roll."""
LOWEST_RIM = -3.5
"""Height y down to which there is a skull to lie on, cm."""


def _rim(front: float, back: float, drop: float) -> Rim:
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
    dome = Dome.over(skull, _rim(front, back, drop), CLEARANCE, rows=80, columns=144)
    off, shade = _around_the_head(dome, bulk, aside, rng)
    rows = hemmed(dome.points(off), dome.outwards()[-1], HEM)
    terry = {"material": Material.FELT, "label": Label.HAT}
    colour = np.asarray(look.colour)
    below = around(rows, colour=colour * hem_values(shade[..., None]), uv=hem_values(dome.draped_uv()), **terry)

    course = _over_the_top(skull, bulk, roll, aside, tail, swing)
    points, cloth, shade = course.roll(skull, TURNS, twist, rng)
    above = grid(points, wrap_rows=True, colour=colour * shade[..., None], uv=cloth, **terry)
    return HatParts([below, above], hiding_fit(skull))


def _around_the_head(dome: Dome, bulk: float, aside: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """How far the cloth below the roll stands off the skull, cm, and its brightness, both ``(R, C)``."""
    share, azimuth = dome.share, dome.azimuth
    body = smoothstep(share, 1.02, 0.55) * (0.55 + 0.45 * (1 - np.cos(azimuth)) / 2)
    ears = bump(np.abs(azimuth), 1.65, 0.75) * smoothstep(dome.elevation, 0.05, -0.35)
    # Folds run towards the place where the towel is twisted.
    away = dome.draped_uv() - np.array([TWISTED_AT * np.sin(aside), TWISTED_AT])
    angle, distance = np.arctan2(away[..., 0], -away[..., 1]), np.hypot(*np.moveaxis(away, -1, 0))
    wrinkled = ripples(dome.points(0.0), 10.0, rng)
    pulled = smoothstep(distance, 1.0, 4.0) * smoothstep(distance, 30.0, 10.0) * smoothstep(share, 1.0, 0.88)
    folds = np.abs(np.sin(FOLDS / 2 * angle + 0.6 * wrinkled + rng.uniform(0, np.pi))) ** 0.7
    border = azimuth - aside - LAP_SLANT * (share - 0.7)
    lap = bump(border, 0.9, 1.5) * smoothstep(share, 0.5, 0.7)
    off = CLEARANCE + bulk * body + EAR_ROOM * ears + (FOLD_DEPTH * folds - 0.2) * pulled
    off += 0.35 * bump(share, 0.93, 0.1) + 0.1 * wrinkled * smoothstep(share, 1.0, 0.9)
    off += LAP * lap * smoothstep(border, -0.05, 0.03)
    return off, 1 - CREASE_SHADE * (pulled * smoothstep(folds, 0.5, 0.0) + lap * bump(border, -0.06, 0.08))


WAY = np.array(
    [[0.66, 0.5, 0.02], [0.95, 0.7, 0.16], [1.42, 1.0, 0.3], [1.15, 1.0, 0.2], [0.6, 0.9, 0.1], [0.05, 0.8, 0.1]]
)
"""Where the roll runs, from above the forehead to the nape: elevation, radians, and distance from the skull, in shares
of the hair's bulk and of the roll's half breadth."""
SECTION = np.array(
    [[0, 0.55, 0.3], [0.12, 0.8, 0.5], [0.3, 1.0, 0.62], [0.5, 1.0, 0.55], [0.7, 0.8, 0.35], [1, 1.0, 0.2]]
)
"""Share of its way, and there half the roll's breadth and height, in shares of what its half breadth is at most."""


def _over_the_top(skull: Skull, bulk: float, roll: float, aside: float, tail: float, swing: float) -> Course:
    """The way of a towel's twist from above the forehead to the nape, and down from there."""
    elevation, azimuth = WAY[:, 0], np.array([aside, aside, 0.6 * aside, np.pi, np.pi, np.pi])
    off = CLEARANCE + WAY[:, 1] * bulk + WAY[:, 2] * roll
    outwards = directions(azimuth, elevation)
    places = skull.centre + outwards * (skull.radius(azimuth, elevation) + off)[:, None]
    falling = places[-1] + np.linspace(0.4, 1, 3)[:, None] * np.array([swing, -tail - 3.0, -1.0])
    places[3:, 0] += swing * np.array([0.05, 0.1, 0.15])
    places = np.concatenate([places, falling])
    outwards = np.concatenate([outwards, np.tile([0.0, 0.0, -1.0], (len(falling), 1))])
    knots, at = np.linspace(0, 1, len(places)), np.linspace(0, 1, 120)
    middle, out = CubicSpline(knots, places)(at), CubicSpline(knots, outwards)(at)
    closing = np.maximum(smoothstep(at, 0.0, 0.04) * smoothstep(at, 1.0, 0.98), 0.02)
    breadth, height = (roll * closing * np.interp(at, SECTION[:, 0], column) for column in SECTION[:, 1:].T)
    return Course(middle, out, breadth, height)
