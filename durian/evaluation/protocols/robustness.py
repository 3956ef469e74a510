"""Robustness protocol: separation of identity and attribute for references that differ much from the portrait.

Triplets on a grid of pose gap × light gap between portrait and reference. Identity is scored in the face that no item
hides, the attribute inside the item, so that one can fail without the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import radians
from pathlib import Path
from typing import Any

import numpy as np

from durian.evaluation.data.cases import CaseResult, Source
from durian.evaluation.data.scene_tasks import scene_task
from durian.evaluation.data.tasks import Task
from durian.evaluation.protocols.interface import Protocol
from durian.synthetic.scenes.scene_files import scene_path
from durian.synthetic.scenes.scene_reading import scene_files

POSE_GAPS = (0, 15, 30, 45)
"""Degrees between the heads of portrait and reference."""
LIGHT_GAPS = (0, 1, 2, 4)
"""Between their lights: 1 is clearly seen, 4 is far (:class:`durian.synthetic.scenes.illuminants.LightGap`)."""
SCENES = 6
"""In each of the sixteen cells."""
FRAMES = 4
"""Target frames of a scene: the question is not about motion."""
PUBLIC_SEED = 20260
"""So that everybody renders the same test set."""
PARTS = {"identity": "psnr/face", "attribute": "psnr/inside"}


@dataclass(frozen=True)
class Cell:
    """One combination of gaps."""

    pose: int
    light: int

    @property
    def name(self) -> str:
        return f"pose{self.pose:02d}-light{self.light}"


class Robustness(Protocol):
    """A folder for each cell; scenes that are missing are rendered when the head's model is there."""

    name = "robustness"
    title = "Identity and attribute under far references"
    purpose = (
        "The same transfer while reference and portrait differ ever more in pose and light. Identity is scored where "
        "the face is bare, the attribute inside the item."
    )
    unit = "scene"
    ranked_by = "psnr/inside"

    def sources(self) -> list[Source]:
        """
        Raises:
            WeightsMissing: scenes are missing, and the head's model to render them with is too.
        """
        count = self.options.limit or SCENES
        sources = []
        for cell in (Cell(pose, light) for pose in POSE_GAPS for light in LIGHT_GAPS):
            folder = self.options.data / cell.name
            render_cell(cell, folder, count)
            sources += [
                Source(f"{cell.name}-{number:05d}", tuple(scene_files(scene_path(folder, number))), cell.name)
                for number in range(count)
            ]
        return sources

    def load(self, source: Source) -> Task:
        pose, light = source.detail.removeprefix("pose").split("-light")
        return replace(scene_task(source), group=source.detail, facts={"pose": float(pose), "light": float(light)})

    def summary(self, results: Mapping[str, Sequence[CaseResult]]) -> dict[str, Any]:
        """``pose_gaps``, ``light_gaps`` and by method and part a table of means, one row for each pose gap."""
        heat = {
            method: {part: heat_map(cases, figure) for part, figure in PARTS.items()}
            for method, cases in results.items()
        }
        return {"pose_gaps": list(POSE_GAPS), "light_gaps": list(LIGHT_GAPS), "heat": heat}


def render_cell(cell: Cell, folder: Path, count: int) -> None:
    """Render what a cell's folder lacks."""
    if all(scene_path(folder, number).is_file() for number in range(count)):
        return
    from durian.synthetic.scenes.scene_set import SceneSet, render_set
    from durian.synthetic.scenes.scenes import TRIPLETS

    recipe = replace(TRIPLETS, frames=FRAMES, pose_gap=radians(cell.pose), light_gap=float(cell.light))
    render_set(SceneSet(folder, count, recipe, seed=PUBLIC_SEED))


def heat_map(cases: Sequence[CaseResult], figure: str) -> list[list[float | None]]:
    """Means of a figure, rows by pose gap and columns by light gap; ``None`` where no case has it."""
    return [[_mean(cases, figure, pose, light) for light in LIGHT_GAPS] for pose in POSE_GAPS]


def _mean(cases: Sequence[CaseResult], figure: str, pose: int, light: int) -> float | None:
    here = (case for case in cases if case.facts == {"pose": pose, "light": light})
    values = [case.figures[figure] for case in here if figure in case.figures]
    return round(float(np.mean(values)), 3) if values else None
