"""How much of the surroundings each point of a head sees, found out once, and the light that this gives in each
frame."""

from __future__ import annotations

import math

import numpy as np

from durian.synthetic.camera import Pose, neck_step
from durian.synthetic.compiled import compiled, in_shares
from durian.synthetic.lighting import Surroundings, radiance
from durian.synthetic.raster import rasterise
from durian.synthetic.shadows import light_axes, seen_along

AMBIENT_SIDE = 128
DIRECTIONS = 24
"""Texels along the side of the surroundings' maps, two and a half to the cm, and how many of these there are."""
AMBIENT_BIAS, AMBIENT_SOFTNESS = 0.5, 1.2
"""cm, a texel and a quarter: nearer things do not shade; and the part of the light that a blocker takes per further
cm."""
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
    points: np.ndarray, normals: np.ndarray, strands: np.ndarray, triangles: np.ndarray, splats: np.ndarray
) -> np.ndarray:
    """Which directions each point sees: ambient occlusion with memory of where from.

    Args:
        points: ``(N, 3) float32``, head upright.
        normals: ``(N, 3) float32``; of strands, anything.
        strands: ``(N,) bool``: which points are hair.
        triangles: ``(T, 3) int32`` what shades.
        splats: ``(M,) int32`` points that shade as well: hair, a texel each.

    Returns:
        ``(N, DIRECTIONS) uint8``.
    """
    visible = np.empty((len(points), DIRECTIONS), np.uint8)
    for number, direction in enumerate(directions()):
        seen = seen_along(points, light_axes(direction), AMBIENT_SIDE)
        nearness = rasterise(seen, triangles, AMBIENT_SIDE, AMBIENT_SIDE)[1][:, 0]
        _splat(seen, splats, nearness)
        in_shares(_see, len(points), seen, normals, strands, direction, nearness, visible[:, number])
    return visible


@compiled
def _splat(seen: np.ndarray, splats: np.ndarray, nearness: np.ndarray) -> None:
    side = len(nearness)
    for i in splats:
        column, row = int(seen[0, i]), int(seen[1, i])
        if 0 <= column < side and 0 <= row < side and seen[2, i] > nearness[row, column]:
            nearness[row, column] = seen[2, i]


@compiled
def _see(
    first: int,
    last: int,
    seen: np.ndarray,
    normals: np.ndarray,
    strands: np.ndarray,
    direction: np.ndarray,
    nearness: np.ndarray,
    visible: np.ndarray,
) -> None:
    side = len(nearness)
    for i in range(first, last):
        if not strands[i]:
            facing = normals[i, 0] * direction[0] + normals[i, 1] * direction[1] + normals[i, 2] * direction[2]
            if facing < -TURNING:
                visible[i] = 0
                continue
        u, v, near = seen[0, i] - 0.5, seen[1, i] - 0.5, seen[2, i] + AMBIENT_BIAS
        column, row = math.floor(u), math.floor(v)
        right, down = u - column, v - row
        dark = 0.0
        for dv in range(2):
            for du in range(2):
                c, r = int(column) + du, int(row) + dv
                if 0 <= c < side and 0 <= r < side:
                    over = nearness[r, c] - near
                    if over > 0:
                        weight = (right if du else 1 - right) * (down if dv else 1 - down)
                        dark += weight * min(1.0, over * AMBIENT_SOFTNESS)
        visible[i] = np.uint8(255 * (1 - dark) + 0.5)


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
        strands: ``(N,) bool``.
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
    in_shares(_gather, len(wanted), wanted, visible, normals, strands, heights, turned, shine, toward, found)
    return found


@compiled
def _gather(
    first: int,
    last: int,
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
