"""Crops whose edge runs through the face, or leaves an eye or the mouth out: drawn by hand, they may be anywhere."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from faces_made import SIDE, SKIN, made_landmarks

from durian.face import Crop
from durian.face.geometry import face_middle
from durian.motion import preset
from durian.preview.opening import _held_in, box_around, inside_of
from durian.preview.renderer import PreviewRenderer
from durian.request import AnimationRequest, Portrait, RenderOptions

CORNERS = list(itertools.product((-1, 0, 1), repeat=2))
NONE_WORN = dict.fromkeys(("hat", "glasses", "beard", "lips", "hair"), np.zeros((SIDE, SIDE), np.uint8))


@pytest.mark.parametrize("part", [1.0, 0.56], ids=["the face", "less than the face"])
@pytest.mark.parametrize(("right", "down"), CORNERS)
def test_the_edge_of_a_crop_may_run_through_the_face(right: int, down: int, part: float):
    landmarks = made_landmarks()
    image = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    side = part * float(np.ptp(landmarks[:, 1]))
    x, y = face_middle(landmarks)
    crop = Crop(x + right * side / 2, y + down * side / 2, side)
    portrait = Portrait(image, landmarks, crop, NONE_WORN)
    request = AnimationRequest(portrait, (), None, RenderOptions(size=128, frames=8, label=False))
    still = PreviewRenderer().still(request)
    assert np.abs(still.astype(int) - SKIN).max() < 40
    for name in ("blink", "talk", "surprise"):
        moving = replace(request, motion=preset(name, 8, 24.0))
        frames = [PreviewRenderer().still(moving, frame) for frame in (2, 5)]
        assert all(frame.shape == (128, 128, 3) and frame.mean() > 60 for frame in frames)


@pytest.mark.parametrize("place", [-500.0, -1.0, 0.0, 50.0, 99.0, 101.0, 500.0])
def test_a_box_around_points_lies_in_the_picture(place: float):
    points = np.array([[place, 20.0], [place + 3, 25.0]], np.float32)
    for around in (points, points[:, ::-1]):
        x0, y0, x1, y1 = box_around(around, 4.0, (80, 100))
        assert 0 <= x0 <= x1 - 2 <= 98
        assert 0 <= y0 <= y1 - 2 <= 78


def test_the_inside_of_a_contour_is_pulled_in_from_its_edge():
    square = np.float32([[20, 20, 0], [60, 20, 0], [60, 60, 0], [20, 60, 0]])
    whole, pulled_in = (inside_of(square, np.arange(4), (80, 80), shrink) for shrink in (0.0, 3.0))
    assert whole[40, 22] == pytest.approx(1, abs=0.01)
    assert pulled_in[40, 20] < 0.2
    assert (pulled_in <= whole).all()
    assert pulled_in[40, 40] == pytest.approx(1, abs=0.01)


def test_what_lies_outside_a_contour_is_held_at_the_nearest_place_of_it():
    square = np.float32([[20, 20], [60, 20], [60, 60], [20, 60]])
    points = np.float32([[30, 5], [70, 50], [5, 70], [25, 58]])
    assert _held_in(points, square).tolist() == [[30, 20], [60, 50], [20, 60], [25, 58]]
