"""Parts that clothes are made of: the body below a neckline, ribbed edges, hoods, scarves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from durian.synthetic.base.geometry import Label, Material, Mesh
from durian.synthetic.base.shapes import grid, tube
from durian.synthetic.base.wear import Colour, ripples, smoothstep
from durian.synthetic.worn.millinery import angle_from
from durian.synthetic.worn.prints import printed
from durian.synthetic.worn.torso import AXIS_DEPTH, LEVELS, Torso

Neckline = Callable[[np.ndarray], np.ndarray]
"""Levels at which a garment begins, for azimuths."""

BODY_OFF = 0.35
"""How far cloth is from the torso's surface, cm."""
PLAIN_ROWS, PLAIN_COLUMNS = 48, 120
FINE_ROWS, FINE_COLUMNS = 72, 150
"""Vertices of a garment's body without and with a pattern, whose smallest parts they must not miss."""
TURNED = 0.8
"""Part of the way over a shoulder that counts as a way along the cloth: stripes keep about their breadth there."""
RIB = 0.35
"""Breadth of a rib of a knitted edge, cm."""


def round_neckline(level: float, dip: float) -> Neckline:
    """A neckline at ``level``, ``dip`` levels lower in front."""
    return lambda azimuth: level + dip * ((1 + np.cos(azimuth)) / 2) ** 3


def v_neckline(level: float, depth: float, half_width: float) -> Neckline:
    """A neckline at ``level`` with a V ``depth`` levels deep that begins ``half_width`` radians beside the middle."""
    return lambda azimuth: level + depth * np.maximum(0, 1 - np.abs(angle_from(azimuth, 0.0)) / half_width)


def azimuths(columns: int) -> np.ndarray:
    """``(1, columns)`` from the back round to the back, ends included: the seam lies behind."""
    return np.linspace(-np.pi, np.pi, columns)[None]


def body(
    torso: Torso,
    neckline: Neckline,
    rng: np.random.Generator,
    *,
    pattern: str,
    period: float,
    colour: Colour,
    accent: Colour,
    folds: float,
    material: Material = Material.CLOTH,
    off: float = BODY_OFF,
) -> Mesh:
    """Front, back and shoulders of a garment from its neckline to the ribs.

    Args:
        torso: what it hangs on.
        neckline: where it begins.
        rng: where its folds come from.
        pattern, period, colour, accent: see :func:`durian.synthetic.worn.prints.printed`.
        folds: their depth, cm.
        material: of the mesh.
        off: distance from the torso, cm.
    """
    rows, columns = (PLAIN_ROWS, PLAIN_COLUMNS) if pattern == "plain" else (FINE_ROWS, FINE_COLUMNS)
    azimuth = azimuths(columns)
    azimuth = azimuth * (0.6 + 0.4 * np.abs(azimuth) / np.pi)  # more vertices in front
    share = np.linspace(0, 1, rows)[:, None] ** 1.4
    begin = neckline(azimuth)
    level = begin + (LEVELS - begin) * share
    smooth = torso.place(level, azimuth)
    hang = smoothstep(level - begin, 0.0, 2.5)
    depth = ripples(smooth * [1.0, 0.45, 1.0], 7.5, rng) * 0.5 + ripples(smooth * [1.0, 0.6, 1.0], 3.6, rng) * 0.2
    points = torso.place(level, azimuth, off + folds * depth * hang)
    uv = np.stack([smooth[..., 0], smooth[..., 1] - TURNED * np.abs(smooth[..., 2] - AXIS_DEPTH)], axis=-1)
    if material == Material.KNIT:
        return grid(points, material=material, label=Label.CLOTH, colour=colour, uv=uv / RIB_OF_KNITWEAR)
    made = grid(points, material=material, label=Label.CLOTH, colour=colour, uv=uv)
    return printed(made, pattern, period, colour, accent)


RIB_OF_KNITWEAR = 0.45
"""Breadth of a stitch of a pullover, cm."""


