"""Scoring of one clip by every metric, as flat figures ``metric/region``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from durian.evaluation.data.tasks import ITEM_SHARE, Task
from durian.evaluation.metrics import Case, Metric, all_metrics, get_metric


class Scorer:
    """Scores several methods' frames of one task; what is known of its truth is worked out once."""

    def __init__(self, task: Task, metrics: Sequence[str] = ()):
        """``metrics``: names of those that are wanted; all that can be measured here if there are none."""
        self.task = task
        self.metrics = {name: get_metric(name) for name in metrics} or available_metrics()
        self._case: Case | None = None

    def score(self, frames: np.ndarray) -> dict[str, float]:
        """Score frames ``(F, S, S, 3) uint8``.

        Regions are ``all``, ``inside`` and ``outside`` of the items, and the task's own.
        """
        self._case = case_of(self.task, frames) if self._case is None else self._case.with_frames(frames)
        figures: dict[str, float] = {}
        for name, metric in self.metrics.items():
            figures |= {f"{name}/{region}": float(value) for region, value in metric.score(self._case).items()}
        return figures


def case_of(task: Task, frames: np.ndarray) -> Case:
    """A task's case for metrics: the first attribute's reference, and where any item is in the truth."""
    inside = None
    if task.masks:
        inside = np.maximum.reduce(list(task.masks.values())) >= ITEM_SHARE
    if task.attributes:
        first = task.attributes[0]
        category: str = first.name
        reference, mask = first.image, first.mask >= ITEM_SHARE
    else:
        category, reference, mask = "none", task.image, np.zeros(task.image.shape[:2], bool)
    return Case(
        name=task.name,
        frames=frames,
        category=category,
        portrait=task.image,
        reference=reference,
        reference_mask=mask,
        truth=task.truth,
        inside=inside,
        landmarks=task.driving,
        tracked=task.tracked,
        parts=task.regions,
    )


def available_metrics() -> dict[str, Metric]:
    """Metrics of a clip that can be measured here, by name."""
    return {name: metric for name, metric in all_metrics().items() if metric.available() is None}


def unavailable_metrics() -> dict[str, str]:
    """Why the others cannot, by name."""
    reasons = {name: metric.available() for name, metric in all_metrics().items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}
