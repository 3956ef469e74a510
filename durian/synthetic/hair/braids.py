"""Cuts of braided hair: braids, cornrows, locs."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.cuts import WIDEST, Bunch, Parameters, direction, fall_side, hang_flow, with_full_parting
from durian.synthetic.hair.growth import (
    ROOT_DEPTH,
    Opening,
    Wander,
    arc_length,
    find_clumps,
    frames,
    grow,
    push_out,
    resample_evenly,
    trim,
    unit,
)
from durian.synthetic.hair.scalp import Scalp, hairline_distance
from durian.synthetic.hair.tied_hair import disc, gathered, hanging_line, rooted, tie_at

LOW = 0.12
"""Height of the tie of a single braid, as in the styles' ``height``."""
BESIDE = np.array([6.4, -3.4, -2.6])
"""Where two braids are tied, behind the ears."""
SECOND_BRAID = 0.85
"""Width of each of two braids relative to a single one's."""
BRAID_HAIRS, ROW_HAIRS, LOC_HAIRS = 65, 12, 34
"""Hairs of each of the three strands of a braid and of a cornrow, and of a loc."""
BRAID_HAIR_WIDTH, LOC_HAIR_WIDTH = 0.085, 0.11
"""Widths of hairs that stand for several, cm."""

CROSSINGS = 0.42
"""Turns of a braid over its own width: strands cross at about 45 degrees."""
SWING, DEPTH, STRAND_RADIUS = 0.3, 0.17, 0.27
"""How far a braid's strands move to the side and up and down, and how thick they are, relative to its width."""
THINNER_FROM = 8.0
"""Length (cm) from which braids get thinner towards their ends."""

ROW_START, ROW_FRONT = 0.7, 4.0
"""Cornrows begin so near (cm) to the hairline, and in front of this z."""
ROW_STEPS = 24
"""Places along the hairline from which its course is known."""
ROW_LENGTH = 46.0
"""From the forehead to below the nape, cm, before it is cut."""
COMBED = 0.85
"""Share of the scalp whose hair is drawn to a braid or loc; the partings between stay free."""

LOCS_A_WIDTH = 110
"""Number of locs times their width in cm."""
LOC_TWIST, LOC_UNEVEN, LOC_BEND = 0.18, 0.22, 0.18
"""Turns of a loc's hairs per cm, how uneven its thickness is, and how far it bends (cm)."""


def plaited(scalp: Scalp, p: Parameters) -> list[Bunch]:
    """One braid down the back, or two in front of the shoulders."""
    if p["rows"] < 1.5:
        tie, out = tie_at(scalp, LOW)
        middle = hanging_line(scalp, tie, out, p, reach=1.5)
        return [*gathered(scalp, tie, p), _braid(scalp, middle, p["width"], BRAID_HAIRS)]
    bunches = []
    side = fall_side(scalp, p["parting"])
    for hand in (-1.0, 1.0):
        half = scalp.take(side == hand)
        tie, out = BESIDE * [hand, 1, 1], unit(np.array([0.35 * hand, -1.0, 0.1]))
        middle = hanging_line(half, tie, out, p, reach=1.0, forward=0.75)
        bunches += [*gathered(half, tie, p), _braid(half, middle, SECOND_BRAID * p["width"], BRAID_HAIRS)]
    return bunches


def cornrowed(scalp: Scalp, p: Parameters) -> list[Bunch]:
    """Rows of narrow braids from the forehead over the head to the nape, and on below it."""
    starts = _spread_along_hairline(scalp, round(p["rows"]))

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        behind = smoothstep(position[:, 2], -2, -8)  # back over the head, then down and together
        return direction(-0.04 * behind * position[:, 0], -1.6 * behind, behind - 1)

    rows = grow(
        scalp.surface,
        starts,
        scalp.surface.at(starts)[1],
        np.full(len(starts), ROW_LENGTH),
        flow,
        points=110,
        clearance=0.4 * p["width"],
        lift=0.05,
        stiffness=0.3,
        hug=0.0,
    )
    rows = trim(rows, p["length"] - rows[..., 1])
    return [_combed_to(scalp, rows), *(_braid(scalp, row[None], p["width"], ROW_HAIRS) for row in rows)]


def _spread_along_hairline(scalp: Scalp, count: int) -> np.ndarray:
    """So many places ``(count, 3) float32`` at even distances along the hairline from temple to temple."""
    near = scalp.points[(scalp.edge < ROW_START) & (scalp.points[:, 2] > ROW_FRONT)]
    azimuth = np.arctan2(near[:, 0], near[:, 2])
    step = np.searchsorted(np.linspace(azimuth.min(), azimuth.max(), ROW_STEPS + 1)[1:-1], azimuth)
    shares = np.bincount(step, minlength=ROW_STEPS)
    line = np.stack([np.bincount(step, axis, ROW_STEPS) for axis in near.T], axis=1)[shares > 0]
    line = line / shares[shares > 0, None]
    reached = arc_length(line[None])[0]
    wanted = np.linspace(0, reached[-1], count)
    return np.stack([np.interp(wanted, reached, axis) for axis in line.T], axis=1).astype(np.float32)


