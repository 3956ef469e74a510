"""Light and shade of skin around a mouth that a beard hid."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE, SKIN, made_landmarks

from durian.layers.completion.mouth_relief import (
    CHIN_BALL,
    CHIN_TIP,
    LOWER_LIP,
    MOUTH_CORNERS,
    NOSE_BASE,
    mouth_relief,
    with_mouth_relief,
)

SHAPE = (SIDE, SIDE)


def at(picture: np.ndarray, place: np.ndarray) -> float:
    x, y = np.rint(place[:2]).astype(int)
    return float(picture[y, x])


@pytest.mark.parametrize("yaw", [0.0, 30.0, -30.0])
def test_below_the_lip_it_is_dark_on_the_chin_bright_and_along_the_jaw_dark(yaw: float):
    landmarks = made_landmarks(yaw=yaw)
    relief = mouth_relief(landmarks, SHAPE)
    lip, chin, tip = landmarks[LOWER_LIP], landmarks[CHIN_BALL], landmarks[CHIN_TIP]
    assert at(relief, lip + 0.22 * (tip - lip)) < -0.2
    assert at(relief, chin) > at(relief, tip) + 0.1
    assert at(relief, tip) < -0.2
    assert all(at(relief, landmarks[corner]) < -0.05 for corner in MOUTH_CORNERS)
    assert np.abs(relief[: int(landmarks[NOSE_BASE, 1]) - 8]).max() < 0.03, "cheeks and eyes keep theirs"


def test_a_face_is_shaded_the_same_at_any_size():
    small, large = made_landmarks(), 2 * made_landmarks()
    doubled = cv2.resize(mouth_relief(small, SHAPE), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    assert np.abs(doubled - mouth_relief(large, (2 * SIDE, 2 * SIDE)))[4:-4, 4:-4].mean() < 0.005


def test_skin_where_a_beard_was_has_a_chin_and_seen_skin_keeps_its_own():
    landmarks = made_landmarks()
    skin = np.full((*SHAPE, 3), SKIN, np.float32)
    hidden = np.zeros(SHAPE, bool)
    hidden[int(landmarks[LOWER_LIP, 1]) :] = True
    made = with_mouth_relief(skin, landmarks, hidden)
    lip, tip = landmarks[LOWER_LIP], landmarks[CHIN_TIP]
    grey = made.mean(-1)
    assert at(grey, lip + 0.25 * (tip - lip)) < 0.85 * at(grey, landmarks[CHIN_BALL])
    assert np.array_equal(made[~hidden], skin[~hidden])
    edge = grey[int(landmarks[LOWER_LIP, 1])]
    assert abs(edge - np.mean(SKIN)).max() < 8, "it begins softly"
