"""Beards made whole, on shares as the parser gives them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE, UNIT, made_landmarks

from durian.geometry.mesh import INNER_LIPS
from durian.layers.skin import polygon
from durian.segmentation.parser.beards import certainty, whole_beard

JAW = [58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 287, 375, 405, 17, 181, 146, 57]


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return made_landmarks()[:, :2]


@pytest.fixture(scope="module")
def beard(points) -> np.ndarray:
    return cv2.GaussianBlur(polygon(points[JAW], (SIDE, SIDE)), (0, 0), 1.5)


def overlap(share: np.ndarray, beard: np.ndarray) -> float:
    found, wanted = share > 0.5, beard > 0.5
    return (found & wanted).sum() / (found | wanted).sum()


def whole(share, points):
    return whole_beard(share.astype(np.float32), points, UNIT, certainty(share))


@pytest.mark.parametrize("sure", [1.0, 0.4])
def test_a_beard_is_as_large_however_sure_the_network_is_of_it(points, beard, sure):
    assert overlap(whole(sure * beard, points), beard) > 0.85


def test_one_side_stands_for_the_other(points, beard):
    half = beard * (np.arange(SIDE)[None] < SIDE / 2)
    assert overlap(half, beard) < 0.6
    assert overlap(whole(half, points), beard) > 0.85


def test_a_turned_face_has_no_other_side():
    points = made_landmarks(yaw=40.0)[:, :2]
    beard = polygon(points[JAW], (SIDE, SIDE))
    half = beard * (np.arange(SIDE)[None] < points[152, 0])
    assert overlap(whole(half, points), half) > 0.85


def test_holes_and_specks_go_and_the_mouth_stays_open(points, beard):
    scrappy = beard.copy()
    x, y = (int(v) for v in points[175])
    cv2.circle(scrappy, (x, y), 4, 0.0, -1)
    cv2.circle(scrappy, (20, 20), 4, 1.0, -1)
    found = whole(scrappy, points)
    assert found[y, x] > 0.5
    assert found[20, 20] < 0.5
    assert not (found * (polygon(points[INNER_LIPS], (SIDE, SIDE)) > 0.99)).any()


def test_a_collar_on_one_side_is_no_beard(points, beard):
    collar = beard.copy()
    x, y = (int(v) for v in points[365])
    collar[y + 8 : y + 40, x + 8 : x + 30] = 1
    found = whole(collar, points)
    assert found[y + 15 : y + 40, x + 15 : x + 30].max() < 0.5


def test_a_shadow_is_no_beard(points, beard):
    shadow = (0.2 * beard).astype(np.float32)
    assert np.array_equal(whole(shadow, points), shadow)
