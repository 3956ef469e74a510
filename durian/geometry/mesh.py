"""The triangle mesh that moves a face and its surroundings.

Inside, MediaPipe's own triangles, with the mouth and the eyes left open so that lips part and lids close over what
lies behind. Outside, a grid over the rest of the picture (hair, ears, neck, body) that follows the head rigidly in
3-D, fades to rest on the body, and gives way to the jaw beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, overload

import numpy as np

from durian.face import geometry
from durian.geometry.head import Head
from durian.motion import RIGID_POINTS, fit_rigid

MESH_POINTS = 468
FACE_OVAL = np.array(geometry.FACE_OVAL)
INNER_LIPS, OUTER_LIPS = np.array(geometry.INNER_LIPS), np.array(geometry.OUTER_LIPS)
BROWS = (np.array(geometry.LEFT_BROW), np.array(geometry.RIGHT_BROW))
EYES = (
    np.array([33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246]),
    np.array([263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466]),
)
"""Lid contours, the eye on the picture's left first; irises are landmarks 468-472 and 473-477."""
IRISES = (np.arange(468, 473), np.arange(473, 478))
CHIN = 152

GRID_STEPS, ITEM_STEPS = 64, 32
"""Cells of the outer grid along one side of a portrait, where a turning head goes out of sight with as many corners,
and of the picture of a beard, which is made anew as sliders move."""
# How the outer grid follows, in face widths. Taste, tuned on real clips by the reenactment score and by eye, the neck
# also on rendered triplets.
NECK_TOP, NECK_BOTTOM = -0.30, 0.60
FAR, FARTHEST = 2.4, 4.0
"""Skull distances between which the head's hold on its surroundings fades."""
OVAL_REACH = 0.30
"""How far the jaw's and forehead's own movement spreads outwards."""


@lru_cache(maxsize=1)
def face_triangles() -> np.ndarray:
    """``(852, 3) int32`` triangles of the 468-point mesh, all of one orientation (area above 0 from the front).

    MediaPipe publishes edges; three that close a ring are a triangle. Neighbours share an edge in opposite
    directions, which settles every orientation from the first.
    """
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    neighbours: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    rings = {(a, b, c) for a in neighbours for b in neighbours[a] for c in neighbours[a] & neighbours[b] if a < b < c}
    by_edge = _rings_by_edge(rings)
    # A ring that encloses other triangles is not one itself: each of its edges has a third neighbour.
    rings -= {r for r in rings if all(len(by_edge[edge]) > 2 for edge in combinations(r, 2))}
    by_edge = _rings_by_edge(rings)

    # 10 (forehead) to 338 runs to the right as seen, and the face lies below it: front-facing in y-down pixels.
    first = next(r for r in rings if 10 in r and 338 in r)
    third = next(p for p in first if p not in (10, 338))
    oriented = {first: (10, 338, third)}
    waiting = [first]
    while waiting:
        ring = waiting.pop()
        a, b, c = oriented[ring]
        for p, q in ((a, b), (b, c), (c, a)):
            for other in by_edge[(min(p, q), max(p, q))]:
                if other not in oriented:
                    oriented[other] = (q, p, next(k for k in other if k not in (p, q)))
                    waiting.append(other)
    return np.array(sorted(oriented.values()), np.int32)


def _rings_by_edge(rings: set[tuple[int, int, int]]) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
    by_edge: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for ring in rings:
        for edge in combinations(ring, 2):
            by_edge.setdefault(edge, []).append(ring)
    return by_edge


def face_normals(landmarks: np.ndarray) -> np.ndarray:
    """Unit normals of the face's surface at its landmarks ``(478, 3)``, ``(468, 3) float64``; z is below 0 towards the
    viewer."""
    points, triangles = landmarks[:MESH_POINTS].astype(np.float64), face_triangles()
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    faces = np.cross(c - a, b - a)
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return -normals if normals[:, 2].mean() > 0 else normals


