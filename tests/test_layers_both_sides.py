"""What of a beard's effect only one half of its owner's face shows is a shadow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE, made_beard, made_landmarks

from durian.face import eye_distance
from durian.layers.both_sides import on_both_sides


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return made_landmarks()


@pytest.fixture(scope="module")
def matte(landmarks) -> np.ndarray:
    return made_beard(landmarks)


def kept(hidden: np.ndarray, density: float, matte: np.ndarray, landmarks: np.ndarray) -> tuple[float, float]:
    """Shares of the effect that stay on the picture's left and right, well within the beard."""
    share = on_both_sides(hidden, np.full_like(matte, density), matte, landmarks, eye_distance(landmarks))
    assert share.shape == matte.shape
    assert share.dtype == np.float32
    middle = landmarks[152, 0]
    there = cv2.erode(matte, np.ones((15, 15))) > 0.95
    x = np.arange(SIDE)[None]
    apart = 0.3 * eye_distance(landmarks)
    return float(share[there & (x < middle - apart)].mean()), float(share[there & (x > middle + apart)].mean())


def sides(matte: np.ndarray, landmarks: np.ndarray, left: float, right: float) -> np.ndarray:
    """Skin hidden by so much on either side."""
    return np.where(np.arange(SIDE)[None] < landmarks[152, 0], left, right).astype(np.float32) * matte


def test_stubble_on_both_sides_stays(matte, landmarks):
    left, right = kept(sides(matte, landmarks, 0.2, 0.2), 0.0, matte, landmarks)
    assert left > 0.97
    assert right > 0.97


def test_a_shadow_on_one_side_goes_down_to_the_stubble_of_the_other(matte, landmarks):
    left, right = kept(sides(matte, landmarks, 0.1, 0.4), 0.0, matte, landmarks)
    assert left > 0.97
    assert 0.2 < right < 0.45  # 0.1 of 0.4, and 1.4 times that


def test_stubble_that_the_mask_has_on_one_side_alone_goes(matte, landmarks):
    half = matte * (np.arange(SIDE)[None] > landmarks[152, 0])
    share = on_both_sides(0.2 * half, np.zeros_like(matte), half, landmarks, eye_distance(landmarks))
    there = (cv2.erode(half, np.ones((15, 15))) > 0.95) & (
        np.arange(SIDE)[None] > landmarks[152, 0] + 0.3 * eye_distance(landmarks)
    )
    assert share[there].mean() < 0.2


def test_a_dense_beard_is_as_its_owner_wears_it(matte, landmarks):
    left, right = kept(sides(matte, landmarks, 0.5, 0.9), 1.0, matte, landmarks)
    assert left == pytest.approx(1)
    assert right == pytest.approx(1)


def test_without_a_counterpart_nothing_changes(landmarks):
    nothing = np.zeros((SIDE, SIDE), np.float32)
    share = on_both_sides(nothing, nothing, nothing, landmarks, eye_distance(landmarks))
    assert np.array_equal(share, np.ones_like(nothing))
