"""Ears beside a face, on values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE, made_landmarks

from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL
from durian.layers.ears import beside_ears, ears
from durian.layers.skin import face_and_skull, polygon

LANDMARKS = made_landmarks()
LEFT, RIGHT = (float(LANDMARKS[at, 0]) for at in (234, 454))
EYES = 0.42 * SIDE


def disc(x: float, y: float, radius: int) -> np.ndarray:
    """``(SIDE, SIDE) float32``, 1 within."""
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(drawn, (round(x), round(y)), radius, 1, -1)
    return drawn.astype(np.float32)


@pytest.fixture(scope="module")
def oval() -> np.ndarray:
    return polygon(LANDMARKS[FACE_OVAL], (SIDE, SIDE))


def test_skin_beside_a_face_is_an_ear(oval):
    ear = disc(RIGHT + 6, EYES + 15, 7)
    found = ears(LANDMARKS, np.maximum(np.float32(oval > 0.9), ear), np.zeros_like(oval))
    assert found[(ear > 0) & (oval == 0)].mean() > 0.95
    assert found[:, : SIDE // 2].max() < 0.2
    assert found[oval == 1].max() == 0


def test_a_sliver_of_skin_between_strands_is_none(oval):
    sliver = np.zeros_like(oval)
    row, edge = round(EYES + 15), round(RIGHT)
    sliver[row - 12 : row + 12, edge + 5 : edge + 7] = 1
    assert ears(LANDMARKS, sliver, np.zeros_like(oval)).max() == 0


def test_hair_forehead_and_neck_are_none(oval):
    everywhere = np.ones_like(oval)
    hair = np.zeros_like(oval)
    hair[:, SIDE // 2 :] = 1
    found = ears(LANDMARKS, everywhere, hair)
    rows = np.arange(SIDE)[:, None] - EYES
    width = Head(LANDMARKS).width
    assert found[:, : SIDE // 2].max() == 1
    assert found[:, SIDE // 2 :].max() == 0
    assert found[np.broadcast_to((rows < -0.31 * width) | (rows > 0.51 * width), found.shape)].max() == 0


def test_between_ear_and_head_there_is_head_and_nowhere_else():
    width = Head(LANDMARKS).width
    head = face_and_skull(LANDMARKS, (SIDE, SIDE))
    row = round(EYES + 15)
    edge = int(np.flatnonzero(head[row] > 0.5).max())
    ear = disc(edge + 12, row, 8)
    assert beside_ears(head, np.zeros_like(head), width).max() == 0
    found = beside_ears(head, ear, width)
    assert found[row, edge : edge + 12].min() == 1
    assert found[: row - 25].max() == 0
    assert found[:, : edge - 12].max() == 0
    assert found[:, edge + 25 :].max() == 0
