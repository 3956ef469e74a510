"""Every metric there is, in the order in which reports list them."""

from __future__ import annotations

from functools import lru_cache

from durian.errors import InvalidRequest
from durian.evaluation.metrics.interface import Metric, SetMetric
from durian.evaluation.metrics.pairwise import L1, PSNR, SSIM

METRICS: tuple[type[Metric], ...] = (L1, PSNR, SSIM)
SET_METRICS: tuple[type[SetMetric], ...] = ()


@lru_cache(maxsize=1)
def all_metrics() -> dict[str, Metric]:
    """Metrics of one clip by name; one instance of each for the process, so that models are loaded once."""
    return {kind.name: kind() for kind in METRICS}


def all_set_metrics() -> dict[str, SetMetric]:
    """Metrics of sets by name, new and empty."""
    return {kind.name: kind() for kind in SET_METRICS}


def get_metric(name: str) -> Metric:
    """A metric of one clip.

    Raises:
        InvalidRequest: none has that name.
    """
    metrics = all_metrics()
    if name not in metrics:
        raise InvalidRequest(f"There is no metric named {name!r}: use one of {', '.join(metrics)}.")
    return metrics[name]
