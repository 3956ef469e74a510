"""The camera: the neck's rotation, and the projection of points to pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares, inlined
from durian.synthetic.base.person import View

NECK_PIVOT = np.array([0.0, -5.0, -1.0], np.float32)
"""Point about which the head turns, cm: below the ears, a little behind the middle."""
NECK_BOTTOM, NECK_TOP = -16.5, -11.0
"""Heights (cm, in the neutral head) between which the neck twists: shoulders stay, the head turns as a whole."""
NECK_STEPS = 32

CAMERA_HEIGHT, CAMERA_DISTANCE = 2.2, 115.0
"""Where the camera stands, cm: at the height of the eyes' lower lids, an arm's length and a half away."""
SHIFT_UNIT = 1 / 40
"""Share of the picture by which a :class:`View`'s ``cx`` or ``cy`` of 1 moves the head."""


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation ``(3, 3) float32`` about y, then x, then z; radians. Positive yaw turns the face to the picture's
    right."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_z @ about_x @ about_y).astype(np.float32)


@dataclass(frozen=True)
class Pose:
    """How the head is held: ``turns (NECK_STEPS + 1, 3, 3) float32``, from the shoulders' rotation (none) to the
    head's."""

    turns: np.ndarray

    @classmethod
    def of(cls, yaw: float, pitch: float, roll: float) -> Pose:
        """The pose of three angles in radians; each step of the neck turns by the same part of them."""
        parts = np.linspace(0, 1, NECK_STEPS + 1)
        return cls(np.stack([rotation(yaw * part, pitch * part, roll * part) for part in parts]))

    @property
    def head(self) -> np.ndarray:
        """The head's own rotation ``(3, 3)``."""
        return self.turns[-1]

    def move(self, points: np.ndarray, heights: np.ndarray) -> np.ndarray:
        """Turn points ``(N, 3) float32``; ``heights (N,)`` are theirs in the neutral head, which say where on the
        neck they are."""
        moved = np.empty_like(points)
        in_shares(_turn, len(points), points, heights, self.turns, NECK_PIVOT, moved)
        return moved

    def turn(self, directions: np.ndarray, heights: np.ndarray) -> np.ndarray:
        """Turn normals or tangents ``(N, 3) float32`` likewise."""
        turned = np.empty_like(directions)
        in_shares(_turn, len(directions), directions, heights, self.turns, np.zeros(3, np.float32), turned)
        return turned


@inlined
def neck_step(height: float) -> int:
    """Number of the turn, among a pose's, of what is at this height of the neutral head."""
    part = min(1.0, max(0.0, (height - NECK_BOTTOM) / (NECK_TOP - NECK_BOTTOM)))
    return int(part * part * (3 - 2 * part) * NECK_STEPS + 0.5)


@compiled
def _turn(
    first: int,
    last: int,
    points: np.ndarray,
    heights: np.ndarray,
    turns: np.ndarray,
    pivot: np.ndarray,
    moved: np.ndarray,
) -> None:
    for i in range(first, last):
        R = turns[neck_step(heights[i])]
        x, y, z = points[i, 0] - pivot[0], points[i, 1] - pivot[1], points[i, 2] - pivot[2]
        for axis in range(3):
            moved[i, axis] = R[axis, 0] * x + R[axis, 1] * y + R[axis, 2] * z + pivot[axis]


@dataclass(frozen=True)
class Camera:
    """A pinhole that looks along -z.

    ``position (3,) float32``, cm; ``focal``: pixels per cm at a distance of one cm; ``middle``: where the optical
    axis meets the picture, in pixels; ``size``: pixels along one side.
    """

    position: np.ndarray
    focal: float
    middle: tuple[float, float]
    size: int

    @classmethod
    def of(cls, view: View, size: int) -> Camera:
        """The camera of a view: ``view.scale`` cm at the neck's axis fill the picture."""
        middle = tuple(size * (0.5 + shift * SHIFT_UNIT) for shift in (view.cx, view.cy))
        position = np.array([0, CAMERA_HEIGHT, CAMERA_DISTANCE], np.float32)
        return cls(position, size * CAMERA_DISTANCE / view.scale, middle, size)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points ``(N, 3)`` in the picture, ``(3, N) float32``: x and y in pixels (y downwards), and one over
        the distance in cm."""
        seen = np.empty((3, len(points)), np.float32)
        in_shares(_project, len(points), points, self.position, self.focal, *self.middle, seen)
        return seen


@compiled
def _project(
    first: int,
    last: int,
    points: np.ndarray,
    position: np.ndarray,
    focal: float,
    middle_x: float,
    middle_y: float,
    seen: np.ndarray,
) -> None:
    for i in range(first, last):
        near = 1 / (position[2] - points[i, 2])
        seen[0, i] = middle_x + focal * (points[i, 0] - position[0]) * near
        seen[1, i] = middle_y - focal * (points[i, 1] - position[1]) * near
        seen[2, i] = near
