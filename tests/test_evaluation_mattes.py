"""Errors of mattes, and their report."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from strands_made import HAIR, UNIT, over, plain, strands_matte

from durian.errors import WeightsMissing
from durian.evaluation.protocols.mattes import evaluate_mattes, matte_errors, rough_mask
from durian.evaluation.protocols.mattes import mattes_of as mattes


def test_errors_of_a_matte_by_hand():
    truth = np.zeros((100, 200), np.float32)
    truth[:, 100:] = 1
    assert matte_errors(truth, truth) == {"sad": 0, "mse": 0, "gradient": 0}
    found = matte_errors(truth * 0.5, truth)
    assert found["sad"] == pytest.approx(5)
    assert found["mse"] == pytest.approx(125)
    # Across the edge a step of 1 has the bell's values, whose filter is of length 1: half the step, a quarter of them.
    bell = np.exp(-(np.arange(-4, 5) ** 2) / (2 * 1.4**2))
    slope = np.arange(-4, 5) * bell / np.linalg.norm(np.arange(-4, 5) * bell)
    step = np.concatenate([np.zeros(9), np.ones(9)])
    response = np.correlate(step, slope, "valid") * (bell / np.linalg.norm(bell)).sum()
    assert found["gradient"] == pytest.approx(100 * (response**2).sum() / 4 / 1000, rel=1e-6)


def test_a_rough_mask_has_no_strands():
    truth = strands_matte()
    mask = rough_mask(truth, UNIT)
    assert set(np.unique(mask)) == {0, 1}

    def thin(covered: np.ndarray) -> int:
        """Pixels of what is narrower than five pixels."""
        return int((covered > cv2.morphologyEx(covered, cv2.MORPH_OPEN, np.ones((5, 5)))).sum())

    assert thin(mask) < 0.2 * thin((truth > 0.5).astype(np.float32))
    assert truth[mask > 0].mean() > 0.9


def test_all_mattes_start_from_one_mask():
    truth = strands_matte()
    mask = rough_mask(truth, UNIT)
    found = mattes(over(truth, HAIR, plain((200, 210, 240))), mask, UNIT, "hair")
    assert found["mask"] is mask
    errors = {name: matte_errors(alpha, truth)["sad"] for name, alpha in found.items()}
    assert errors["matte"] < errors["outline"] < errors["mask"]


def test_without_a_head_model_the_sentence_says_so(settings_environment, tmp_path):
    settings_environment(head_model=tmp_path / "none.npz")
    with pytest.raises(WeightsMissing, match="head model"):
        evaluate_mattes(limit=1)


@pytest.mark.slow
def test_the_report_of_rendered_heads(head_model_file, settings_environment):
    settings_environment(head_model=head_model_file)
    seen = []
    report = evaluate_mattes(limit=1, size=256, on_scene=lambda done, all_: seen.append((done, all_)))
    assert seen == [(1, 2), (2, 2)]
    assert report["scenes"] == 2
    for kind in ("hair", "hat"):
        assert set(report[kind]) == {"mask", "outline", "matte"}
        assert 0 < report[kind]["matte"]["sad"] < report[kind]["mask"]["sad"]
