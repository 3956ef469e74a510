"""Cuts of hair that is tied: buns and ponytails, and the parts of them that braids share."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.cuts import Bunch, Parameters, direction, styled, with_full_hem
from durian.synthetic.hair.growth import Wander, frames, grow, trim, unit
from durian.synthetic.hair.scalp import Scalp

TIES = np.array([[0, -4.2, -6.0], [0, 0.5, -7.6], [0, 5.0, -8.7], [0, 9.5, -7.9], [0, 12.8, -5.2], [0, 14.4, -1.5]])
"""Places along the back of the head where hair is tied, by height from 0 to 1."""
TIE_RADIUS, WISP = 0.9, 0.45
"""Of hair where it is tied, and of the roots of a wisp, cm."""
TAIL_HAIRS, WRAP_HAIRS, KNOT_HAIRS = 2600, 220, 2600
TIED_WIDTH = 0.075
"""Of hairs in tails and knots, each of which stands for several, cm."""

LEAVES = 1.6
"""Over how many times its reach a tail turns from the way out to the way down."""

KNOT_LOCKS, LOWEST_LOCK, HIGHEST_LOCK = 16, -0.75, 0.95
"""Locks a knot is wound of, and the sines of the latitudes between which they lie."""
LOCK_SPREAD, LOCK_SWING = 0.16, 0.35
"""How wide a lock is and how far it winds up and down, radians."""
KNOT_FLAT = 0.8
"""Height of a knot relative to its width."""


def bunned(scalp: Scalp, p: Parameters) -> list[Bunch]:
    """Hair gathered into a knot: low buns, top knots."""
    tie, out = tie_at(scalp, p["height"])
    return [*gathered(scalp, tie, p), _knot(scalp, tie + 0.55 * p["width"] * out, out, p)]


def tailed(scalp: Scalp, p: Parameters) -> list[Bunch]:
    """Hair gathered into a ponytail."""
    tie, out = tie_at(scalp, p["height"])
    middle = hanging_line(scalp, tie, out, p, reach=3.0)
    rng = scalp.rng
    offsets = p["volume"] * disc(TAIL_HAIRS, rng)
    along = np.linspace(0, 1, middle.shape[1])
    girth = 0.45 + 0.55 * smoothstep(along, 0, 0.3) - 0.45 * smoothstep(along, 0.5, 1.0)
    path = _rope(middle, offsets, girth, out)
    ends = p["length"] + 3.5 * rng.random((TAIL_HAIRS, 1)) ** 2
    path = trim(path, ends - path[..., 1])
    tail = styled(rooted(scalp, tie, TAIL_HAIRS), path, p, TIED_WIDTH, root_shade=0.8)
    return [*gathered(scalp, tie, p), tail, _wrap(scalp, tie + 0.5 * out, out)]


def tie_at(scalp: Scalp, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Where hair is tied on the back of the head, ``(3,)``, and the way out there."""
    at = np.linspace(0, 1, len(TIES))
    place = np.array([np.interp(height, at, TIES[:, axis]) for axis in range(3)])
    gap, out = scalp.surface.at(place[None])
    return place + (0.3 - gap[0]) * out[0], out[0]


def gathered(scalp: Scalp, tie: np.ndarray, p: Parameters) -> list[Bunch]:
    """Hair drawn over the head to a tie, and wisps that were left out."""
    loose = _loose(scalp, round(p["wisps"]))
    drawn = with_full_hem(scalp.take(~loose))
    slack = 1 - p["tightness"]
    astray = 0.25 * slack * Wander(scalp.rng, 4.0)(drawn.points)
    distance = np.linalg.norm(drawn.points - tie, axis=1)
    low = np.clip((9 - tie[1]) / 9, 0, 1)

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        ahead = low * np.clip(position[:, 2] / 8, 0, 1)
        over_the_head = direction(0.0, 0.6 * ahead, -1.2 * ahead)  # first, not across the cheek
        return unit(tie - position) + over_the_head + astray * (1 - along)

    path = grow(
        scalp.surface, drawn.points, drawn.normals, 1.45 * distance, flow,
        points=16, clearance=(0.05 + drawn.depth * (0.35 + 1.0 * slack)) * drawn.hem,
        lift=0.1 + 0.2 * slack, stiffness=0.3, hug=0.1,
    )  # fmt: skip
    path = trim(path, 0.5 * TIE_RADIUS - np.linalg.norm(path - tie, axis=2))
    bunches = [styled(drawn, path, {**p, "wave": 0.0, "clumping": 0.4 * p["clumping"]}, 0.068)]
    if loose.any():
        bunches.append(_wisps(scalp.take(loose), p))
    return bunches


def _loose(scalp: Scalp, wisps: int) -> np.ndarray:
    """``(S,) bool`` roots of so many wisps at each temple."""
    x, _, z = scalp.points.T
    loose = np.zeros(len(scalp), bool)
    for side in (-1, 1):
        temple = np.flatnonzero((scalp.edge < 0.5) & (side * x > 5.0) & (z > 2.5))
        for leader in scalp.rng.choice(temple, min(wisps, len(temple)), replace=False):
            loose |= np.linalg.norm(scalp.points - scalp.points[leader], axis=1) < WISP
    return loose


