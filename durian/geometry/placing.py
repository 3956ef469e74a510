"""A visitor's adjustments of an item: moved, turned and scaled where it lies."""

from __future__ import annotations

import numpy as np

from durian.face import eye_distance
from durian.request import Placement


def placed(rest: np.ndarray, placement: Placement, portrait: np.ndarray) -> np.ndarray:
    """Apply a placement to positions ``(N, 3)`` at rest, in crop pixels of ``portrait`` ``(478, 3)``."""
    if placement == Placement():
        return rest
    angle = np.deg2rad(placement.angle)
    turn = placement.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (rest[:, :2].min(0) + rest[:, :2].max(0)) / 2
    moved = rest.copy()
    shift = np.array([placement.dx, placement.dy]) * eye_distance(portrait)
    moved[:, :2] = (rest[:, :2] - centre) @ turn.T + centre + shift
    return moved
