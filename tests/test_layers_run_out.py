"""Hair that its picture cuts, on values."""

from __future__ import annotations

import numpy as np

from durian.layers.run_out import LENGTH, run_out, shown_sides

UNIT = 60.0
BEYOND = (-50.0, 400.0, 400.0)


def test_hair_that_nothing_cuts_is_left_alone():
    alpha = np.zeros((200, 160), np.float32)
    alpha[20:150, 30:120] = 1
    assert np.array_equal(run_out(alpha, (0, 159, 199), UNIT), alpha)
    full = np.ones((200, 160), np.float32)
    assert np.array_equal(run_out(full, BEYOND, UNIT), full)


def test_a_cut_below_ends_in_locks_of_different_lengths():
    alpha = np.ones((200, 160), np.float32)
    made = run_out(alpha, (-50.0, 400.0, 199.0), UNIT)
    assert made[-1].max() < 0.05
    assert made[: int(199 - LENGTH[1] * UNIT) - 1].min() > 0.99
    ends = 199 - np.argmax(made[::-1] > 0.5, axis=0)
    assert np.ptp(ends) > 0.15 * UNIT
    assert np.array_equal(made, run_out(alpha, (-50.0, 400.0, 199.0), UNIT))


def test_sides_are_cut_too_and_only_where_one_sees_it():
    alpha = np.ones((200, 160), np.float32)
    left = run_out(alpha, (0.0, 400.0, 400.0), UNIT)
    assert left[:, 0].max() < 0.05
    assert left[:, 60:].min() > 0.99
    right = run_out(alpha, (-50.0, 159.0, 400.0), UNIT)
    assert np.abs(right[:, ::-1].mean(0) - left.mean(0)).max() < 0.15
    assert np.array_equal(run_out(alpha, (0.0, 159.0, 199.0), UNIT, (False, False, False)), alpha)


def test_hair_that_reaches_the_portraits_edge_ends_beyond_it():
    mask = np.zeros((64, 64), np.uint8)
    mask[10:40, 10:64] = 255
    assert shown_sides(mask) == (True, False, True)
