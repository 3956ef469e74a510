"""Reasons for which frames and clips are unfit for training, each with one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import cv2
import numpy as np

from durian.face import FACE_OVAL, Crop, Face, default_crop, eye_distance
from durian.face.checks import MAX_FLATNESS, MAX_OUTSIDE, MIN_CONFIDENCE, MIN_EYE_DISTANCE
from durian.face.detection import detect_faces
from durian.motion.fitting import head_pose

MOST_TURNED = math.radians(55)
"""Angle between where a head looks and the camera, beyond which MediaPipe guesses the hidden half of a face."""
MOST_FILLED = 0.85
"""Size of a face, as a share of the side of its square, beyond which hair and hats are not seen any more."""
MOST_ENLARGED = 1.35
"""Pixels of a frame for one of the video beyond which it would teach blur."""
LEAST_FRAMES = 12
"""Frames of the shortest clip: half a second at 24 a second, and as many as a synthetic scene's targets."""
MOST_BLURRED = 0.65
"""Of :func:`blur`, as the median over a clip: eleven real clips reach 0.57, and 0.63 to 0.75 after a blur of two pixels
of 256."""
BLUR_SIDE = 128
"""Pixels to a face at which blur is measured, or half a frame's side if that is more: what a frame of 256 px shows."""
LOOKS = 7
"""Frames of a clip whose blur is measured."""
DARKEST = 60.0
"""Level of 255 that one pixel of twenty in the picture reaches at least. Not the face's: dark skin is no fault."""
BRIGHT_SHARE = 95
"""Percentile that is compared with it."""
LEAST_CHANGE = 0.15
"""Mean difference of successive frames in levels, below which a picture stands still."""
MOST_FROZEN = 0.7
"""Share of frames that may repeat the one before: above, it is a still picture, or a video slowed down."""


class Reason(StrEnum):
    """Why frames were left out."""

    LOST = "lost"
    CUT_OFF = "cut_off"
    TURNED = "turned"
    SMALL = "small"
    SHORT = "short"
    BLURRED = "blurred"
    DARK = "dark"
    FROZEN = "frozen"
    NO_PERSON = "no_person"
    NOTHING_WORN = "nothing_worn"
    UNREADABLE = "unreadable"
    PORTRAIT_LOST = "portrait_lost"
    REFERENCE_LOST = "reference_lost"
    TARGETS_LOST = "targets_lost"


SENTENCES = {
    Reason.LOST: "No face was found in these frames.",
    Reason.CUT_OFF: "The face reaches over the picture's edge or fills the picture.",
    Reason.TURNED: f"The head is turned more than {math.degrees(MOST_TURNED):.0f}° from the camera.",
    Reason.SMALL: f"The face is so small that it would be enlarged more than {MOST_ENLARGED} times.",
    Reason.SHORT: f"Fewer than {LEAST_FRAMES} usable frames follow each other.",
    Reason.BLURRED: "The face is out of focus or compressed to a blur.",
    Reason.DARK: "The picture is too dark.",
    Reason.FROZEN: "Most frames repeat the one before: a still picture.",
    Reason.NO_PERSON: "What was followed does not look like a person's face: a drawing or a pattern.",
    Reason.NOTHING_WORN: "Nothing of the wanted categories is seen throughout.",
    Reason.UNREADABLE: "The file cannot be read.",
    Reason.PORTRAIT_LOST: "No face was found in any portrait of the scene.",
    Reason.REFERENCE_LOST: "No face was found in any reference of one of the scene's items.",
    Reason.TARGETS_LOST: "No face was found in most targets of the scene.",
}


def frame_fault(landmarks: np.ndarray | None, shape: tuple[int, ...], size: int) -> Reason | None:
    """The fault of one frame by the place of its face, or ``None``.

    Args:
        landmarks: ``(478, 3)`` pixels of the video's frame.
        shape: of that frame.
        size: side of the clip's frames in pixels.
    """
    if landmarks is None:
        return Reason.LOST
    height, width = shape[:2]
    x, y = landmarks[list(FACE_OVAL), 0], landmarks[list(FACE_OVAL), 1]
    if np.mean((x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)) > MAX_OUTSIDE:
        return Reason.CUT_OFF
    side = default_crop(Face(landmarks), shape).side
    if np.ptp(landmarks[:, :2], axis=0).max() > MOST_FILLED * side:
        return Reason.CUT_OFF
    if facing_angle(landmarks) > MOST_TURNED:
        return Reason.TURNED
    if eye_distance(landmarks) < MIN_EYE_DISTANCE * math.cos(MOST_TURNED):
        return Reason.SMALL
    return Reason.SMALL if size > MOST_ENLARGED * side else None


def facing_angle(landmarks: np.ndarray) -> float:
    """Radians between where a head ``(478, 3)`` looks and the camera; leaning to a side does not count."""
    _, rotation, _ = head_pose(landmarks)
    return math.acos(float(np.clip(rotation[2, 2], -1, 1)))


def clip_fault(pictures: Sequence[np.ndarray], landmarks: Sequence[np.ndarray], size: int) -> Reason | None:
    """The fault of a whole clip by the content of its frames, or ``None``.

    Args:
        pictures: ``(P, P, 3) uint8`` of each frame, at least two.
        landmarks: ``(478, 3)`` pixels of each picture.
        size: side of the clip's frames, P or less.
    """
    if np.median([np.percentile(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), BRIGHT_SHARE) for p in pictures]) < DARKEST:
        return Reason.DARK
    steps = [cv2.absdiff(after, before).mean() for before, after in pairwise(pictures)]
    if np.mean(np.array(steps) < LEAST_CHANGE) > MOST_FROZEN:
        return Reason.FROZEN
    looked_at = np.linspace(0, len(pictures) - 1, LOOKS).astype(int)
    side = max(BLUR_SIDE, size // 2)
    blurs = [blur(pictures[number], landmarks[number], side) for number in looked_at]
    return Reason.BLURRED if np.median(blurs) > MOST_BLURRED else None


def blur(picture: np.ndarray, landmarks: np.ndarray, side: int) -> float:
    """How blurred a face of ``side`` pixels is, from 0 to 1 (Crete et al. 2007): how little it changes when it is
    blurred once more."""
    from skimage.measure import blur_effect

    x0, y0, x1, y1 = Face(landmarks).box
    face = Crop((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0)).apply(picture, side)
    return float(blur_effect(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)))


def is_person(picture: np.ndarray, landmarks: np.ndarray) -> bool:
    """Whether a still search finds a real person's face where one was followed.

    Args:
        picture: ``(H, W, 3) uint8``.
        landmarks: ``(478, 3)`` pixels of it.
    """
    middle, unit = landmarks[:, :2].mean(0), np.ptp(landmarks[:, :2], axis=0).max()
    return any(
        np.hypot(*(face.landmarks[:, :2].mean(0) - middle)) < 0.3 * unit
        and face.confidence >= MIN_CONFIDENCE
        and face.flatness <= MAX_FLATNESS
        for face in detect_faces(picture)
    )
