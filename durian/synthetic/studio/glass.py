"""Lenses of glasses, composited over a finished picture: they tint what is behind and mirror what is before them."""

from __future__ import annotations

import math

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares
from durian.synthetic.render.camera import Camera, Pose
from durian.synthetic.render.lighting import Lamp, Surroundings, radiance, window_seen
from durian.synthetic.render.raster import NOTHING, STEPS, pattern, rasterise
from durian.synthetic.render.shading_light import fresnel, unit3
from durian.synthetic.studio.dressing import Glass

GLASS = 0.04
"""Reflectance of glass straight on."""
COATING = 0.04
"""Reflectance that a lens with ``reflection`` 1 has besides."""
WINDOW = 22.0
"""Sharpness of the key light's reflection, that of a window's blurred by the picture's resolution."""
PANES = 11.0
"""Radiance of the window behind the camera, relative to the surroundings' sky, in a lens with ``reflection`` 1."""
LOST = 0.5
"""Share of what is behind that is lost to what is mirrored."""


def lay_glass(
    glass: Glass,
    pose: Pose,
    camera: Camera,
    nearness: np.ndarray,
    key: Lamp,
    around: Surroundings,
    light: np.ndarray,
    cover: np.ndarray,
) -> None:
    """Change ``light (S, S, 3)`` where there is a lens and add the samples it takes to ``cover (S, S) uint8``.

    Args:
        glass: the lens.
        pose, camera: of the view.
        nearness: of everything else, ``(S, samples, S)``.
        key, around: what is mirrored.
    """
    position, normal = pose.move(glass.vertices, glass.heights), pose.turn(glass.normals, glass.heights)
    seen, offsets = camera.project(position), pattern(nearness.shape[1])
    index, nearness_of_glass = rasterise(seen, glass.triangles, camera.size, camera.size, len(offsets))
    tint = np.asarray(glass.lens.tint, np.float32)
    in_shares(
        _look_through, len(light), index, nearness_of_glass, nearness, offsets, seen, position, normal, glass.triangles,
        tint, glass.colour, glass.lens.reflection, camera.position, key, around, light, cover,
    )  # fmt: skip


@compiled
def _look_through(
    first: int,
    last: int,
    index: np.ndarray,
    nearness: np.ndarray,
    nearness_behind: np.ndarray,
    offsets: np.ndarray,
    seen: np.ndarray,
    position: np.ndarray,
    normal: np.ndarray,
    triangles: np.ndarray,
    tint: np.ndarray,
    colour: np.ndarray,
    reflection: float,
    camera: np.ndarray,
    key: Lamp,
    around: Surroundings,
    light: np.ndarray,
    cover: np.ndarray,
) -> None:
    width, samples = cover.shape[1], len(offsets)
    for row in range(first, last):
        for column in range(width):
            hits, r, g, b = 0, 0.0, 0.0, 0.0
            for sample in range(samples):
                t = index[row, sample, column]
                if t == NOTHING or nearness[row, sample, column] <= nearness_behind[row, sample, column]:
                    continue
                x, y = column + 0.5 + offsets[sample] / STEPS, row + (sample + 0.5) / samples
                hits += 1
                i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                area = (seen[0, j] - seen[0, i]) * (seen[1, k] - seen[1, i])
                area -= (seen[0, k] - seen[0, i]) * (seen[1, j] - seen[1, i])
                u = ((seen[0, j] - x) * (seen[1, k] - y) - (seen[0, k] - x) * (seen[1, j] - y)) / area
                v = ((seen[0, k] - x) * (seen[1, i] - y) - (seen[0, i] - x) * (seen[1, k] - y)) / area
                w = 1 - u - v
                nx, ny, nz = unit3(
                    u * normal[i, 0] + v * normal[j, 0] + w * normal[k, 0],
                    u * normal[i, 1] + v * normal[j, 1] + w * normal[k, 1],
                    u * normal[i, 2] + v * normal[j, 2] + w * normal[k, 2],
                )
                vx, vy, vz = unit3(
                    camera[0] - (u * position[i, 0] + v * position[j, 0] + w * position[k, 0]),
                    camera[1] - (u * position[i, 1] + v * position[j, 1] + w * position[k, 1]),
                    camera[2] - (u * position[i, 2] + v * position[j, 2] + w * position[k, 2]),
                )
                facing = nx * vx + ny * vy + nz * vz
                mx, my, mz = 2 * facing * nx - vx, 2 * facing * ny - vy, 2 * facing * nz - vz
                strength = fresnel(abs(facing), GLASS) + COATING * reflection
                mirrored = radiance(around, mx, my, mz)
                lamp = mx * key.direction[0] + my * key.direction[1] + mz * key.direction[2]
                lamp = 6 * reflection * math.exp(WINDOW * (lamp - 1))
                panes = PANES * reflection * window_seen(around, mx, my, mz)
                left = 1 - LOST * strength
                shade_r = tint[0] * (u * colour[i, 0] + v * colour[j, 0] + w * colour[k, 0])
                shade_g = tint[1] * (u * colour[i, 1] + v * colour[j, 1] + w * colour[k, 1])
                shade_b = tint[2] * (u * colour[i, 2] + v * colour[j, 2] + w * colour[k, 2])
                r += light[row, column, 0] * shade_r * left + strength * (
                    mirrored[0] + lamp * key.colour[0] + panes * around.sky[0]
                )
                g += light[row, column, 1] * shade_g * left + strength * (
                    mirrored[1] + lamp * key.colour[1] + panes * around.sky[1]
                )
                b += light[row, column, 2] * shade_b * left + strength * (
                    mirrored[2] + lamp * key.colour[2] + panes * around.sky[2]
                )
            if hits > 0:
                share, rest = 1 / samples, 1 - hits / samples
                light[row, column, 0] = light[row, column, 0] * rest + r * share
                light[row, column, 1] = light[row, column, 1] * rest + g * share
                light[row, column, 2] = light[row, column, 2] * rest + b * share
                cover[row, column] += np.uint8(hits)
