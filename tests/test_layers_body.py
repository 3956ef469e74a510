"""Necks and shoulders under hair, on values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE, made_landmarks

from durian.face import require_face
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL
from durian.layers.body import body_outline, body_under
from durian.layers.skin import polygon


@pytest.fixture(scope="module")
def landmarks(collins):
    return require_face(collins).landmarks


def person_with(landmarks: np.ndarray, slope: float) -> np.ndarray:
    """A matte of a face and shoulders that fall by ``slope`` from a neck's base."""
    width = Head(landmarks).width
    chin = landmarks[CHIN, :2]
    y, x = np.mgrid[:512, :512].astype(np.float32)
    across, down = np.abs(x - chin[0]) / width, (y - chin[1]) / width
    body = (down > 0.30 + slope * across) | ((across < 0.36) & (down > -0.3))
    return np.maximum(body.astype(np.float32), polygon(landmarks[FACE_OVAL], (512, 512)))


@pytest.mark.parametrize("slope", [0.1, 0.3, 0.5])
def test_hidden_shoulders_meet_the_seen_ones(landmarks, slope):
    person, width = person_with(landmarks, slope), Head(landmarks).width
    chin = landmarks[CHIN, :2]
    y, x = np.mgrid[:512, :512]
    lock = (np.abs(x - chin[0] - 0.75 * width) < 0.12 * width) & (y < chin[1] + 0.9 * width)
    with_hair = np.maximum(person, lock)
    found = body_under(with_hair, lock.astype(np.float32), landmarks)
    column = int(chin[0] + 0.75 * width)
    expected = chin[1] + (0.30 + slope * 0.75) * width
    assert abs(np.argmax(found[int(chin[1]) :, column] > 0.5) + int(chin[1]) - expected) < 0.12 * width


def test_high_shoulders_make_no_wide_neck(landmarks):
    """Locks hide both sides of the neck down to shoulders that begin higher than most people's."""
    width, chin = Head(landmarks).width, landmarks[CHIN, :2]
    y, x = np.mgrid[:512, :512]
    across, down = np.abs(x - chin[0]) / width, (y - chin[1]) / width
    seen = ((across < 0.1) & (down > 0)) | ((across > 0.8) & (down > 0.3))
    locks = (across >= 0.1) & (across <= 0.8) & (down > -0.5) & (down < 0.9)
    person = np.maximum((seen | locks).astype(np.float32), polygon(landmarks[FACE_OVAL], (512, 512)))
    found = body_under(person, locks.astype(np.float32), landmarks)
    row = int(chin[1] + 0.1 * width)
    assert (found[row] > 0.5).sum() < 0.8 * width
    shoulder = int(chin[0] + 0.78 * width)
    top = np.argmax(found[int(chin[1]) :, shoulder] > 0.5) / width
    assert abs(top - 0.3) < 0.1


def test_wholly_hidden_shoulders_are_as_most_people_have_them(landmarks):
    person, removed = np.ones((512, 512), np.float32), np.ones((512, 512), np.float32)
    found = body_under(person, removed, landmarks)
    usual = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(usual, [np.rint(body_outline(landmarks, usual.shape)).astype(np.int32)], 1)
    assert np.abs(found - usual).mean() < 0.01


def test_a_turned_head_s_neck_is_below_its_skull_and_not_below_its_chin():
    turned = made_landmarks(yaw=35)
    outline, head = body_outline(turned, (SIDE, SIDE)), Head(turned)
    assert abs(turned[CHIN, 0] - head.centre[0]) > 0.15 * head.width
    highest = (outline[0] + outline[-1]) / 2
    behind = (highest[0] - head.centre[0]) * np.sign(head.centre[0] - turned[CHIN, 0])
    assert 0 < behind < 0.15 * head.width


def test_a_leaning_head_s_neck_begins_at_its_chin():
    upright = made_landmarks()
    cos, sin = np.cos(np.radians(25)), np.sin(np.radians(25))
    lean = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    leaning = ((upright - upright[CHIN]) @ lean.T + upright[CHIN]).astype(np.float32)
    outline = body_outline(leaning, (SIDE, SIDE))
    assert np.linalg.norm((outline[1] + outline[-2]) / 2 - leaning[CHIN, :2]) < 0.15 * Head(leaning).width


def test_the_outline_is_symmetric_about_an_upright_head():
    front = np.zeros((478, 3), np.float32)
    front[[33, 263]] = [[220, 240, 0], [292, 240, 0]]
    front[[234, 454]] = [[186, 260, 60], [326, 260, 60]]
    front[[10, 151, 9]] = [[256, 180, 0], [256, 190, 0], [256, 215, 0]]
    front[[2, 164, 94, CHIN]] = [[256, 290, 0], [256, 295, 0], [256, 286, 0], [256, 350, 0]]
    for left, right in [(133, 362), (61, 291), (127, 356), (93, 323), (132, 361), (70, 300), (103, 332)]:
        front[left], front[right] = [200, 250, 20], [312, 250, 20]
    outline = body_outline(front, (512, 512))
    assert np.allclose(outline[:, 0] + outline[::-1, 0], 512, atol=1)
    assert np.allclose(outline[:, 1], outline[::-1, 1], atol=1)


def test_an_outline_that_is_made_up_has_no_steps(landmarks):
    person, width = person_with(landmarks, 0.15), Head(landmarks).width
    chin = landmarks[CHIN, :2]
    y, x = np.mgrid[:512, :512]
    locks = (np.abs(x - chin[0]) > 0.3 * width) & (np.abs(x - chin[0]) < 1.0 * width) & (y < chin[1] + width)
    found = body_under(np.maximum(person, locks), locks.astype(np.float32), landmarks)
    columns = np.arange(int(chin[0] + 0.6 * width), int(chin[0] + 0.9 * width))
    # Where the edge crosses each column, to a part of a pixel: what of the column below the chin is not covered.
    edge = (1 - found[int(chin[1]) : int(chin[1] + width)][:, columns]).sum(0)
    straight = np.convolve(edge, np.ones(9) / 9, "valid")
    assert np.abs(edge[4:-4] - straight).max() < 0.2
