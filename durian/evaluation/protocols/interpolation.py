"""Interpolation protocol: α from 0 to 1 between two items of a kind; exactness of its ends, evenness of its steps."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from durian.evaluation.data.cases import Source
from durian.evaluation.data.scene_tasks import description_of, reference_of, scene_sources, scene_task
from durian.evaluation.data.tasks import Task
from durian.evaluation.methods.methods import Method
from durian.evaluation.metrics.figures import Figure
from durian.evaluation.metrics.scoring import Scorer
from durian.evaluation.protocols.interface import Protocol
from durian.synthetic.scenes.scene_reading import read_scene

STEPS = 9
"""Values of α, the ends included."""
PEAK = 255.0


class Interpolation(Protocol):
    """A scene's portrait, its item, and that of the next scene with an item of the same kind."""

    name = "interpolation"
    title = "From one item to another"
    purpose = (
        "A portrait at rest wears a mix of two people's items of one kind, in nine steps from all of the first to all "
        "of the second. There is no truth between, but the ends are known and the way should be even."
    )
    unit = "scene"
    ranked_by = "monotone/all"
    figures = (
        Figure("end_error", "Error at the ends", "%", False, "Mean absolute difference of the first and the last frame "
               "to the method's own frames with the single items, in percent of full brightness."),
        Figure("monotone", "Steps in the right direction", "%", True, "Share of steps that lead away from the first "
               "frame and nearer to the last (mean absolute differences)."),
        Figure("largest_step", "Largest step", "", False, "Largest difference of two successive frames over their "
               "mean difference: 1 is perfectly even."),
    )  # fmt: skip

    def sources(self) -> list[Source]:
        """Every scene with an item of a kind that another scene has too, with both scenes' files."""
        scenes = scene_sources(self.options.data, self.options.scenes, None)
        by_item: dict[str, list[Source]] = {}
        for scene in scenes:
            by_item.setdefault(_item_of(scene), []).append(scene)
        pairs = [
            Source(scene.name, (*scene.files, *group[(place + 1) % len(group)].files))
            for group in by_item.values()
            for place, scene in enumerate(group)
            if len(group) > 1
        ]
        return sorted(pairs, key=lambda pair: pair.name)[: self.options.limit]

    def load(self, source: Source) -> Task:
        task = scene_task(source)
        other = read_scene([path for path in source.files if path.suffix == ".json"][1])
        return replace(
            task,
            attributes=(*task.attributes, reference_of(other, next(iter(other.items)))),
            driving=np.repeat(task.landmarks[None], STEPS, axis=0),
            truth=None,
            tracked=None,
            masks={},
            regions={},
            blend=(0.0, 1.0),
        )

    def score(self, method: Method, scorer: Scorer) -> tuple[np.ndarray, dict[str, float]]:
        task = scorer.task
        frames = method.frames(task)
        singles = np.concatenate([method.frames(task.alone(index)) for index in range(2)])
        return frames, sweep_figures(frames, singles)


def sweep_figures(frames: np.ndarray, singles: np.ndarray) -> dict[str, float]:
    """Figures of a sweep.

    Args:
        frames: ``(F, S, S, 3) uint8`` for α from 0 to 1.
        singles: ``(2, S, S, 3) uint8`` with the first item and with the second alone.
    """
    pictures = frames.astype(np.float32)
    ends = [_difference(pictures[0], singles[0]), _difference(pictures[-1], singles[1])]
    steps = [_difference(after, before) for before, after in pairwise(pictures)]
    from_first = np.array([_difference(frame, pictures[0]) for frame in pictures])
    to_last = np.array([_difference(frame, pictures[-1]) for frame in pictures])
    right = (np.diff(from_first) > 0) & (np.diff(to_last) < 0)
    figures = {"end_error/all": float(np.mean(ends)), "monotone/all": 100 * float(right.mean())}
    if np.mean(steps) > 0:
        figures["largest_step/all"] = float(max(steps) / np.mean(steps))
    return figures


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean absolute difference in percent of full brightness."""
    return float(100 * np.abs(first - second.astype(np.float32)).mean(dtype=np.float64) / PEAK)


def _item_of(source: Source) -> str:
    return next(iter(read_scene(description_of(source)).items))
