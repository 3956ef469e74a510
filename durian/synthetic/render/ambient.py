"""Ambient occlusion by direction for each point of a head, computed once, and the light it admits in each frame."""

from __future__ import annotations

import math

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares, inlined
from durian.synthetic.render.camera import Pose, neck_step
from durian.synthetic.render.lighting import Surroundings, radiance
from durian.synthetic.render.shadows import EXTENT, FAR, MIDDLE, light_axes

AMBIENT_SIDE = 128
DIRECTIONS = 24
"""Texels along the side of the surroundings' maps, two and a half to the cm, and how many of these there are."""
AMBIENT_BIAS, AMBIENT_SOFTNESS = 0.5, 1.2
"""cm, a texel and a quarter: nearer things do not shade; and the part of the light that a blocker takes per
further cm."""
SCALE = AMBIENT_SIDE / EXTENT
"""Texels per cm."""
SMALL, PIECE, MOST_PIECES = 0.36, 0.5, 40
"""Edges (cm) of triangles whose corners fill every texel, and of the pieces that others are cut into."""
BLOCK = 1024
"""Points that are looked up in one map after the other, while they and the map stay in the cache."""
SLOPE_BIAS, FLATTEST = 0.3, 0.2
"""cm by which surfaces differ within a texel, times the tangent of the angle at which they are seen, and the cosine
from which on that no longer grows."""
TURNING = 0.35
"""Sine of the angle by which expressions can turn a surface towards a light that it faced away from."""


def directions() -> np.ndarray:
    """``(DIRECTIONS, 3) float32`` unit vectors spread evenly over the sphere (a Fibonacci lattice), in the head's
    space."""
    i = np.arange(DIRECTIONS) + 0.5
    y, azimuth = 1 - 2 * i / DIRECTIONS, math.pi * (1 + math.sqrt(5)) * i
    level = np.sqrt(1 - y * y)
    return np.stack([np.cos(azimuth) * level, y, np.sin(azimuth) * level], axis=1).astype(np.float32)


def see_surroundings(
    points: np.ndarray,
    normals: np.ndarray,
    strands: np.ndarray,
    between: np.ndarray,
    triangles: np.ndarray,
    splats: np.ndarray,
) -> np.ndarray:
    """Which directions each point sees: ambient occlusion with memory of where from.

    Args:
        points: ``(N, 3) float32``, head upright.
        normals: ``(N, 3) float32``; of strands, anything.
        strands: ``(N,) bool``: which points are hair.
        between: ``(N,) bool``: which points see as much as the mean of the points before and after them; these do not.
        triangles: ``(T, 3) int32`` what shades.
        splats: ``(M,) int32`` points that shade as well: hair, a texel each.

    Returns:
        ``(N, DIRECTIONS) uint8``.
    """
    grains = np.concatenate([points[splats], _strewn(points, triangles)])
    axes = np.stack([light_axes(direction) for direction in directions()])
    middle = AMBIENT_SIDE / 2 - axes[:, :2] @ MIDDLE * SCALE
    looks = np.concatenate([axes, np.append(middle, FAR - axes[:, 2:] @ MIDDLE, axis=1)[..., None]], axis=2)
    looks[:, :2, :3] *= SCALE
    maps = np.zeros((DIRECTIONS, AMBIENT_SIDE, AMBIENT_SIDE), np.float32)
    in_shares(_splat, DIRECTIONS, grains, looks, maps)
    visible = np.empty((len(points), DIRECTIONS), np.uint8)
    in_shares(_see, len(points), points, normals, strands, between, directions(), looks, maps, visible)
    in_shares(_see_between, len(points), between, visible)
    return visible


