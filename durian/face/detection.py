"""Detection of all faces of a photo: boxes on the whole picture and on tiles, then a mesh on each, enlarged."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.face.crop import Crop
from durian.face.geometry import FACE_OVAL, Face
from durian.face.models import detect_boxes, mesh_landmarks
from durian.face.turning import SURE, righted, turned_points
from durian.settings import get_settings

DETECTION_SIDE = 1280
"""Longer side at which tiles are searched: faces of 2 % of the width are still 25 px (the detector's input is 192)."""

MESH_SIDE = 384
"""Side of the picture given to the face mesh, whose own input is 192 px of face."""

MESH_WINDOWS = (2.4, 1.7, 3.2, 2.7, 2.0)
"""Windows tried around a detected box, in box sides; the first serves nearly always (on 113 portraits)."""

HEAD_ROOM = np.array([0.6, 1.15])
"""Least distance of two faces' centres, across and along, in sizes of the smaller: cheeks touch, heads stack."""

CONFIDENT = 0.5
"""Least score of a box found on a tile: tiles are many, and a pattern among them looks like a face now and then."""

CONFIDENT_TINY, TINY = 0.7, 32
"""The same for boxes smaller than this many pixels (a rocket's hatch scores 0.6)."""

CERTAIN = 0.7
"""Confidence at which no further window is asked; real faces reach 0.8 (113 portraits), a cheetah cub 0.63."""

STEADY_ANGLES, STEADY_WINDOW = (-10.0, -5.0, 5.0, 10.0), 1.8
"""Degrees by which a found face is turned for more looks at it, in a window of so many face sizes. The mean of all five
meshes differs between a photo and a turned, smaller copy of it by 0.37 % of the eye distance, where one differs by 0.74
(37 portraits)."""

STRAYED = 0.1
"""Part of a face's size by which a turned look's point may be off, before that look is of something else."""

FLAT = 0.5
"""Standard deviation, in grey levels of a 3 × 3 neighbourhood, below which skin counts as flat."""

SMALL_FACE = 0.25
"""When the largest face found is smaller than this part of the longer side, the finest tiles are searched too."""

_found = ContentCache(entries=64)
"""Searching takes longer than all else that reading a picture needs, and each still of a visitor reads the same."""


def detect_faces(image: np.ndarray) -> list[Face]:
    """Find the faces of a picture; of one that was searched lately they are known.

    Args:
        image: ``(H, W, 3) uint8`` RGB.

    Returns:
        Faces, largest first, at most ``settings.max_faces``; empty when there is none.
    """
    faces = _found.get(image, _searched, key=str(get_settings().max_faces))
    # Copies: whoever moves landmarks must not move those that others will get.
    return [replace(face, landmarks=face.landmarks.copy()) for face in faces]


def _searched(image: np.ndarray) -> list[Face]:
    height, width = image.shape[:2]
    scale = min(1.0, DETECTION_SIDE / max(height, width))
    small = image
    if scale < 1:
        small_size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(image, small_size, interpolation=cv2.INTER_AREA)
    faces: list[Face] = []  # not yet judged: that costs as much as finding them
    tried: list[np.ndarray] = []
    for level in range(3):
        if level and max(small.shape[:2]) < 256 * level:
            break
        if level == 2 and faces and _size(faces[0]) > SMALL_FACE * max(height, width):
            break
        for box in _boxes(small, level):
            box = np.array(box[:4]) / scale
            if any(_inside(box, face) for face in faces) or any(_overlap(box, other) > 0.5 for other in tried):
                continue
            tried.append(box)
            face = _mesh_in_box(image, box)
            if face is not None and not any(_same(face, other) for other in faces):
                faces.append(face)
        faces.sort(key=_size, reverse=True)
    return [_judged(image, face) for face in faces[: get_settings().max_faces]]


def detect_turned_faces(image: np.ndarray) -> list[Face]:
    """As :func:`detect_faces`, of a picture in which that finds nobody: faces that lie or stand on their heads."""
    height, width = image.shape[:2]
    for turns in (2, 1, 3):
        faces = [face for face in detect_faces(np.ascontiguousarray(np.rot90(image, turns))) if face.confidence >= SURE]
        if faces:
            return [replace(face, landmarks=turned_points(face.landmarks, turns, width, height)) for face in faces]
    return []


def _boxes(image: np.ndarray, level: int) -> list[tuple[float, ...]]:
    """Detections of the whole picture (level 0) or of overlapping tiles, best score first."""
    height, width = image.shape[:2]
    found = []
    if level == 0:
        for full_range in (True, False):
            found += detect_boxes(image, full_range)
        return sorted(found, key=lambda box: -box[4])
    tile = max(height, width) / (1.8 if level == 1 else 3.4)
    for y in _starts(height, tile):
        for x in _starts(width, tile):
            part = image[y : y + round(tile), x : x + round(tile)]
            for x0, y0, x1, y1, score in detect_boxes(part, full_range=True):
                if score >= (CONFIDENT if x1 - x0 >= TINY else CONFIDENT_TINY):
                    found.append((x0 + x, y0 + y, x1 + x, y1 + y, score))
    return sorted(found, key=lambda box: -box[4])


def _starts(length: int, tile: float) -> list[int]:
    if tile >= length:
        return [0]
    count = int(np.ceil((length - tile) / (0.7 * tile))) + 1
    return [round(start) for start in np.linspace(0, length - tile, count)]


def _mesh_in_box(image: np.ndarray, box: np.ndarray) -> Face | None:
    """The face mesh in an enlarged window around a box, or ``None`` when no window shows a face."""
    centre, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max())
    if side < 4:
        return None
    for window in MESH_WINDOWS:
        face = _mesh_in_crop(image, Crop(float(centre[0]), float(centre[1]), side * window))
        if face is not None and np.hypot(*(face.landmarks[:, :2].mean(0) - centre)) < side:
            return face
    return None


