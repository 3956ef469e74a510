"""Parts of shirts and jackets: collar, placket, lapels, tie."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.geometry import Label, Material, Mesh
from durian.synthetic.base.looks import ClothLook
from durian.synthetic.base.shapes import grid, sphere
from durian.synthetic.base.wear import Colour, smoothstep
from durian.synthetic.worn.collars import BODY_OFF
from durian.synthetic.worn.millinery import angle_from, bump
from durian.synthetic.worn.prints import printed
from durian.synthetic.worn.torso import AXIS_DEPTH, LEVELS, Torso

CLOTH = {"material": Material.CLOTH, "label": Label.CLOTH}
COLLAR_GIRTH = 44.0
"""Length of a shirt's collar, cm."""
STAND_OFF, LEAF_OFF = 0.32, 0.55
"""How far a collar's stand and its leaf are from the neck, cm."""
STAND_HEIGHT = 1.9
"""Of a collar's stand, levels."""


def shirt_collar(
    torso: Torso, stand: float, opening: float, spread: float, point: float, look: ClothLook, period: float
) -> list[Mesh]:
    """A stand around the neck and a leaf folded down over it.

    Args:
        torso: what it lies on.
        stand: level of the fold.
        opening: half the gap in front at the fold, radians.
        spread: further half gap between the points, radians.
        point: levels that the points reach down from the fold.
        look: colours and pattern.
        period: of the pattern, cm.
    """
    along = np.linspace(0, 1, 160)[None]
    down = np.linspace(0, 1, 14)[:, None]

    def between(gap: np.ndarray | float) -> np.ndarray:
        return gap + (2 * np.pi - 2 * gap) * along

    def painted(points: np.ndarray, length: float) -> Mesh:
        uv = np.stack(np.broadcast_arrays(along * COLLAR_GIRTH, np.linspace(0, length, len(points))[:, None]), axis=-1)
        made = grid(points, colour=look.colour, uv=uv, **CLOTH)
        return printed(made, look.pattern, period, look.colour, look.accent)

    front = bump(angle_from(between(opening), 0.0), 0.0, 1.9)
    level = stand + (1.15 + (point - 1.15) * front**1.5) * down
    azimuth = between(opening + spread * down)
    off = LEAF_OFF + 0.5 * np.sin(np.pi * down) + 0.25 * smoothstep(down, 0.0, 0.25) - 0.15 * down
    leaf = torso.place(level, azimuth, off)
    under = leaf - 0.16 * torso.outwards(level, azimuth)
    inside = torso.place(stand + STAND_HEIGHT * down, between(opening * (1 - 0.6 * down)), STAND_OFF)
    lining = [grid(points, colour=look.colour, **CLOTH) for points in (under[::-1], inside)]
    return [painted(leaf, 5.0), *lining]


def placket(
    torso: Torso, begin: float, look: ClothLook, period: float, button: Colour, *, buttons: int = 4
) -> list[Mesh]:
    """The strip that a shirt is buttoned on, from a level downwards, of the shirt's cloth."""
    share = np.linspace(0, 1, 40)[:, None]
    across = np.array([[-1.0, -0.97, 0.0, 0.97, 1.0]])
    raised = np.array([[0.0, 0.14, 0.14, 0.14, 0.0]])
    level = begin + (LEVELS - begin) * share
    half = 1.6
    middle_depth = torso.place(level, np.zeros((40, 1)))[..., 2]
    points = torso.place(level, across * half / (middle_depth - AXIS_DEPTH), BODY_OFF + 0.02 + raised)
    uv = np.stack(np.broadcast_arrays(across * half, share * 20), axis=-1)
    strip = grid(points, colour=look.colour, uv=uv, **CLOTH)
    meshes = [printed(strip, look.pattern, period, look.colour, look.accent)]
    for place in begin + 0.35 + np.arange(buttons) * 1.35:
        middle = torso.place(np.array([place]), np.zeros(1), BODY_OFF + 0.2)[0]
        finish = CLOTH | {"material": Material.PLASTIC, "colour": button}
        meshes.append(sphere(middle, (0.55, 0.55, 0.14), rings=8, **finish))
    return meshes


