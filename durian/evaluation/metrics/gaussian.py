"""Gaussians of features, accumulated clip by clip, and the Fréchet distance of two."""

from __future__ import annotations

import numpy as np


class RunningGaussian:
    """Mean and covariance of rows that come in parts, in float64 (Chan, Golub & LeVeque 1979).

    D² numbers are kept, however many rows come.
    """

    def __init__(self) -> None:
        self.count = 0
        self._moments: tuple[np.ndarray, np.ndarray] | None = None
        """Mean, and the sum of the outer products of what deviates from it."""

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
        if other._moments is not None:
            self._join(other.count, *other._moments)

    @property
    def mean(self) -> np.ndarray:
        """``(D,)``, of one row or more."""
        return self._known()[0]

    @property
    def covariance(self) -> np.ndarray:
        """``(D, D)``, unbiased; of two rows or more."""
        return self._known()[1] / (self.count - 1)

    def _known(self) -> tuple[np.ndarray, np.ndarray]:
        if self._moments is None:
            raise ValueError("No rows have no mean and no covariance: add some first.")
        return self._moments

    def _join(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        if self._moments is None:
            self.count, self._moments = count, (mean.copy(), scatter.copy())
            return
        own_mean, own_scatter = self._moments
        total, step = self.count + count, mean - own_mean
        own_scatter += scatter + np.outer(step, step) * (self.count * count / total)
        self._moments = own_mean + step * (count / total), own_scatter
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