def _mesh_in_crop(image: np.ndarray, crop: Crop) -> Face | None:
    landmarks = mesh_landmarks(crop.apply(image, MESH_SIDE))
    if landmarks is None:
        return None
    matrix = crop.inverse_matrix(MESH_SIDE)
    photo = landmarks * np.float32(matrix[0, 0])
    photo[:, :2] += matrix[:, 2].astype(np.float32)
    return Face(photo.astype(np.float32))


def _steadied(image: np.ndarray, face: Face) -> Face:
    """The face with the mean of its landmarks and of those in views turned by :data:`STEADY_ANGLES`."""
    x0, y0, x1, y1 = face.box
    size = _size(face)
    crop = Crop((x0 + x1) / 2, (y0 + y1) / 2, size * STEADY_WINDOW)
    picture, back = crop.apply(image, MESH_SIDE), crop.inverse_matrix(MESH_SIDE)
    found = [face.landmarks]
    for angle in STEADY_ANGLES:
        turn = cv2.getRotationMatrix2D(((MESH_SIDE - 1) / 2,) * 2, angle, 1.0)
        view = cv2.warpAffine(
            picture, turn, (MESH_SIDE, MESH_SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        mesh = mesh_landmarks(view)
        if mesh is None:
            continue
        unturned = cv2.invertAffineTransform(turn)
        mesh[:, :2] = mesh[:, :2] @ unturned[:, :2].T + unturned[:, 2]
        mesh *= back[0, 0]
        mesh[:, :2] += back[:, 2]
        if np.abs(mesh[:, :2] - face.landmarks[:, :2]).max() < STRAYED * size:
            found.append(mesh)
    return replace(face, landmarks=np.stack(found).mean(0, dtype=np.float64).astype(np.float32))


def _judged(image: np.ndarray, face: Face) -> Face:
    """The face with its confidence and flatness measured, and its landmarks steadied."""
    x0, y0, x1, y1 = face.box
    side = _size(face)
    confidence = 0.0
    for window in (1.6, 2.4):
        around = Crop((x0 + x1) / 2, (y0 + y1) / 2, side * window).apply(image, 256)
        for full_range in (False, True):
            if confidence < CERTAIN:
                scores = [box[4] for box in detect_boxes(around, full_range)]
                confidence = max([confidence, *scores])
    judged = replace(face, confidence=float(confidence), flatness=_flatness(image, face))
    return _steadied(image, righted(image, judged))


def _flatness(image: np.ndarray, face: Face) -> float:
    x0, y0, x1, y1 = face.box
    crop = Crop((x0 + x1) / 2, (y0 + y1) / 2, _size(face))
    size = int(np.clip(crop.side, 64, 160))
    grey = crop.apply(image, size).mean(2, dtype=np.float32)
    deviation = np.sqrt(np.maximum(cv2.blur(grey**2, (3, 3)) - cv2.blur(grey, (3, 3)) ** 2, 0))
    inside = np.zeros((size, size), np.uint8)
    cv2.fillPoly(inside, [np.rint(crop.points(face.landmarks[list(FACE_OVAL), :2], size)).astype(np.int32)], 1)
    inside = cv2.erode(inside, np.ones((size // 16, size // 16), np.uint8)) > 0
    return float((deviation[inside] < FLAT).mean()) if inside.any() else 0.0


def _size(face: Face) -> float:
    x0, y0, x1, y1 = face.box
    return max(x1 - x0, y1 - y0)


def _same(first: Face, second: Face) -> bool:
    """Whether two found faces are nearer than two heads can be: one is the other, or a pattern in its hair."""
    boxes = np.array([first.box, second.box])
    offset = np.abs(np.diff((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0)[0])
    size = np.minimum(*(boxes[:, 2:] - boxes[:, :2]))
    return bool(np.hypot(*(offset / (size * HEAD_ROOM))) < 1)


def _inside(box: np.ndarray, face: Face) -> bool:
    centre = (box[:2] + box[2:]) / 2
    return bool(np.hypot(*(centre - face.landmarks[:, :2].mean(0))) < 0.4 * _size(face))


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = np.prod(np.clip(high - low, 0, None))
    return float(shared / (np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2]) - shared + 1e-9))
