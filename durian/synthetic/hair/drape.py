"""Draping of long hair and beards over clothes: outside of collars, scarves and hoods, pressed against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from durian.synthetic.base.geometry import Mesh, Strands

CENTRE = np.float32([0.0, -18.0, -1.8])
"""Point in the chest from which every part of the clothes' outside can be seen, cm."""
COLUMNS, ROWS = 128, 56
LOWEST, HIGHEST = -1.2, 1.5
"""Elevations (radians) at CENTRE, between which ROWS of COLUMNS azimuths say how far out the clothes reach."""
BLUR = 0.8
"""Of those distances, cells: hair does not follow every fold."""

SHORT = -8.0
"""Height (cm) of tips above which hair stays as it is: what there is of it in a collar cannot be seen."""
NAP = 0.8
"""Hair nearer to the clothes than this (cm), and all below them, is pressed into this layer; the order stays."""
BEND = 2
"""How many times strands are smoothed where they are bent over an edge."""


@dataclass(frozen=True)
class ClothFit:
    """How far clothes reach from CENTRE: ``reach (ROWS, COLUMNS) float32`` cm, 0 where there are none."""

    reach: np.ndarray

    @classmethod
    def of(cls, meshes: Sequence[Mesh]) -> ClothFit:
        """The outside of clothes."""
        from scipy.ndimage import gaussian_filter, maximum_filter

        reach = np.zeros((ROWS, COLUMNS))
        for mesh in meshes:
            row, column, distance = _polar(mesh.vertices)
            cells = np.rint(row).astype(int), np.rint(column).astype(int) % COLUMNS
            np.maximum.at(reach, cells, distance)
        around = ("nearest", "wrap")
        return cls(gaussian_filter(maximum_filter(reach, 3, mode=around), BLUR, mode=around).astype(np.float32))

    def clearance(self, points: np.ndarray) -> np.ndarray:
        """``(...)`` cm by which ``points (..., 3)`` are outside of the clothes, negative within or below them."""
        row, column, distance = _polar(points)
        low, left = np.minimum(row.astype(int), ROWS - 2), column.astype(int) % COLUMNS
        up, right = row - low, column % 1
        following = (left + 1) % COLUMNS
        below = self.reach[low, left] * (1 - right) + self.reach[low, following] * right
        above = self.reach[low + 1, left] * (1 - right) + self.reach[low + 1, following] * right
        return distance - (below * (1 - up) + above * up)


def laid_on(strands: Strands, fit: ClothFit) -> Strands:
    """Strands whose tips reach down to the clothes, moved out of them."""
    low = np.flatnonzero(strands.points[:, -1, 1] < SHORT)
    path = strands.points[low]
    clearance = fit.clearance(path)
    outside = np.where(clearance < NAP, NAP**2 / (2 * NAP - np.minimum(clearance, NAP)), clearance)
    push = outside - clearance
    for _ in range(BEND):
        ends = np.pad(push, ((0, 0), (1, 1)), mode="edge")
        push = np.maximum(push, (ends[:, :-2] + 2 * push + ends[:, 2:]) / 4)
    push[:, 0] = 0
    outwards = path - CENTRE
    outwards = outwards / np.linalg.norm(outwards, axis=-1, keepdims=True)
    points = strands.points.copy()
    points[low] = path + push[..., None] * outwards
    return replace(strands, points=points)


def _polar(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and column of the table, not rounded, and distance from CENTRE (cm) of ``points (..., 3)``."""
    x, y, z = np.moveaxis(points - CENTRE, -1, 0)
    level = np.hypot(x, z)
    row = (np.arctan2(y, level) - LOWEST) / (HIGHEST - LOWEST) * (ROWS - 1)
    column = np.arctan2(x, z) / (2 * np.pi) * COLUMNS % COLUMNS
    return np.clip(row, 0, ROWS - 1), column, np.hypot(level, y)
