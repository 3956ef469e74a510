"""Pictures for the reference nets, cut out of what a visitor gives."""

from __future__ import annotations

import numpy as np
import pytest
from faces_made import SIDE, SKIN, made_face, made_landmarks

from durian.diffusion.inputs import ROOM_AROUND_ITEM, reference_picture
from durian.face import Face, default_crop
from durian.request import Attribute

SIZE = 64


def item(landmarks: np.ndarray | None) -> Attribute:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[30:50, 150:190] = 255
    image = made_face(made_landmarks())
    image[mask > 0] = (10, 200, 40)
    return Attribute(image, mask, landmarks, "hat", strength=0.5)


def test_a_reference_with_a_face_is_cut_out_around_it_as_portraits_are():
    landmarks = made_landmarks()
    made = reference_picture(item(landmarks), SIZE)
    crop = default_crop(Face(landmarks), (SIDE, SIDE, 3))
    assert np.array_equal(made.image, crop.apply(item(landmarks).image, SIZE))
    assert np.array_equal(made.mask, crop.apply(item(landmarks).mask, SIZE))
    assert made.keypoints.any()
    assert made.strength == 0.5


def test_a_reference_without_a_face_is_cut_out_around_the_item():
    made = reference_picture(item(None), SIZE)
    rows, columns = (np.flatnonzero(made.mask.max(axis) > 127) for axis in (1, 0))
    assert [rows.mean(), columns.mean()] == pytest.approx([(SIZE - 1) / 2] * 2, abs=1)
    assert len(columns) == pytest.approx(SIZE / ROOM_AROUND_ITEM, rel=0.15)
    assert len(rows) == pytest.approx(len(columns) / 2, rel=0.2)
    assert np.abs(made.image[made.mask > 250].astype(int) - (10, 200, 40)).max() < 8
    assert np.abs(made.image[-1, -1].astype(int) - SKIN).max() < 3
    assert not made.keypoints.any()
