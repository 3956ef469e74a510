"""The skull as distances from a point inside it, and surfaces at a distance from it, of which hats are made.

Angles in radians: azimuth from +z (the face) towards +x (the person's left ear), elevation upwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter
from scipy.spatial import cKDTree

from durian.synthetic.head.head import HeadModel

CENTRE = np.array([0.0, 6.0, 0.4])
"""A point inside the skull from which all of its dome is seen, cm."""
WITHOUT_EARS, WITHOUT_FACE = 8.0, -3.0
"""|x| up to which and y from which skin belongs to the skull, cm; temples reach 7.9."""

LOWEST = -1.2
"""Elevation at which the table of distances begins."""
AZIMUTHS, ELEVATIONS = 96, 64
BLUR = 0.11
"""Standard deviation of the average over directions, radians: 1 cm of skull, twice the spacing of its vertices."""
NEIGHBOURS = 32

Rim = Callable[[np.ndarray], np.ndarray]
"""Height y of a hat's rim over a depth z, cm."""


def directions(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """Unit vectors ``(..., 3)``."""
    azimuth, elevation = np.broadcast_arrays(azimuth, elevation)
    flat = np.cos(elevation)
    return np.stack([flat * np.sin(azimuth), np.sin(elevation), flat * np.cos(azimuth)], axis=-1)


class Skull:
    """A smooth closed surface around ``centre``: one distance for each direction."""

    def __init__(self, points: np.ndarray, centre: np.ndarray = CENTRE) -> None:
        """Average the distances of points ``(N, 3)`` that lie in similar directions."""
        self.centre = np.asarray(centre, np.float64)
        offsets = points.astype(np.float64) - self.centre
        distance = np.linalg.norm(offsets, axis=1)
        azimuth = np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS
        elevation = np.linspace(LOWEST, np.pi / 2, ELEVATIONS)
        wanted = directions(azimuth[:, None], elevation[None]).reshape(-1, 3)
        apart, index = cKDTree(offsets / distance[:, None]).query(wanted, k=min(NEIGHBOURS, len(points)))
        weight = np.exp(-((apart / BLUR) ** 2) / 2) + 1e-6 / (apart + 1e-3)
        table = ((weight * distance[index]).sum(axis=1) / weight.sum(axis=1)).reshape(AZIMUTHS, ELEVATIONS)
        self._coefficients = spline_filter(np.pad(table, ((_WRAP, _WRAP), (0, 0)), mode="wrap"), mode="nearest")

    def radius(self, azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
        """Distances from the centre, cm; below the table's lowest elevation those of that elevation."""
        azimuth, elevation = np.broadcast_arrays(azimuth, elevation)
        column = azimuth % (2 * np.pi) * AZIMUTHS / (2 * np.pi) + _WRAP
        row = (np.clip(elevation, LOWEST, np.pi / 2) - LOWEST) / (np.pi / 2 - LOWEST) * (ELEVATIONS - 1)
        found = map_coordinates(self._coefficients, [column.ravel(), row.ravel()], mode="nearest", prefilter=False)
        return found.reshape(azimuth.shape)

    def angles(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Azimuths, elevations and distances of points ``(..., 3)`` seen from the centre."""
        offset = points - self.centre
        distance = np.linalg.norm(offset, axis=-1)
        elevation = np.arcsin(np.clip(offset[..., 1] / np.maximum(distance, 1e-9), -1, 1))
        return np.arctan2(offset[..., 0], offset[..., 2]), elevation, distance

    def push_out(self, points: np.ndarray, clearance: float | np.ndarray) -> np.ndarray:
        """Points moved away from the centre where they are nearer than ``clearance`` to the surface."""
        azimuth, elevation, distance = self.angles(points)
        needed = np.maximum(distance, self.radius(azimuth, elevation) + clearance)
        return self.centre + (points - self.centre) * (needed / np.maximum(distance, 1e-9))[..., None]


_WRAP = 8
"""Columns of the table that are repeated on either side, so that its spline has no seam."""


@lru_cache(maxsize=2)
def skull_of(head: HeadModel) -> Skull:
    """The skull under a head's scalp and forehead, without ears."""
    skin = head.neutral[head.skin_vertices]
    return Skull(skin[(skin[:, 1] > WITHOUT_FACE) & (np.abs(skin[:, 0]) < WITHOUT_EARS)])


FRONT, BACK = 9.5, -8.5
"""Depths z at which a hat's height in front and at the back is given, cm: a little inside forehead and occiput."""


def level_rim(front: float, back: float) -> Rim:
    """A rim in a plane, of height ``front`` above the forehead and ``back`` at the occiput."""
    return lambda z: back + (front - back) * (np.asarray(z, np.float64) - BACK) / (FRONT - BACK)


def rim_elevation(skull: Skull, rim: Rim, clearance: float, azimuth: np.ndarray) -> np.ndarray:
    """Elevations ``(C,)`` at which a surface ``clearance`` cm outside the skull crosses a rim, for azimuths
    ``(C,)``."""
    elevation = np.linspace(LOWEST, 1.45, 160)[:, None]
    point = skull.centre + directions(azimuth, elevation) * (skull.radius(azimuth, elevation) + clearance)[..., None]
    return last_crossing(elevation[:, 0], point[..., 1] - rim(point[..., 2]))


def last_crossing(place: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The highest of evenly spaced places ``(N,)`` at which each column of ``values (N, C)`` goes from negative to
    positive."""
    row = len(values) - 1 - np.argmax(values[::-1] < 0, axis=0)
    row = np.clip(row, 0, len(values) - 2)
    column = np.arange(values.shape[1])
    low, high = values[row, column], values[row + 1, column]
    share = np.clip(low / np.where(low == high, 1, low - high), 0, 1)
    return place[row] + share * (place[1] - place[0])


@dataclass
class Dome:
    """Directions of a hat's surface, from the crown to the rim.

    ``azimuth (1, C)``; ``share (R, 1)``, 0 at the crown and 1 at the rim; ``elevation (R, C)``; ``skull (R, C)``
    distances.
    """

    centre: np.ndarray
    azimuth: np.ndarray
    share: np.ndarray
    elevation: np.ndarray
    skull: np.ndarray

    @classmethod
    def over(cls, skull: Skull, rim: Rim, clearance: float, rows: int = 28, columns: int = 96) -> Dome:
        """Cover a skull down to where ``clearance`` cm outside of it the rim runs."""
        azimuth = (np.arange(columns) * 2 * np.pi / columns - np.pi)[
            None
        ]  # from the back, where its seam is least seen
        share = np.linspace(0, 1, rows)[:, None]
        lowest = rim_elevation(skull, rim, clearance, azimuth[0])
        elevation = np.pi / 2 + (lowest - np.pi / 2) * share
        return cls(skull.centre, azimuth, share, elevation, skull.radius(azimuth, elevation))

    def points(self, clearance: float | np.ndarray) -> np.ndarray:
        """Vertices ``(R, C, 3)`` that far outside the skull."""
        return self.centre + directions(self.azimuth, self.elevation) * (self.skull + clearance)[..., None]

    def outwards(self) -> np.ndarray:
        """Unit vectors ``(R, C, 3)``."""
        return directions(self.azimuth, self.elevation)

    def uv(self, columns: float, rows: float) -> np.ndarray:
        """Texture coordinates ``(R, C, 2)`` that count ``columns`` around and ``rows`` from crown to rim; see
        :func:`ring`."""
        return np.stack(np.broadcast_arrays(self.azimuth / (2 * np.pi) * columns, self.share * rows), axis=-1)

    def draped_uv(self) -> np.ndarray:
        """Texture coordinates ``(R, C, 2)`` of a flat cloth laid on the crown: cm to the left and to the front along
        the dome."""
        arc = (np.pi / 2 - self.elevation) * self.skull
        return np.stack([arc * np.sin(self.azimuth), arc * np.cos(self.azimuth)], axis=-1)
