"""Growth of strands from a surface along a flow, and operations on strands: trim, clump, curl, thin.

A bunch of strands is an array ``(S, K, 3)``, root first, in cm. Every function returns a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from durian.synthetic.base.compiled import in_shares
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.strand_loops import advance, bend, find_frames, find_places, interpolate, measure, wind
from durian.synthetic.head.distance import DistanceField

Flow = Callable[[np.ndarray, float], np.ndarray]
"""``(positions (S, 3), how far along in [0, 1]) -> (S, 3)`` directions of any length in which the S strands want to go
on."""

ROOT_DEPTH = 0.1
"""How deep strands are rooted, cm: widths must not show a gap above the skin."""
FLAT_ROOTS = 0.25
"""Share of its clearance a strand already has at the root; all of it is reached after half of the length."""
FIRST_STEPS = 0.3
"""A strand's first piece relative to the mean; the others get longer step by step, as hair bends most at its root."""
LEAST_LEFT = 0.04
"""Part of a strand that is left of it wherever it is cut."""
PUSHES = 4
"""Times that points are moved out: where a surface is bent, as at the ears, the first way out is not all of it."""
EAR_HEIGHT = -1.0
"""Height (cm) from which long hair hangs free."""


def unit(vectors: np.ndarray) -> np.ndarray:
    """``(..., 3)`` vectors of length one; those of length zero stay."""
    length = np.sqrt(np.einsum("...c,...c->...", vectors, vectors))
    return vectors / np.maximum(length, 1e-9)[..., None]


