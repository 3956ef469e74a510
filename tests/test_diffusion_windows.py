"""Windows over a clip: every frame counts once, seams move, and no window joins the end to the start."""

from __future__ import annotations

import numpy as np
import pytest

from durian.diffusion.windows import moving_windows, offset_at, windows
from durian.errors import InvalidRequest

SHAPES = [
    (frames, size, overlap)
    for frames in (1, 2, 7, 24, 25, 41, 100)
    for size in (1, 2, 8, 24)
    for overlap in sorted({0, min(1, size - 1), size // 2, size - 1})
]


def total(of_step, frames: int) -> np.ndarray:
    weights = np.zeros(frames)
    for window in of_step:
        weights[window.indices] += window.weights
    return weights


@pytest.mark.parametrize(("frames", "size", "overlap"), SHAPES)
def test_windows_cover_the_clip_at_every_offset(frames, size, overlap):
    for offset in range(size - overlap):
        found = windows(frames, size, overlap, offset)
        assert np.allclose(total(found, frames), 1, atol=1e-6)
        assert all((window.weights >= 0).all() for window in found)
        assert all(window.weights.max() > 0 for window in found)
        for window in found:
            assert np.array_equal(window.indices, window.indices[0] + np.arange(min(size, frames)))
            assert frames <= size or not {0, frames - 1} <= set(window.indices)
        starts = np.array([window.indices[0] for window in found])
        assert (np.diff(starts) > 0).all()
        assert (np.diff(starts) <= size - overlap).all()
        assert (starts[0], starts[-1]) == (0, max(frames - size, 0))


def test_a_short_clip_is_one_window():
    for frames in (1, 5, 24):
        (only,) = windows(frames, 24, 8, offset=3)
        assert np.array_equal(only.indices, np.arange(frames))
        assert (only.weights == 1).all()


def test_weights_fall_linearly_towards_a_seam():
    first, second = windows(10, 6, 2)
    assert first.weights == pytest.approx([1, 1, 1, 1, 2 / 3, 1 / 3])
    assert second.weights == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 1])


def test_an_offset_moves_every_window_but_those_at_the_ends():
    still = [window.indices[0] for window in windows(60, 24, 8)]
    moved = [window.indices[0] for window in windows(60, 24, 8, offset=5)]
    assert still == [0, 16, 32, 36]
    assert moved == [0, 11, 27, 36]
    assert moved == [window.indices[0] for window in windows(60, 24, 8, offset=5 + 16)]


def test_every_seam_moves():
    for offset in range(4):
        first, second = windows(7, 6, 2, offset)
        rising = np.clip(np.arange(7) - 3 + offset, 0, 3) / 3
        assert first.weights == pytest.approx(1 - rising[:6], abs=1e-6)
        assert second.weights == pytest.approx(rising[1:], abs=1e-6)


def test_offsets_spread_over_the_stride():
    for stride in (1, 2, 3, 5, 16, 23):
        offsets = [offset_at(step, stride) for step in range(4 * stride)]
        assert offsets[0] == 0
        assert set(offsets) == set(range(stride))
        if stride >= 3:
            assert (np.diff(offsets) != 0).all()


def test_no_frame_lies_at_a_seam_at_every_step():
    windows_of = moving_windows(100, 24, 8)
    whole = np.zeros((8, 100), bool)
    for step in range(8):
        for window in windows_of(step):
            whole[step, window.indices] |= window.weights == 1
    assert whole.any(0).all()
    assert not whole.all(1).any()
    assert not whole[:, 10:90].all(0).any()


def test_moving_windows_follow_the_step():
    windows_of = moving_windows(60, 24, 8)
    for step in range(5):
        expected = windows(60, 24, 8, offset_at(step, 16))
        assert all(
            np.array_equal(a.indices, b.indices) and np.array_equal(a.weights, b.weights)
            for a, b in zip(windows_of(step), expected, strict=True)
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 24, 8), "0 frames"),
        ((10, 0, 0), "windows of 0"),
        ((10, 8, 8), "0 to 7"),
        ((10, 8, -1), "overlap by -1"),
    ],
)
def test_windows_that_make_no_sense_are_one_sentence(arguments, said):
    with pytest.raises(InvalidRequest) as error:
        windows(*arguments)
    assert said in str(error.value)
    assert str(error.value).count(".") == 1


def test_moving_windows_refuse_before_the_first_step():
    with pytest.raises(InvalidRequest, match="cannot overlap"):
        moving_windows(10, 8, 9)
