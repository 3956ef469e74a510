"""The visible label: its place and legibility, and unchanged pixels everywhere else."""

from __future__ import annotations

import numpy as np
import pytest

from durian.engine.label import HEIGHT, TEXT, draw_label


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("shape", [(512, 512), (720, 480), (256, 1024)])
def test_the_label_reads_on_any_ground_and_stays_in_its_corner(shape: tuple[int, int], shade: int):
    frame = np.full((*shape, 3), shade, np.uint8)
    before = frame.copy()
    labelled = draw_label(frame)
    assert np.array_equal(frame, before)
    height, width = shape
    changed = (labelled != frame).any(2)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert rows[0] > 0.85 * height
    assert columns[0] > width - 0.3 * min(shape)
    assert changed.mean() < 0.03
    # Readable on a phone; before black only the letters are seen, and not the plate around them.
    assert 0.02 < np.ptp(rows) / min(shape) < 0.07
    patch = labelled[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1, 0].astype(int)
    ground = int(np.median(patch))
    # White letters against what the plate made of the ground.
    assert patch.max() > 230
    assert patch.max() - ground > 100


@pytest.mark.parametrize("side", [300, 512, 1080])
def test_all_letters_are_there_and_the_plate_reaches_beyond_them(side: int):
    from PIL import ImageFont

    left, top, right, bottom = ImageFont.load_default(size=round(HEIGHT * side)).getbbox(TEXT)
    black, white = (np.full((side, side, 3), shade, np.uint8) for shade in (0, 255))
    letters, plate = ((draw_label(ground) != ground).any(2) for ground in (black, white))
    for axis, length in ((0, right - left), (1, bottom - top)):
        inner, outer = np.flatnonzero(letters.any(axis)), np.flatnonzero(plate.any(axis))
        assert np.ptp(inner) + 1 == pytest.approx(length, abs=max(2, 0.03 * length))
        assert outer[0] + 2 <= inner[0]
        assert inner[-1] <= outer[-1] - 2


def test_a_label_larger_than_the_frame_is_cut_not_refused():
    assert draw_label(np.zeros((16, 20, 3), np.uint8)).shape == (16, 20, 3)
