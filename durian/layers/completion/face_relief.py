"""Light and shade that faces have beside an even light, where something hid them: a statistical model of what is seen.

The model is a probabilistic principal component analysis (Tipping and Bishop 1999) of relief over the face's mesh, as
the texture half of a morphable model (Blanz and Vetter 1999): below lips it is dark and on chins bright, and how much
so is told by the nose and the cheeks of the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL, MESH_POINTS, areas, face_triangles, smoothstep
from durian.geometry.raster import NOWHERE
from durian.layers.completion.mesh_values import at_points, drawn
from durian.layers.fill import blurred, fill
from durian.layers.skin import polygon
from durian.motion.canonical import canonical_face
from durian.settings import SHIPPED, get_settings

FILE = "face-relief.npz"
SIDE = 72
"""Pixels of a side of the face's front view in which relief is described."""
ROOM = 1.04
"""Side of that view, in the length of the mean face."""
SLANTED = 0.35
"""Size of a part of the face in its picture, in its size in the front view beside others', below which it is seen from
the side too far to say anything."""
SOFT = 0.012
"""Relief is described without what is finer than this, in face widths: pores are made elsewhere."""
BEYOND = 0.12
"""Distance over which it fades out beyond the mesh, in face widths."""
NOSE_BRIDGE, NOSE_TIP = 168, 1
"""Landmarks between whose heights it sets in: of foreheads it knew no more than the even light does, where holes had
the shape of other people's hair."""
LEAST_SEEN = 60
"""Pixels of the front view that must be seen for them to say anything."""


@dataclass(frozen=True)
class FaceRelief:
    """``modes (K, SIDE, SIDE) float32``, natural logarithms of brightness in the front view; ``spread``, the variance
    of a pixel that the modes do not explain, counted as often as its neighbours say the same.

    Their mean is 0: a face in flat light has no relief, and what all have in common is a mode as strong as it is seen.
    """

    modes: np.ndarray
    spread: float

    @classmethod
    def read(cls, path: Path) -> FaceRelief:
        """A model from its file."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(stored["modes"].astype(np.float32), float(stored["spread"]))

    def write(self, path: Path) -> None:
        """Keep a model in half precision."""
        np.savez_compressed(path, modes=self.modes.astype(np.float16), spread=np.float32(self.spread))

    def expected(self, relief: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """What the whole of a relief is likely to be, by what is seen of it.

        Args:
            relief: ``(SIDE, SIDE) float32``.
            seen: ``(SIDE, SIDE) bool``.

        Returns:
            ``(SIDE, SIDE) float32``; 0 where next to nothing is seen.
        """
        if seen.sum() < LEAST_SEEN:
            return np.zeros((SIDE, SIDE), np.float32)
        modes = self.modes.reshape(len(self.modes), -1).astype(np.float64)
        of_seen = modes[:, seen.ravel()]
        inner = np.eye(len(modes)) + of_seen @ of_seen.T / self.spread
        weights = np.linalg.solve(inner, of_seen @ relief[seen] / self.spread)
        return (weights @ modes).reshape(SIDE, SIDE).astype(np.float32)


@lru_cache(maxsize=1)
def _read_once(path: Path) -> FaceRelief:
    return FaceRelief.read(path)


def known_relief() -> FaceRelief | None:
    """The model in the weights folder, or else the one that the project ships; ``None`` without either."""
    for folder in (get_settings().weights, SHIPPED / "weights"):
        path = folder / "face-relief" / FILE
        if path.is_file():
            return _read_once(path)
    return None


def likely_relief(off: np.ndarray, seen: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The relief of a whole face, by what is seen of it.

    Args:
        off: ``(H, W) float32`` natural logarithm by which the picture is brighter than an even light.
        seen: ``(H, W) bool`` where it shows bare skin.
        landmarks: ``(478, 3)`` pixels.

    Returns:
        ``(H, W) float32`` of the same kind, fading out beyond the face; all 0 without a model.
    """
    model = known_relief()
    if model is None:
        return np.zeros(off.shape, np.float32)
    relief, known = front_view(off, seen, landmarks)
    low, high = front_points()[[NOSE_BRIDGE, NOSE_TIP], 1]
    known_below = smoothstep(np.arange(SIDE, dtype=np.float32), low, high)[:, None]
    return _on_picture(model.expected(relief, known) * known_below, landmarks, off.shape)


def front_view(off: np.ndarray, seen: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is seen of a relief ``off (H, W)``, as of :func:`likely_relief`, in the front view,
    ``(SIDE, SIDE) float32``, and where, ``bool``."""
    points, triangles = np.asarray(landmarks[:MESH_POINTS], np.float32), face_triangles()
    soft = SOFT * Head(np.asarray(landmarks)).width
    share = seen.astype(np.float32)
    even = blurred(off * share, soft) / np.maximum(blurred(share, soft), 1e-4)
    x, y = drawn(front_points(), points[:, :2], triangles, (SIDE, SIDE))
    size = areas(points, triangles) / np.maximum(areas(front_points(), triangles), 1e-6)
    shown, _ = drawn(front_points(), at_points(size / np.median(size), triangles), triangles, (SIDE, SIDE))
    relief, whole = (cv2.remap(part, x, y, cv2.INTER_LINEAR, borderValue=0) for part in (even, share))
    return relief, (x != NOWHERE) & (whole > 0.9) & (shown > SLANTED)


@lru_cache(maxsize=1)
def front_points() -> np.ndarray:
    """The mean face's mesh in the front view, ``(468, 3) float32`` pixels."""
    face = canonical_face()[:MESH_POINTS]
    low, high = face[:, :2].min(0), face[:, :2].max(0)
    scale = SIDE / (ROOM * (high - low).max())
    places = (face[:, :2] - (low + high) / 2) * scale + (SIDE - 1) / 2
    points = np.concatenate([places, face[:, 2:] * scale], 1).astype(np.float32)
    points.setflags(write=False)
    return points


def pixels_of(landmarks: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where in the front view each pixel of a face in a picture of height and width ``shape`` lies, across and down,
    ``(H, W) float32``; :data:`~durian.geometry.raster.NOWHERE` beside it."""
    points = np.asarray(landmarks[:MESH_POINTS], np.float32)
    return drawn(points, front_points()[:, :2], face_triangles(), shape)


def _on_picture(relief: np.ndarray, landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A relief of the front view where it lies on a face in a picture of height and width ``shape``."""
    head = Head(np.asarray(landmarks))
    x, y = pixels_of(landmarks, shape)
    covered = cv2.erode((x != NOWHERE).astype(np.uint8), np.ones((3, 3)))
    on_face = cv2.remap(relief, x, y, cv2.INTER_LINEAR, borderValue=0)
    # Lips and lids are open in the mesh, and a jaw does not end with it.
    whole = fill(np.repeat(on_face[..., None], 3, 2), covered.astype(np.float32))[..., 0]
    oval = (polygon(landmarks[FACE_OVAL], whole.shape) < 0.5).astype(np.uint8)
    away = cv2.distanceTransform(oval, cv2.DIST_L2, 5) / (BEYOND * head.width)
    return (whole * np.exp(-0.5 * away**2)).astype(np.float32)
