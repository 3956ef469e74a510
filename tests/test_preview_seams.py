"""Edges of openings in a face, on values."""

from __future__ import annotations

import numpy as np
import pytest

from durian.preview.seams import Seam

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
