"""Every metric of one clip, as flat figures ``metric/region``."""

from __future__ import annotations

import numpy as np

from durian.evaluation.metrics import Case, Metric, Score, all_metrics, compare_in, mean_by_name
from durian.evaluation.tasks import ITEM_SHARE, Task

PIXELWISE = ("psnr", "ssim", "l1")
"""Metrics that a :class:`~durian.evaluation.metrics.Score` holds."""


class Scorer:
    """Scores several methods' frames of one task; what is known of its truth is worked out once."""

    def __init__(self, task: Task):
        self.task = task
        self._case: Case | None = None

    def score(self, frames: np.ndarray) -> dict[str, float]:
        """Score frames ``(F, S, S, 3) uint8`` by all metrics that can be measured here.

        Regions are ``all``, ``inside`` and ``outside`` of the items, and the task's own, of which only differences of
        pixels are taken.
        """
        self._case = case_of(self.task, frames) if self._case is None else self._case.with_frames(frames)
        figures = {}
        for name, metric in available_metrics().items():
            figures |= {f"{name}/{region}": float(value) for region, value in metric.score(self._case).items()}
        for region, scored in region_scores(self.task, frames).items():
            figures |= {f"{name}/{region}": float(getattr(scored, name)) for name in PIXELWISE}
        return figures


def case_of(task: Task, frames: np.ndarray) -> Case:
    """What metrics see of a task: the first attribute's reference, and where any item is in the truth."""
    inside = None
    if task.masks:
        inside = np.maximum.reduce(list(task.masks.values())) >= ITEM_SHARE
    if task.attributes:
        first = task.attributes[0]
        category, reference, mask = first.name, first.image, first.mask >= ITEM_SHARE
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
    )


def region_scores(task: Task, frames: np.ndarray) -> dict[str, Score]:
    """Of each of the task's own regions, the mean over the frames that have it."""
    if task.truth is None or not task.regions:
        return {}
    regions = [{name: region[index] for name, region in task.regions.items()} for index in range(len(frames))]
    return mean_by_name([compare_in(*pair) for pair in zip(frames, task.truth, regions, strict=True)])


def available_metrics() -> dict[str, Metric]:
    """Metrics of a clip that can be measured here, by name."""
    return {name: metric for name, metric in all_metrics().items() if metric.available() is None}


def unavailable_metrics() -> dict[str, str]:
    """Why the others cannot, by name."""
    reasons = {name: metric.available() for name, metric in all_metrics().items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}
