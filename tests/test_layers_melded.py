"""Joins of patches in a completed picture."""

from __future__ import annotations

import numpy as np
import pytest

from durian.layers.completion.melded import LARGEST, melded

SIDE, REACH = 64, 3
HOLE = np.zeros((SIDE, SIDE), bool)
HOLE[12:52, 24:60] = True
TARGETS = np.argwhere(HOLE).astype(np.int32)
WINDOW = np.ones((2 * REACH + 1,) * 2, np.float32)
SOURCE = 10
"""Column of what is known from which on all patches are taken."""


def completed(step: float, grain: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A picture whose hole has a step of so many levels along its middle, and one without it, both with the same grain
    as the patches they were taken from."""
    rows = grain * np.random.default_rng(0).standard_normal(SIDE).astype(np.float32)
    plain = np.full((SIDE, SIDE, 3), 100, np.float32) + rows[:, None, None]
    stepped = plain.copy()
    stepped[:, 42:][HOLE[:, 42:]] += step
    return stepped, plain


def result(picture: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.int32)
    matches = y, np.full_like(x, SOURCE)
    return melded(picture, HOLE, TARGETS, matches, np.ones((SIDE, SIDE), np.float32), WINDOW)


def steepest(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture[12:52], axis=1)).max())


def test_a_step_between_patches_is_spread():
    stepped, _ = completed(8.0)
    assert steepest(stepped) == 8
    found = result(stepped)
    assert steepest(found) < 2
    assert np.array_equal(found[~HOLE], stepped[~HOLE])


def test_what_patches_have_themselves_stays():
    stepped, plain = completed(8.0, grain=20.0)
    along = [np.diff(part[14:50, 26:58], axis=0) for part in (result(stepped), plain)]
    assert np.abs(along[0] - along[1]).max() < 1.5


@pytest.mark.parametrize("step", [0.0, LARGEST + 4])
def test_no_step_and_an_edge_of_things_change_nothing(step):
    stepped, _ = completed(step)
    found = result(stepped)
    assert steepest(found) == pytest.approx(steepest(stepped), abs=1e-3)