def _strewn(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Points ``(G, 3) float32`` on triangles, so many that no texel of a surface stays empty: corners of small
    triangles, the middles of the pieces of large ones."""
    corner, pieces = np.zeros(len(points), bool), np.empty(len(triangles), np.uint8)
    count = _cut(points, triangles, corner, pieces)
    middles = np.empty((count, 3), np.float32)
    _fill(points, triangles, pieces, middles)
    return np.concatenate([points[corner], middles])


@compiled
def _cut(points: np.ndarray, triangles: np.ndarray, corner: np.ndarray, pieces: np.ndarray) -> int:
    """In how many pieces to cut the edges of each triangle: none of small ones, whose corners are marked."""
    count = 0
    for t in range(len(triangles)):
        longest = np.float32(0)
        for k in range(3):
            i, j = triangles[t, k], triangles[t, (k + 1) % 3]
            x, y, z = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1], points[i, 2] - points[j, 2]
            longest = max(longest, x * x + y * y + z * z)
        if longest < SMALL * SMALL:
            pieces[t] = 0
            for k in range(3):
                corner[triangles[t, k]] = True
        else:
            pieces[t] = min(MOST_PIECES, math.ceil(math.sqrt(longest) / PIECE))
            count += pieces[t] * pieces[t]
    return count


@compiled
def _fill(points: np.ndarray, triangles: np.ndarray, pieces: np.ndarray, middles: np.ndarray) -> None:
    number = 0
    for t in range(len(triangles)):
        n = int(pieces[t])
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        for i in range(n):
            for j in range(2 * (n - i) - 1):  # pieces that point the same way as the triangle, and the others between
                third = (1 + j % 2) / 3
                u, v = (i + third) / n, (j // 2 + third) / n
                for axis in range(3):
                    middles[number, axis] = (1 - u - v) * points[a, axis] + u * points[b, axis] + v * points[c, axis]
                number += 1


@inlined
def _looked_at(look: np.ndarray, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Column, row and nearness in a map."""
    return (
        look[0, 0] * x + look[0, 1] * y + look[0, 2] * z + look[0, 3],
        look[1, 0] * x + look[1, 1] * y + look[1, 2] * z + look[1, 3],
        look[2, 0] * x + look[2, 1] * y + look[2, 2] * z + look[2, 3],
    )


@compiled
def _splat(first: int, last: int, grains: np.ndarray, looks: np.ndarray, maps: np.ndarray) -> None:
    side = maps.shape[1]
    for k in range(first, last):
        for i in range(len(grains)):
            u, v, near = _looked_at(looks[k], grains[i, 0], grains[i, 1], grains[i, 2])
            column, row = int(u), int(v)
            if 0 <= column < side and 0 <= row < side:
                maps[k, row, column] = max(maps[k, row, column], near)


@compiled
def _see(
    first: int,
    last: int,
    points: np.ndarray,
    normals: np.ndarray,
    strands: np.ndarray,
    between: np.ndarray,
    towards: np.ndarray,
    looks: np.ndarray,
    maps: np.ndarray,
    visible: np.ndarray,
) -> None:
    one, soft, half = np.float32(1), np.float32(AMBIENT_SOFTNESS), np.float32(0.5)
    within = np.float32(maps.shape[1] - 2)
    for start in range(first, last, BLOCK):  # maps and rows both stay in the cache
        for k in range(DIRECTIONS):
            for i in range(start, min(last, start + BLOCK)):
                if between[i]:
                    continue
                facing = normals[i, 0] * towards[k, 0] + normals[i, 1] * towards[k, 1] + normals[i, 2] * towards[k, 2]
                if facing < -TURNING and not strands[i]:
                    visible[i, k] = 0
                    continue
                u, v, near = _looked_at(looks[k], points[i, 0], points[i, 1], points[i, 2])
                # What lies beyond a map sees as much as its edge does.
                u, v = min(max(u - half, np.float32(0)), within), min(max(v - half, np.float32(0)), within)
                near += np.float32(AMBIENT_BIAS)
                if not strands[i]:
                    facing = max(abs(facing), np.float32(FLATTEST))
                    near += np.float32(SLOPE_BIAS) * np.sqrt(max(np.float32(0), one - facing * facing)) / facing
                column, row = int(u), int(v)
                right, down = u - np.float32(column), v - np.float32(row)
                above = _darkness(maps[k, row, column], near, soft) * (one - right)
                above += _darkness(maps[k, row, column + 1], near, soft) * right
                below = _darkness(maps[k, row + 1, column], near, soft) * (one - right)
                below += _darkness(maps[k, row + 1, column + 1], near, soft) * right
                visible[i, k] = np.uint8(np.float32(255) * (one - above * (one - down) - below * down) + half)


@compiled
def _see_between(first: int, last: int, between: np.ndarray, visible: np.ndarray) -> None:
    for i in range(first, last):
        if between[i]:
            for k in range(DIRECTIONS):
                visible[i, k] = (int(visible[i - 1, k]) + int(visible[i + 1, k]) + 1) // 2


@inlined
def _darkness(blocker: float, near: float, soft: float) -> float:
    return min(np.float32(1), max(np.float32(0), (blocker - near) * soft))


def irradiance(
    wanted: np.ndarray,
    visible: np.ndarray,
    normals: np.ndarray,
    strands: np.ndarray,
    heights: np.ndarray,
    pose: Pose,
    around: Surroundings,
    rim: np.ndarray,
) -> np.ndarray:
    """Light of the surroundings that reaches points.

    Args:
        wanted: ``(N,) bool``; others are left at zero.
        visible: ``(N, DIRECTIONS) uint8`` of :func:`see_surroundings`.
        normals: ``(N, 3) float32`` as posed; tangents of strands.
        strands: ``(N,) bool``: the last points, two and two at one place.
        heights: ``(N,) float32`` in the neutral head: shoulders do not turn with the pose.
        pose: the head's.
        around: what shines.
        rim: ``(3,)`` direction whose visibility is wanted as well.

    Returns:
        ``(N, 4) float32``: irradiance in RGB (over π), and how much of the direction ``rim`` is seen.
    """
    turned = np.einsum("sij,kj->ski", pose.turns, directions())
    shine = np.empty_like(turned)
    _radiances(around, turned.reshape(-1, 3), shine.reshape(-1, 3))
    toward = np.maximum(turned @ rim, 0) ** 6
    toward /= toward.sum(axis=1, keepdims=True)
    found = np.zeros((len(visible), 4), np.float32)
    toward = toward.astype(np.float32)
    paired = (len(strands) - int(np.count_nonzero(strands))) % 2  # of the first of each two
    in_shares(_gather, len(wanted), paired, wanted, visible, normals, strands, heights, turned, shine, toward, found)
    return found


@compiled
def _gather(
    first: int,
    last: int,
    paired: int,
    wanted: np.ndarray,
    visible: np.ndarray,
    normals: np.ndarray,
    strands: np.ndarray,
    heights: np.ndarray,
    turned: np.ndarray,
    shine: np.ndarray,
    toward: np.ndarray,
    found: np.ndarray,
) -> None:
    for i in range(first, last):
        if not wanted[i]:
            continue
        if strands[i] and i % 2 != paired and i > first and wanted[i - 1]:
            for channel in range(4):
                found[i, channel] = found[i - 1, channel]
            continue
        step = neck_step(heights[i])
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        r = g = b = rim = np.float32(0)
        for k in range(DIRECTIONS):
            seen = np.float32(visible[i, k])
            if seen == 0:
                continue
            cosine = x * turned[step, k, 0] + y * turned[step, k, 1] + z * turned[step, k, 2]
            rim += seen * toward[step, k]
            if strands[i]:
                cosine = math.sqrt(max(0.0, 1 - cosine * cosine)) / math.pi
            if cosine > 0:
                r += seen * cosine * shine[step, k, 0]
                g += seen * cosine * shine[step, k, 1]
                b += seen * cosine * shine[step, k, 2]
        scale = 4 / (255 * DIRECTIONS)
        found[i, 0], found[i, 1], found[i, 2], found[i, 3] = r * scale, g * scale, b * scale, rim / 255


@compiled
def _radiances(around: Surroundings, directions: np.ndarray, found: np.ndarray) -> None:
    for i in range(len(directions)):
        found[i, 0], found[i, 1], found[i, 2] = radiance(around, directions[i, 0], directions[i, 1], directions[i, 2])
