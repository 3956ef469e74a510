"""What is told of patches without a look at their pixels is true of their pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.layers.completion.patches import is_unlike, patch_cost

SIDE, REACH, PRICE = 60, 3, np.float32(0.5)


@pytest.fixture(scope="module")
def picture() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture of soft spots, dark on its left side, flat in memory; means of its patches; a guide."""
    rng = np.random.default_rng(2)
    image = cv2.GaussianBlur(rng.uniform(0, 255, (SIDE, SIDE, 3)).astype(np.float32), (0, 0), 2)
    image[:, : SIDE // 2] -= 60
    means = cv2.blur(image, (2 * REACH + 1,) * 2)
    guide = rng.uniform(0, 4, (SIDE, SIDE, 2)).astype(np.float32)
    return image.reshape(SIDE, -1), means.reshape(SIDE, -1), guide


@pytest.mark.parametrize("limit", [0.0, 12.0])
def test_only_patches_that_cost_more_are_told_apart_by_their_means(picture, limit: float):
    flat, means, guide = picture
    rng = np.random.default_rng(4)
    limit, told = np.float32(limit), 0
    for target_y, target_x, y, x in rng.integers(REACH, SIDE - REACH, (2000, 4)):
        place = (target_y, target_x, y, x)
        cost = patch_cost(flat, means, guide, REACH, *place, limit, PRICE, np.float32(1e30))
        assert not is_unlike(means, guide, *place, limit, PRICE, np.float32(cost))
        told += is_unlike(means, guide, *place, limit, PRICE, np.float32(0.5 * cost))
    assert told > 800, "patches on either side differ by their means above all"
