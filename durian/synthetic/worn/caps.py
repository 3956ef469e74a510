"""Baseball caps, worn either way round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from durian.synthetic.base.geometry import Label, Material, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import grid, sphere
from durian.synthetic.base.wear import smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import Dome, level_rim, skull_of
from durian.synthetic.worn.millinery import (
    HatFrame,
    HatParts,
    angle_from,
    around,
    bump,
    darker,
    fit_inside,
    hem_values,
    hemmed,
    seam,
    sweatband,
    visor,
)

CAP_CLEARANCE = 0.75
"""How far a cap's outside is from the scalp, cm."""
CAP_PANELS = 6
CAP_PRESS = 0.8
"""Cm by which hair may stand out below a cap, per cm below its rim."""


def _cap(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    crown: float,
    structure: float,
    emblem: float,
    visor_length: float,
    arch: float,
    droop: float,
    turn: float,
) -> HatParts:
    """A baseball cap whose visor points to azimuth ``turn``."""
    skull, rim = skull_of(head), level_rim(front, back)
    dome = Dome.over(skull, rim, CAP_CLEARANCE, rows=CAP_ROWS)
    ahead = bump(angle_from(dome.azimuth, turn), 0, 1.35)
    full = smoothstep(dome.share, 1.0, 0.55) * smoothstep(dome.share, 0.0, 0.35)
    clearance = CAP_CLEARANCE + crown * smoothstep(dome.share, 1.0, 0.3) + 0.35 * full + structure * ahead * full
    points, above = dome.points(clearance), dome.points(clearance + 0.03)
    finish = {"material": Material.CLOTH, "label": Label.HAT}
    stitches = darker(look.colour, 0.55)
    brim_colour = look.accent if look.pattern == "contrast" else look.colour
    cut, hole = _with_opening(points, dome, turn + np.pi)
    meshes = [
        _without(
            hole, hemmed(cut, dome.outwards()[-1], 0.3), colour=look.colour, uv=hem_values(dome.draped_uv()), **finish
        ),
        seam(_on_dome(above, dome, *_opening_edge(turn + np.pi)), stitches, 0.13, closed=True),
        sphere(points[0, 0] + [0, 0.05, 0], (0.6, 0.3, 0.6), colour=brim_colour, **finish),
        sweatband(skull, rim, CAP_CLEARANCE, stitches),
        _emblem(dome.points(clearance + 0.09), dome, turn, emblem, look),
    ]
    for azimuth in turn + np.arange(CAP_PANELS) * 2 * np.pi / CAP_PANELS:
        behind = abs(angle_from(azimuth, turn + np.pi)) < 0.1
        share = np.linspace(0, OPENING_TOP if behind else 1, 40)
        meshes.append(seam(_on_dome(above, dome, np.full(40, azimuth), share), stitches, 0.055))
        eyelet = _on_dome(points, dome, np.array([azimuth + np.pi / CAP_PANELS]), np.array([0.3]))[0]
        meshes.append(sphere(eyelet, 0.13, rings=6, colour=stitches, **finish))
    meshes.append(seam(above[-4], stitches, 0.04, closed=True))

    frame = HatFrame.of(points[-1])
    shade = visor(_about_up(frame.inside(points[-1]), -turn), 1.12, visor_length, 0.8, arch, droop, 0.35)
    place = frame.outside(_about_up(shade, turn))
    meshes.append(grid(place, colour=brim_colour, uv=shade[..., [0, 2]], **finish))
    upper = shade.shape[0] // 2 - 1
    for row in (upper // 2, upper * 2 // 3, upper * 5 // 6):
        meshes.append(seam(place[row, 2:-2] + [0, 0.02, 0], darker(brim_colour, 0.7), 0.04))
    return HatParts(meshes, fit_inside(skull, rim, CAP_CLEARANCE, CAP_PRESS))


CAP_ROWS = 49
OPENING_HALF_WIDTH, OPENING_TOP, OPENING_FOOT = 0.42, 0.66, 43 / (CAP_ROWS - 1)
"""The gap above a cap's strap: half its width, radians, and the shares of the way from crown to rim between which it
is; a row of vertices lies on its foot."""


def _with_opening(points: np.ndarray, dome: Dome, middle: float) -> tuple[np.ndarray, np.ndarray]:
    """A dome's points ``(R, C, 3)``, those near the edge of an arched gap moved onto it, and ``(R, C) bool`` which
    are on or within it."""
    aside = angle_from(dome.azimuth, middle) / OPENING_HALF_WIDTH
    up = (OPENING_FOOT - dome.share) / (OPENING_FOOT - OPENING_TOP)
    distance = np.where(up < -1e-6, np.inf, np.hypot(aside, up))  # 1 on the arch
    onto = np.where((distance > 0.84) & (distance < 1.19), 1 / np.maximum(distance, 0.1), 1.0)
    azimuth = middle + aside * onto * OPENING_HALF_WIDTH
    share = OPENING_FOOT - up * onto * (OPENING_FOOT - OPENING_TOP)
    return _on_dome(points, dome, azimuth, share), distance < 1.19


def _opening_edge(middle: float) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths and shares ``(N,)`` around the gap."""
    turn = np.linspace(0, np.pi, 40)
    foot = np.linspace(-1, 1, 22)[1:-1]
    aside, up = np.concatenate([np.cos(turn), foot]), np.concatenate([np.sin(turn), np.zeros(20)])
    return middle + aside * OPENING_HALF_WIDTH, OPENING_FOOT - up * (OPENING_FOOT - OPENING_TOP)


def _without(hole: np.ndarray, rows: np.ndarray, **finish: Any) -> Mesh:
    """A mesh around the head through ``rows``, without the triangles whose corners all are in the ``hole (R, C)
    bool``."""
    made = around(rows, **finish)
    inside = np.zeros((len(rows), rows.shape[1] + 1), bool)
    inside[: len(hole)] = np.concatenate([hole, hole[:, :1]], axis=1)
    kept = ~inside.ravel()[made.triangles].all(axis=1)
    return replace(made, triangles=made.triangles[kept], material=made.material[kept], label=made.label[kept])


def _emblem(points: np.ndarray, dome: Dome, turn: float, size: float, look: HatLook) -> Mesh:
    """A flat badge above the visor, a star-like outline of the look's own, ``size`` cm in radius."""
    rng = look.rng()
    corners, depth, phase = rng.integers(2, 7), rng.uniform(0.05, 0.3), rng.choice([0, np.pi])
    angle = np.linspace(0, 2 * np.pi, 61)
    radius = np.linspace(0, 1, 8)[:, None] * (1 + depth * np.cos(corners * angle + phase)) * size
    azimuth, share = turn + radius * np.sin(angle) / 9, 0.66 - radius * np.cos(angle) / 14
    return grid(_on_dome(points, dome, azimuth, share), material=Material.CLOTH, label=Label.HAT, colour=look.accent)


def _on_dome(points: np.ndarray, dome: Dome, azimuth: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Places ``(..., 3)`` between a dome's points ``(R, C, 3)`` at azimuths and shares ``(...)``."""
    rows, columns = points.shape[:2]
    row = np.clip(share, 0, 1) * (rows - 1)
    column = (azimuth - dome.azimuth[0, 0]) / (2 * np.pi) * columns % columns
    upper, left = np.minimum(row.astype(int), rows - 2), column.astype(int) % columns
    down, right = (row - upper)[..., None], (column % 1)[..., None]
    following = (left + 1) % columns
    above = points[upper, left] * (1 - right) + points[upper, following] * right
    below = points[upper + 1, left] * (1 - right) + points[upper + 1, following] * right
    return above * (1 - down) + below * down


def _about_up(points: np.ndarray, angle: float) -> np.ndarray:
    """Points in a hat's frame turned about its up, from forward towards left."""
    cosine, sine = np.cos(angle), np.sin(angle)
    x, up, z = np.moveaxis(points, -1, 0)
    return np.stack([x * cosine + z * sine, up, z * cosine - x * sine], axis=-1)


CAP = {
    "crown": (0.3, 1.6),
    "structure": (0.0, 1.1),
    "emblem": (0.7, 2.2),
    "visor_length": (5.5, 7.5),
    "arch": (0.2, 1.8),
    "droop": (0.2, 0.6),
}
"""Height of the crown above the skull, how far the front panel stands out, the badge's radius, the visor's length,
curve (cm), slope."""


@styled(front=(7.8, 11.2), back=(2.0, 5.2), **CAP)
def baseball_cap(head: HeadModel, look: HatLook, **numbers: float) -> HatParts:
    """Six panels, a badge, a visor; a gap with a strap behind. The visor has the accent's colour with pattern
    ``"contrast"``."""
    return _cap(head, look, turn=0.0, **numbers)


@styled(front=(8.2, 11.2), back=(1.4, 4.0), **CAP)
def backwards_cap(head: HeadModel, look: HatLook, **numbers: float) -> HatParts:
    """A baseball cap with its visor over the nape."""
    return _cap(head, look, turn=np.pi, **numbers)
