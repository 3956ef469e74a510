"""Cuts of loose hair: from roots and parameters to strands. Tied hair is in :mod:`durian.synthetic.hair.tied_hair`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.growth import (
    Opening,
    Wander,
    arc_length,
    clump,
    curl,
    find_clumps,
    grow,
    resample_evenly,
    trim,
    unit,
)
from durian.synthetic.hair.scalp import CROWN, SOFT_EDGE, Scalp

Parameters = Mapping[str, float]

POINTS_A_TURN, MOST_POINTS = 6, 44
LOCK, TUFT, RINGLET = 160, 14, 50
"""Strands of clumps: locks, which hold a little, the tufts they are made of, and curls, which hold instead of tufts."""
COIL = 60
"""Strands of a coil of round hair at a clumping of 0.85; fewer when it is combed out."""
LOCK_HOLD, HOLDS_FROM = 0.35, 5.0
"""How much a lock holds relative to a tuft, and the length (cm) of hair that is long enough to be held in full."""
LOOSE_HEM = 0.1
"""How much hair at the hairline is held relative to the rest: gaps between its tufts would be teeth on the forehead."""
CURLY, CURLS_HOLD = 0.06, 1.5
"""Radius times turns from which waves count as curls, and how much more a curl holds its strands than a tuft."""
PARTING_FRONT = 16.0
"""z (cm) from which a parting runs to the crown: so far in front that hair above the forehead falls to the sides."""
PARTED, PARTING_EXTRA, UNSTEADY = 0.6, 5, 0.2
"""Distance (cm) from a parting within which so many roots are added to each, as no other hair covers it, and how
unsteady its line is (cm)."""
MOST_RISE = 0.2
"""How far up messy hair that hangs may go: less than gravity takes it down, or it would never come back."""
WAVES_FROM = 6.0
"""Length (cm) from which waves are as wide as they get: on the forehead hair is combed straight."""
SHOULDERS, FORK, FORKS = -1.5, 0.7, (-3.0, -8.0)
"""z of the shoulders' ridge, how strongly hair that reaches them falls before and behind it, and the heights between
which it comes to do so."""
TURNS_OVER, NECK = 7.0, -1.0
"""Height (cm) of the ends of hair that turn in or out, and z of the neck's middle."""
NO_SHORTER = -1.5
"""z (cm) behind which ends are as high as there, whatever the angle of the cut."""
WIDEST = 6.0
"""Height (cm) of the skull's widest part, from which long hair hangs free."""
HEM, HEM_EXTRA = 1.3, 2
"""Distance (cm) from the hairline within which hair that is combed away from it has so many more roots, all of them
fine."""
HEM_RISES, UP_AND_BACK = 1.5, np.float32([0.0, 0.8, -0.6])
"""How much hair at the hairline is first combed off the face, and where to: else it would lie across the forehead."""
BANGS_EXTRA = 5
"""Strands of a fringe for each root: it is combed from further up."""
SHORTER = 0.3
"""How much shorter (cm, on average) hairs are than the cut that ends them: it was made some time ago."""
ASTRAY = 4.5
"""Wavelength (cm) at which messy neighbours go astray together."""


@dataclass
class Bunch:
    """Strands of one kind.

    ``path (S, K, 3)``; ``scalp``: S roots; ``leader (S,)``: in which tuft each strand is; ``width``: at the root, cm;
    ``root_shade``: as in :class:`durian.synthetic.base.geometry.Strands`.
    """

    scalp: Scalp
    path: np.ndarray
    leader: np.ndarray
    width: float
    root_shade: float = 0.6


def direction(x: np.ndarray | float, y: np.ndarray | float, z: np.ndarray | float) -> np.ndarray:
    """``(S, 3)`` of three numbers or arrays ``(S,)``."""
    return np.stack(np.broadcast_arrays(*(np.asarray(value, np.float32) for value in (x, y, z))), axis=-1)


def away_from_parting(points: np.ndarray, parting: float) -> np.ndarray:
    """``(S, 3)`` level unit vectors away from a parting (cm left of the middle), and from the crown at its end."""
    x, z = points[:, 0] - parting, points[:, 2] - PARTING_FRONT
    to_crown_x, to_crown_z = CROWN[0] - parting, CROWN[2] - PARTING_FRONT
    share = np.clip((x * to_crown_x + z * to_crown_z) / (to_crown_x**2 + to_crown_z**2), 0, 1)
    return unit(direction(x - share * to_crown_x, 0.0, z - share * to_crown_z))


