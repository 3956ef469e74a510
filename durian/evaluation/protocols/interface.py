"""Protocols: one class for each combination of data and measurement, and the registry of them.

All go one way: a protocol lists its sources and makes a task of each; methods make frames of a task; metrics score
them; :mod:`durian.evaluation.run.running` takes care of processes and of going on, the report of means and pictures.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from durian.errors import InvalidRequest
from durian.evaluation.data.cases import Source
from durian.evaluation.data.photographs import Photographs
from durian.evaluation.data.tasks import Task
from durian.evaluation.methods.methods import RENDER_SIZE, Method
from durian.evaluation.metrics.figures import Figure
from durian.evaluation.metrics.scoring import Scorer

PROTOCOLS = {
    "self": "durian.evaluation.protocols.self_attribute.SelfAttribute",
    "cross": "durian.evaluation.protocols.cross_attribute.CrossAttribute",
    "reenact": "durian.evaluation.protocols.reenact.Reenact",
    "triplets": "durian.evaluation.protocols.triplets.Triplets",
    "composition": "durian.evaluation.protocols.composition.Composition",
    "interpolation": "durian.evaluation.protocols.interpolation.Interpolation",
    "robustness": "durian.evaluation.protocols.robustness.Robustness",
    "self-item": "durian.evaluation.protocols.self_item.SelfItem",
    "completion": "durian.evaluation.protocols.completion.Completion",
}
"""The module of each; imported when used. ``segment`` has no methods to compare and goes its own way."""


@dataclass(frozen=True)
class Options:
    """Options of a protocol.

    Attributes:
        data: folder of scenes or clips.
        scenes: of scenes, ``test``, ``all`` or ``FIRST-LAST``.
        limit: at most so many sources; of robustness, so many scenes in each cell.
        size: side in pixels at which renderers work.
        metrics: names of those that are wanted; all that can be measured if there are none.
        seed: of what is drawn: references, and the noise that diffusion starts from.
        photographs: which of a folder of photographs are taken.
        relit: take the item from a copy under other light.
    """

    data: Path
    scenes: str = "test"
    limit: int | None = None
    size: int = RENDER_SIZE
    metrics: tuple[str, ...] = ()
    seed: int = 0
    photographs: Photographs = field(default_factory=Photographs)
    relit: bool = False


class Protocol(ABC):
    """Lists its sources, and makes a task of each. Instances are sent to other processes.

    Attributes:
        name: on the command line.
        title: in reports.
        purpose: what is asked, in a sentence or two.
        unit: what a source is, for the progress bar.
        ranked_by: the figure by which cases are sorted, ``metric/region``.
        figures: what it measures besides the metrics.
    """

    name: str
    title: str
    purpose: str
    unit: str = "case"
    ranked_by: str = "psnr/all"
    figures: tuple[Figure, ...] = ()

    def __init__(self, options: Options):
        self.options = options

    @abstractmethod
    def sources(self) -> list[Source]:
        """All cases to be, in order.

        Raises:
            InvalidRequest: there are none.
        """

    @abstractmethod
    def load(self, source: Source) -> Task:
        """
        Raises:
            DurianError: nothing can be made of it; the case is left out and named.
        """

    def usual_methods(self, renderer: str) -> tuple[str, ...]:
        """The methods compared by default, as on the command line."""
        return ("still", renderer)

    def score(self, method: Method, scorer: Scorer) -> tuple[np.ndarray, dict[str, float]]:
        """A method's frames for the scorer's task ``(F, S, S, 3) uint8``, and their figures by ``metric/region``."""
        frames = method.frames(scorer.task)
        return frames, scorer.score(frames)

    def settings(self) -> dict[str, object]:
        """All that results depend on besides the sources' files and the method."""
        settings: dict[str, object] = {"protocol": self.name, "size": self.options.size, "seed": self.options.seed}
        return settings | ({"metrics": list(self.options.metrics)} if self.options.metrics else {})

    def summary(self, results: Mapping[str, Sequence]) -> dict[str, Any]:
        """Further results of the protocol besides means: by method, from its results (``CaseResult``) of all cases."""
        return {}


def get_protocol(name: str) -> Callable[[Options], Protocol]:
    """The class of a protocol.

    Raises:
        InvalidRequest: there is none of that name.
    """
    if name not in PROTOCOLS:
        raise InvalidRequest(f"There is no protocol named {name!r}: use one of {', '.join(PROTOCOLS)}.")
    module, _, kind = PROTOCOLS[name].rpartition(".")
    return getattr(importlib.import_module(module), kind)
