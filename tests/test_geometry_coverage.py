"""Part of each pixel inside a polygon."""

from __future__ import annotations

import numpy as np
import pytest

from durian.geometry.coverage import coverage


def shares(corners, shape=(8, 8)):
    found = np.full(shape, np.nan, np.float32)
    coverage(np.array(corners, np.float32), found)
    return found


def test_pixels_at_an_edge_hold_their_part_of_it():
    found = shares([(1.5, 2), (4.75, 2), (4.75, 4.5), (1.5, 4.5)])
    assert found[3, 2:5] == pytest.approx([1, 1, 1])
    assert found[2, 2] == pytest.approx(0.5)
    assert found[3, 5] == pytest.approx(0.25)
    assert found[2, 5] == pytest.approx(0.125)
    assert found[:, :2].max() == found[:2].max() == found[5:].max() == 0


def test_a_polygon_has_its_area_wherever_it_lies():
    hexagon = np.array([(2.2, 3.1), (4.3, 1.4), (6.1, 3.3), (5.9, 5.2), (4.1, 6.6), (1.9, 5.1)])
    for shift in (0.0, 0.13, 0.41):
        x, y = (hexagon + shift).T
        area = (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2
        assert shares(hexagon + shift).sum() == pytest.approx(area, rel=0.01)


def test_sides_that_touch_or_have_crossed_cover_nothing():
    assert shares([(1, 3), (6, 3), (6, 3), (1, 3)]).max() == 0
    upper_below_lower = [(1, 3), (3, 4.5), (6, 3), (3, 2)]
    assert shares(upper_below_lower).max() == 0


def test_what_lies_beyond_the_picture_is_cut_off():
    assert shares([(-5, -5), (20, -5), (20, 20), (-5, 20)]) == pytest.approx(np.ones((8, 8)))
