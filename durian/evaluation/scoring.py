"""Every metric of one clip, as flat figures ``metric/region``."""

from __future__ import annotations

import numpy as np

from durian.evaluation.metrics import Case, all_metrics, compare_in, mean_by_name
from durian.evaluation.tasks import ITEM_SHARE, Task


def score(task: Task, frames: np.ndarray) -> dict[str, float]:
    """Score frames ``(F, S, S, 3) uint8`` of a task by all metrics that can be measured here.

    Regions are ``all``, ``inside`` and ``outside`` of the items, and the task's own, of which only differences of
    pixels are taken.
    """
    figures = {}
    case = case_of(task, frames)
    for name, metric in available_metrics().items():
        figures |= {f"{name}/{region}": float(value) for region, value in metric.score(case).items()}
    if task.truth is not None and task.regions:
        for region, scored in region_scores(task, frames).items():
            figures |= {f"{name}/{region}": float(getattr(scored, name)) for name in ("psnr", "ssim", "l1")}
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


def region_scores(task: Task, frames: np.ndarray) -> dict:
    """Of each of the task's own regions, the mean :class:`~durian.evaluation.metrics.Score` over its frames."""
    return mean_by_name(
        [
            compare_in(frame, truth, {name: region[index] for name, region in task.regions.items()})
            for index, (frame, truth) in enumerate(zip(frames, task.truth, strict=True))
        ]
    )


def available_metrics() -> dict:
    """Metrics of a clip that can be measured here, by name."""
    return {name: metric for name, metric in all_metrics().items() if metric.available() is None}


def unavailable_metrics() -> dict[str, str]:
    """Why the others cannot, by name."""
    reasons = {name: metric.available() for name, metric in all_metrics().items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}
