"""Triplets protocol: transfer of another person's item onto a moving portrait, against rendered truth.

Portrait is a scene's first tile, reference its first tile of the owner with its true mask, driven by the landmarks of
the target tiles (the same person, so nothing is retargeted). Scores are taken at the data's size whatever size the
renderer works at, averaged over frames, then over scenes. *inside* is where the target wears the item, *outside* is
farther than 6 px of 256 from that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from durian.evaluation.data.cases import CaseResult, Source
from durian.evaluation.data.scene_tasks import scene_sources, scene_task
from durian.evaluation.data.tasks import Task
from durian.evaluation.protocols.interface import Protocol


class Triplets(Protocol):
    """Synthetic scenes of kind ``triplet``, of any grid."""

    name = "triplets"
    title = "Transfer with known truth"
    purpose = (
        "A portrait puts on another person's item and moves. The true frames are known, for the people are synthetic: "
        "the same person was rendered wearing exactly that item."
    )
    unit = "scene"
    ranked_by = "psnr/inside"

    def sources(self) -> list[Source]:
        return scene_sources(self.options.data, self.options.scenes, self.options.limit)

    def load(self, source: Source) -> Task:
        return scene_task(source)

    def summary(self, results: Mapping[str, Sequence[CaseResult]]) -> dict[str, Any]:
        """``filled_frames``, whose landmarks had to be interpolated."""
        cases = next(iter(results.values()))
        return {"filled_frames": int(sum(case.facts["filled_frames"] for case in cases))}