def with_full_parting(scalp: Scalp, parting: float) -> Scalp:
    """More roots where hair is parted."""
    x, _, z = scalp.points.T
    line = parting + (CROWN[0] - parting) * np.clip((PARTING_FRONT - z) / (PARTING_FRONT - CROWN[2]), 0, 1)
    line = line + UNSTEADY * Wander(scalp.rng, 1.5)(scalp.points)[:, 0]
    near = np.flatnonzero((np.abs(x - line) < PARTED) & (z > CROWN[2]))
    extra = scalp.crowded(near, PARTING_EXTRA)
    extra.edge = np.maximum(extra.edge, SOFT_EDGE)  # full where the parting meets the hairline
    return scalp.joined(extra)


def with_full_hem(scalp: Scalp) -> Scalp:
    """More roots at the hairline of the face."""
    near = np.flatnonzero((scalp.edge < HEM) & (scalp.points[:, 2] > 2.5))
    return scalp.joined(scalp.crowded(near, HEM_EXTRA, spread=0.2))


def cropped(scalp: Scalp, p: Parameters) -> list[Bunch]:
    """Short hair, longer on top: crops, quiffs, side partings, slick backs, undercuts, and what baldness leaves."""
    if p.get("away", 0.0) > 0.5:
        scalp = with_full_parting(scalp, p["parting"])
    if p["forward"] < -0.5:
        scalp = with_full_hem(scalp)
    points, depth = scalp.points, scalp.depth
    blend = p.get("blend", 3.5)
    top = smoothstep(points[:, 1] + 0.12 * points[:, 2], 9.3 - blend / 2, 9.3 + blend / 2)
    taper = np.clip(scalp.edge / p.get("taper", 0.5), 0.12, 1)
    length = p["length"] * (p["sides"] * taper * (1 - top) + top)
    nape = smoothstep(points[:, 1], 1.0, -4.0)
    length = length * scalp.rng.uniform(0.8, 1.1, len(scalp)) * np.maximum(scalp.hem, top * 0.7) * (1 - 0.55 * nape)
    quiff = (p.get("quiff", 0.0) * scalp.front)[:, None]
    away, forward = p.get("away", 0.0), p["forward"]
    side = np.tanh(points[:, 0])
    wander = Wander(scalp.rng, ASTRAY)
    astray = (p["mess"] * (0.4 + 0.6 * top))[:, None] * wander(points)
    down_the_side = direction(0.12 * side, -1.0, 0.4 * forward - 0.15)

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        over = away * away_from_parting(position, p.get("parting", 0.0))
        combed = over + direction(0.0, -0.15 - 0.5 * along * abs(away), forward + 1e-3)
        risen = direction(0.0, 1.6 * (1 - 1.4 * along), 0.9 - 2.2 * along) + 0.5 * over
        on_top = combed * (1 - quiff) + risen * quiff
        stand = scalp.normals * (0.35 * (1 - along))
        return on_top * top[:, None] + down_the_side * (1 - top[:, None]) + stand + astray

    path = grow(
        scalp.surface, points, scalp.normals, length, flow,
        points=int(np.clip(4 + 1.2 * p["length"], 4, 12)),
        clearance=(0.04 + depth * p["volume"] * (0.35 + 0.65 * top)) * scalp.hem,
        lift=p["lift"],
        hug=None if p.get("spikes") or p["length"] < 1 else 0.3 + 4 * quiff[:, 0] + 2 * p.get("wave", 0.0),
        hangs_below=-99.0,
    )  # fmt: skip
    if "fringe" in p:
        forehead = (np.abs(path[..., 0]) < 6.5) & (path[..., 2] > 5.0)
        ragged = p["fringe"] + 0.35 * wander(points)[:, :1] + 0.5 * scalp.rng.random((len(scalp), 1))
        path = trim(path, np.where(forehead, ragged - path[..., 1], -1.0))
    return [styled(scalp, path, p, 0.062, spikes=p.get("spikes", 0.0))]


def hanging(scalp: Scalp, p: Parameters) -> list[Bunch]:
    """Hair that hangs from a parting to a level: bobs, long hair, curtains, with bangs or without."""
    has_bangs = np.zeros(len(scalp), bool)
    if p.get("bangs", 0.0) > 0:
        x, _, z = scalp.points.T
        wide = 7.5 * p["bangs"] * scalp.rng.uniform(0.75, 1.05, len(scalp))
        has_bangs = (z > 4.0) & (np.abs(x) < wide) & (scalp.edge < 2.5 + scalp.rng.random(len(scalp)))
    lengths = with_full_hem(with_full_parting(scalp.take(~has_bangs), p["parting"]))
    bunches = [_hanging_lengths(lengths, p)]
    if has_bangs.any():
        bunches.append(_bangs(scalp.crowded(np.flatnonzero(has_bangs), BANGS_EXTRA), p))
    return bunches


