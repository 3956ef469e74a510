"""Round frames of avatars, on made pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.layers.picture_frame import find_frame

SIDE = 300


def photograph(seed: int = 3) -> np.ndarray:
    """Soft blotches of many colours, ``(SIDE, SIDE, 3) uint8``."""
    coarse = np.random.default_rng(seed).integers(20, 220, (12, 12, 3)).astype(np.uint8)
    return cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def framed(shape: np.ndarray, ground: int = 255) -> np.ndarray:
    share = shape[..., None].astype(np.float32) / 255
    return np.rint(ground + share * (photograph() - np.float32(ground))).astype(np.uint8)


def disc() -> np.ndarray:
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(drawn, (SIDE // 2, SIDE // 2), SIDE // 2 - 1, 255, -1, cv2.LINE_AA)
    return drawn


def rounded(radius: int) -> np.ndarray:
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    corners = [(x, y) for x in (radius, SIDE - 1 - radius) for y in (radius, SIDE - 1 - radius)]
    cv2.fillConvexPoly(drawn, cv2.convexHull(np.array(corners)), 255)
    return cv2.dilate(drawn, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2))


@pytest.mark.parametrize("ground", [255, 0, 128])
def test_a_circle_on_a_plain_ground_is_found_to_the_pixel(ground):
    shape = disc()
    found = find_frame(framed(shape, ground))
    assert np.abs(found.ground - ground).max() < 2
    assert ((found.inside > 127) != (shape > 127)).mean() < 0.01


def test_round_corners_are_found():
    shape = rounded(60)
    found = find_frame(framed(shape))
    assert ((found.inside > 127) != (shape > 127)).mean() < 0.01


def test_a_wall_in_the_colour_of_the_ground_hides_no_circle():
    shape = disc()
    picture = framed(shape)
    picture[:100, 150:] = 255
    assert ((find_frame(picture).inside > 127) != (shape > 127)).mean() < 0.02


def test_an_ordinary_photograph_has_none():
    assert find_frame(photograph()) is None


def test_somebody_in_front_of_a_white_wall_has_none():
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    cv2.circle(picture, (150, 110), 70, (150, 100, 80), -1)
    cv2.ellipse(picture, (150, 320), (140, 130), 0, 0, 360, (40, 50, 90), -1)
    assert find_frame(picture) is None


def test_a_plain_picture_has_none():
    assert find_frame(np.full((SIDE, SIDE, 3), 255, np.uint8)) is None
