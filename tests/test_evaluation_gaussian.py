"""Gaussians gathered in parts, and their distance, against formulas and other libraries."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.linalg import sqrtm

from durian.evaluation.metrics.gaussian import RunningGaussian, frechet_distance


def gathered(*parts: np.ndarray) -> RunningGaussian:
    gaussian = RunningGaussian()
    for part in parts:
        gaussian.add(part)
    return gaussian


def rows(seed: int, count: int = 200, width: int = 6) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(count, width)) @ random.normal(size=(width, width)) + random.normal(size=width)


def crossed(deviations: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Rows with exactly this mean and ``diag(deviations²)`` as their unbiased covariance."""
    width = len(deviations)
    arms = np.diag(deviations) * np.sqrt((2 * width - 1) / 2)
    return np.concatenate([arms, -arms]) + mean


def test_parts_equal_the_whole():
    whole = rows(0)
    for gaussian in (
        gathered(whole),
        gathered(whole[:1], whole[1:3], whole[3:3], whole[3:150], whole[150:]),
        gathered(*whole[:, None]),
    ):
        assert gaussian.count == 200
        assert np.allclose(gaussian.mean, whole.mean(0), rtol=1e-12)
        assert np.allclose(gaussian.covariance, np.cov(whole, rowvar=False), rtol=1e-11)


def test_far_from_zero_nothing_is_lost():
    # Sums of squares would lose ten digits here.
    whole = rows(1) + 1e6
    assert np.allclose(gathered(*np.split(whole, 8)).covariance, np.cov(whole, rowvar=False), rtol=1e-8)


def test_workers_merge_to_the_same():
    whole = rows(2)
    first, second = (pickle.loads(pickle.dumps(gathered(part))) for part in (whole[:70], whole[70:]))
    first.merge(second)
    first.merge(RunningGaussian())
    assert np.allclose(first.covariance, np.cov(whole, rowvar=False), rtol=1e-11)
    empty = RunningGaussian()
    empty.merge(second)
    assert np.array_equal(empty.covariance, second.covariance)
    # A copy: what is added to one must not be seen in the other.
    empty.add(whole[:70])
    assert second.count == 130


def test_distance_of_known_gaussians():
    first, second = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.5, 3.0])
    mean = np.array([0.0, 3.0, 4.0])
    distance = frechet_distance(gathered(crossed(first, np.zeros(3))), gathered(crossed(second, mean)))
    # Of diagonal Gaussians it is |mean|² + Σ (σ₁ - σ₂)².
    assert distance == pytest.approx(25 + 1 + 1.5**2, rel=1e-9)


def test_distance_equals_the_formula_with_scipys_root():
    first, second = rows(3), rows(4)
    covariances = [np.cov(part, rowvar=False) for part in (first, second)]
    root = sqrtm(covariances[0] @ covariances[1])
    expected = ((first.mean(0) - second.mean(0)) ** 2).sum() + np.trace(sum(covariances) - 2 * root.real)
    assert frechet_distance(gathered(first), gathered(second)) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(gathered(first), gathered(first)) == pytest.approx(0, abs=1e-9)


def test_fewer_rows_than_dimensions():
    first, second = rows(5, count=4, width=40), rows(6, count=5, width=40)
    distance = frechet_distance(gathered(first), gathered(second))
    assert distance == pytest.approx(frechet_distance(gathered(second), gathered(first)), rel=1e-6)
    assert frechet_distance(gathered(first), gathered(first)) == pytest.approx(0, abs=1e-6)


def test_distance_equals_torchmetrics():
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("torchmetrics.image.fid")

    class Means(torch.nn.Module):
        num_features = 12

        def forward(self, pictures):
            return torch.nn.functional.adaptive_avg_pool2d(pictures.double(), 2).flatten(1)

    means, random = Means(), torch.Generator().manual_seed(0)
    real, fake = (torch.randint(low, 256, (40, 3, 8, 8), generator=random).byte() for low in (0, 90))
    theirs = image.FrechetInceptionDistance(feature=means).set_dtype(torch.float64)
    ours = [RunningGaussian(), RunningGaussian()]
    for start in range(0, 40, 10):
        for index, pictures in enumerate((real, fake)):
            part = pictures[start : start + 10]
            theirs.update(part, real=index == 0)
            ours[index].add(means(part).numpy())
    assert frechet_distance(*ours) == pytest.approx(float(theirs.compute()), rel=1e-6)
