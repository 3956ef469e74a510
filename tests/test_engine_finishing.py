"""The last step to a result's frames: pasted back into the photo, at a size that is played everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from requests_made import landmarks, portrait, request

from durian.engine.postprocess import LONGEST_UNCROPPED_SIDE, Finisher
from durian.face import Crop
from durian.request import AnimationRequest

SHAPE, SIZE = (1203, 2880), (1920, 802)
"""Rows and columns of a photo by a phone, and width and height of the result."""
CROP = Crop(1000.0, 600.0, 600.0)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """Brighter to the right and redder downwards."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.stack([rows * 255 / SHAPE[0], columns * 255 / SHAPE[1], np.full(SHAPE, 90.0)], -1).astype(np.uint8)


def whole(photo: np.ndarray, crop: Crop) -> AnimationRequest:
    """A face in the middle of the crop, to be seen within its photo."""
    face = landmarks() + np.float32([crop.x - 45, crop.y - 45, 0])
    return request(size=64, portrait=portrait(image=photo, landmarks=face, crop=crop), options={"uncrop": True})


def test_the_photo_around_a_moving_face_is_shrunk_to_what_every_player_takes(photo: np.ndarray):
    finisher = Finisher(whole(photo, CROP))
    assert finisher.size == SIZE
    assert max(SIZE) == LONGEST_UNCROPPED_SIDE
    made = finisher(np.full((64, 64, 3), 7, np.uint8))
    assert made.shape == (SIZE[1], SIZE[0], 3)
    scale = SIZE[0] / SHAPE[1]
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    # From the middle of its square the frame reaches as far as the square does in the shrunk photo.
    away = np.maximum(np.abs(columns - scale * CROP.x), np.abs(rows - scale * CROP.y)) / (scale * CROP.side / 2)
    assert (made[away < 0.8] == 7).all()
    shrunk = np.stack([rows * 255 / SIZE[1], columns * 255 / SIZE[0], np.full(SIZE[::-1], 90.0)], -1)
    assert np.abs(made[away > 1.02] - shrunk[away > 1.02]).max() < 2


def test_a_photo_of_odd_sides_loses_a_row_and_a_column_at_most(photo: np.ndarray):
    small = np.ascontiguousarray(photo[400:801, 700:1301])
    made = Finisher(whole(small, Crop(300.0, 200.0, 200.0)))
    assert made.size == (600, 400)
    frame = made(np.full((64, 64, 3), 7, np.uint8))
    assert np.array_equal(frame[:90], small[:90, :600])
