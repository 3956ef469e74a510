"""Neck, shoulders and chest as a smooth surface, on which clothes hang and along which they are cut.

A place is (level, azimuth): levels run from the upper neck, 0, down to the ribs; azimuth as in
:mod:`durian.synthetic.head.skull`, from +z (the chest) towards +x (the person's left). The head model ends at the
shoulders; the rest is a table.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter, spline_filter

from durian.synthetic.head.head import HeadModel

RINGS = np.array(
    [  # half width, depth of front and back; height at side, front and back
        [5.9, 6.0, -6.2, -8.4, -9.4, -7.6],
        [6.2, 5.4, -6.7, -9.8, -10.9, -9.4],
        [7.5, 4.8, -7.4, -11.3, -12.8, -11.2],
        [9.6, 4.5, -8.3, -12.5, -14.6, -12.9],
        [12.8, 5.3, -9.4, -14.0, -16.8, -14.9],
        [16.6, 6.8, -10.2, -15.7, -19.4, -17.6],
        [19.8, 7.9, -10.9, -18.2, -22.6, -21.0],
        [21.4, 8.8, -11.2, -22.2, -26.2, -25.2],
        [21.8, 9.2, -11.2, -28.0, -30.2, -30.2],
        [21.6, 9.4, -11.0, -34.0, -34.0, -34.0],
    ]
)
"""The surface at whole levels, cm; by eye, after the head model's neck and a man of 1.75 m."""
LEVELS = len(RINGS) - 1
AXIS_DEPTH = -1.8
"""Depth z of the line from which azimuths are counted, cm."""
SQUARE_SHOULDERS = 0.25
"""How much squarer than an ellipse a section at the shoulders is."""

SKIN_CLEARANCE = 0.3
"""Least distance of the surface from the head model's skin, cm."""
TOUCHING = 3.0
"""Skin further than this from the surface does not move it, cm."""
FIT_ROWS, FIT_COLUMNS, FIT_WRAP = 48, 64, 6


class Torso:
    """The surface for one head."""

    def __init__(self, skin: np.ndarray, normals: np.ndarray) -> None:
        """Lay the table's surface over the skin, ``(N, 3)`` points and unit normals: out where it would cut in, and
        nowhere in."""
        from scipy.spatial import cKDTree

        self._rings = PchipInterpolator(np.arange(LEVELS + 1), RINGS, axis=0)
        self._fit = None
        if not len(skin):
            return
        level = np.linspace(0, LEVELS, FIT_ROWS)[:, None]
        azimuth = np.arange(FIT_COLUMNS)[None] * 2 * np.pi / FIT_COLUMNS
        points = self.place(level, azimuth)
        distance, near = cKDTree(skin).query(points)
        height = ((points - skin[near]) * normals[near]).sum(axis=-1)
        missing = np.where(distance < TOUCHING, np.maximum(SKIN_CLEARANCE - height, 0), 0)
        smooth = gaussian_filter(maximum_filter(missing, 3, mode=("nearest", "wrap")), 1.2, mode=("nearest", "wrap"))
        self._fit = spline_filter(np.pad(smooth, ((0, 0), (FIT_WRAP, FIT_WRAP)), mode="wrap"), mode="nearest")

    def place(self, level: np.ndarray, azimuth: np.ndarray, off: float | np.ndarray = 0.0) -> np.ndarray:
        """Points ``(..., 3)``, ``off`` cm outside the surface."""
        level, azimuth = np.broadcast_arrays(np.asarray(level, np.float64), azimuth)
        if self._fit is not None:
            row, column = level / LEVELS * (FIT_ROWS - 1), azimuth % (2 * np.pi) / (2 * np.pi) * FIT_COLUMNS + FIT_WRAP
            found = map_coordinates(self._fit, [row.ravel(), column.ravel()], mode="nearest", prefilter=False)
            off = off + found.reshape(level.shape)
        points = self._table(level, azimuth)
        if np.ndim(off) == 0 and off == 0:
            return points
        return points + self.outwards(level, azimuth) * np.asarray(off)[..., None]

    def _table(self, level: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
        half_width, front, back, y_side, y_front, y_back = np.moveaxis(self._rings(np.clip(level, 0, LEVELS)), -1, 0)
        sine, cosine = np.sin(azimuth), np.cos(azimuth)
        square = 1 + SQUARE_SHOULDERS * np.clip((level - 3) / 3, 0, 1) * (sine * cosine) ** 2
        ahead = cosine > 0
        z = AXIS_DEPTH + np.where(ahead, front - AXIS_DEPTH, AXIS_DEPTH - back) * cosine * square
        y = y_side + (np.where(ahead, y_front, y_back) - y_side) * cosine**2
        return np.stack([half_width * sine * square, y, z], axis=-1)

    def outwards(self, level: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
        """Unit normals ``(..., 3)`` of the table's surface."""
        step = 0.05
        along = self._table(level + step, azimuth) - self._table(level - step, azimuth)
        around = self._table(level, azimuth + step) - self._table(level, azimuth - step)
        normal = np.cross(along, around)
        return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)


@lru_cache(maxsize=2)
def torso_of(head: HeadModel) -> Torso:
    """The torso below a head."""
    skin = head.skin_vertices[head.neutral[head.skin_vertices, 1] < -8]
    return Torso(head.neutral[skin].astype(np.float64), head.normals[skin].astype(np.float64))