JACKET_OFF = 1.25
"""How far a jacket is from the torso, cm."""


def lapels(torso: Torso, level: float, depth: float, half_width: float, breadth: float, colour: Colour) -> Mesh:
    """A jacket's collar and lapels: one strip that follows the edge of its V-shaped opening and is folded outwards.

    Args:
        torso: what it lies on.
        level, depth, half_width: of the opening, as in :func:`durian.synthetic.worn.collars.v_neckline`.
        breadth: of the lapels, cm.
        colour: of the cloth.
    """
    along = np.linspace(-1, 1, 241)[:, None]  # from the right end of the V over the nape, 0, to the left end
    across = np.linspace(0, 1, 12)[None]
    side, reach = np.where(along < 0, -1.0, 1.0), np.abs(along)
    down = np.clip((reach - 0.42) / 0.58, 0, 1)  # 0 around the nape, 1 at the lower end
    azimuth = np.pi - (np.pi - half_width) * np.minimum(reach / 0.42, 1) - half_width * down
    begin = level + depth * down
    onward = smoothstep(reach, 0.34, 0.5)  # around the nape it is folded down, along the V sideways
    notch = 0.5 * bump(down, 0.34, 0.035)
    lapel = breadth * smoothstep(down, 1.02, 0.42) * (0.72 + 0.28 * smoothstep(down, 0.33, 0.37))
    width = (3.6 * (1 - onward) + lapel * onward) * (1 - notch)
    from_axis = torso.place(begin, side * azimuth)
    radius = np.hypot(from_axis[..., 0], from_axis[..., 2] - AXIS_DEPTH)
    out = across * width
    fold = 0.4 * np.sin(np.pi * np.minimum(across * 1.6, 1)) + 0.42 - 0.1 * across
    points = torso.place(
        begin + out * (1 - 0.85 * onward) / 1.8 - 0.25 * (1 - onward),
        side * (azimuth + out * onward / radius),
        JACKET_OFF + fold,
    )
    uv = np.stack(np.broadcast_arrays(out, along * 45), axis=-1)
    thickness = 0.3 * torso.outwards(begin + 0 * out, side * azimuth)
    edge = 1 - 0.25 * smoothstep(across, 0.85, 1.0)[..., None]
    both = np.concatenate([points, (points - thickness)[:, ::-1]], axis=1)
    shade = np.concatenate([edge, edge[:, ::-1]], axis=1) * np.ones((len(along), 1, 1))
    return grid(both, colour=np.asarray(colour) * shade, uv=np.concatenate([uv, uv[:, ::-1]], axis=1), **CLOTH)


TIE_ROWS = 200


def tie(torso: Torso, level: float, breadth: float, look: ClothLook, period: float) -> list[Mesh]:
    """A necktie: its knot below the collar and its blade, ``breadth`` cm wide at the belt."""
    share = np.linspace(0, 1, TIE_ROWS)[:, None]
    across = np.linspace(-1, 1, 29)[None]
    begin = level + 0.45
    half = 0.75 + (0.5 * breadth - 0.75) * share**0.8
    levels = begin + (LEVELS - begin) * share
    depth = torso.place(levels, np.zeros((TIE_ROWS, 1)))[..., 2] - AXIS_DEPTH
    points = torso.place(levels, across * half / depth, BODY_OFF + 0.15 + 0.2 * (1 - across**2))
    uv = np.stack(np.broadcast_arrays(0.7 * (across * half + share * 26), 0.7 * (share * 26 - across * half)), axis=-1)
    light = tuple(0.35 * channel + 0.3 for channel in look.accent)
    knot = sphere((0, 0, 0), 1, rings=14, colour=look.accent, **CLOTH)
    x, y, z = knot.vertices.T
    shaped = np.stack([x * (0.95 + 0.3 * y), 1.05 * y, 0.6 * z], axis=1)
    middle = torso.place(np.array([level + 0.15]), np.zeros(1), BODY_OFF + 0.2)[0]
    knot.vertices = (middle + shaped).astype(np.float32)
    made = grid(points, colour=look.accent, uv=uv, **CLOTH)
    return [printed(made, look.pattern, period, look.accent, light), knot]
