"""Masks over the mouth left out of scarves, on values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import FACE_OVAL, require_face
from durian.segmentation.parser.over_mouth import without_cover
from durian.segmentation.parser.window import HeadWindow

SIDE, UNIT = 256, 60.0
CREAM, BLUE, SKIN = (225, 214, 196), (140, 175, 214), (150, 100, 80)


@pytest.fixture(scope="module")
def points(collins) -> np.ndarray:
    landmarks = require_face(collins).landmarks
    return HeadWindow.around(landmarks, SIDE, UNIT, (0.5, 0.45)).points(landmarks)


def parts(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The face, a scarf around it, and a mask over the lower half of the face and a little beyond its outline, bool."""
    face = cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [np.rint(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    wider = cv2.dilate(face, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))) > 0
    scarf = cv2.dilate(face, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (81, 81))) > 0
    mask = wider & (np.arange(SIDE)[:, None] > points[195, 1])
    return face > 0, scarf & (face == 0), mask


def picture(points: np.ndarray, mask_colour: tuple[int, int, int]) -> np.ndarray:
    face, scarf, mask = parts(points)
    image = np.full((SIDE, SIDE, 3), 60, np.uint8)
    for there, colour in ((scarf, CREAM), (face, SKIN), (mask, mask_colour)):
        image[there] = colour
    noise = np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_a_mask_over_the_mouth_is_no_part_of_a_scarf(points):
    _, scarf, mask = parts(points)
    share = (scarf | mask).astype(np.float32)
    left = without_cover(picture(points, BLUE), share, points, UNIT)
    inner = cv2.erode(mask.astype(np.uint8), np.ones((7, 7))) > 0
    assert left[inner].max() == 0
    beyond = scarf & (cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) == 0)
    assert (left[beyond] == 1).mean() > 0.99


def test_of_a_veil_of_one_cloth_only_the_face_is_left_free(points):
    _, scarf, mask = parts(points)
    share = (scarf | mask).astype(np.float32)
    left = without_cover(picture(points, CREAM), share, points, UNIT)
    chin, lips = points[152], points[13]
    assert left[int(lips[1]), int(lips[0])] == 0
    assert left[int(chin[1] + 0.4 * UNIT), int(chin[0])] == 1
    assert left[scarf & ~mask].mean() > 0.9


def test_a_scarf_that_leaves_the_mouth_free_stays_as_it_is(points):
    _, scarf, _ = parts(points)
    share = cv2.dilate(scarf.astype(np.float32), np.ones((5, 5)))
    assert without_cover(picture(points, SKIN), share, points, UNIT) is share
