"""Refusals of faces that cannot be animated, each in one sentence."""

from __future__ import annotations

import numpy as np

from durian.errors import NoFaceFound
from durian.face.detection import detect_faces, detect_turned_faces
from durian.face.geometry import CHIN, FACE_OVAL, FOREHEAD_TOP, Face

MIN_EYE_DISTANCE = 24
"""Pixels between the outer eye corners below which the mesh is unsure and the result would be a blur (taste)."""

MAX_OUTSIDE = 0.22
"""Part of the face's outline that may lie beyond the picture's edge (tight portraits cut a little hairline)."""

MAX_FLATNESS = 0.4
"""Above it the picture is a drawing: real photos reach 0.19 (113 portraits), flat drawings start at 0.47."""

MIN_CONFIDENCE = 0.7
"""Real faces, hats and profiles included, reach 0.8 (113 portraits); a cheetah cub reaches 0.63."""

MAX_ROLL = 110
"""Degrees from upright up to which a head may lie; beyond it the parser no longer knows hair from beard."""

PORTRAIT_MAX_ROLL = 60
"""The same for a portrait, which would be animated as it lies: people tilt their heads up to 45 degrees."""

EDGE_TOLERANCE = 0.05
"""Depth in face heights to which a point may lie beyond the edge before it counts as outside."""


def require_face(image: np.ndarray, index: int = 0, what: str = "the portrait", max_roll: float = MAX_ROLL) -> Face:
    """The face number ``index`` (0 is the largest) of a picture, checked.

    Args:
        image: ``(H, W, 3) uint8`` RGB.
        index: which face, largest first.
        what: how an error names the picture.
        max_roll: degrees from upright up to which the head may lie.

    Raises:
        NoFaceFound: there is no face, not that many, or it cannot be used (see :func:`check_face`).
    """
    faces = detect_faces(image)
    if all(face.confidence < MIN_CONFIDENCE for face in faces):
        faces = detect_turned_faces(image) or faces
    if not faces:
        raise NoFaceFound(
            f"No face was found in {what}: use a photo of a real person who looks roughly towards the camera."
        )
    if not 0 <= index < len(faces):
        count, choice = ("only one face", "choose 0")
        if len(faces) > 1:
            count, choice = f"{len(faces)} faces", f"choose a number from 0 to {len(faces) - 1}"
        raise NoFaceFound(f"Face {index} was asked for but {what} has {count}: {choice}.")
    check_face(faces[index], image.shape, what, max_roll)
    return faces[index]


def check_face(
    face: Face, image_shape: tuple[int, ...], what: str = "the portrait", max_roll: float = MAX_ROLL
) -> None:
    """Refuse a face that is too small, cut off, lying, or not plausibly a human one.

    Args:
        face: the face to check.
        image_shape: ``image.shape`` of its picture.
        what: how an error names the picture.
        max_roll: degrees from upright up to which the head may lie.

    Raises:
        NoFaceFound: with one sentence that says what is wrong and what to do.
    """
    if face.eye_distance < MIN_EYE_DISTANCE:
        raise NoFaceFound(
            f"The face in {what} is too small: its eyes are {face.eye_distance:.0f} pixels apart and "
            f"{MIN_EYE_DISTANCE} are needed, so use a larger photo or one taken closer."
        )
    if face.flatness > MAX_FLATNESS:
        raise NoFaceFound(f"The face in {what} looks like a drawing: use a photo of a real person.")
    if face.confidence < MIN_CONFIDENCE:
        raise NoFaceFound(
            f"The face in {what} does not look like a person's: use a clear photo of someone who looks towards the "
            "camera."
        )
    if abs(face.roll) > max_roll:
        raise NoFaceFound(f"The face in {what} is not upright: turn the picture by {_turn(face.roll)}.")
    side = _cut_side(face.landmarks, image_shape)
    if side:
        raise NoFaceFound(f"The face in {what} is cut off at the {side} edge: use a photo that shows the whole face.")


def _turn(roll: float) -> str:
    """The quarter turns that bring a head at ``roll`` degrees nearest to upright."""
    if abs(roll) >= 135:
        return "180 degrees and give it again"
    return f"90 degrees {'anticlockwise' if roll > 0 else 'clockwise'} and give it again"


def _cut_side(landmarks: np.ndarray, image_shape: tuple[int, ...]) -> str | None:
    """The picture's edge that cuts the face, or ``None``."""
    height, width = image_shape[:2]
    tall = np.linalg.norm(landmarks[FOREHEAD_TOP, :2] - landmarks[CHIN, :2])
    outline = landmarks[list(FACE_OVAL), :2]
    tolerance = EDGE_TOLERANCE * tall
    beyond = {
        "left": outline[:, 0] < -tolerance,
        "right": outline[:, 0] > width - 1 + tolerance,
        "upper": outline[:, 1] < -tolerance,
        "lower": outline[:, 1] > height - 1 + tolerance,
    }
    side, points = max(beyond.items(), key=lambda item: item[1].sum())
    outside = np.any(list(beyond.values()), axis=0).mean()
    return side if outside > MAX_OUTSIDE and points.any() else None
