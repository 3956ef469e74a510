"""Shoulders behind what is taken off, as high as what is seen of them, on values."""

from __future__ import annotations

import numpy as np
import pytest

from durian.face import require_face
from durian.layers.shoulders import ARM, NECK_HALF, SHOULDER, BodyFrame, shoulder_tops

SHAPE = (512, 512)


@pytest.fixture(scope="module")
def frame(collins) -> BodyFrame:
    whole = BodyFrame.of(require_face(collins).landmarks)
    return BodyFrame(np.array([256.0, 200.0]), whole.across, whole.down, 150.0)


def body(frame: BodyFrame, height: float, slope: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A matte of shoulders that begin at a height below the chin and fall by a slope, and every pixel's place."""
    across, down = frame.places(SHAPE)
    return (down > height + slope * np.abs(across)).astype(np.float32), across, down


def heights(frame: BodyFrame, top: np.ndarray, at: float) -> float:
    """How far down an edge is at a distance from the middle, in face widths."""
    offset = (top - frame.middle) / frame.width
    across, down = np.abs(offset @ frame.across), offset @ frame.down
    return float(np.interp(at, across, down))


@pytest.mark.parametrize(("height", "slope"), [(0.05, 0.1), (0.1, 0.3), (0.3, 0.5)])
def test_an_edge_that_locks_hide_goes_on_to_the_neck_without_a_bite(frame, height, slope):
    person, across, down = body(frame, height, slope)
    locks = (np.abs(across) > 0.3) & (np.abs(across) < 1.0) & (down < 1.0)
    person[locks] = 1
    for top in shoulder_tops(person, locks, frame):
        assert heights(frame, top, 1.2) == pytest.approx(height + slope * 1.2, abs=0.04)
        assert heights(frame, top, 0.8) == pytest.approx(height + slope * 0.8, abs=0.12)
        fall = np.diff(((top - frame.middle) / frame.width) @ frame.down)
        assert (fall > -1e-4).all(), "no shoulder falls towards the neck"


def test_a_side_of_which_nothing_is_seen_is_as_high_as_the_other(frame):
    person, across, _ = body(frame, 0.1, 0.2)
    hidden = across > 0.2
    person[hidden] = 1
    left, right = shoulder_tops(person, hidden, frame)
    for at in (0.6, 0.9, 1.2):
        assert heights(frame, right, at) == pytest.approx(0.1 + 0.2 * at, abs=0.08)
        assert heights(frame, left, at) == pytest.approx(heights(frame, right, at), abs=0.08)


def test_background_beside_hair_that_is_taken_off_is_no_shoulder(frame):
    person, across, down = body(frame, 0.35, 0.4)
    around = (np.abs(across) < 1.1) & (down < 0.6)
    hair = around & (down < 0.1)
    person[hair] = 1
    for top in shoulder_tops(person, around, frame):
        assert heights(frame, top, 0.7) > 0.5


def test_a_raised_arm_is_no_shoulder(frame):
    person, across, down = body(frame, 0.2, 0.35)
    person[(across > 0.9) & (across < 1.1) & (down > -1)] = 1
    hidden = (np.abs(across) < 0.8) & (down < 0.7)
    left, right = shoulder_tops(person, hidden, frame)
    assert heights(frame, right, 0.6) == pytest.approx(heights(frame, left, 0.6), abs=0.08)


def test_with_nothing_seen_shoulders_are_as_most_people_have_them(frame):
    everywhere = np.ones(SHAPE, bool)
    for top in shoulder_tops(everywhere.astype(np.float32), everywhere, frame):
        for across in np.linspace(NECK_HALF, ARM, 9):
            usual = float(np.interp(across, *np.array(SHOULDER).T))
            assert heights(frame, top, across) == pytest.approx(usual, abs=0.02)
