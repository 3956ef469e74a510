"""Completion of backgrounds: rough ones stay rough, and the light on smooth ones goes on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE

from durian.layers.completion import complete_background
from durian.layers.completion.detail import detail

ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)
ROUND = np.hypot(COLUMNS - 120, ROWS - 130) < 55
"""A hole in the middle."""


def completed(truth: np.ndarray) -> np.ndarray:
    wiped = np.where(ROUND[..., None], np.float32((255, 0, 255)), truth)
    return complete_background(wiped, (~ROUND).astype(np.float32))


def rocks(seed: int) -> np.ndarray:
    """Blotches of every size, as of a rock, ``(S, S, 3) float32``."""
    rng = np.random.default_rng(seed)
    total = np.zeros((SIDE, SIDE), np.float32)
    for sigma in (1, 2, 4, 8):
        layer = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), sigma)
        total += layer / layer.std()
    return np.repeat((128 + 22 * total)[..., None], 3, 2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rocks_end_in_no_haze(seed: int):
    """Beside them the picture is plain, and of all patches a plain one is the least unlike any."""
    truth = rocks(seed)
    truth[:, 215:] = 128
    made = completed(truth)
    inside = cv2.distanceTransform(ROUND.astype(np.uint8), cv2.DIST_L2, 5) > 12
    there = detail(made, np.ones_like(ROUND), 15)[inside]
    usual = np.median(detail(truth, COLUMNS < 200, 15)[(COLUMNS < 190) & ~ROUND])
    assert np.percentile(there, 25) > 0.25 * usual


def test_a_sky_gets_no_hard_edge():
    """It is bright above and dark below, and nothing between shows: no patch has that light, but some come near."""
    sky = np.where(ROWS < SIDE / 2, 190, 130)[..., None] * np.ones(3, np.float32)
    truth = sky + np.random.default_rng(4).normal(0, 1.5, (SIDE, SIDE, 1)).astype(np.float32)
    hidden = np.abs(ROWS - SIDE / 2) < 40
    made = complete_background(np.where(hidden[..., None], 255, truth), (~hidden).astype(np.float32))
    across = made[..., 0].mean(1)
    assert np.abs(np.diff(across)).max() < 4
    assert across[SIDE // 2] == pytest.approx(160, abs=8)


def test_detail_is_what_is_fine_and_goes_on():
    """Grain of ten levels is detail, a steep light is not; where nothing is known it is as strong as beside that."""
    grain = np.random.default_rng(5).normal(0, 10, (SIDE, SIDE, 1)).astype(np.float32)
    slope = np.repeat((COLUMNS * 0.8)[..., None], 3, 2)
    known = COLUMNS > 60
    found = detail(slope + grain * (ROWS > 128)[..., None], known, 15)
    assert found[160:, 80:240].mean() == pytest.approx(10 * np.sqrt(2 / np.pi), rel=0.1)
    assert found[:100, 80:240].max() < 1
    assert found[200:240, :40].min() > 5
    assert found[10:60, :40].max() < 2
    assert not detail(slope, np.zeros_like(known), 15).any()
