"""Smooth filling: known pixels stay, and each step is the mean over nine pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.layers.fill import _relax, fill


@pytest.mark.parametrize(("height", "width"), [(40, 31), (3, 3), (2, 2), (1, 5)])
def test_a_step_is_the_mean_of_nine_pixels_mirrored_at_the_edges(height: int, width: int):
    rng = np.random.default_rng(3)
    filled, kept = rng.uniform(0, 255, (2, height, width, 3)).astype(np.float32)
    rest = np.repeat(rng.uniform(0, 1, (height, width, 1)).astype(np.float32), 3, 2)
    expected = filled
    for _ in range(4):
        expected = cv2.blur(expected, (3, 3)) * rest + kept
    # All of it is in place, flat along a row.
    flat = [np.ascontiguousarray(part).reshape(height, width * 3).copy() for part in (filled, kept, rest)]
    _relax(*flat, 4)
    assert np.allclose(flat[0].reshape(height, width, 3), expected, rtol=1e-6)


def test_known_pixels_stay_and_a_slope_goes_on():
    rows, columns = np.mgrid[:96, :80].astype(np.float32)
    image = np.stack([rows, columns, 100 + rows - columns], -1)
    known = (np.hypot(rows - 48, columns - 40) > 20).astype(np.float32)
    filled = fill(image * known[..., None], known)
    assert np.array_equal(filled[known > 0], image[known > 0])
    assert np.abs(filled - image).max() < 4
