"""One clip to be scored: what was rendered, what was true, and what it was rendered from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from durian.evaluation.metrics.pixels import Score, compare_in, mean_by_name
from durian.evaluation.metrics.regions import regions_of


@dataclass(frozen=True, eq=False)
class Case:
    """F frames of S × S pixels; what several metrics need of them is worked out once.

    Attributes:
        name: unique among the cases of a protocol.
        frames: ``(F, S, S, 3) uint8`` RGB, rendered.
        category: ``hair``, ``glasses``, ``hat`` or ``beard``: what was transferred.
        portrait: ``(S, S, 3) uint8``, the picture that was animated.
        reference: ``(S, S, 3) uint8``, the picture with the item.
        reference_mask: ``(S, S) bool``, where the item is in it.
        truth: ``(F, S, S, 3) uint8``, or ``None`` where nobody knows it (another person's item on a real portrait).
        inside: ``(F, S, S) bool``, where the item is in ``truth``; ``None`` where unknown.
        landmarks: ``(F, 478, 3)`` pixels, the motion that the frames were asked to follow; ``None`` where unknown.
    """

    name: str
    frames: np.ndarray
    category: str
    portrait: np.ndarray
    reference: np.ndarray
    reference_mask: np.ndarray
    truth: np.ndarray | None = None
    inside: np.ndarray | None = None
    landmarks: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("truth", "inside"):
            given = getattr(self, name)
            if given is not None and given.shape[:3] != self.frames.shape[:3]:
                raise ValueError(f"Case {self.name}: {name} is {given.shape} and the frames are {self.frames.shape}.")

    @cached_property
    def regions(self) -> tuple[Mapping[str, np.ndarray | None], ...]:
        """Of each frame, the masks of its regions; only ``all`` where ``inside`` is unknown."""
        if self.inside is None:
            return ({"all": None},) * len(self.frames)
        return tuple(regions_of(inside) for inside in self.inside)

    @cached_property
    def pixel_scores(self) -> dict[str, Score]:
        """For each region, the mean over the frames that have it; empty without ``truth``."""
        if self.truth is None:
            return {}
        scored = zip(self.frames, self.truth, self.regions, strict=True)
        return mean_by_name([compare_in(frame, truth, regions) for frame, truth, regions in scored])