def hang_flow(scalp: Scalp, p: Parameters):
    """The flow of hair that falls away from a parting."""
    astray = p["mess"] * Wander(scalp.rng, ASTRAY)(scalp.points)
    astray[:, 1] = np.minimum(astray[:, 1], MOST_RISE)
    reaches = smoothstep(p["length"], -9.0, -13.0)
    in_front = scalp.points[:, 2] > SHOULDERS + Wander(scalp.rng, 3.0)(scalp.points)[:, 0]
    at_hem = smoothstep(scalp.edge, HEM, 0) * smoothstep(scalp.points[:, 2], 2.0, 6.0)

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        _, y, z = position.T
        over = np.clip((y - 6.5) / 6, 0, 1)
        back = -0.05 - (0.22 + 0.5 * max(0, 1 - 5 * along)) * np.clip(z / 6, 0, 1)
        fall = direction(0.0, -0.45 - 0.85 * np.clip((12 - y) / 6, 0, 1), back)
        away = away_from_parting(position, p["parting"]) * over[:, None]
        off_face = (HEM_RISES * at_hem * max(0, 1 - 5 * along))[:, None] * UP_AND_BACK
        near_end = p.get("turn_in", 0.0) * smoothstep(y, p["length"] + TURNS_OVER, p["length"])
        fork = reaches * smoothstep(y, *FORKS) * np.where(in_front, 1, -1)
        fork = fork * smoothstep(np.abs(z - SHOULDERS), 6.0, 3.0)
        inward = unit(direction(-position[:, 0], 0.0, NECK - z))
        aside = direction(0.0, 0.0, FORK * fork)
        return away + fall + off_face + aside + near_end[:, None] * inward + astray * (0.3 + 0.7 * over[:, None])

    return flow


def fall_side(scalp: Scalp, parting: float) -> np.ndarray:
    """``(S,)`` ±1: the side of the face that each strand falls on."""
    return np.where(away_from_parting(scalp.points, parting)[:, 0] >= 0, 1.0, -1.0).astype(np.float32)


