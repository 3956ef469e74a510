"""Editing of a mask: starts, clicks, strokes, and every step undone and redone."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from durian.errors import InvalidRequest
from durian.prepare import MOST_CLICK_WORK, MOST_CLICKS
from durian.ui import masking
from durian.ui.masking import BYTES_KEPT, STEPS_KEPT, MaskHistory


class Discs:
    """A segmenter whose mask is a disc of 6 px around each positive click, on top of the start."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def set_image(self, image: np.ndarray) -> None:
        self.shape = image.shape[:2]

    def predict(self, points, labels, box=None, start=None):
        self.asked.append((points.tolist(), labels.tolist(), start is not None))
        y, x = np.mgrid[: self.shape[0], : self.shape[1]]
        mask = np.zeros(self.shape, np.uint8) if start is None else start.copy()
        for (px, py), label in zip(points, labels, strict=True):
            mask[np.hypot(x - px, y - py) < 6] = 255 * label
        return mask


@pytest.fixture
def history() -> MaskHistory:
    return MaskHistory(np.zeros((60, 80, 3), np.uint8))


def test_steps_go_back_and_forth_exactly(history):
    segmenter, masks = Discs(), [history.mask.copy()]
    for x in (10, 30, 50):
        history.click(segmenter, x, 20, True)
        masks.append(history.mask.copy())
    for expected in reversed(masks[:-1]):
        history.undo()
        np.testing.assert_array_equal(history.mask, expected)
    assert history.can == ["redo"]
    for expected in masks[1:]:
        history.redo()
        np.testing.assert_array_equal(history.mask, expected)
    assert history.can == ["undo", "clear"]


def test_a_new_edit_forgets_what_was_undone(history):
    segmenter = Discs()
    history.click(segmenter, 10, 20, True)
    history.click(segmenter, 40, 20, True)
    history.undo()
    history.click(segmenter, 60, 40, False)
    assert [click[:2] for click in history.step.clicks] == [(10, 20), (60, 40)]
    assert "redo" not in history.can


def test_clicks_refine_the_start_and_strokes_become_one(history):
    segmenter = Discs()
    start = np.zeros((60, 80), np.uint8)
    start[:10] = 255
    history.start("hat", start)
    history.click(segmenter, 40, 30, True)
    history.stroke([(70, 50)], 4, paint=True)
    painted = history.mask.copy()
    history.click(segmenter, 20, 50, True)
    # All clicks stay numbered; only those after the stroke are asked for again, on top of what was painted.
    assert len(history.step.clicks) == 2
    assert segmenter.asked[-1] == ([[20.0, 50.0]], [1], True)
    assert (history.mask[painted == 255] == 255).all()


def test_a_stroke_has_its_radius_and_the_eraser_undoes_the_brush(history):
    history.stroke([(20.0, 30.0), (60.0, 30.0)], 5, paint=True)
    inside = history.mask > 127
    assert inside[30, 20:61].all()
    assert inside[:, 40].sum() in (10, 11)
    history.stroke([(20.0, 30.0), (60.0, 30.0)], 7, paint=False)
    assert not (history.mask > 127).any()


@pytest.mark.parametrize(("x", "y"), [(-5, 3), (80, 3), (3, 60), (3, -0.6)])
def test_a_click_outside_is_refused_and_changes_nothing(history, x, y):
    history.click(Discs(), 10, 10, True)
    before = history.step
    with pytest.raises(InvalidRequest, match="outside the 80×60 picture"):
        history.click(Discs(), x, y, True)
    assert history.step is before


def test_a_mask_of_another_size_is_refused(history):
    with pytest.raises(InvalidRequest, match="80×60"):
        history.start("hat", np.zeros((10, 10), np.uint8))


def test_the_mask_is_the_same_object_until_the_next_edit(history):
    history.click(Discs(), 10, 10, True)
    assert history.mask is history.mask


def test_memory_is_bounded(history):
    for index in range(STEPS_KEPT + 20):
        history.stroke([(index, 20.0)], 2, paint=True)
    assert len(history.steps) == STEPS_KEPT


def test_a_copy_is_independent(history):
    history.click(Discs(), 10, 10, True)
    other = copy.deepcopy(history)
    other.clear()
    assert history.mask.any()
    assert not other.mask.any()


def test_masks_of_noise_are_kept_for_fewer_steps():
    """Each takes a million bytes, packed or not."""
    rng = np.random.default_rng(0)
    history = MaskHistory(np.zeros((1000, 1000, 3), np.uint8))
    masks = [rng.integers(0, 256, (1000, 1000), np.uint8) for _ in range(20)]
    for mask in masks:
        history.start("hat", mask)
        np.testing.assert_array_equal(history.mask, mask)
    kept = {id(packed): len(packed) for step in history.steps for packed in (step.packed, step.base)}
    assert 4 <= len(history.steps) <= 8
    assert sum(kept.values()) <= BYTES_KEPT
    history.undo()
    np.testing.assert_array_equal(history.mask, masks[-2])


def test_the_newest_step_is_kept_however_large(monkeypatch):
    monkeypatch.setattr(masking, "BYTES_KEPT", 10)
    history = MaskHistory(np.zeros((60, 80, 3), np.uint8))
    history.stroke([(10, 10), (50, 40)], 5, True)
    assert history.mask.any()
    assert history.can == ["clear"]


def test_a_mask_has_so_many_clicks(history):
    """Those since the last stroke are followed anew with each, and all are shown."""
    segmenter, most = Discs(), int(MOST_CLICK_WORK) - 1
    for index in range(most):
        history.click(segmenter, index % 80, 20, True)
    with pytest.raises(InvalidRequest, match=f"{most} clicks already: clear it"):
        history.click(segmenter, 10, 20, True)
    for count in range(most, MOST_CLICKS):
        if count % 10 == 9:
            history.stroke([(5, 5)], 3, True)
        history.click(segmenter, 10, 20, True)
    history.stroke([(5, 5)], 3, True)
    with pytest.raises(InvalidRequest, match="200 clicks already: clear it"):
        history.click(segmenter, 10, 20, True)
    history.clear()
    history.click(segmenter, 10, 20, True)
