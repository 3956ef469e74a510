"""Brows that are taken from one face, carried to another, and drawn, on made faces."""

from __future__ import annotations

import numpy as np
import pytest
from faces_made import SIDE, made_face, made_landmarks

from durian.geometry.mesh import BROWS
from durian.layers.brows import carried, depth_of, drawn, place_of, taken_light
from durian.layers.skin import polygon

HALF = np.log(0.5)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return made_landmarks()


def with_brows(landmarks: np.ndarray, which=(0, 1), light: float = 1.0) -> np.ndarray:
    """A face whose brows are half as bright as its skin."""
    image = light * made_face(landmarks).astype(np.float32)
    for brow in which:
        image *= 1 - 0.5 * polygon(landmarks[BROWS[brow]], (SIDE, SIDE))[..., None]
    return image


def within(landmarks: np.ndarray, brow: int) -> np.ndarray:
    return polygon(landmarks[BROWS[brow]], (SIDE, SIDE)) > 0.99


@pytest.mark.parametrize("light", [1.0, 0.5])
def test_a_brow_is_what_it_takes_of_the_skins_light_whatever_that_is(landmarks, light):
    taken = taken_light(with_brows(landmarks, light=light), landmarks)
    for brow in (0, 1):
        assert np.abs(taken[within(landmarks, brow)] - HALF).max() < 0.1
        assert depth_of(taken, place_of(landmarks, brow, taken.shape[:2])) == pytest.approx(HALF, abs=0.1)
    beside = (place_of(landmarks, 0, taken.shape[:2]) <= 0) & (place_of(landmarks, 1, taken.shape[:2]) <= 0)
    assert (taken[beside] == 0).all()


def test_what_is_brighter_than_the_skin_around_a_brow_is_none_of_it(landmarks):
    image = with_brows(landmarks)
    image[int(landmarks[BROWS[0], 1].max()) + 3 :] *= 1.2
    assert taken_light(image, landmarks).max() <= 0


def test_blue_hair_on_pink_skin_makes_no_blue_brow_elsewhere(landmarks):
    image = with_brows(landmarks)
    image[within(landmarks, 0)] = (60, 110, 135)
    taken = taken_light(image, landmarks)[within(landmarks, 0)]
    assert taken.max() < -0.2
    assert (taken.min(-1) / taken.max(-1)).max() < 1.6


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_brow_is_carried_to_a_turned_face_or_to_its_other_side(landmarks, mirrored):
    taken, other = taken_light(with_brows(landmarks, which=(0,)), landmarks), made_landmarks(yaw=20.0)
    found = carried(taken, landmarks, other, SIDE, mirrored)
    onto, bare = (1, 0) if mirrored else (0, 1)
    assert np.median(found[within(other, onto)]) == pytest.approx(HALF, abs=0.1)
    assert np.abs(found[within(other, bare)]).max() < 0.05


@pytest.mark.parametrize("brow", [0, 1])
def test_a_drawn_brow_lies_along_the_landmarks_and_is_as_dark_as_was_asked(landmarks, brow):
    made = drawn(landmarks, brow, SIDE, np.full(3, -0.8), seed=3)
    assert made.min() >= -0.8 - 1e-5
    assert made.max() <= 0
    assert -0.8 < made[within(landmarks, brow)].mean() < -0.3
    place = place_of(landmarks, brow, (SIDE, SIDE))
    assert made[place > 0.5].sum() < 0.75 * made.sum()
    assert (made == drawn(landmarks, brow, SIDE, np.full(3, -0.8), seed=3)).all()
