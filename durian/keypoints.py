"""Drawings of landmarks: the keypoint images that guide a renderer, overlays to check by, thumbnails of motions."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from durian.face.geometry import FACE_OVAL, eye_distance
from durian.motion.canonical import LEFT_IRIS, RIGHT_IRIS, canonical_face
from durian.motion.motion import Motion
from durian.motion.retarget import drive

Colour = tuple[int, int, int]

PARTS: dict[str, tuple[tuple[int, ...], Colour]] = {
    "outline": ((*FACE_OVAL, FACE_OVAL[0]), (150, 150, 150)),
    "right brow": ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 70), (255, 170, 40)),
    "left brow": ((300, 293, 334, 296, 336, 285, 295, 282, 283, 276, 300), (255, 220, 60)),
    "nose bridge": ((168, 6, 197, 195, 5, 4), (90, 200, 90)),
    "nose": ((48, 64, 98, 97, 2, 326, 327, 294, 278), (60, 220, 150)),
    "right eye": ((33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33), (60, 140, 255)),
    "left eye": (
        (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, 263),
        (60, 210, 255),
    ),
    "outer lips": (
        (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61),
        (255, 60, 90),
    ),
    "inner lips": (
        (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78),
        (255, 120, 200),
    ),
}
"""Each drawn part: its landmarks in order and its RGB colour. Left and right, the person's, differ in colour."""

IRIS_COLOURS: tuple[Colour, Colour] = ((200, 80, 255), (255, 130, 255))
"""Of the right and the left iris."""

LINE_WIDTH = 1 / 128
"""Width of the lines in keypoint images, relative to the side: 4 px at 512 (taste)."""

DRAWING_SIDE = 1024
"""Smaller keypoint images are drawn at least this large and averaged down, so that a line keeps its relative width."""

SHIFT = 4
"""Fractional bits of OpenCV's drawing coordinates: lines are placed to a sixteenth of a pixel."""

THUMBNAIL_COLUMNS = 4


