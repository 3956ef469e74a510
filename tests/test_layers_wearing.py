"""Hair under hats, on values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import eye_distance, require_face
from durian.geometry.mesh import CHIN
from durian.layers.wearing import press_hair

EDGE = 4
"""Pixels that an outline may miss."""


@pytest.fixture(scope="module")
def landmarks(collins):
    return require_face(collins).landmarks


def shapes(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Hair like a wide bell around a head, a cap narrower than it, the eye distance and the eyes' middle."""
    unit = eye_distance(landmarks)
    middle = (landmarks[33, :2] + landmarks[263, :2]) / 2
    y, x = np.mgrid[:512, :512].astype(np.float32)
    across, down = (x - middle[0]) / unit, (y - middle[1]) / unit
    hair = ((np.abs(across) < 1.6) & (down > -1.6) & (down < 2.5)).astype(np.float32)
    hat = ((np.abs(across) < 0.95) & (down > -1.5) & (down < -0.45)).astype(np.float32)
    return hair, hat, unit, middle


def test_nothing_sticks_out_beyond_a_hat_and_nothing_goes_below_it(landmarks):
    hair, hat, unit, middle = shapes(landmarks)
    beyond = press_hair(hair, hat, landmarks, unit).beyond
    above = slice(0, int(middle[1] - 1.55 * unit))
    columns = slice(int(middle[0] - 0.8 * unit), int(middle[0] + 0.8 * unit))
    assert beyond[above, columns].min() > 0.95
    assert beyond[int(middle[1]) :].max() == 0


def test_hair_comes_out_from_under_the_hat_and_finds_its_width_again(landmarks):
    hair, hat, unit, middle = shapes(landmarks)
    pressed = press_hair(hair, hat, landmarks, unit)
    left = pressed.press(hair) * (1 - pressed.beyond)

    def outline(down: float) -> np.ndarray:
        return np.abs(np.flatnonzero(left[int(middle[1] + down * unit)] > 0.5)[[0, -1]] - middle[0]) / unit

    assert np.allclose(outline(-0.40), 0.95, atol=0.15)
    for down in (0.6, 2.0):
        assert np.allclose(outline(down), 1.6, atol=EDGE / unit)
    widths = np.array([outline(down) for down in np.arange(-0.3, 2.0, 0.1)])
    assert (np.diff(widths, axis=0) > -EDGE / unit).all()
    together = ((left > 0.5) | (hat > 0.5)).astype(np.uint8)
    assert cv2.connectedComponents(together)[0] == 2


def test_a_face_keeps_its_place(landmarks):
    hair, hat, unit, _ = shapes(landmarks)
    pressed = press_hair(hair, hat, landmarks, unit)
    rows, columns = np.indices(hair.shape)
    for point in landmarks[[1, 33, 263, 61, 291, CHIN, 50, 280], :2]:
        x, y = np.rint(point).astype(int)
        assert abs(pressed.map_x[y, x] - columns[y, x]) < 0.5
        assert abs(pressed.map_y[y, x] - rows[y, x]) < 0.5


def test_hair_narrower_than_a_brim_is_left_alone(landmarks):
    hair, _, unit, middle = shapes(landmarks)
    y, x = np.mgrid[:512, :512]
    brim = ((np.abs(x - middle[0]) < 2 * unit) & (np.abs(y - middle[1] + 0.7 * unit) < 0.25 * unit)).astype(np.float32)
    pressed = press_hair(hair, brim, landmarks, unit)
    assert not pressed.moved.any()
    assert pressed.press(hair) is hair


def test_without_a_hat_nothing_happens(landmarks):
    hair, hat, unit, _ = shapes(landmarks)
    pressed = press_hair(hair, np.zeros_like(hat), landmarks, unit)
    assert not pressed.moved.any()
    assert pressed.beyond.max() == 0


def test_under_a_scarf_around_the_neck_no_hair_is_seen(landmarks):
    hair, _, unit, middle = shapes(landmarks)
    y, x = np.mgrid[:512, :512].astype(np.float32)
    away = np.hypot(x - middle[0], y - middle[1]) / unit
    scarf = ((away > 1.1) & (away < 1.7)).astype(np.float32)
    pressed = press_hair(hair, scarf, landmarks, unit)
    assert pressed.hides_all
    assert not pressed.moved.any()
    assert pressed.beyond[int(middle[1]), int(middle[0] - 1.8 * unit)] > 0.95
    # Below are a neck and shoulders, which stay.
    assert pressed.beyond[int(landmarks[CHIN, 1] + 0.2 * unit) :].max() < 0.05


def test_a_strap_presses_no_hair(landmarks):
    hair, hat, unit, middle = shapes(landmarks)
    strap = hat.copy()
    left = int(middle[0] - 0.9 * unit)
    strap[int(middle[1] - 0.5 * unit) : int(middle[1] + unit), left : left + round(0.1 * unit)] = 1
    below = slice(int(middle[1] + 0.2 * unit), None)
    assert press_hair(hair, strap, landmarks, unit).beyond[below].max() < 0.05
