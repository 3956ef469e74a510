"""Pixel metrics against independently computed values."""

from __future__ import annotations

import numpy as np
import pytest

from durian.evaluation.metrics import (
    BEST_PSNR,
    Score,
    compare,
    compare_in,
    landmark_error,
    mean_by_name,
    mean_score,
    regions_of,
    ssim_map,
)
from durian.face.landmarks import fill_gaps


def noisy_pair(seed: int = 0, shape: tuple[int, int] = (60, 80)) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    smooth = np.linspace(40, 200, shape[1])[None, :, None] + random.normal(0, 8, (*shape, 3))
    return tuple(np.clip(smooth + random.normal(0, noise, (*shape, 3)), 0, 255).astype(np.uint8) for noise in (1, 12))


def test_psnr_and_ssim_equal_scikit_images():
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    image, truth = noisy_pair()
    mean, full = structural_similarity(truth, image, channel_axis=2, data_range=255, full=True)
    score = compare(image, truth)
    assert score.psnr == pytest.approx(peak_signal_noise_ratio(truth, image, data_range=255), abs=1e-4)
    assert score.ssim == pytest.approx(mean, abs=1e-6)
    assert np.allclose(ssim_map(image, truth), full.mean(2), atol=1e-6)


def test_values_known_by_hand():
    black = np.zeros((20, 20, 3), np.uint8)
    grey = np.full_like(black, 51)
    score = compare(grey, black)
    assert score.l1 == pytest.approx(0.2)
    assert score.psnr == pytest.approx(20 * np.log10(5), abs=1e-4)
    # Flat pictures leave only the brightness term of SSIM: c1 / (51² + c1).
    assert score.ssim == pytest.approx(6.5025 / (51**2 + 6.5025), rel=1e-6)
    assert compare(grey, grey) == Score(BEST_PSNR, pytest.approx(1.0), 0.0)


def test_a_mask_counts_its_pixels_only():
    truth = np.zeros((32, 32, 3), np.uint8)
    image = truth.copy()
    image[:, 16:] = 255
    left, right = np.zeros((2, 32, 32), bool)
    left[:, :8], right[:, 24:] = True, True
    scores = compare_in(image, truth, {"left": left, "right": right, "none": np.zeros((32, 32), bool)})
    assert set(scores) == {"left", "right"}
    assert scores["left"] == Score(BEST_PSNR, pytest.approx(1.0), 0.0)
    assert scores["right"].psnr == pytest.approx(0.0)
    assert scores["right"].l1 == pytest.approx(1.0)
    assert scores["right"].ssim < 0.01
    everywhere = compare(image, truth, np.ones((32, 32), bool))
    assert everywhere.l1 == pytest.approx(0.5)


def test_means_leave_out_what_is_missing():
    first, second = Score(10, 0.2, 0.5), Score(20, 0.4, 0.1)
    means = mean_by_name([{"all": first, "inside": first}, {"all": second}])
    assert means["all"] == Score(15, pytest.approx(0.3), pytest.approx(0.3))
    assert means["inside"] == first
    assert mean_score([]) is None


def test_landmark_error_is_in_percent_of_the_eye_distance():
    true = np.zeros((478, 3), np.float32)
    true[33, 0], true[263, 0] = 10, 60
    found = true.copy()
    found[:, :2] += (3, 4)
    found[:, 2] += 100
    assert landmark_error(found, true) == pytest.approx(10.0)


def test_gaps_are_filled_between_and_held_at_the_ends():
    low, high = np.zeros((478, 3), np.float32), np.full((478, 3), 4, np.float32)
    filled, count = fill_gaps([None, low, None, None, None, high, None])
    assert count == 5
    assert filled[:, 0, 0] == pytest.approx([0, 0, 1, 2, 3, 4, 4])
    only, count = fill_gaps([None, high])
    assert count == 1
    assert (only == 4).all()


def test_outside_is_farther_than_six_pixels():
    item = np.zeros((256, 256), bool)
    item[100:120, 100:120] = True
    regions = regions_of(item)
    assert regions["all"] is None
    assert regions["inside"] is item
    row = regions["outside"][110]
    assert not row[94:126].any()
    assert row[93]
    assert row[126]
    # Round the corner: √(4² + 4²) is below six pixels, √(5² + 5²) above.
    assert not regions["outside"][96, 96]
    assert regions["outside"][95, 95]
    assert regions_of(np.zeros((9, 9), bool))["outside"].all()
