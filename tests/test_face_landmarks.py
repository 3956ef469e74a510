"""Landmarks of pictures that are small for the detector: they lie in the small picture's own pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import detect_faces
from durian.face.landmarks import detect_upscaled, track_upscaled

SIDE = 200


@pytest.fixture(scope="module")
def small(collins) -> np.ndarray:
    """Her head and shoulders, 300 pixels across in the photo."""
    return cv2.resize(collins[:300, 70:370], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    "find", [detect_upscaled, lambda picture: track_upscaled(picture[None])[0]], ids=["one", "clip"]
)
def test_landmarks_of_a_small_picture_lie_where_those_of_the_large_one_do(collins, small, find):
    large = detect_faces(np.ascontiguousarray(collins[:300, 70:370]))[0]
    expected = (large.landmarks[:, :2] + 0.5) * SIDE / 300 - 0.5
    found = find(small)
    assert found.shape == (478, 3)
    assert np.linalg.norm(found[:, :2] - expected, axis=1).mean() < 0.05 * large.eye_distance * SIDE / 300
    # And not to one side: in the mirror they lie in the mirror.
    mirrored = find(np.ascontiguousarray(small[:, ::-1]))
    assert found[:, 0].mean() + mirrored[:, 0].mean() == pytest.approx(SIDE - 1, abs=0.5)


def test_where_a_small_picture_shows_nobody_there_are_no_landmarks():
    wall = np.full((SIDE, SIDE, 3), 120, np.uint8)
    assert detect_upscaled(wall) is None
