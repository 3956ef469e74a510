"""New hair over what its reference did not show, on values."""

from __future__ import annotations

import numpy as np
import pytest
from faces_made import SIDE, made_landmarks

from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL
from durian.layers.scalp import scalp_under
from durian.layers.skin import polygon


@pytest.fixture(scope="module")
def covered() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A shell of hair that begins a third beyond the skull, how far each pixel is from the skull's centre in its radii,
    and the scalp under it."""
    landmarks = made_landmarks()
    head = Head(landmarks)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    distance = head.skull_distance(np.stack([x, y], -1))
    hair = ((distance > 1.3) & (distance < 1.6)).astype(np.float32)
    return hair, distance, scalp_under(hair, landmarks, np.ones_like(hair))[1]


def test_hair_of_a_wider_head_goes_on_to_the_skull(covered):
    _, distance, scalp = covered
    eyes = int(0.42 * SIDE)
    beside = np.zeros_like(scalp, bool)
    beside[eyes - 60 : eyes - 10] = True
    assert scalp[beside & (distance > 1.05) & (distance < 1.2)].min() > 0.9


def test_a_skull_above_the_forehead_stays_bare_where_hair_stands_off(covered):
    _, distance, scalp = covered
    face = polygon(made_landmarks()[FACE_OVAL], scalp.shape)
    above = (np.arange(SIDE)[:, None] < 0.42 * SIDE - 20) & (face == 0) & (distance < 0.9)
    assert above.sum() > 500
    assert scalp[above].max() < 0.05


def test_a_loop_that_stands_off_is_no_disc():
    landmarks = made_landmarks()
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    distance = Head(landmarks).skull_distance(np.stack([x, y], -1))
    loop = ((distance > 1.75) & (distance < 1.85)).astype(np.float32)
    _, scalp, _ = scalp_under(loop, landmarks, np.ones_like(loop))
    assert scalp[(y < 0.42 * SIDE - 20) & (distance > 1.5)].max() < 0.01


def test_ears_and_clothes_are_not_covered():
    landmarks = made_landmarks()
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    distance = Head(landmarks).skull_distance(np.stack([x, y], -1))
    hair = ((distance > 1.3) & (distance < 1.6)).astype(np.float32)
    free = (x < SIDE / 2).astype(np.float32)
    _, scalp, _ = scalp_under(hair, landmarks, free)
    outside = (distance > 1.05) & (distance < 1.22)
    assert scalp[outside & (x > SIDE / 2 + 2)].max() < 0.01
    assert scalp[outside & (x < SIDE / 2 - 40)].mean() > 0.5


def test_at_the_face_s_edge_hair_ends_softly_and_nothing_shows_between():
    landmarks = made_landmarks()
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    distance = Head(landmarks).skull_distance(np.stack([x, y], -1))
    hair = ((distance > 1.3) & (distance < 1.6)).astype(np.float32)
    there, share, _ = scalp_under(hair, landmarks, np.ones_like(hair))
    face = polygon(landmarks[FACE_OVAL], hair.shape)
    row = int(landmarks[234, 1]) + 20
    edge = slice(int(np.nonzero(face[row] > 0.5)[0][0]) - 3, int(np.nonzero(face[row] > 0.5)[0][0]) + 3)
    assert np.maximum(there, face)[row, edge].min() > 0.95
    assert np.abs(np.diff(share[row, edge])).max() < 0.3
    assert share[row, edge].min() < 0.3 < 0.7 < share[row, edge].max()


def test_no_corner_of_a_neck_nobody_sees_shows_between_jaw_and_hair():
    landmarks = made_landmarks()
    face = polygon(landmarks[FACE_OVAL], (SIDE, SIDE))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    chin, width = landmarks[152], Head(landmarks).width
    row = int(chin[1] - 0.12 * width)
    jaw = int(np.flatnonzero(face[row] > 0.5).max())
    hair = ((columns > jaw + 0.1 * width) & (rows > row - 40)).astype(np.float32)
    neck = ((rows > row - 5) & (face == 0) & (hair == 0)).astype(np.float32)
    corner = (row, slice(jaw + 3, int(jaw + 0.1 * width)))
    free = (1 - neck) * (1 - face)
    assert scalp_under(hair, landmarks, free)[0][corner].max() < 0.1
    covered = scalp_under(hair, landmarks, free, neck)[0]
    assert covered[corner].min() > 0.9
    below = (rows > chin[1] + 20) & (np.abs(columns - chin[0]) < 0.1 * width)
    assert covered[below].max() < 0.05
