"""What is told of patches without a look at their pixels is true of their pixels."""

from __future__ import annotations

import os
import subprocess
import sys

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


COMPLETED = """
import hashlib
import numpy as np
from durian.assets import hopper_cap
from durian.layers.completion import complete_background
from durian.media import read_image
image = read_image(hopper_cap().portrait.picture)[:400, :400].astype(np.float32)
known = np.ones(image.shape[:2], np.float32)
known[60:330, 120:300] = 0
print(hashlib.sha256(complete_background(image, known, 0).tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_the_process_that_compiles_completes_as_those_that_come_after_it(tmp_path, project_root):
    """With fast arithmetic what compiled code adds up first depends on where it was compiled."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", COMPLETED],
            cwd=project_root,
            env=environment,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for _ in range(2)
    )
    assert first == second
    assert len(first.strip()) == 64
