"""Hats with a brim: bucket hat, fedora, straw hat, cowboy hat."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.geometry import Label, Material, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import grid
from durian.synthetic.base.wear import smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import Dome, level_rim, skull_of
from durian.synthetic.worn.millinery import (
    HatFrame,
    HatParts,
    around,
    band_share,
    brim,
    bump,
    crown,
    darker,
    fit_inside,
    outward,
    seam,
    sweatband,
)
from durian.synthetic.worn.prints import printed

BRIM_PRESS, BUCKET_PRESS = 2.0, 0.85
"""Cm by which hair may stand out below, per cm below the rim: freely under a wide brim, little under a soft one."""


def _stiff(
    head: HeadModel,
    front: float,
    back: float,
    clearance: float,
    height: float,
    taper: float,
    corner: float,
    rows: int = 48,
) -> tuple[HatFrame, np.ndarray, np.ndarray]:
    """Frame, rim loop ``(C, 3)`` and crown ``(rows, C, 3)``, both in the frame, of a stiff hat."""
    dome = Dome.over(skull_of(head), level_rim(front, back), clearance, rows=2)
    loop = dome.points(clearance)[-1]
    frame = HatFrame.of(loop)
    loop = frame.inside(loop)
    return frame, loop, crown(loop, height, taper, corner, np.linspace(0, 1, rows))


def _placed(head: HeadModel, frame: HatFrame, points: np.ndarray, clearance: float) -> np.ndarray:
    """Points of a crown in the head's space, pushed out where the skull would show."""
    return skull_of(head).push_out(frame.outside(points), clearance)


def _lining(head: HeadModel, front: float, back: float, clearance: float, look: HatLook) -> Mesh:
    """The sweatband of a stiff hat."""
    return sweatband(skull_of(head), level_rim(front, back), clearance, darker(look.colour, 0.45))


ABOVE_BRIM = 0.15
"""Where a band around the crown ends, cm above the rim's plane, in which the brim begins."""


def _ribbon(
    loop: np.ndarray, height: float, taper: float, corner: float, width: float, stand_off: float = 0.12
) -> np.ndarray:
    """A band around the foot of a crown, ``(9, C, 3)`` in the hat's frame, with an edge above."""
    share = np.linspace(band_share(loop, height, width), band_share(loop, height, ABOVE_BRIM), 8)
    outside = crown(loop, height, taper, corner, share) + stand_off * outward(loop)
    inside = crown(loop, height, taper, corner, share[:1]) - 0.1 * outward(loop)
    return np.concatenate([inside, outside])


FELT_CLEARANCE = 0.9


@styled(
    front=(7.6, 11.8),
    back=(2.0, 6.0),
    height=(10.0, 12.5),
    taper=(0.12, 0.26),
    pinch=(0.8, 2.4),
    crease=(1.0, 2.6),
    brim_width=(3.6, 10.5),
    snap=(-0.6, 2.0),
    curl=(0.4, 2.0),
    band=(2.2, 4.2),
)
def fedora(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    height: float,
    taper: float,
    pinch: float,
    crease: float,
    brim_width: float,
    snap: float,
    curl: float,
    band: float,
) -> HatParts:
    """Felt, with a creased crown pinched in front, a ribbon, and a brim that dips ``snap`` cm in front and curls up
    behind."""
    frame, loop, body = _stiff(head, front, back, FELT_CLEARANCE, height, taper, 5.0, rows=64)
    body = _creased(body, height, crease, pinch, side_dents=0.0)
    azimuth = np.arctan2(loop[:, 0], loop[:, 2])
    ribbon = _ribbon(loop, height, taper, 5.0, band)

    def lift(angle: np.ndarray, share: np.ndarray) -> np.ndarray:
        behind = (1 - np.cos(angle)) / 2
        return share**1.6 * (
            curl * (0.55 * np.sin(angle) ** 2 + behind**2) - snap * (1 - behind) ** 2 * np.cos(angle).clip(0)
        )

    edge = brim(loop, brim_width * (1 + 0.08 * np.cos(azimuth) ** 2), lift, 0.28)
    finish = {"material": Material.FELT}
    meshes = [
        around(_placed(head, frame, body, FELT_CLEARANCE - 0.2), colour=look.colour, **finish),
        around(frame.outside(edge), colour=look.colour, **finish),
        around(frame.outside(ribbon), colour=look.accent, material=Material.CLOTH),
        _bow(frame, ribbon, band, look.accent),
        _lining(head, front, back, FELT_CLEARANCE, look),
    ]
    return HatParts(meshes, fit_inside(skull_of(head), level_rim(front, back), FELT_CLEARANCE, BRIM_PRESS))


