"""The frame that somebody wears: all of it is found, also what the mask leaves out, and nothing of a clear lens."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import eye_distance
from durian.geometry.glasses import GlassesSurface
from durian.geometry.mesh import EYES
from durian.layers.skin import polygon
from durian.layers.worn_frame import worn_frame
from tests.glasses_made import FRAME, turned_face, wearing


def frame_of(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Where the frame is drawn beside the eyes."""
    eyes = np.maximum(*(polygon(landmarks[lids], image.shape[:2]) for lids in EYES))
    return (np.abs(image.astype(int) - FRAME).max(-1) < 30) & (eyes <= 0)


@pytest.mark.parametrize("yaw", [0.0, 25.0])
@pytest.mark.parametrize("rim", [0.03, 0.07])
def test_all_of_the_frame_is_found_and_the_lens_stays(yaw: float, rim: float):
    worn = wearing(turned_face(yaw), (1.0, 1.0, 1.0), (0, 0, 0), rim=rim)
    found = worn_frame(worn.image, worn.mask, worn.face_landmarks)
    frame = frame_of(worn.image, worn.face_landmarks)
    assert found[frame].mean() > 0.97
    lens = (worn.mask > 127) & ~cv2.dilate(frame.astype(np.uint8), np.ones((7, 7))).astype(bool)
    assert found[lens].mean() < 0.1


def test_a_rim_that_the_mask_cuts_is_found_beside_it():
    worn = wearing(turned_face(), (1.0, 1.0, 1.0), (0, 0, 0))
    cut = cv2.erode(worn.mask, np.ones((3, 3)))
    found = worn_frame(worn.image, cut, worn.face_landmarks)
    assert found[frame_of(worn.image, worn.face_landmarks)].mean() > 0.9


@pytest.mark.parametrize(("colour", "long"), [(FRAME, 0.25), ((20, 90, 30), 0.15)])
def test_a_temple_beyond_the_mask_is_found_as_far_as_it_goes(colour: tuple[int, int, int], long: float):
    """Of the frame's colour, or of another beside the front alone: farther on that may be an ear."""
    worn = wearing(turned_face(), (1.0, 1.0, 1.0), (0, 0, 0))
    surface = GlassesSurface.of_mask(worn.face_landmarks, worn.mask)
    unit = eye_distance(worn.face_landmarks)
    hinge = surface.pixels(np.array([[0.56, 0.0]]))[0, :2]
    start, end = (np.rint([hinge[0] + length * unit, hinge[1]]).astype(int) for length in (0.0, long))
    image, bar = worn.image.copy(), np.zeros_like(worn.mask)
    cv2.line(bar, start.tolist(), end.tolist(), 255, 4)
    image[bar > 0] = colour
    found = worn_frame(image, worn.mask, worn.face_landmarks)
    assert found[bar > 0].mean() > (0.9 if colour == FRAME else 0.7)
    assert not found[:, end[0] + 8 :].any()


def test_a_mask_of_nothing_or_of_all_is_no_frame():
    worn = wearing(turned_face(), (1.0, 1.0, 1.0), (0, 0, 0))
    for nothing in (0, 255):
        assert not worn_frame(worn.image, np.full_like(worn.mask, nothing), worn.face_landmarks).any()
