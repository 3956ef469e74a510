"""Rotation of the eyeballs to match the shapes of gaze: FaceKit's own shapes move the lids and leave the eyeballs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

EYE_TURN = math.radians(25)
"""Angle by which a shape of gaze of 1 turns the eyeball: the iris then moves as far as the upper lid of
``eyeLookDown``."""
OUTWARDS = {"L": 1.0, "R": -1.0}
"""Direction along x in which each of the person's eyes looks outwards."""


@dataclass(frozen=True)
class Eyeball:
    """One eye: its ``side``, ``vertices (N,) int`` of the head, and ``spokes (N, 3) float32``, their places around the
    point about which it turns, cm."""

    side: str
    vertices: np.ndarray
    spokes: np.ndarray

    @classmethod
    def of(cls, side: str, vertices: np.ndarray, neutral: np.ndarray) -> Eyeball:
        """The eyeball of ``vertices`` of a head ``neutral (V, 3)``; it turns about the middle of the sphere that fits
        best."""
        points = neutral[vertices].astype(np.float64)
        middle = points.mean(axis=0)
        around = points - middle
        # |p|² = 2 p·c + const on a sphere about c: a linear system. Normal equations, whose sums einsum keeps in order.
        columns = np.concatenate([2 * around, np.ones((len(around), 1))], axis=1)
        system = np.einsum("ni,nj->ij", columns, columns)
        centre = np.linalg.pinv(system) @ np.einsum("ni,n->i", columns, np.einsum("nc,nc->n", around, around))
        return cls(side, vertices, (around - centre[:3]).astype(np.float32))

    def offsets(self, amounts: Mapping[str, float]) -> np.ndarray | None:
        """Displacements ``(N, 3) float32`` for the amounts of an expression; None if this eye looks ahead."""
        look = {way: amounts.get(f"eyeLook{way}_{self.side}", 0.0) for way in ("In", "Out", "Up", "Down")}
        yaw = EYE_TURN * OUTWARDS[self.side] * (look["Out"] - look["In"])
        pitch = EYE_TURN * (look["Down"] - look["Up"])
        if not yaw and not pitch:
            return None
        cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
        # Down about the eye's own horizontal axis first, then aside, so that the iris stays level.
        turn = np.array([[cy, sy * sp, sy * cp], [0, cp, -sp], [-sy, cy * sp, cy * cp]])
        return np.einsum("ij,nj->ni", (turn - np.eye(3)).astype(np.float32), self.spokes)