def _bow(frame: HatFrame, ribbon: np.ndarray, width: float, colour: tuple[float, float, float]) -> Mesh:
    """A flat bow on a ribbon over the left ear."""
    across, up = np.meshgrid(np.linspace(-1, 1, 15), np.linspace(-1, 1, 7))
    rows = np.interp(up, [-1, 1], [8, 1.5])
    left = ribbon.shape[1] * 3 // 4
    place = ribbon[np.round(rows).astype(int), left]
    waist = 0.45 + 0.55 * np.abs(across)
    middle = place.mean(axis=(0, 1))
    points = np.stack(
        [
            middle[0] + 0.25 + 0.22 * np.sin(np.abs(across) * np.pi) - 0.06 * across**2,
            middle[1] + up * waist * width * 0.46,
            middle[2] + across * 1.5,
        ],
        axis=-1,
    )
    return grid(frame.outside(points)[::-1], material=Material.CLOTH, label=Label.HAT, colour=darker(colour, 0.85))


def _creased(body: np.ndarray, height: float, crease: float, pinch: float, side_dents: float) -> np.ndarray:
    """A crown ``(R, C, 3)`` in its frame, its top sunk along the middle, pinched at both sides in front."""
    x, up, z = np.moveaxis(body, -1, 0)
    half_width, half_length = np.abs(x).max(), np.abs(z).max()
    share = up / height
    high = smoothstep(share, 0.45, 0.95)
    inside = smoothstep(np.hypot(x / half_width, z / half_length), 1.0, 0.55)
    sunk = crease * np.exp(-((x / (0.30 * half_width)) ** 2)) * inside * high
    slope = 0.55 * crease * smoothstep(z / half_length, 0.0, -1.0) * high  # lower behind than in front
    forward = np.exp(-(((z / half_length) - 0.62) ** 2) / 0.10)
    narrow = pinch * forward * high * (1 - 0.5 * smoothstep(np.abs(x) / half_width, 0.35, 0.0))
    dents = side_dents * bump(z / half_length, 0.15, 0.75) * high
    moved = x - np.sign(x) * np.minimum(narrow + dents, 0.72 * np.abs(x))
    return np.stack([moved, up - sunk - slope, z], axis=-1)


@styled(
    front=(7.4, 10.6),
    back=(2.0, 5.0),
    height=(8.2, 10.0),
    taper=(0.10, 0.24),
    corner=(3.2, 7.0),
    brim_width=(4.5, 7.0),
    slope=(0.45, 1.1),
    wave=(0.0, 0.5),
)
def bucket_hat(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    height: float,
    taper: float,
    corner: float,
    brim_width: float,
    slope: float,
    wave: float,
) -> HatParts:
    """Soft cotton with a brim that slopes down all round, stitched in rings."""
    frame, loop, body = _stiff(head, front, back, 0.8, height, taper, corner)
    rng = look.rng()
    phase = rng.uniform(0, 2 * np.pi, 2)

    def lift(angle: np.ndarray, share: np.ndarray) -> np.ndarray:
        waves = np.sin(3 * angle + phase[0]) + 0.6 * np.sin(5 * angle + phase[1])
        return share * (wave * waves * share - slope * brim_width * 0.75)

    level = brim_width / np.hypot(1, slope * 0.75)
    edge = brim(loop, level, lift, 0.22)
    girth = 2 * np.pi * np.abs(loop[:, [0, 2]]).mean() * np.pi / 2 / 1.25
    azimuth = np.arctan2(loop[:, 0], loop[:, 2])

    def cloth(points: np.ndarray, length: float) -> np.ndarray:
        along = np.linspace(0, length, len(points))[:, None]
        return np.stack(np.broadcast_arrays(azimuth[None] / (2 * np.pi) * round(girth / PRINT) * PRINT, along), axis=-1)

    finish = {"material": Material.CLOTH}
    meshes = [_lining(head, front, back, 0.8, look)]
    for points, length in ((_placed(head, frame, body, 0.6), height + 8), (frame.outside(edge), 2 * brim_width)):
        uv = cloth(points, length)
        made = around(points, colour=look.colour, uv=uv, **finish)
        meshes.append(printed(made, look.pattern, PRINT, look.colour, look.accent))
    outside = frame.outside(edge + np.array([0, 0.03, 0]))
    for row in (2, 4, 6, 8, 10, 12):
        meshes.append(seam(outside[row], darker(look.colour, 0.7), 0.045, closed=True))
    top = crown(loop, height, taper, corner, np.array([0.42])) + 0.03 * outward(loop)
    meshes.append(seam(_placed(head, frame, top, 0.65)[0], darker(look.colour, 0.7), 0.05, closed=True))
    return HatParts(meshes, fit_inside(skull_of(head), level_rim(front, back), 0.8, BUCKET_PRESS))


