"""Gaussians of features, accumulated clip by clip, and the Fréchet distance of two."""

from __future__ import annotations

import numpy as np


class RunningGaussian:
    """Mean and covariance of rows that come in parts, in float64 (Chan, Golub & LeVeque 1979).

    D² numbers are kept, however many rows come.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: np.ndarray | None = None
        self._scatter: np.ndarray | None = None

    def add(self, rows: np.ndarray) -> None:
        """Take ``(N, D)`` rows."""
        if not len(rows):
            return
        rows = np.asarray(rows, np.float64)
        mean = rows.mean(0)
        centred = rows - mean
        self._join(len(rows), mean, centred.T @ centred)

    def merge(self, other: RunningGaussian) -> None:
        """Take all rows that another one took."""
        if other.count:
            self._join(other.count, other.mean, other._scatter)

    @property
    def covariance(self) -> np.ndarray:
        """``(D, D)``, unbiased; of two rows or more."""
        return self._scatter / (self.count - 1)

    def _join(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        if self.mean is None:
            self.count, self.mean, self._scatter = count, mean.copy(), scatter.copy()
            return
        total, step = self.count + count, mean - self.mean
        self._scatter += scatter + np.outer(step, step) * (self.count * count / total)
        self.mean = self.mean + step * (count / total)
        self.count = total


def frechet_distance(first: RunningGaussian, second: RunningGaussian) -> float:
    """``|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½)``, of two Gaussians of two rows or more (Heusel et al. 2017, eq. 6).

    The trace of the root is taken from the eigenvalues of ``Σ₁^½ Σ₂ Σ₁^½``, which are those of ``Σ₁ Σ₂`` and real.
    """
    values, vectors = np.linalg.eigh(first.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ second.covariance @ root)
    trace = np.trace(first.covariance) + np.trace(second.covariance) - 2 * np.sqrt(np.maximum(shared, 0)).sum()
    return float(max(0.0, ((first.mean - second.mean) ** 2).sum() + trace))
