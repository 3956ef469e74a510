"""Parts of hats: shells, bands, lofted crowns, brims, visors, seams; and how a hat presses the hair under it.

Rows of a grid run from the crown to the rim or from the crown's edge outwards, columns around the head from the back
over the right ear (azimuth -π) to the back again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from durian.synthetic.base.geometry import HatFit, Label, Material, Mesh
from durian.synthetic.base.shapes import grid, tube
from durian.synthetic.base.wear import Colour, smoothstep
from durian.synthetic.head.skull import Dome, Rim, Skull

HAIR_LAYER = 0.3
"""How far a hat's inside stays away from its outside, cm: the cloth, and room for the hair's own thickness."""


@dataclass
class HatParts:
    """The parts of a built hat: its meshes, the rim, and how far outside the skull its inside is."""

    meshes: list[Mesh]
    fit: HatFit


def fit_inside(skull: Skull, rim: Rim, clearance: float, press: float) -> HatFit:
    """The fit of a closed hat that stands ``clearance`` cm off the skull."""
    inside = clearance - HAIR_LAYER
    return HatFit(skull.centre, lambda angles: skull.radius(angles[:, 0], angles[:, 1]) + inside, rim, press)


def around(points: np.ndarray, *, wrap_rows: bool = False, **finish: Any) -> Mesh:
    """A mesh of rows ``(R, C, 3)`` that close. With texture coordinates or colours the last column is repeated: they
    need not wrap."""
    finish.setdefault("label", Label.HAT)
    uv, colour = finish.get("uv"), finish.get("colour")
    if uv is None:
        return grid(points, wrap_rows=wrap_rows, wrap_columns=True, **finish)
    finish["uv"] = np.concatenate([uv, 2 * uv[:, -1:] - uv[:, -2:-1]], axis=1)
    if isinstance(colour, np.ndarray) and colour.ndim == 3:
        finish["colour"] = np.concatenate([colour, colour[:, :1]], axis=1)
    return grid(np.concatenate([points, points[:, :1]], axis=1), wrap_rows=wrap_rows, **finish)


HEM_ROWS = 6


def hemmed(points: np.ndarray, outwards: np.ndarray, thickness: float) -> np.ndarray:
    """Rows ``(R + HEM_ROWS, C, 3)``: the last one of ``points (R, C, 3)`` turned inwards, so that the rim shows the
    cloth's thickness.

    Args:
        points: rows down to the rim.
        outwards: unit vectors ``(C, 3)`` at the rim.
        thickness: cm.
    """
    down = points[-1] - points[-2]
    down /= np.maximum(np.linalg.norm(down, axis=-1, keepdims=True), 1e-9)
    turn = np.linspace(0, np.pi, HEM_ROWS)[1:, None, None]
    rolled = points[-1] + thickness / 2 * ((np.cos(turn) - 1) * outwards + np.sin(turn) * down)
    inside = rolled[-1:] - 0.4 * down
    return np.concatenate([points, rolled, inside])


def hem_values(values: np.ndarray) -> np.ndarray:
    """Texture coordinates or colours ``(R, C, K)`` with those of the last row repeated for a hem."""
    return np.concatenate([values, np.repeat(values[-1:], HEM_ROWS, axis=0)])


def roll(
    skull: Skull,
    dome: Dome,
    clearance: float | np.ndarray,
    thickness: float | np.ndarray,
    sides: int = 16,
    squareness: float = 4.0,
) -> tuple[np.ndarray, np.ndarray]:
    """A closed roll of cloth around the head between the first and the last row of a dome: a headband, a cuff.

    Args:
        skull: what it lies on.
        dome: of which the first row is the roll's upper edge, the last its lower.
        clearance: of the inside, cm; one or ``(1, C)``.
        thickness: cm; one or ``(1, C)``.
        sides: rows of the result.
        squareness: exponent of its superelliptic section.

    Returns:
        points ``(sides, C, 3)``, to be wrapped over rows too, and ``(sides, 1)`` the share of the roll's height of
        each, from 0 above to 1 below.
    """
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None]
    down, out = (np.sign(f) * np.abs(f) ** (2 / squareness) for f in (-np.cos(angle), np.sin(angle)))
    share = (1 + down) / 2
    top, bottom = dome.elevation[:1], dome.elevation[-1:]
    elevation = top + (bottom - top) * share
    section = Dome(dome.centre, dome.azimuth, share, elevation, skull.radius(dome.azimuth, elevation))
    return section.points(clearance + thickness * (1 + out) / 2), share


SWEATBAND_HEIGHT, SWEATBAND_CLEARANCE, SWEATBAND_GAP = 1.3, 0.15, 0.22
"""Of the strip inside a hat's rim, and its distance from the hat, cm."""


