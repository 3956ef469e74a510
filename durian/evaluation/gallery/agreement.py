"""Confidence intervals of shares, and agreement of raters beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from durian.evaluation.report.statistics import CONFIDENCE


@dataclass(frozen=True)
class Share:
    """``count`` of ``total``, and with 95 % confidence the share is between ``low`` and ``high``."""

    count: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.count / self.total

    def rounded(self) -> dict[str, float]:
        return {"count": self.count, **{k: round(getattr(self, k), 4) for k in ("share", "low", "high")}}


def share_of(count: int, total: int, method: str = "wilson") -> Share:
    """A share with its interval.

    Args:
        count, total: ``count`` of ``total``, which is above 0.
        method: ``"wilson"`` (Wilson 1927), or ``"exact"`` (Clopper and Pearson 1934).
    """
    from scipy.stats import binomtest

    interval = binomtest(count, total).proportion_ci(CONFIDENCE, method)
    return Share(count, total, float(interval.low), float(interval.high))


def plain_agreement(table: np.ndarray) -> float:
    """The share of pairs of raters that say the same, averaged over items.

    Args:
        table: ``(N, C) int``, how many raters put each of N items into each of C categories; the same number of
            raters, at least two, for each item.
    """
    raters = table[0].sum()
    return float(((table * (table - 1)).sum(axis=1) / (raters * (raters - 1))).mean())


def fleiss_kappa(table: np.ndarray) -> float | None:
    """Agreement beyond chance of any number of raters (Fleiss 1971), 1 at most; ``None`` where chance alone agrees.

    Args:
        table: as in :func:`plain_agreement`.
    """
    shares = table.sum(axis=0) / table.sum()
    return _beyond(plain_agreement(table), float((shares**2).sum()))


def cohen_kappa(first: Sequence[int] | np.ndarray, second: Sequence[int] | np.ndarray, categories: int) -> float | None:
    """Agreement beyond chance of two raters, each with shares of their own (Cohen 1960).

    Args:
        first, second: each rater's category of the same items, at least one, from 0.
        categories: how many there are.
    """
    one, two = np.asarray(first), np.asarray(second)
    chance = np.bincount(one, minlength=categories) @ np.bincount(two, minlength=categories) / len(one) ** 2
    return _beyond(float((one == two).mean()), float(chance))


def _beyond(observed: float, chance: float) -> float | None:
    return None if chance >= 1 else (observed - chance) / (1 - chance)