def _wisps(scalp: Scalp, p: Parameters) -> Bunch:
    """Fine locks that hang in front of the ears."""
    scalp = scalp.crowded(np.arange(len(scalp)), 2, spread=0.05)
    side = np.where(scalp.points[:, 0] >= 0, 1.0, -1.0)
    astray = 0.15 * Wander(scalp.rng, 4.0)(scalp.points)

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        return direction(side * (0.25 - 0.5 * along), -1.0, 0.1) + astray

    length = 5.5 + 2.5 * Wander(scalp.rng, 6.0)(scalp.points)[:, 0].clip(-1, 1) + scalp.rng.random(len(scalp))
    path = grow(
        scalp.surface, scalp.points, scalp.normals, length, flow,
        points=14, clearance=0.15 + 0.3 * scalp.depth, lift=0.3, stiffness=0.6,
    )  # fmt: skip
    return styled(scalp, path, {**p, "wave": 0.15, "turns": 0.12, "flat": 0.6, "unity": 0.3, "clumping": 0.0}, 0.045)


def hanging_line(
    scalp: Scalp, tie: np.ndarray, out: np.ndarray, p: Parameters, reach: float, forward: float = 0.0
) -> np.ndarray:
    """``(1, K, 3)``: the middle of a tail that leaves the head by ``reach`` cm, then hangs down to ``p["length"]``."""
    sway = scalp.rng.normal(0, 0.12)
    length = np.array([tie[1] - p["length"] + 2.5 * reach])

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        height = position[:, 1]
        leaves = np.clip(1 - along * length / (LEAVES * reach), 0, 1)
        ahead = forward * smoothstep(height, -2, -8) * smoothstep(position[:, 2], 5, 2)
        return out * leaves + direction(sway, -1.0 + 0.8 * leaves, ahead)

    line = grow(
        scalp.surface, (tie + 0.2 * out)[None], out[None], length, flow,
        points=40, clearance=0.5 * reach, lift=0.9, stiffness=0.75,
    )  # fmt: skip
    return trim(line, p["length"] - line[..., 1])


def disc(count: int, rng: np.random.Generator) -> np.ndarray:
    """``(count, 2)`` points spread over a disc of radius one."""
    return np.sqrt(rng.random((count, 1))) * unit(rng.normal(size=(count, 2)))


def _rope(middle: np.ndarray, offsets: np.ndarray, girth: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Strands ``(S, K, 3)`` that run along ``middle (1, K, 3)`` at ``offsets (S, 2)`` times ``girth (K,)``."""
    sideways, outward = frames(middle, up[None])
    across = offsets[:, :1, None] * sideways + offsets[:, 1:, None] * outward
    return (middle + girth[:, None] * across).astype(np.float32)


def _knot(scalp: Scalp, middle: np.ndarray, axis: np.ndarray, p: Parameters) -> Bunch:
    """A bun: locks wound around an axis, over and under each other."""
    rng = scalp.rng
    lock = rng.integers(0, KNOT_LOCKS, KNOT_HAIRS)

    def of_lock(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, KNOT_LOCKS)[lock][:, None]

    latitude = np.arcsin(np.linspace(LOWEST_LOCK, HIGHEST_LOCK, KNOT_LOCKS))[lock][:, None]
    aside = LOCK_SPREAD * rng.normal(size=(KNOT_HAIRS, 1))
    angle = rng.uniform(0, 2 * np.pi, (KNOT_HAIRS, 1)) + np.linspace(0, 2.2, 16)
    wound = LOCK_SWING * of_lock(-1, 1) * np.sin(angle + of_lock(0, 2 * np.pi))
    ridge = np.cos(9 * (aside + wound))  # locks are thickest in their middle
    out = p["width"] * (0.9 + 0.06 * ridge + 0.08 * rng.random((KNOT_HAIRS, 1)))
    height = latitude + aside + wound
    path = out[..., None] * (
        np.cos(height)[..., None] * _around(axis, angle) + KNOT_FLAT * np.sin(height)[..., None] * axis
    )
    return Bunch(rooted(scalp, middle, KNOT_HAIRS), (middle + path).astype(np.float32), lock, TIED_WIDTH, 0.85)


def _wrap(scalp: Scalp, middle: np.ndarray, axis: np.ndarray) -> Bunch:
    """A lock wound around the base of a tail."""
    rng = scalp.rng
    angle = rng.uniform(0, 2 * np.pi, (WRAP_HAIRS, 1)) + np.linspace(0, 2.5, 12)
    thick = 0.28 * disc(WRAP_HAIRS, rng)
    path = middle + _around(axis, angle) * (TIE_RADIUS + thick[:, :1, None]) + thick[:, 1:, None] * axis
    one_lock = np.zeros(WRAP_HAIRS, int)
    return Bunch(rooted(scalp, middle, WRAP_HAIRS), path.astype(np.float32), one_lock, TIED_WIDTH, 0.9)


def _around(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """``(..., 3)`` unit vectors at right angles to an axis."""
    a = unit(np.cross(axis, [1.0, 0.1, 0.2]))
    return np.cos(angle)[..., None] * a + np.sin(angle)[..., None] * np.cross(axis, a)


def rooted(scalp: Scalp, place: np.ndarray, count: int) -> Scalp:
    """So many times the root nearest to a place: what is tied has no roots of its own."""
    nearest = int(np.argmin(((scalp.points - place) ** 2).sum(axis=1)))
    return scalp.take(np.full(count, nearest))