def sweatband(skull: Skull, rim: Rim, clearance: float, colour: Sequence[float]) -> Mesh:
    """The strip inside the rim that lies on the head and fills the gap to the hat, ``clearance`` cm off the skull."""
    strip = strip_above(skull, rim, SWEATBAND_CLEARANCE, SWEATBAND_HEIGHT)
    points, _ = roll(skull, strip, SWEATBAND_CLEARANCE, clearance - SWEATBAND_CLEARANCE - SWEATBAND_GAP, sides=12)
    return around(points, wrap_rows=True, material=Material.CLOTH, colour=colour)


def strip_above(skull: Skull, rim: Rim, clearance: float, height: float, columns: int = 96) -> Dome:
    """The two edges of a strip of skull ``height`` cm high whose lower edge is a rim."""
    strip = Dome.over(skull, rim, clearance, rows=2, columns=columns)
    strip.elevation[0] = strip.elevation[-1] + height / strip.skull[-1]
    return strip


@dataclass
class HatFrame:
    """Axes of a stiff hat: x to the person's left, up, and forward, at the middle of its rim."""

    origin: np.ndarray
    axes: np.ndarray  # rows: left, up, forward

    @classmethod
    def of(cls, loop: np.ndarray) -> HatFrame:
        """The frame of a rim ``(C, 3)`` in a plane that rises to the front or to the back."""
        middle = np.array([0, *((loop.min(axis=0) + loop.max(axis=0)) / 2)[1:]])
        front, back = loop[loop[:, 2].argmax()], loop[loop[:, 2].argmin()]
        forward = np.array([0, *(front - back)[1:]])
        forward /= np.linalg.norm(forward)
        left = np.array([1.0, 0, 0])
        return cls(middle, np.stack([left, np.cross(forward, left), forward]))

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Points of the head's space as (left, up, forward)."""
        return (points - self.origin) @ self.axes.T

    def outside(self, points: np.ndarray) -> np.ndarray:
        """Points (left, up, forward) in the head's space."""
        return self.origin + points @ self.axes


def crown(loop: np.ndarray, height: float, taper: float, corner: float, share: np.ndarray) -> np.ndarray:
    """Sides and top of a stiff hat, ``(R, C, 3)`` in its frame.

    Args:
        loop: ``(C, 3)`` the rim, in the frame.
        height: above the rim, cm.
        taper: share by which the top is narrower than the rim.
        corner: exponent of the superellipse between sides and top: 2 a bowler, 8 a pork pie.
        share: ``(R,)`` place along the profile, from 0, the middle of the top, to 1, the rim.
    """
    angle = np.linspace(np.pi / 2, 0, 400)
    width, rise = np.cos(angle) ** (2 / corner), np.sin(angle) ** (2 / corner)
    width = width * (1 - taper * rise)
    reach = np.abs(loop[:, [0, 2]]).mean() * np.pi / 2  # about the loop's radius
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(width) * reach, np.diff(rise) * height))])
    width, rise = (np.interp(share, length / length[-1], values)[:, None] for values in (width, rise))
    middle = (loop[:, 2].min() + loop[:, 2].max()) / 2
    return np.stack(
        np.broadcast_arrays(
            loop[:, 0] * width, loop[:, 1] * (1 - rise) + height * rise, middle + (loop[:, 2] - middle) * width
        ),
        axis=-1,
    )


def band_share(loop: np.ndarray, height: float, width: float) -> float:
    """Where a band of some ``width`` cm around the foot of a crown begins, as a share of the crown's profile."""
    return 1 - width / (height + np.abs(loop[:, [0, 2]]).mean() * np.pi / 2)