def _hanging_lengths(scalp: Scalp, p: Parameters) -> Bunch:
    rng, count = scalp.rng, len(scalp)
    shared = rng.random(count)[find_clumps(scalp.points, count // RINGLET, rng)]
    uneven = (0.6 * shared + 0.4 * rng.random(count)) * (0.35 + 0.65 * scalp.top)
    ragged = rng.normal(0, 0.2, count) + SHORTER * rng.exponential(1, count)
    level = (p["length"] + p["layers"] * uneven + ragged)[:, None]
    height = scalp.points[:, 1]
    edge = 0.3 * Wander(rng, 3.0)(scalp.points)[:, 0] + 0.08 * rng.normal(size=count)  # not drawn with a ruler
    path = grow(
        scalp.surface, scalp.points, scalp.normals, (height - p["length"]) * 1.1 + 5 * scalp.top + 2, hang_flow(scalp,
        p), points=20,
        clearance=(0.15 + scalp.depth * p["volume"]) * np.maximum(scalp.hem, 0.35),
        lift=0.35,
        stiffness=0.6,
        hug=0.15,
        hangs_below=WIDEST,
        opening=Opening(fall_side(scalp, p["parting"]), p["opening"] + 0.5 * scalp.depth * p["volume"] + edge),
    )  # fmt: skip
    path = trim(path, level - p.get("angle", 0.0) * np.maximum(path[..., 2], NO_SHORTER) - path[..., 1])
    is_curly = p.get("wave", 0.0) * p.get("turns", 0.0) > CURLY
    return styled(scalp, path, p, 0.075, straight_root=2.0 if is_curly else WAVES_FROM)


def _bangs(scalp: Scalp, p: Parameters) -> Bunch:
    astray = p["mess"] * Wander(scalp.rng, 2.0)(scalp.points)
    sweep = p["sweep"]

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        aside = 0.9 * sweep + 0.09 * position[:, 0]
        return direction(aside, -0.9, 0.7 * (1 - along) - 0.1) + astray

    length = (scalp.points[:, 1] - p["fringe"]) * (1.2 + 0.4 * abs(sweep)) + 5.0
    path = grow(
        scalp.surface, scalp.points, scalp.normals, length, flow,
        points=12, clearance=0.1 + 0.9 * scalp.depth, lift=0.35, hug=0.4,
    )  # fmt: skip
    x = path[..., 0]
    aside = np.maximum(np.abs(x) - 3.5, 0)
    level = p["fringe"] - 0.02 * x**2 - 0.25 * aside**2 - 0.25 * sweep * x
    ragged = scalp.rng.normal(0, 0.15, (len(scalp), 1)) + SHORTER * (scalp.rng.exponential(1, (len(scalp), 1)) - 0.7)
    ragged = ragged + 0.25 * Wander(scalp.rng, 1.5)(scalp.points)[:, :1]
    path = trim(path, level + ragged - path[..., 1])
    return styled(scalp, path, {**p, "wave": 0.0}, 0.066, root_shade=0.75)


def rounded(scalp: Scalp, p: Parameters) -> list[Bunch]:
    """Coils that stand off all around: afros, and short tight curls."""
    astray = p["mess"] * Wander(scalp.rng, 2.0)(scalp.points)
    length = (
        p["length"]
        * scalp.rng.uniform(0.78, 1.05, len(scalp))
        * np.clip(scalp.edge / (0.35 * p["length"] + 0.6), 0.3, 1)
    )

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        return scalp.normals + direction(0.0, 0.12 - 0.3 * along, 0.0) + astray

    points = int(np.clip(POINTS_A_TURN * p["turns"] * p["length"] + 3, 8, 26))
    path = grow(
        scalp.surface, scalp.points, scalp.normals, length, flow, points=points, clearance=0.05, lift=0.8
    )  # fmt: skip
    coil = round(COIL * (0.15 + p["clumping"]))
    return [styled(scalp, path, {**p, "flat": 0.0, "unity": 0.0}, 0.055, curl_size=coil, straight_root=0.5)]


def styled(
    scalp: Scalp,
    path: np.ndarray,
    p: Parameters,
    width: float,
    *,
    spikes: float = 0.0,
    curl_size: int = RINGLET,
    root_shade: float = 0.6,
    straight_root: float = 2.0,
) -> Bunch:
    """Style loose hair once it is grown and cut: locks, tufts, waves.

    ``spikes`` gathers tips, in [0, 1]; ``curl_size`` is the number of strands of a curl; ``straight_root`` as in
    :func:`curl`.
    """
    count = len(scalp)
    rng = scalp.rng
    places = np.concatenate([scalp.points, path[:, -1] * 0.5], axis=1)  # neighbours at both ends
    radius = p.get("wave", 0.0)
    is_curly = radius * p.get("turns", 0.0) > CURLY
    reach = arc_length(path)[:, -1]
    hold = max(p["clumping"], spikes) * rng.uniform(0.6, 1.2, count).clip(max=1)
    hold = hold * (LOOSE_HEM + (1 - LOOSE_HEM) * scalp.hem)
    hold = hold * (1 if spikes else smoothstep(reach, 0, HOLDS_FROM))
    tuft = find_clumps(places, max(1, count // (curl_size if is_curly else TUFT)), rng)
    if not is_curly:
        lock = find_clumps(places, max(1, count // LOCK), rng)
        path = clump(path, lock, LOCK_HOLD * hold[lock] * smoothstep(reach, 0, HOLDS_FROM))
    if is_curly:
        path = clump(path, tuft, np.minimum(1, CURLS_HOLD * p["clumping"]) * rng.uniform(0.8, 1, count), full=0.4)
    else:
        path = clump(path, tuft, hold, start=0.15 if spikes else 0.3)
    if radius > 0:
        turns = p["turns"]
        longest = float(np.percentile(reach, 95))
        wanted = int(min(POINTS_A_TURN * turns * longest + 3, MOST_POINTS))
        if wanted > path.shape[1]:  # else they keep the short pieces at the roots, which cover a parting
            path = resample_evenly(path, wanted)
        loose = 1 - p["unity"]
        phase = 1.2 * Wander(rng, 7.0)(scalp.points)[:, 0] + 2 * np.pi * loose * rng.random(count)[tuft]
        phase = phase + 0.25 * rng.normal(size=count)
        pace = 1 + 0.2 * loose * rng.uniform(-1, 1, count)[tuft] + 0.03 * rng.normal(size=count)
        size = radius * rng.uniform(0.7, 1.2, count)[tuft]
        path = curl(path, scalp.normals, size, turns * pace, phase, flat=p["flat"], straight_root=straight_root)
    return Bunch(scalp, path, tuft, width, root_shade)
