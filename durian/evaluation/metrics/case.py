"""One clip to be scored: the rendered frames, the true ones, and what they were rendered from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from durian.evaluation.metrics.pixels import Score, compare_in, mean_by_name
from durian.evaluation.metrics.regions import regions_of
from durian.face.landmarks import track_upscaled

PARSED_FRAMES = 1
"""Frames of a clip in which the parser looks for the item: one takes 0.14 s of a core, more than all other metrics
without downloads. Items do not come and go within a clip; a set's many clips make up for the rest."""
HALF = 127
"""Masks count from here on, of 255."""


@dataclass(frozen=True, eq=False)
class Case:
    """F frames of S × S pixels; what several metrics need of them is worked out once, when first asked for.

    Attributes:
        name: unique among the cases of a protocol.
        frames: ``(F, S, S, 3) uint8`` RGB, rendered.
        category: ``hair``, ``glasses``, ``hat`` or ``beard``: what was transferred.
        portrait: ``(S, S, 3) uint8``, the picture that was animated.
        reference: ``(S, S, 3) uint8``, the picture with the item.
        reference_mask: ``(S, S) bool``, where the item is in it.
        truth: ``(F, S, S, 3) uint8``, or ``None`` where nobody knows it (another person's item on a real portrait).
        inside: ``(F, S, S) bool``, where the item is in ``truth``; ``None`` where unknown.
        landmarks: ``(F, 478, 3)`` pixels of the frames, the motion they were asked to follow; ``None`` where unknown.
        tracked: what :func:`~durian.face.landmarks.track_upscaled` found in ``truth``, if it was asked before.
        parts: further regions of ``truth``, ``(F, S, S) bool``.
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
    tracked: Sequence[np.ndarray | None] | None = None
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("truth", "inside"):
            given = getattr(self, name)
            if given is not None and given.shape[:3] != self.frames.shape[:3]:
                raise ValueError(f"Case {self.name}: {name} is {given.shape} and the frames are {self.frames.shape}.")

    @cached_property
    def regions(self) -> tuple[Mapping[str, np.ndarray | None], ...]:
        """Of each frame, the masks of its regions and parts; only ``all`` where nothing else is known."""
        numbers = range(len(self.frames))
        own = [{"all": None} if self.inside is None else regions_of(self.inside[number]) for number in numbers]
        return tuple(own[number] | {name: part[number] for name, part in self.parts.items()} for number in numbers)

    @cached_property
    def pixel_scores(self) -> dict[str, Score]:
        """For each region, the mean over the frames that have it; empty without ``truth``."""
        if self.truth is None:
            return {}
        scored = zip(self.frames, self.truth, self.regions, strict=True)
        return mean_by_name([compare_in(frame, truth, regions) for frame, truth, regions in scored])

    @cached_property
    def found(self) -> list[np.ndarray | None]:
        """Landmarks ``(478, 3)`` in each rendered frame, ``None`` where it shows no face."""
        return track_upscaled(self.frames)

    @cached_property
    def asked(self) -> list[np.ndarray | None]:
        """Landmarks that each frame should show: found in ``truth`` as in the frames, else the ones given."""
        if self.tracked is not None:
            return list(self.tracked)
        if self.truth is not None:
            return track_upscaled(self.truth)
        return [None] * len(self.frames) if self.landmarks is None else list(self.landmarks)

    @cached_property
    def parsed(self) -> dict[int, np.ndarray]:
        """The item as the parser sees it in some frames, evenly spaced: ``(S, S) bool`` by the frame's number.

        Empty where it sees none, or where there is no face to begin with.
        """
        landmarks = [asked if found is None else found for found, asked in zip(self.found, self.asked, strict=True)]
        return {number: self._parsed(self.frames[number], landmarks[number]) for number in self._parsed_frames}

    @cached_property
    def parsed_truth(self) -> dict[int, np.ndarray]:
        """The same in the same frames of ``truth``; none without it."""
        if self.truth is None:
            return {}
        return {number: self._parsed(self.truth[number], self.asked[number]) for number in self._parsed_frames}

    def with_frames(self, frames: np.ndarray) -> Case:
        """The same case rendered otherwise; what is known of its truth already is not worked out again."""
        other = replace(self, frames=frames)
        known = ("regions", "asked", "parsed_truth")
        other.__dict__.update({name: self.__dict__[name] for name in known if name in self.__dict__})
        return other

    @property
    def _parsed_frames(self) -> list[int]:
        middles = (np.arange(PARSED_FRAMES) + 0.5) * len(self.frames) / PARSED_FRAMES
        return sorted({int(middle) for middle in middles})

    def _parsed(self, frame: np.ndarray, landmarks: np.ndarray | None) -> np.ndarray:
        from durian.segmentation.find_worn import named_masks

        if landmarks is None:
            return np.zeros(frame.shape[:2], bool)
        starts = named_masks(np.ascontiguousarray(frame), landmarks)
        if not starts.is_seen(self.category):
            return np.zeros(frame.shape[:2], bool)
        return starts.mask(self.category) > HALF