def edging(
    torso: Torso,
    upper: Neckline,
    lower: Neckline,
    thickness: float,
    colour: Colour,
    *,
    material: Material = Material.KNIT,
    off: float = BODY_OFF,
    lean: float = 0.0,
    columns: int = 160,
    sides: int = 16,
) -> Mesh:
    """A closed roll of cloth between two lines around the neck: a ribbed neckband, a turtleneck.

    Args:
        torso: what it lies on.
        upper, lower: its edges.
        thickness: cm.
        colour, material: what it is made of; knitting has ribs across it.
        off: distance of its inside from the torso, cm.
        lean: how much further its upper edge stands off, cm.
        columns, sides: vertices along and across it.
    """
    azimuth = azimuths(columns)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None]
    down, out = (np.sign(f) * np.abs(f) ** 0.6 for f in (-np.cos(turn), np.sin(turn)))
    share = (1 + down) / 2
    level = upper(azimuth) + (lower(azimuth) - upper(azimuth)) * share
    points = torso.place(level, azimuth, off + thickness * (1 + out) / 2 + lean * (1 - share))
    girth = np.linalg.norm(np.diff(points[sides // 4], axis=0), axis=-1).sum()
    height = np.linalg.norm(points[sides // 2] - points[0], axis=-1).mean()
    across = azimuth / (2 * np.pi) * (round(girth / RIB) if material == Material.KNIT else girth)
    uv = np.stack(np.broadcast_arrays(across, share * height / (RIB if material == Material.KNIT else 1)), axis=-1)
    return grid(points, wrap_rows=True, material=material, label=Label.CLOTH, colour=colour, uv=uv)


def hood(torso: Torso, level: float, volume: float, colour: Colour, rng: np.random.Generator) -> list[Mesh]:
    """A hood that lies behind the neck, its edges meeting in front, and its two cords.

    ``level`` of the seam, ``volume`` cm of bulk behind.
    """
    azimuth = azimuths(160)
    behind = (1 - np.cos(azimuth)) / 2
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)[:, None]
    half_height = 1.3 + 0.55 * volume * behind**0.8
    half_depth = 0.45 + 0.42 * volume * behind**1.2
    front_dip = 0.75 * np.exp(-((azimuth / 0.35) ** 2))
    middle = torso.place(level + front_dip - 0.5 * behind * (half_height - 1.3) / 1.6, azimuth)
    out = torso.outwards(np.full(azimuth.shape, 1.2), azimuth) * [1, 0, 1]
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    out = out + np.array([0, -0.25, 0])
    section = 0.35 + half_depth * (1 + np.sin(turn) * (1 + 0.25 * np.cos(turn)))
    points = middle + out * section[..., None] + np.array([0, 1, 0]) * (half_height * np.cos(turn))[..., None]
    wrinkles = 0.22 * ripples(points * [1, 0.5, 1], 4.5, rng) * (0.3 + behind)
    normal = np.sin(turn)[..., None] * out + np.cos(turn)[..., None] * np.array([0, 1, 0])
    points = points + normal * wrinkles[..., None]
    uv = np.stack(np.broadcast_arrays(azimuth * 9, turn * 2.5), axis=-1)
    finish = {"label": Label.CLOTH, "colour": colour}
    meshes = [grid(points, wrap_rows=True, material=Material.CLOTH, uv=uv, **finish)]
    for side in (-1, 1):
        drop = np.linspace(0, 1, 20)
        level_of = level + 0.55 + 2.4 * drop
        path = torso.place(
            level_of, side * (0.28 - 0.06 * drop + 0.015 * np.sin(5 * drop)), BODY_OFF + 0.75 - 0.35 * drop
        )
        meshes.append(tube(path, 0.17, sides=7, material=Material.CLOTH, label=Label.CLOTH, colour=CORD))
        meshes.append(
            tube(
                path[-2:] - [0, 0.4, 0],
                0.2,
                sides=7,
                material=Material.METAL,
                label=Label.CLOTH,
                colour=(0.5, 0.5, 0.5),
            )
        )
    return meshes


CORD = (0.6, 0.58, 0.54)


UNDYED = (1.0, 1.0, 1.0)
"""Colour of cloth that is dyed afterwards."""


def neck_scarf(
    torso: Torso,
    bulk: float,
    loose: float,
    tails: float,
    side: float,
    dyed: Callable[[Mesh], Mesh],
    rng: np.random.Generator,
) -> list[Mesh]:
    """A scarf wound twice around the neck, with an end that hangs down in front.

    Args:
        torso: what it lies on.
        bulk: half its thickness, cm.
        loose: how far it hangs down in front, cm.
        tails: length of the end, cm; half of it for the other.
        side: where the ends hang, radians beside the middle.
        dyed: gives a mesh its colours.
        rng: where its folds come from.
    """
    azimuth = np.linspace(-np.pi, np.pi, 144)[None]
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)[:, None]
    meshes = []
    for level, wide, droop, phase in ((0.75, 0.85, 0.35, 0.6), (1.55, 1.0, 1.0, 0.0)):
        ahead = np.exp(-((angle_from(azimuth, phase * side) / 1.1) ** 2))
        middle = torso.place(np.full(azimuth.shape, level), azimuth, 0.25 + wide * bulk * 0.75)
        middle = middle + np.array([0, -1, 0.25]) * (loose * droop * ahead)[..., None]
        out = torso.outwards(np.full(azimuth.shape, 1.2), azimuth) * [1, 0, 1]
        out /= np.linalg.norm(out, axis=-1, keepdims=True)
        pleats = np.sin(3 * turn + 2.2 * ripples(middle, 16.0, rng) + 0.8 * ripples(middle, 6.0, rng))
        size = wide * bulk * (1 + 0.10 * pleats + 0.06 * ripples(middle, 3.0, rng))
        points = (
            middle
            + (out * np.sin(turn)[..., None] * 0.85 + np.array([0, 1.05, 0]) * np.cos(turn)[..., None])
            * size[..., None]
        )
        uv = np.stack(np.broadcast_arrays(azimuth * 9, turn * bulk * 1.6), axis=-1)
        made = grid(points, wrap_rows=True, material=Material.CLOTH, label=Label.CLOTH, colour=UNDYED, uv=uv)
        meshes.append(dyed(made))
    for length, beside, off in ((0.6 * tails, side + 0.14, 0.8), (tails, side, 1.3)):
        meshes.append(_scarf_end(torso, bulk, loose, length, beside, off, dyed, rng))
    return meshes


def _scarf_end(
    torso: Torso,
    bulk: float,
    loose: float,
    length: float,
    side: float,
    off: float,
    dyed: Callable[[Mesh], Mesh],
    rng: np.random.Generator,
) -> Mesh:
    """One hanging end of a scarf, ``off`` cm before the clothes."""
    along, across = np.linspace(0, 1, 45)[:, None], np.linspace(-1, 1, 22)[None]
    half = bulk * (0.75 + 0.75 * smoothstep(along, 0.0, 0.7))
    top = torso.place(np.array([1.55]), np.array([side]), 0.25 + bulk)[0] - [0, loose, 0]
    y = top[1] - length * along
    levels = np.interp(-y, -_front_heights(torso), np.linspace(0, LEVELS, 60))
    x = top[0] + across * half
    depth = torso.place(levels, np.zeros(levels.shape))[..., 2] + BODY_OFF + off
    pleats = 0.28 * np.sin(across * 5 + rng.uniform(0, 6) + along) * (1.0 - 0.5 * along)
    z = np.maximum(depth, top[2] + off - 0.6 - 3.0 * along) + pleats
    points = np.stack(np.broadcast_arrays(x, y, z), axis=-1)
    uv = np.stack(np.broadcast_arrays(along * length, across * half), axis=-1)
    return dyed(grid(points, material=Material.CLOTH, label=Label.CLOTH, colour=UNDYED, uv=uv))


def _front_heights(torso: Torso) -> np.ndarray:
    """Heights ``(60,)`` of the middle of the chest at even levels."""
    return torso.place(np.linspace(0, LEVELS, 60), np.zeros(60))[:, 1]