@dataclass(frozen=True)
class Opening:
    """Where hair leaves the face free, as half the width (cm) of a curtain's opening at each height.

    ``side (S,)`` is ±1, the side of the face each strand falls on; ``width`` widens the opening by so many cm.
    """

    side: np.ndarray
    width: float | np.ndarray = 0.0

    HEIGHTS = (-9.0, -4.0, 2.0, 7.0, 10.2, 10.7)
    HALF_WIDTHS = (5.2, 6.0, 6.9, 6.7, 5.3, 3.5)
    FRONT, TOP, BOTTOM = 2.0, 10.7, -9.0
    SIDEWAYS, DOWN, BACK = 0.8, 0.25, 0.45
    """At most so much of a step goes sideways; strands that need more go down and back instead."""
    SLIPS = 1.2
    """Strands that begin to slip on to the forehead, by up to so many cm, are combed back to the hairline."""

    def keep(self, position: np.ndarray, previous: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Positions ``(S, 3)`` moved out of the opening, as far as one step of length ``step (S,)`` can."""
        height, aside = position[:, 1], position[:, 0] * self.side
        limit = np.interp(height, self.HEIGHTS, self.HALF_WIDTHS) + self.width
        within = (position[:, 2] > self.FRONT) & (height < self.TOP) & (height > self.BOTTOM) & (aside < limit)
        missing, most = limit - aside, self.SIDEWAYS * step
        blocked = within & (missing > most)
        moved = position.copy()
        moved[:, 0] += np.where(within, self.side * np.minimum(missing, most), 0)
        moved[:, 1] = np.where(blocked, np.maximum(height, previous[:, 1] - self.DOWN * step), height)
        moved[:, 1] = np.where(within & (height > self.TOP - self.SLIPS), self.TOP, moved[:, 1])
        moved[:, 2] -= np.where(blocked, self.BACK * step, 0)
        return moved


def grow(
    surface: DistanceField,
    roots: np.ndarray,
    normals: np.ndarray,
    length: np.ndarray,
    flow: Flow,
    *,
    points: int,
    clearance: np.ndarray | float,
    lift: np.ndarray | float = 0.5,
    stiffness: float = 0.55,
    hug: np.ndarray | float | None = None,
    hangs_below: float = EAR_HEIGHT,
    opening: Opening | None = None,
) -> np.ndarray:
    """Strands that follow a flow around a surface, step by step.

    Args:
        surface: what they must not enter.
        roots, normals: ``(S, 3)`` each.
        length: ``(S,)`` cm.
        flow: where they want to go.
        points: K of each strand.
        clearance: cm from the surface they must have, one or ``(S,)``; what lies deeper is pushed out.
        lift: how much they start along the normal instead of the flow, in [0, 1].
        stiffness: how much of their heading they keep, per point.
        hug: strands further than this (cm) beyond their clearance are pulled in; not at all if left out.
        hangs_below: height (cm) below which they are not.
        opening: what they leave free of the face.

    Returns:
        ``(S, points, 3) float32``.
    """
    count = len(roots)
    length = np.broadcast_to(np.asarray(length, np.float32), count)
    clearance = np.broadcast_to(np.asarray(clearance, np.float32), count)
    lift = np.broadcast_to(np.asarray(lift, np.float32), count)[:, None]
    reach = np.full(count, np.inf if hug is None else clearance + hug, np.float32)
    path = np.empty((count, points, 3), np.float32)
    path[:, 0] = roots - ROOT_DEPTH * normals
    position = np.array(roots, np.float32)
    heading = unit(normals * lift + unit(flow(position, 0.0)) * (1 - lift)).astype(np.float32)
    stations = np.linspace(0, 1, points)
    stations = FIRST_STEPS * stations + (1 - FIRST_STEPS) * stations**2
    for k, along in enumerate(stations[1:], start=1):
        wish = np.ascontiguousarray(flow(position, along), np.float32)
        step = length * np.float32(along - stations[k - 1])
        wanted = clearance * np.float32(min(1.0, FLAT_ROOTS + 2 * (1 - FLAT_ROOTS) * along))
        in_shares(
            advance, count, wish, step, np.float32(stiffness), wanted, reach, np.float32(hangs_below), surface.grid,
            heading, position,
        )  # fmt: skip
        if opening is not None:
            position = opening.keep(position, path[:, k - 1], step).astype(np.float32)
        in_shares(bend, count, position, k, path, heading)
    return path


def push_out(surface: DistanceField, path: np.ndarray, clearance: float, from_point: int = 1) -> np.ndarray:
    """Points from number ``from_point`` on that lie nearer to the surface than ``clearance`` (cm) moved out to it."""
    moved = np.array(path, np.float32)
    moved[:, from_point:] = surface.pushed_out(path[:, from_point:].reshape(-1, 3), clearance, PUSHES).reshape(
        len(path), -1, 3
    )
    return moved


def arc_length(path: np.ndarray) -> np.ndarray:
    """``(S, K)`` cm from the root to each point."""
    path, length = np.ascontiguousarray(path, np.float32), np.empty(path.shape[:2], np.float32)
    in_shares(measure, len(path), path, length)
    return length


def resample(path: np.ndarray, points: int, keep: np.ndarray | float = 1.0) -> np.ndarray:
    """The first part of each strand through another number of points, spaced like the old ones.

    Args:
        path: ``(S, K, 3)``.
        points: of each strand afterwards.
        keep: the part of each strand's points that is kept, in (0, 1], one or ``(S,)``.
    """
    count, old = path.shape[:2]
    keep = np.broadcast_to(np.asarray(keep, np.float32), count)[:, None]
    return _spline(path, np.linspace(0, old - 1, points, dtype=np.float32) * keep)


def resample_evenly(path: np.ndarray, points: int) -> np.ndarray:
    """Each strand ``(S, K, 3)`` through another number of points at equal distances along it."""
    place = np.empty((len(path), points), np.float32)
    in_shares(find_places, len(path), arc_length(path), place)
    return _spline(path, place)


def _spline(path: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Points of Catmull and Rom's spline through each strand, at ``place (S, P)`` counted in its points."""
    found = np.empty((*place.shape, 3), np.float32)
    path, place = np.ascontiguousarray(path, np.float32), np.ascontiguousarray(place, np.float32)
    in_shares(interpolate, len(path), path, place, found)
    return found


def trim(path: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Strands cut where they first go beyond something, e.g. below the level of a fringe.

    Args:
        path: ``(S, K, 3)``.
        beyond: ``(S, K)`` positive where a point is to be cut off; the cut is where it crosses zero.
    """
    past = beyond > 0
    past[:, 0] = False
    is_cut = past.any(axis=1)
    first = np.where(is_cut, past.argmax(axis=1), path.shape[1] - 1)
    strand = np.arange(len(path))
    after, before = beyond[strand, first], beyond[strand, first - 1]
    part = np.where(is_cut, np.clip(-before / np.maximum(after - before, 1e-6), 0, 1), 1)
    return resample(path, path.shape[1], np.maximum((first - 1 + part) / (path.shape[1] - 1), LEAST_LEFT))


def find_clumps(places: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """``(S,)`` for each strand the number of a strand nearby that leads it; ``count`` strands lead.

    Args:
        places: ``(S, D)`` where strands count as neighbours, e.g. their roots, and the side of the parting far apart.
        count: how many clumps; at most S.
        rng: where chance comes from.
    """
    from scipy.spatial import cKDTree

    leaders = rng.choice(len(places), min(count, len(places)), replace=False)
    return leaders[cKDTree(places[leaders]).query(places)[1]]


def clump(
    path: np.ndarray, leader: np.ndarray, strength: np.ndarray | float, start: float = 0.0, full: float = 1.0
) -> np.ndarray:
    """Strands drawn to the one that leads them, more towards the tips.

    Args:
        path: ``(S, K, 3)``.
        leader: as from :func:`find_clumps`.
        strength: part of the distance that is gone at the tips, in [0, 1], one or ``(S,)``.
        start, full: from which part of the length on, and where all of ``strength`` is reached.
    """
    along = smoothstep(np.linspace(0, 1, path.shape[1], dtype=np.float32), start, full) ** 0.75
    strength = np.broadcast_to(np.asarray(strength, np.float32), len(path))
    return path + (path[leader] - path) * (strength[:, None] * along)[..., None]


def frames(path: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors ``(S, K, 3)`` across each strand at each point, at right angles and without twist along it.

    The first starts out along the surface the strands grow from, whose ``normals (S, 3)`` are given, the second away
    from it.
    """
    path = np.ascontiguousarray(path, np.float32)
    normals = np.full((len(path), 3), normals, np.float32)
    sideways, outward = np.empty_like(path), np.empty_like(path)
    in_shares(find_frames, len(path), path, normals, sideways, outward)
    return sideways, outward


def curl(
    path: np.ndarray,
    normals: np.ndarray,
    radius: np.ndarray | float,
    turns: np.ndarray | float,
    phase: np.ndarray,
    *,
    flat: float = 0.0,
    straight_root: float = 2.0,
) -> np.ndarray:
    """Strands wound around their own course.

    Args:
        path: ``(S, K, 3)``; wants six points a turn.
        normals: ``(S, 3)`` of the surface they grow from.
        radius: cm, one or ``(S,)``.
        turns: per cm, one or ``(S,)``.
        phase: ``(S,)`` radians; strands of one phase that lie side by side swing together.
        flat: 0 a helix, 1 a wave along the surface.
        straight_root: the radius is reached after so many cm.
    """
    sideways, outward = frames(path, normals)
    path, length = np.array(path, np.float32), arc_length(path)
    radius, turns, phase = (np.full(len(path), value, np.float32) for value in (radius, turns, phase))
    rise = np.float32(1 - flat)
    in_shares(wind, len(path), sideways, outward, length, radius, turns, phase, rise, np.float32(straight_root), path)
    return path


class Wander:
    """A smooth random direction everywhere in space: neighbours go astray together.

    Each of three components is a sum of plane waves of about one length.
    """

    WAVES = 5

    def __init__(self, rng: np.random.Generator, wavelength: float) -> None:
        direction = unit(rng.normal(size=(3, self.WAVES, 3)))
        number = 2 * np.pi / (wavelength * rng.uniform(0.7, 1.4, (3, self.WAVES, 1)))
        self._waves = (direction * number).astype(np.float32)
        self._phase = rng.uniform(0, 2 * np.pi, (3, self.WAVES)).astype(np.float32)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """``(..., 3)`` of a root mean square of one each, at ``points (..., 3)``."""
        angle = np.einsum("...c,dwc->...dw", points, self._waves) + self._phase  # ... x 3 x waves
        return np.sin(angle).sum(axis=-1) * np.sqrt(2 / self.WAVES)