def draw_keypoints(landmarks: np.ndarray, size: int) -> np.ndarray:
    """The keypoint image that guides a renderer.

    Args:
        landmarks: ``(478, 2 or 3)`` pixels of a ``size`` × ``size`` picture.
        size: side in pixels.

    Returns:
        ``(size, size, 3) uint8``: parts in fixed colours on black, anti-aliased.
    """
    factor = max(1, -(-DRAWING_SIDE // size))
    width = max(1.0, size * LINE_WIDTH)
    points = np.asarray(landmarks, np.float64)[:, :2]
    picture = np.zeros((size, size, 3), np.uint8)
    # Only the face is drawn and averaged: the rest, most of the picture, stays black.
    drawn = points[_drawn_points()]
    x0, y0 = np.clip(np.floor(drawn.min(0) - width), 0, size).astype(int)
    x1, y1 = np.clip(np.ceil(drawn.max(0) + width) + 1, 0, size).astype(int)
    if x0 >= x1 or y0 >= y1:
        return picture
    large = np.zeros(((y1 - y0) * factor, (x1 - x0) * factor, 3), np.uint8)
    _draw_parts(large, (points - (x0, y0) + 0.5) * factor - 0.5, width * factor)
    picture[y0:y1, x0:x1] = cv2.resize(large, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return picture


def draw_landmarks(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """A picture with its landmarks on it, to check by: all 478 points, the parts as lines.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 2 or 3)`` pixels of it.
    """
    points = np.asarray(landmarks, np.float64)[:, :2]
    lines, dots = image.copy(), image.copy()
    unit = eye_distance(points)
    _draw_parts(lines, points, max(1.0, unit / 70))
    radius = max(0.6, unit / 160)
    for point in points:
        cv2.circle(dots, _fixed(point), round(radius * 2**SHIFT), (255, 255, 255), -1, cv2.LINE_AA, SHIFT)
    return cv2.addWeighted(cv2.addWeighted(lines, 0.75, image, 0.25, 0), 0.7, dots, 0.3, 0)


def motion_thumbnail(motion: Motion, size: int = 96) -> np.ndarray:
    """A strip of four moments of a motion, drawn on the canonical face.

    Args:
        motion: any motion.
        size: side of one moment in pixels.

    Returns:
        ``(size, 4 · size, 3) uint8``: the neutral face, then the moments farthest from it and from each other.
    """
    frames = motion_frames(motion, size)
    return np.concatenate([frames[index] for index in _telling_moments(motion, THUMBNAIL_COLUMNS)], axis=1)


def motion_frames(motion: Motion, size: int = 96, step: int = 1) -> list[np.ndarray]:
    """Every ``step``-th frame of a motion drawn on the canonical face: an animated thumbnail.

    Each is ``(size, size, 3) uint8``.
    """
    scale = size * 0.44
    rest = (canonical_face() * scale + np.array([size / 2, size * 0.33, 0])).astype(np.float32)
    pictures = []
    for landmarks in drive(motion, rest)[::step]:
        picture = np.full((size * 2, size * 2, 3), 24, np.uint8)
        _draw_parts(picture, landmarks[:, :2].astype(np.float64) * 2 + 0.5, max(2.0, size / 36))
        pictures.append(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA))
    return pictures


def _telling_moments(motion: Motion, count: int) -> list[int]:
    """The neutral frame and those farthest from all chosen so far, in time order."""
    faces = drive(motion, canonical_face())[:, _drawn_points()]
    chosen = [motion.neutral]
    distance = np.full(len(motion), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.abs(faces - faces[chosen[-1]]).mean((1, 2)))
        chosen.append(int(np.argmax(distance)))
    return sorted(chosen)


@lru_cache(maxsize=1)
def _drawn_points() -> np.ndarray:
    return np.array(sorted({index for points, _ in PARTS.values() for index in points} | {468, 473}))


def _draw_parts(picture: np.ndarray, points: np.ndarray, width: float) -> None:
    """Draw into ``picture``; ``width`` in pixels."""
    thickness = max(1, round(width))
    for eye, iris, colour in zip(("right eye", "left eye"), (RIGHT_IRIS, LEFT_IRIS), IRIS_COLOURS, strict=True):
        _draw_iris(picture, points[list(PARTS[eye][0])], points[iris], colour, thickness)
    for indices, colour in PARTS.values():
        line = np.rint(points[list(indices)] * 2**SHIFT).astype(np.int32)
        cv2.polylines(picture, [line], False, colour, thickness, cv2.LINE_AA, SHIFT)


def _draw_iris(picture: np.ndarray, eye: np.ndarray, iris: np.ndarray, colour: Colour, thickness: int) -> None:
    """Draw the iris' circle inside the eye's contour: the lids hide the rest, and a shut eye hides all."""
    radius = np.linalg.norm(iris[1:] - iris[0], axis=1).mean()
    low = np.maximum(np.floor(np.minimum(eye.min(0), iris[0] - radius) - thickness).astype(int), 0)
    high = np.ceil(np.maximum(eye.max(0), iris[0] + radius) + thickness).astype(int) + 1
    part = picture[low[1] : high[1], low[0] : high[0]]
    if not part.size:
        return
    drawn = part.copy()
    centre = _fixed(iris[0] - low)
    cv2.circle(drawn, centre, round(radius * 2**SHIFT), colour, thickness, cv2.LINE_AA, SHIFT)
    inside = np.zeros(part.shape[:2], np.uint8)
    contour = np.rint((eye - low) * 2**SHIFT).astype(np.int32)
    cv2.fillPoly(inside, [contour], 255, cv2.LINE_AA, SHIFT)
    weight = inside[..., None] / np.float32(255)
    part[:] = np.rint(part + (drawn.astype(np.float32) - part) * weight).astype(np.uint8)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.rint(point * 2**SHIFT)
    return int(x), int(y)
