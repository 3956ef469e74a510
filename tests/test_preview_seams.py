"""Edges of openings in a face, on values."""

from __future__ import annotations

import numpy as np
import pytest

from durian.preview.seams import Seam, smooth_outline

FACE, PLATE, INSIDE = (180, 120, 100), (250, 250, 250), (40, 10, 10)


def smoothed(covered: np.ndarray) -> np.ndarray:
    """A face drawn where ``covered (12, 12) bool``, around an opening that is all but closed: its inside was drawn in
    the middle, and it covers no pixel."""
    before = np.full((12, 12, 3), PLATE, np.uint8)
    behind = before.copy()
    behind[4:9] = INSIDE
    frame = np.where(covered[..., None], np.uint8(FACE), behind)
    seam = Seam((slice(0, 12), slice(0, 12)), np.zeros((12, 12), np.float32), 1.0, before)
    seam.smooth(frame, behind, covered)
    return frame


@pytest.mark.parametrize("rows", [1, 2])
def test_lips_that_meet_show_no_light_between_them(rows):
    covered = np.ones((12, 12), bool)
    covered[6 : 6 + rows, 2:10] = False  # pixels that neither lip's triangles reach
    frame = smoothed(covered)
    assert np.abs(frame.astype(int) - FACE).max() <= 1


def test_beyond_a_face_there_is_what_was_there_before():
    covered = np.ones((12, 12), bool)
    covered[:, 7:] = False
    frame = smoothed(covered)
    assert np.abs(frame[:, 7].astype(int) - PLATE).max() <= 1
    assert np.abs(frame[:, :7].astype(int) - FACE).max() <= 1


def outlined(moved: float) -> tuple[np.ndarray, np.ndarray]:
    """A face whose outline goes down two pixels for each one across, before and after it is smoothed."""
    rows, columns = np.mgrid[:24, :24]
    covered = 2 * (columns - 6) > rows
    drawn = np.where(covered[..., None], np.uint8(FACE), np.full((24, 24, 3), PLATE, np.uint8))
    frame = drawn.copy()
    smooth_outline(frame, (slice(0, 24), slice(0, 24)), np.full((24, 24, 3), PLATE, np.uint8), covered, moved)
    return drawn, frame


def test_a_face_that_turned_ends_in_no_steps():
    before, after = (picture[4:20, :, 2].astype(int) for picture in outlined(5.0))
    steps = [np.abs(np.diff(picture, axis=1)).max() for picture in (before, after)]
    assert steps[0] == PLATE[2] - FACE[2]
    assert steps[1] < 0.65 * steps[0]
    # Its outline stays where it was, and what is beside it is what it was.
    assert np.abs(after.sum(1) - before.sum(1)).max() < 0.5 * steps[0]
    changed = (before != after).any(0)
    assert changed.sum() <= 12
    assert ((after >= FACE[2] - 1) & (after <= PLATE[2])).all()


def test_at_rest_a_face_stays_as_it_was_drawn():
    before, after = outlined(0.0)
    assert np.array_equal(before, after)