PRINT = 2.0
"""Period of a bucket hat's print, cm."""
STRAW_CLEARANCE = 0.85
BRAID = 0.7
"""Width of a braid of straw, cm."""


@styled(
    front=(7.8, 12.0),
    back=(1.8, 5.6),
    height=(8.6, 10.4),
    taper=(0.06, 0.22),
    corner=(2.6, 5.5),
    brim_width=(3.2, 13.0),
    droop=(-0.15, 0.35),
    wave=(0.0, 1.2),
    band=(1.6, 4.0),
)
def straw_hat(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    height: float,
    taper: float,
    corner: float,
    brim_width: float,
    droop: float,
    wave: float,
    band: float,
) -> HatParts:
    """A sun hat: a round crown, a wide wavy brim that falls by ``droop`` cm per cm, a ribbon."""
    frame, loop, body = _stiff(head, front, back, STRAW_CLEARANCE, height, taper, corner)
    phase = look.rng().uniform(0, 2 * np.pi, 2)

    def lift(angle: np.ndarray, share: np.ndarray) -> np.ndarray:
        waves = 0.7 * np.sin(2 * angle + phase[0]) + 0.45 * np.sin(3 * angle + phase[1])
        return share**1.5 * wave * waves - droop * brim_width * share**1.3

    edge = brim(loop, brim_width, lift, 0.2, rows=22)
    finish = {"material": Material.STRAW, "colour": look.colour}
    turns = round(HAT_GIRTH / BRAID)

    def braids(points: np.ndarray, length: float) -> np.ndarray:
        azimuth = np.arctan2(loop[:, 0], loop[:, 2])
        rows = np.linspace(0, length / BRAID, len(points))[:, None]
        return np.stack(np.broadcast_arrays(azimuth[None] / (2 * np.pi) * turns, rows), axis=-1)

    meshes = [
        around(_placed(head, frame, body, STRAW_CLEARANCE - 0.2), uv=braids(body, height + 8), **finish),
        around(frame.outside(edge), uv=braids(edge, 2 * brim_width), **finish),
        around(frame.outside(_ribbon(loop, height, taper, corner, band)), colour=look.accent, material=Material.CLOTH),
        _lining(head, front, back, STRAW_CLEARANCE, look),
    ]
    return HatParts(meshes, fit_inside(skull_of(head), level_rim(front, back), STRAW_CLEARANCE, BRIM_PRESS))


HAT_GIRTH = 60.0
"""Around the foot of a hat's crown, cm."""


@styled(
    front=(7.6, 10.8),
    back=(2.6, 5.8),
    height=(11.0, 13.5),
    taper=(0.10, 0.22),
    crease=(1.4, 3.0),
    dents=(0.8, 2.0),
    brim_width=(8.0, 10.5),
    curl=(3.0, 6.5),
    dip=(0.6, 2.2),
    band=(1.0, 2.0),
)
def cowboy_hat(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    height: float,
    taper: float,
    crease: float,
    dents: float,
    brim_width: float,
    curl: float,
    dip: float,
    band: float,
) -> HatParts:
    """A high crown with three dents, a brim rolled up at the sides and low in front and behind, a leather band."""
    frame, loop, body = _stiff(head, front, back, FELT_CLEARANCE, height, taper, 5.0, rows=64)
    body = _creased(body, height, crease, 0.7 * dents, side_dents=dents)

    def lift(angle: np.ndarray, share: np.ndarray) -> np.ndarray:
        aside = np.sin(angle) ** 2
        return curl * aside**1.2 * share**2.2 - dip * (1 - aside) ** 1.5 * share**1.4

    azimuth = np.arctan2(loop[:, 0], loop[:, 2])
    edge = brim(loop, brim_width * (1 - 0.32 * (curl / 6.5) * np.sin(azimuth) ** 2), lift, 0.3, rows=20)
    finish = {"material": Material.FELT, "colour": look.colour}
    meshes = [
        around(_placed(head, frame, body, FELT_CLEARANCE - 0.2), **finish),
        around(frame.outside(edge), **finish),
        around(frame.outside(_ribbon(loop, height, taper, 5.0, band)), colour=look.accent, material=Material.LEATHER),
        _lining(head, front, back, FELT_CLEARANCE, look),
    ]
    return HatParts(meshes, fit_inside(skull_of(head), level_rim(front, back), FELT_CLEARANCE, BRIM_PRESS))