def brim(
    loop: np.ndarray,
    width: np.ndarray | float,
    lift: Callable[[np.ndarray, np.ndarray], np.ndarray],
    thickness: float,
    rows: int = 14,
) -> np.ndarray:
    """A brim, its edge and its underside, ``(2 * rows + 3, C, 3)`` in the hat's frame, from the crown outwards and
    back.

    Args:
        loop: ``(C, 3)`` the rim, in the frame.
        width: cm, one or ``(C,)``.
        lift: ``(azimuth (1, C), share (rows, 1)) → (rows, C)`` height over the rim's plane; share 0 at the crown, 1
            at the edge.
        thickness: cm.
        rows: rows of either side.
    """
    azimuth = np.arctan2(loop[:, 0], loop[:, 2])
    share = np.linspace(0, 1, rows)[:, None]
    outwards = outward(loop)
    middle = loop + outwards * (share * width)[..., None]
    middle = middle + np.array([0, 1, 0]) * lift(azimuth[None], share)[..., None]
    half = np.array([0, thickness / 2, 0])
    turn = np.linspace(np.pi / 2, -np.pi / 2, 5)[1:-1, None, None]
    edge = middle[-1] + thickness / 2 * (np.cos(turn) * outwards + np.sin(turn) * np.array([0, 1, 0]))
    return np.concatenate([middle + half, edge, (middle - half)[::-1]])


def outward(loop: np.ndarray) -> np.ndarray:
    """Level unit vectors ``(C, 3)`` at right angles to an oval loop in a hat's frame."""
    a, b = np.abs(loop[:, 0]).max(), np.abs(loop[:, 2]).max()
    normal = np.stack([loop[:, 0] / a**2, np.zeros(len(loop)), loop[:, 2] / b**2], axis=1)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def visor(
    loop: np.ndarray,
    half_angle: float,
    length: float,
    flare: float,
    arch: float,
    droop: float,
    thickness: float,
    *,
    columns: int = 48,
    rows: int = 14,
) -> np.ndarray:
    """A peak in front of the forehead, ``(2 * rows + 3, columns, 3)`` in the hat's frame, from the rim outwards and
    back.

    Args:
        loop: ``(C, 3)`` the rim, in the frame, azimuth growing.
        half_angle: azimuth to which the peak reaches on either side, radians.
        length: in the middle, cm.
        flare: by which it is wider than where it is sewn on, cm.
        arch: by which its middle is higher than its sides, cm.
        droop: slope by which it falls forward.
        thickness: cm.
        columns, rows: of either side.
    """
    across = np.linspace(-1, 1, columns)
    azimuth = np.arctan2(loop[:, 0], loop[:, 2])
    order = np.argsort(azimuth)
    sewn = np.stack(
        [np.interp(across * half_angle, azimuth[order], loop[order, axis], period=2 * np.pi) for axis in range(3)],
        axis=1,
    )
    share = np.linspace(0, 1, rows)[:, None]
    middle = np.broadcast_to(sewn, (rows, columns, 3)).copy()
    round_off = np.cos(np.abs(across) ** 1.5 * np.pi / 2)
    middle[..., 2] += length * round_off * share
    middle[..., 0] += flare * np.sin(across * np.pi / 2) * share * np.abs(round_off) ** 0.5
    middle[..., 1] += share * (arch * (1 - across**2) - droop * length * round_off)
    half = np.array([0, thickness / 2, 0])
    turn = np.linspace(np.pi / 2, -np.pi / 2, 5)[1:-1, None, None]
    forward = np.array([0, 0, 1])
    edge = middle[-1] + thickness / 2 * (np.cos(turn) * forward + np.sin(turn) * np.array([0, 1, 0]))
    return np.concatenate([middle + half, edge, (middle - half)[::-1]])


def seam(
    path: np.ndarray, colour: Colour, width: float = 0.05, closed: bool = False, material: Material = Material.CLOTH
) -> Mesh:
    """A line of stitches or piping along a path ``(N, 3)``, ``width`` being half its breadth, cm."""
    return tube(path, width, sides=5, closed=closed, material=material, label=Label.HAT, colour=colour)


def darker(colour: Sequence[float], factor: float = 0.6) -> Colour:
    """A colour with less light."""
    return tuple(float(channel) * factor for channel in colour)


def bump(value: np.ndarray, middle: float, width: float) -> np.ndarray:
    """1 at ``middle``, falling smoothly to 0 at ``width`` to either side."""
    return smoothstep(np.abs(np.asarray(value) - middle), width, 0)


def angle_from(azimuth: np.ndarray, middle: float) -> np.ndarray:
    """Angles in [-π, π] by which azimuths differ from one."""
    return (azimuth - middle + np.pi) % (2 * np.pi) - np.pi
