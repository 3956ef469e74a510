"""Composition protocol: two items from two people at once, as in the paper, against rendered truth."""

from __future__ import annotations

from durian.evaluation.data.cases import Source
from durian.evaluation.data.scene_tasks import scene_sources, scene_task
from durian.evaluation.data.tasks import Task
from durian.evaluation.protocols.interface import Protocol


class Composition(Protocol):
    """Synthetic scenes of kind ``pair``; each item is also scored by itself."""

    name = "composition"
    title = "Two items from two people"
    purpose = (
        "A portrait puts on two items, each from another person, and moves. Models learn from one item at a time, so "
        "this was never shown to them. The true frames are known."
    )
    unit = "scene"
    ranked_by = "psnr/inside"

    def sources(self) -> list[Source]:
        return scene_sources(self.options.data, self.options.scenes, self.options.limit)

    def load(self, source: Source) -> Task:
        return scene_task(source, items=2)
