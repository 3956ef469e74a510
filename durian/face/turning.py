"""Detection of faces that are not upright, which the detector and the mesh at times take for upright ones."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from durian.face.crop import Crop
from durian.face.geometry import Face, eye_distance
from durian.face.models import detect_boxes, mesh_landmarks

UPRIGHT = 0.9
"""Confidence from which a face is upright without asking, as 181 of 214 are; 270 that were found wrong, in pictures
turned by 90 to 180 degrees, reached 0.86."""
SURE, CLEARER = 0.8, 0.05
"""Confidence that a turned face needs, and how much more than unturned: upright those have 0.92 on average, the wrong
way round 0.7; a cheetah cub reaches 0.63."""
SAME_MESH = 0.3
"""Mean distance in eye distances below which two meshes are of one face in one pose; a mesh the wrong way round is off
by 0.8 and more."""
SIDE, WINDOWS = 384, (2.4, 1.7, 3.2)
"""Side in pixels of the windows around the face, and their sizes in face sizes."""


def turned_points(landmarks: np.ndarray, quarter_turns: int, width: int, height: int) -> np.ndarray:
    """Landmarks of ``np.rot90(image, quarter_turns)`` in the pixels of ``image``.

    Args:
        landmarks: ``(478, 3)`` pixels of the turned picture.
        quarter_turns: counter-clockwise.
        width, height: of ``image``, unturned.
    """
    x, y, z = landmarks.T
    x, y = {
        0: (x, y),
        1: (width - 1 - y, x),
        2: (width - 1 - x, height - 1 - y),
        3: (y, height - 1 - x),
    }[quarter_turns % 4]
    return np.stack([x, y, z], 1).astype(np.float32)


def righted(image: np.ndarray, face: Face) -> Face:
    """The face with landmarks that fit its own direction, whichever that is.

    Args:
        image: ``(H, W, 3) uint8``.
        face: a detected one whose ``confidence`` was measured unturned.
    """
    if face.confidence >= UPRIGHT:
        return face
    x0, y0, x1, y1 = face.box
    size = max(x1 - x0, y1 - y0)
    around = [Crop((x0 + x1) / 2, (y0 + y1) / 2, size * window) for window in WINDOWS]
    pictures = [crop.apply(image, SIDE) for crop in around]
    scores = [_score(pictures[:2], turns) for turns in range(4)]
    best = int(np.argmax(scores))
    if scores[best] < max(SURE, scores[0] + CLEARER):
        return face
    meshes = ((crop, mesh_landmarks(np.rot90(picture, best))) for crop, picture in zip(around, pictures, strict=True))
    meshed = next(((crop, mesh) for crop, mesh in meshes if mesh is not None), None)
    if meshed is None:
        return face
    crop, mesh = meshed
    landmarks = turned_points(mesh, best, SIDE, SIDE)
    matrix = crop.inverse_matrix(SIDE)
    landmarks = (landmarks * matrix[0, 0] + np.array([*matrix[:, 2], 0])).astype(np.float32)
    apart = np.linalg.norm((landmarks - face.landmarks)[:, :2], axis=1).mean()
    if apart < SAME_MESH * eye_distance(landmarks):
        landmarks = face.landmarks  # it lies on its side, which only the detector minds
    return replace(face, landmarks=landmarks, confidence=scores[best])


def _score(pictures: list[np.ndarray], turns: int) -> float:
    scores = [0.0]
    for picture in pictures:
        small = np.rot90(cv2.resize(picture, (SIDE * 2 // 3,) * 2, interpolation=cv2.INTER_AREA), turns)
        for full_range in (False, True):
            scores += [box[4] for box in detect_boxes(small, full_range)]
    return float(max(scores))
