"""A beard keeps to its wearer's head beside the cheeks, and is as thick there as on its owner."""

from __future__ import annotations

import numpy as np
import pytest
from faces_made import SIDE, made_landmarks

from durian.face import eye_distance
from durian.geometry.mesh import CHIN, FACE_OVAL, OUTER_LIPS
from durian.layers.skin import polygon
from durian.preview.beard_outline import LEVELS, beyond_head, stands_out


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return made_landmarks()


@pytest.fixture(scope="module")
def face(landmarks) -> np.ndarray:
    return polygon(landmarks[FACE_OVAL], (SIDE, SIDE))


def beside(landmarks: np.ndarray, face: np.ndarray, far: float) -> tuple[int, int]:
    """A pixel so many outer-eye distances beside the cheek, at the height of the nose."""
    row = int(landmarks[2, 1])
    return row, int(np.flatnonzero(face[row] > 0.5)[0] - far * eye_distance(landmarks))


def test_a_thin_beard_ends_with_the_head_beside_the_cheeks_and_hangs_below_the_chin(landmarks, face):
    cover = beyond_head(face, landmarks, np.zeros(len(LEVELS), np.float32))
    assert cover[beside(landmarks, face, 0.12)] == 255
    assert (cover[face > 0.5] == 0).all()
    chin, below = landmarks[CHIN, :2].astype(int), int(0.2 * eye_distance(landmarks))
    assert cover[chin[1] + below, chin[0]] == 0


def test_an_ear_is_part_of_the_head(landmarks, face):
    head, place = face.copy(), beside(landmarks, face, 0.12)
    head[place[0] - 9 : place[0] + 10, place[1] - 9 :] = 1
    assert beyond_head(head, landmarks, np.zeros(len(LEVELS), np.float32))[place] == 0


def test_a_full_beard_is_as_wide_on_its_wearer(landmarks, face):
    cover = beyond_head(face, landmarks, np.full(len(LEVELS), 0.2, np.float32))
    assert cover[beside(landmarks, face, 0.12)] == 0
    assert cover[beside(landmarks, face, 0.3)] == 255


@pytest.mark.parametrize(("behind", "thick"), [(False, True), (True, False)], ids=["at the outline", "before an ear"])
def test_a_beard_stands_out_where_background_lies_beside_it(landmarks, face, behind, thick):
    rows = slice(int(landmarks[2, 1]), int(landmarks[OUTER_LIPS, 1].max()))
    unit, left = eye_distance(landmarks), int(np.flatnonzero(face[rows][0] > 0.5)[0])
    mask, person = np.zeros((SIDE, SIDE), np.uint8), np.uint8(255 * face)
    mask[rows, left - int(0.2 * unit) : left + 4] = 255
    person[rows, left - int((0.4 if behind else 0.2) * unit) : left + 4] = 255
    if behind:  # the side of a head goes on above and below it
        person[:, left - int(0.4 * unit) : left + 4] = 255
    found = stands_out(mask, landmarks, person)
    assert (found.max() > 0.14) == thick
    assert found.max() < 0.28  # the face becomes narrower downwards
    assert found[[0, -1]].max() == 0


def test_nothing_is_said_of_the_cheeks_of_a_head_in_profile():
    turned = made_landmarks(yaw=60.0)
    everywhere = np.full((SIDE, SIDE), 255, np.uint8)
    everywhere[:, : SIDE // 4] = 0
    assert not stands_out(everywhere, turned, everywhere).any()
