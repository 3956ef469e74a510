"""Interfaces of metrics: a figure of one clip, or of a set of clips against another set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, Self

import numpy as np

from durian.evaluation.metrics.case import Case

Kind = Literal["pairwise", "reference", "set"]
"""Against the true frames, against the pictures that were given, or of all clips together."""


class Described(ABC):
    """Description of a metric for reports.

    Attributes:
        name: key in reports, such as ``psnr``.
        title: for people, such as ``PSNR``.
        unit: ``dB``, ``%`` or empty.
        higher_is_better: which way is good; ``None`` where a value is (``best`` then says which).
        best: the value of a perfect result.
        kind: pairwise, reference or set.
        needs_truth: whether a case without true frames has no figure.
        needs_weights: whether :meth:`available` depends on weights that do not come with the project.
        definition: what is measured, in one or two sentences.
    """

    name: str
    title: str
    unit: str = ""
    higher_is_better: bool | None
    best: float
    kind: Kind
    needs_truth: bool
    needs_weights: bool = False
    definition: str

    def available(self) -> str | None:
        """``None``, or one sentence on why this cannot be measured here and what to do.

        The first call may fetch weights; the answer is kept for the process.
        """
        return None


class Metric(Described):
    """A figure of one clip, without memory of others: means and intervals are the report's."""

    @abstractmethod
    def score(self, case: Case) -> dict[str, float]:
        """The clip's figure for each region: ``all``, and ``inside`` and ``outside`` where these make sense.

        A region that cannot be measured on this clip (no truth, no face) is left out; never NaN.

        Raises:
            WeightsMissing: :meth:`available` would have said why.
        """


class SetMetric(Described):
    """A distance of two sets of clips, gathered clip by clip in memory that does not grow with their number.

    An instance can be pickled: workers gather their own and the first :meth:`merge`\\ s them.
    """

    kind: Kind = "set"

    @abstractmethod
    def add(self, real: np.ndarray, fake: np.ndarray) -> None:
        """Take one clip of each set.

        Args:
            real, fake: ``(F, S, S, 3) uint8`` RGB; F and S may differ between the two.

        Raises:
            WeightsMissing: :meth:`available` would have said why.
        """

    @abstractmethod
    def compute(self) -> float | None:
        """The distance of all that was added, 0 for equal sets; ``None`` where that is too little to tell."""

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Take what another instance gathered, as if it had been added here."""
