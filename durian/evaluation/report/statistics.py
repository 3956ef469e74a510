"""Means over cases and paired differences, with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 5000
"""Bootstrap samples: the ends of an interval then vary by less than a hundredth of its width."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over ``count`` cases; with 95 % confidence it lies between ``low`` and ``high``."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def is_apart_from_zero(self) -> bool:
        return self.low > 0 or self.high < 0

    def rounded(self) -> dict[str, float]:
        return {
            "mean": round(self.mean, 5),
            "low": round(self.low, 5),
            "high": round(self.high, 5),
            "count": self.count,
        }


def estimate(values: Sequence[float] | np.ndarray, seed: int = 0) -> Estimate:
    """The mean of ``values`` (one for each case, at least one) and its interval.

    The percentile bootstrap over cases (Efron 1979): cases, not frames, are drawn anew, for frames of a clip are
    alike. A single case says nothing of the spread, so its interval is a point.
    """
    data = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed).integers(len(data), size=(RESAMPLES, len(data)))
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(data[drawn].mean(axis=1), [tail, 100 - tail])
    return Estimate(float(data.mean()), float(low), float(high), len(data))


def paired_difference(values: Sequence[float], baseline: Sequence[float], seed: int = 0) -> Estimate:
    """The mean of the cases' own differences to a baseline, and its interval; much surer than two means are.

    Args:
        values, baseline: of the same cases, in the same order.
    """
    return estimate(np.asarray(values, np.float64) - np.asarray(baseline, np.float64), seed)