@dataclass(frozen=True)
class HeadPose:
    """A similarity in 3-D from a picture's own head to one frame's: ``scale * rotation @ p + shift``."""

    scale: float
    rotation: np.ndarray
    shift: np.ndarray

    @classmethod
    def between(cls, source: np.ndarray, target: np.ndarray) -> HeadPose:
        """Fit ``(478, 3)`` landmarks to ``(478, 3)`` on the points that expressions leave alone."""
        return cls(*fit_rigid(source[RIGID_POINTS], target[RIGID_POINTS]))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Move ``(N, 3)`` points."""
        return self.scale * points @ self.rotation.T + self.shift

    def shell(self, points: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """Move ``(N, 3)`` points of a round thing about ``centre`` ``(3,)``: hair, a hat's crown, the skull.

        Seen from any side a ball is as wide as from the front: other parts of it come to the outline. So points turn
        by their depth in front of the centre, and the outline, which lies at its depth, keeps its width.
        """
        offset = points - centre
        roll = np.arctan2(self.rotation[1, 0] - self.rotation[0, 1], self.rotation[0, 0] + self.rotation[1, 1])
        turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        flat = offset[:, :2] @ turn.T + offset[:, 2:] * self.rotation[:2, 2]
        moved = self(points)
        moved[:, :2] = self(centre[None])[:, :2] + self.scale * flat
        return moved


class WarpMesh:
    """A picture with a face as a mesh that a sequence of landmarks can drive.

    Args:
        landmarks: ``(478, 3) float32`` of the face in the picture, pixels.
        shape: height and width of the picture.
        still_body: whether the neck and body stay at rest (a portrait) or go with the head (a beard).
    """

    def __init__(self, landmarks: np.ndarray, shape: tuple[int, int], still_body: bool = True):
        from scipy.spatial import Delaunay

        self.landmarks = np.asarray(landmarks, np.float32)
        self.head = Head(self.landmarks)
        height, width = shape
        step = max(height, width) / (GRID_STEPS if still_body else ITEM_STEPS)
        x, y = np.meshgrid(np.arange(-1, width / step + 1.01) * step, np.arange(-1, height / step + 1.01) * step)
        grid = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
        oval = self.landmarks[FACE_OVAL, :2]
        outside = _signed_distance(oval, grid) < -0.3 * step
        outer = np.concatenate([oval, grid[outside]])
        self.rest = np.concatenate([outer, self.head.depth(outer)[:, None]], 1).astype(np.float32)
        self.rest[: len(FACE_OVAL), 2] = self.landmarks[FACE_OVAL, 2]

        triangles = Delaunay(outer).simplices.astype(np.int32)
        flipped = areas(outer, triangles) < 0
        triangles[flipped] = triangles[flipped][:, [0, 2, 1]]
        self.outer_triangles = triangles
        self.face_triangles = face_triangles()

        self.hold = self._head_hold(outer) if still_body else np.ones(len(outer), np.float32)
        squared = ((outer[:, None] - oval[None]) ** 2).sum(-1) / (OVAL_REACH * self.head.width) ** 2
        near = np.exp(-8 * (squared - squared.min(1, keepdims=True)))
        self.oval_influence = (near / near.sum(1, keepdims=True) * np.exp(-squared.min(1, keepdims=True))).astype(
            np.float32
        )

    def _head_hold(self, points: np.ndarray) -> np.ndarray:
        """How much of the head's movement each point ``(N, 2)`` takes, ``(N,)`` in [0, 1]."""
        down = self.head.axes[:2, 1] / np.linalg.norm(self.head.axes[:2, 1])
        below_chin = (points - self.landmarks[CHIN, :2]) @ down / self.head.width
        neck = 1 - smoothstep(below_chin, NECK_TOP, NECK_BOTTOM)
        far = 1 - smoothstep(self.head.skull_distance(points), FAR, FARTHEST)
        return (neck * far).astype(np.float32)

    def outer_positions(self, driving: np.ndarray, pose: HeadPose) -> np.ndarray:
        """Positions of the outer vertices, ``(N, 3) float32``, for one frame's landmarks ``(478, 3)``."""
        moved = self.rest + self.hold[:, None] * (pose.shell(self.rest, self.head.centre) - self.rest)
        residual = driving[FACE_OVAL] - moved[: len(FACE_OVAL)]
        moved += self.oval_influence @ residual
        moved[: len(FACE_OVAL)] = driving[FACE_OVAL]
        return moved.astype(np.float32)


def areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Twice the signed area of triangles ``(T, 3)`` over points ``(V, 2 or 3)``, ``(T,)``."""
    a, b, c = (points[triangles[:, i], :2] for i in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


@overload
def smoothstep(value: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray: ...


@overload
def smoothstep(value: float | np.floating, low: float, high: float) -> np.floating: ...


def smoothstep(value: Any, low: Any, high: Any) -> Any:
    """0 below ``low``, 1 above ``high``, smooth between; reversed if ``high`` is the lower.

    >>> smoothstep(np.array([0.0, 2.0, 3.0, 4.0, 9.0]), 2, 4)
    array([0. , 0. , 0.5, 1. , 1. ])
    """
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _signed_distance(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance of points ``(N, 2)`` to a closed polygon ``(K, 2)``, positive inside, ``(N,)``."""
    import cv2

    contour = polygon.reshape(-1, 1, 2).astype(np.float32)
    return np.array([cv2.pointPolygonTest(contour, (float(px), float(py)), True) for px, py in points], np.float32)
