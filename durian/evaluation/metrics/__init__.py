"""Metrics of rendered clips; :func:`all_metrics` and :func:`all_set_metrics` list them in the report's order."""

from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Described, Metric, SetMetric
from durian.evaluation.metrics.landmarks import landmark_error
from durian.evaluation.metrics.pixels import (
    BEST_PSNR,
    Score,
    compare,
    compare_in,
    mean_by_name,
    mean_score,
    ssim_map,
)
from durian.evaluation.metrics.regions import regions_of
from durian.evaluation.metrics.registry import all_metrics, all_set_metrics, get_metric

__all__ = [
    "BEST_PSNR",
    "Case",
    "Described",
    "Metric",
    "Score",
    "SetMetric",
    "all_metrics",
    "all_set_metrics",
    "compare",
    "compare_in",
    "get_metric",
    "landmark_error",
    "mean_by_name",
    "mean_score",
    "regions_of",
    "ssim_map",
]