def locked(scalp: Scalp, p: Parameters) -> list[Bunch]:
    """Locs: hair matted into ropes that hang from a parting."""
    rng = scalp.rng
    roots = with_full_parting(scalp, p["parting"])  # locs stand closest where no others cover the scalp
    locs = roots.take(np.unique(find_clumps(roots.points, round(LOCS_A_WIDTH / p["width"]), rng)))
    middle = grow(
        locs.surface,
        locs.points,
        locs.normals,
        (locs.points[:, 1] - p["length"]) * 1.1 + 4 * locs.top,
        hang_flow(locs, p),
        points=22,
        clearance=0.3 + locs.depth * p["volume"],
        lift=0.8,
        hug=0.5,
        hangs_below=WIDEST,
        opening=Opening(fall_side(locs, p["parting"]), p["opening"] + 0.4),
    )
    level = p["length"] + 3.0 * rng.random((len(locs), 1)) + 2.0 * locs.top[:, None]
    middle = resample_evenly(trim(middle, level - middle[..., 1]), 26)
    bent = np.minimum(1, arc_length(middle) / 3)[..., None]  # not at the root
    middle = middle + LOC_BEND * bent * Wander(rng, 4.0)(middle)
    return [_combed_to(scalp, middle), _matted(locs, middle, p["width"])]


def _matted(locs: Scalp, middle: np.ndarray, width: float) -> Bunch:
    """Hairs wound loosely around the middles ``(L, K, 3)`` of locs ``width`` cm thick."""
    rng, count = locs.rng, len(middle) * LOC_HAIRS
    of_loc = rng.permutation(np.repeat(np.arange(len(middle)), LOC_HAIRS))
    sideways, outward = frames(middle, locs.normals)
    thick = 1 + LOC_UNEVEN * Wander(rng, 1.3)(middle)[..., 0]
    thick = thick * (1 - 0.7 * smoothstep(np.linspace(0, 1, middle.shape[1]), 0.85, 1.0))  # ends are round
    radius = 0.5 * width * np.sqrt(rng.random((count, 1))) * thick[of_loc]
    angle = rng.uniform(0, 2 * np.pi, (count, 1)) + 2 * np.pi * LOC_TWIST * arc_length(middle)[of_loc]
    around = np.cos(angle)[..., None] * sideways[of_loc] + np.sin(angle)[..., None] * outward[of_loc]
    path = middle[of_loc] + radius[..., None] * around
    return Bunch(locs.take(of_loc), path.astype(np.float32), of_loc, LOC_HAIR_WIDTH, 0.7)


def _braid(scalp: Scalp, middle: np.ndarray, width: float, hairs: int) -> Bunch:
    """A braid ``width`` cm across of three strands of so many hairs along ``middle (1, K, 3)``."""
    rng = scalp.rng
    turns = CROSSINGS / width
    middle = resample_evenly(middle, int(np.clip(10 * turns * arc_length(middle)[0, -1], 30, 160)))
    length = arc_length(middle)[0]
    girth = 1 - 0.5 * length / length[-1] if length[-1] > THINNER_FROM else np.ones(len(length))
    _, normals = scalp.surface.at(middle[0, :1])
    sideways, outward = frames(middle, normals)
    strand = rng.permutation(np.arange(3 * hairs) % 3)
    angle = 2 * np.pi * (turns * length + strand[:, None] / 3)  # S x K
    inside = STRAND_RADIUS * disc(3 * hairs, rng)
    across = width * girth * (SWING * np.sin(angle) + inside[:, :1])
    up = width * girth * (DEPTH * np.sin(2 * angle) + inside[:, 1:])
    path = middle + across[..., None] * sideways + up[..., None] * outward
    return Bunch(rooted(scalp, middle[0, 0], 3 * hairs), path.astype(np.float32), strand, BRAID_HAIR_WIDTH, 0.9)


def _combed_to(scalp: Scalp, ropes: np.ndarray) -> Bunch:
    """Short hair drawn over the scalp to the nearest of ropes ``(R, K, 3)``."""
    from scipy.spatial import cKDTree

    on_head = ropes[hairline_distance(ropes) > 0]
    distance, nearest = cKDTree(on_head).query(scalp.points)
    chosen = np.flatnonzero(distance < np.quantile(distance, COMBED))
    drawn = scalp.take(chosen)
    along = np.linspace(0, 1, 5, dtype=np.float32)[:, None]
    goal = on_head[nearest[chosen]] + np.float32([0, 0, -0.5])  # a little on along the rope
    path = drawn.points[:, None] * (1 - along) + goal[:, None] * along
    path[:, 0] -= ROOT_DEPTH * drawn.normals
    path = push_out(drawn.surface, path, 0.06)
    return Bunch(drawn, path, find_clumps(drawn.points, len(drawn) // 10, scalp.rng), 0.05, 0.9)
