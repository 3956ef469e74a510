"""The compiled loops of :mod:`durian.synthetic.hair.growth`: one strand after the other, in single precision.

Arrays are as there: ``path (S, K, 3)``, ``length (S, K)``; every loop fills or changes its last ones.
"""

from __future__ import annotations

import math

import numpy as np

from durian.synthetic.base.compiled import compiled, inlined
from durian.synthetic.head.distance import Grid, interpolated

TURNING = 0.4
"""How much a strand's heading follows the way it was pushed, per point."""
PULL = 0.7
"""Part of the way back that a strand too far from the head is pulled, per point."""


@inlined
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    scale = 1 / max(np.sqrt(x * x + y * y + z * z), np.float32(1e-9))
    return x * scale, y * scale, z * scale


@compiled
def advance(
    first: int,
    last: int,
    wish: np.ndarray,
    step: np.ndarray,
    stiffness: float,
    wanted: np.ndarray,
    reach: np.ndarray,
    hangs_below: float,
    surface: Grid,
    heading: np.ndarray,
    position: np.ndarray,
) -> None:
    """Go one step, then out as far as ``wanted``, or back in beyond ``reach``."""
    kept, turned = stiffness, 1 - stiffness
    for s in range(first, last):
        wx, wy, wz = _unit(wish[s, 0], wish[s, 1], wish[s, 2])
        hx, hy, hz = heading[s, 0], heading[s, 1], heading[s, 2]
        hx, hy, hz = _unit(kept * hx + turned * wx, kept * hy + turned * wy, kept * hz + turned * wz)
        heading[s, 0], heading[s, 1], heading[s, 2] = hx, hy, hz
        x, y, z = position[s, 0] + hx * step[s], position[s, 1] + hy * step[s], position[s, 2] + hz * step[s]
        gap, ox, oy, oz = interpolated(surface, x, y, z)
        out = max(wanted[s] - gap, np.float32(0))
        if y + oy * out > hangs_below:
            out -= np.float32(PULL) * max(gap - reach[s], np.float32(0))
        position[s, 0], position[s, 1], position[s, 2] = x + ox * out, y + oy * out, z + oz * out


@compiled
def bend(first: int, last: int, position: np.ndarray, k: int, path: np.ndarray, heading: np.ndarray) -> None:
    """Add the point number ``k`` to strands, which head on a little more the way they came to it."""
    kept, turned = np.float32(1 - TURNING), np.float32(TURNING)
    for s in range(first, last):
        x, y, z = position[s, 0], position[s, 1], position[s, 2]
        ux, uy, uz = _unit(x - path[s, k - 1, 0], y - path[s, k - 1, 1], z - path[s, k - 1, 2])
        hx, hy, hz = heading[s, 0], heading[s, 1], heading[s, 2]
        hx, hy, hz = _unit(kept * hx + turned * ux, kept * hy + turned * uy, kept * hz + turned * uz)
        heading[s, 0], heading[s, 1], heading[s, 2] = hx, hy, hz
        path[s, k, 0], path[s, k, 1], path[s, k, 2] = x, y, z


@compiled
def measure(first: int, last: int, path: np.ndarray, length: np.ndarray) -> None:
    for s in range(first, last):
        length[s, 0] = so_far = np.float32(0)
        for k in range(1, path.shape[1]):
            squared = np.float32(0)
            for axis in range(3):
                piece = path[s, k, axis] - path[s, k - 1, axis]
                squared += piece * piece
            so_far += np.sqrt(squared)
            length[s, k] = so_far


@compiled
def find_places(first: int, last: int, length: np.ndarray, place: np.ndarray) -> None:
    old, new = length.shape[1], place.shape[1]
    for s in range(first, last):
        before = 0
        for k in range(new):
            wanted = length[s, old - 1] * np.float32(k / (new - 1))
            while before < old - 2 and length[s, before + 1] <= wanted:
                before += 1
            piece = max(length[s, before + 1] - length[s, before], np.float32(1e-9))
            part = (wanted - length[s, before]) / piece
            place[s, k] = np.float32(before) + min(max(part, np.float32(0)), np.float32(1))


@compiled
def interpolate(first: int, last: int, path: np.ndarray, place: np.ndarray, found: np.ndarray) -> None:
    old = path.shape[1]
    two, three, four, five, half = np.float32(2), np.float32(3), np.float32(4), np.float32(5), np.float32(0.5)
    for s in range(first, last):
        for k in range(place.shape[1]):
            i = min(int(place[s, k]), old - 2)
            f = place[s, k] - np.float32(i)
            before, after = max(i - 1, 0), min(i + 2, old - 1)
            for axis in range(3):
                a, b, c, d = path[s, before, axis], path[s, i, axis], path[s, i + 1, axis], path[s, after, axis]
                bend = two * a - five * b + four * c - d + (three * b - a - three * c + d) * f
                found[s, k, axis] = half * (two * b + (c - a + bend * f) * f)


@compiled
def find_frames(
    first: int, last: int, path: np.ndarray, normals: np.ndarray, sideways: np.ndarray, outward: np.ndarray
) -> None:
    points = path.shape[1]
    for s in range(first, last):
        x = y = z = np.float32(0)
        for k in range(points):
            a, b = max(k - 1, 0), min(k + 1, points - 1)
            tx, ty, tz = path[s, b, 0] - path[s, a, 0], path[s, b, 1] - path[s, a, 1], path[s, b, 2] - path[s, a, 2]
            tx, ty, tz = _unit(tx, ty, tz)
            if k == 0:
                x, y, z = _across(tx, ty, tz, normals[s, 0], normals[s, 1], normals[s, 2])
                if x * x + y * y + z * z < np.float32(1e-6):  # straight out
                    x, y, z = _across(tx, ty, tz, ty, tz, tx + np.float32(1))
            off = x * tx + y * ty + z * tz
            x, y, z = _unit(x - off * tx, y - off * ty, z - off * tz)
            sideways[s, k, 0], sideways[s, k, 1], sideways[s, k, 2] = x, y, z
            outward[s, k, 0], outward[s, k, 1], outward[s, k, 2] = _across(x, y, z, tx, ty, tz)


@inlined
def _across(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> tuple[float, float, float]:
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


@compiled
def wind(
    first: int,
    last: int,
    sideways: np.ndarray,
    outward: np.ndarray,
    length: np.ndarray,
    radius: np.ndarray,
    turns: np.ndarray,
    phase: np.ndarray,
    rise: float,
    straight_root: float,
    path: np.ndarray,
) -> None:
    for s in range(first, last):
        for k in range(path.shape[1]):
            angle = np.float32(2 * math.pi) * turns[s] * length[s, k] + phase[s]
            far = radius[s] * min(np.float32(1), length[s, k] / straight_root)
            aside, off = far * np.cos(angle), far * np.sin(angle) * rise
            for axis in range(3):
                path[s, k, axis] += aside * sideways[s, k, axis] + off * outward[s, k, axis]
