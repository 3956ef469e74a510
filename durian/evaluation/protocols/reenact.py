"""Reenactment: a clip's first frame moved by the clip's own landmarks, compared with the clip.

Neutral is the first frame, landmarks are absolute (nothing is retargeted), the middle square of a video is scaled to
512 px. Scores are averaged over the frames behind the first, then over clips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from durian.errors import InvalidRequest
from durian.evaluation.data.cases import CaseResult, Source
from durian.evaluation.data.footage import clip_paths, read_footage
from durian.evaluation.data.tasks import Task
from durian.evaluation.protocols.interface import Protocol

COMPARED = ("psnr/all", "ssim/all")
"""Figures in which a clip has to be better than the still first frame."""


class Reenact(Protocol):
    """Real clips, nothing worn that was not."""

    name = "reenact"
    title = "Own motion, no item"
    purpose = "A clip's first frame is moved by the clip's own landmarks, and compared with the clip."
    unit = "clip"

    def sources(self) -> list[Source]:
        return [Source(path.stem, (path,)) for path in clip_paths(self.options.data, self.options.limit)]

    def load(self, source: Source) -> Task:
        footage = read_footage(source.files[0])
        if len(footage.frames) < 2:
            raise InvalidRequest(f"{source.name} has a single frame: give a clip that moves.")
        return Task(
            name=source.name,
            group="clip",
            image=footage.frames[0],
            landmarks=footage.landmarks[0],
            attributes=(),
            driving=footage.landmarks[1:],
            fps=footage.fps,
            truth=footage.frames[1:],
        )

    def summary(self, results: Mapping[str, Sequence[CaseResult]]) -> dict[str, Any]:
        """Of the last method: ``landmark_error_percent``, ``psnr``, ``ssim``, the still's beside them, and
        ``better_than_still_percent``, clips whose PSNR and SSIM are both above the still's."""
        method = list(results)[-1]
        report: dict[str, object] = {"landmark_error_percent": _mean(results[method], "landmarks/all")}
        if "still" in results and method != "still":
            better = [_is_better(*pair) for pair in zip(results[method], results["still"], strict=True)]
            report["better_than_still_percent"] = round(100 * float(np.mean(better)), 1)
        for key in COMPARED:
            name = key.partition("/")[0]
            report[name] = _mean(results[method], key)
            if "still" in results:
                report[f"still_{name}"] = _mean(results["still"], key)
        report["by_clip"] = {
            case.case: {name: round(value, 4) for name, value in case.figures.items()} for case in results[method]
        }
        return report


def _is_better(own: CaseResult, still: CaseResult) -> bool:
    return all(own.figures.get(key, 0) > still.figures.get(key, 0) for key in COMPARED)


def _mean(cases: Sequence[CaseResult], key: str) -> float | None:
    values = [case.figures[key] for case in cases if key in case.figures]
    return round(float(np.mean(values)), 4) if values else None
