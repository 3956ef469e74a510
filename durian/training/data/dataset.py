"""Data set of numbered samples.

A sample follows from the seed and its number alone, however many processes load it and wherever a run goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from durian.clips import Clip, ClipFrame
from durian.errors import UnreadableMedia
from durian.keypoints import draw_keypoints
from durian.request import Attribute
from durian.training.data.augmentation import (
    ATTRIBUTE_CHANGES,
    PORTRAIT_CHANGES,
    ReferenceChanges,
    apply_changes,
    draw_changes,
    mirrored,
    resized,
)
from durian.training.data.expansion import (
    ExpansionSettings,
    MaskBank,
    is_seen,
    item_of,
    make_hole,
    masks_needed,
    person_of,
    whole,
    whole_item,
)
from durian.training.data.pairs import Pair, Pairs, PairSettings
from durian.training.data.sample import KEYPOINTS, PICTURES, Sample

TRIES = 50
"""Draws after which clips are thought to hide what they say they show."""


@dataclass(frozen=True)
class SamplingSettings:
    """All that decides what a clip becomes: ``pairs`` which frames, ``expansion`` the hole, ``attribute`` and
    ``portrait`` how the references are changed."""

    pairs: PairSettings = field(default_factory=PairSettings)
    expansion: ExpansionSettings = field(default_factory=ExpansionSettings)
    attribute: ReferenceChanges = ATTRIBUTE_CHANGES
    portrait: ReferenceChanges = PORTRAIT_CHANGES

    def without_augmentation(self) -> SamplingSettings:
        """The same with references as they are: for validation, and to measure what augmentation does."""
        plain = ReferenceChanges()
        return replace(self, pairs=replace(self.pairs, mirrored=0.0), attribute=plain, portrait=plain)


class Samples(Dataset):
    """Endlessly many samples; number n depends on clips, settings, seed and n only.

    Args:
        clips: in a fixed order.
        size: S, side of all pictures in pixels; clips of other sizes are resized.
        frames: F, target frames; 1 for the image stage.
        seed: of all chance.
        settings: how samples are made.
        drafted: whether samples have drafts.
        drawn: those of :data:`~durian.training.data.sample.KEYPOINTS` that samples have.

    Raises:
        InvalidRequest: no clip has enough frames.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        size: int,
        frames: int = 1,
        seed: int = 0,
        settings: SamplingSettings = SamplingSettings(),
        drafted: bool = False,
        drawn: Collection[str] = KEYPOINTS,
    ) -> None:
        self.clips, self.size, self.seed, self.settings = list(clips), size, seed, settings
        self.drawn = frozenset(drawn)
        self.pairs = Pairs(self.clips, frames, settings.pairs, drafted)
        self.bank = MaskBank(self.clips)

    def __getitem__(self, number: int) -> Sample:
        """
        Raises:
            UnreadableMedia: a clip is broken, or none shows its items.
        """
        rng = np.random.default_rng([self.seed, number])
        pair = self._seen_pair(rng)
        clip, category = self.clips[pair.clip], pair.category
        attribute = self._reference(clip, pair.attribute, (category,))
        portrait = self._reference(clip, pair.portrait, masks_needed(category))
        targets = [resized(clip.frame(target, (category,)), self.size) for target in pair.targets]
        drafts = None if pair.draft is None else self._drafts(clip, pair.draft, pair.targets)
        if rng.random() < self.settings.pairs.mirrored:
            attribute, portrait, *targets = (mirrored(frame) for frame in (attribute, portrait, *targets))
            drafts = None if drafts is None else np.ascontiguousarray(drafts[:, :, ::-1])
        # The hole is made for the reference's whole item, as in the application, not for what moving left of it.
        worn = item_of(attribute.landmarks, attribute.masks[category], category)
        attribute = apply_changes(attribute, draw_changes(self.settings.attribute, rng))
        portrait = apply_changes(portrait, draw_changes(self.settings.portrait, rng))
        items = [worn] if pair.has_truth else self._borrowed(category, person_of(clip), rng)
        hole = make_hole(portrait, category, items, float(rng.uniform(*self.settings.expansion.growth)))
        return Sample(
            attribute=attribute.image,
            attribute_mask=attribute.masks[category],
            attribute_keypoints=self._drawn("attribute_keypoints", attribute),
            portrait=portrait.image,
            hole=hole,
            portrait_keypoints=self._drawn("portrait_keypoints", portrait),
            targets=np.stack([target.image for target in targets]),
            keypoints=np.stack([self._drawn("keypoints", target) for target in targets]),
            inside=np.stack([_mask_of(target, category) for target in targets]),
            category=category,
            has_truth=pair.has_truth,
            clip=clip.about.name,
            drafts=drafts,
        )

    def _seen_pair(self, rng: np.random.Generator) -> Pair:
        """A pair whose attribute can be seen: a beard cannot from behind a hand."""
        for _ in range(TRIES):
            pair = self.pairs.draw(rng)
            if is_seen(self.clips[pair.clip].mask(pair.attribute, pair.category)):
                return pair
        raise UnreadableMedia(
            f"In {TRIES} draws no clip showed the item it should (the last was {pair.category} in "
            f"{self.clips[pair.clip].about.name}): look at the clips, or make them anew with durian prepare."
        )

    def _reference(self, clip: Clip, number: int, categories: Sequence[str]) -> ClipFrame:
        frame = clip.frame(number, categories)
        masks = {name: whole_item(clip, mask) for name, mask in frame.masks.items()}
        return resized(replace(frame, masks=masks), self.size)

    def _drafts(self, clip: Clip, number: int, targets: Sequence[int]) -> np.ndarray:
        crop = whole(clip.about.size)
        drafts = [clip.draft(number, target) for target in targets]
        return np.stack([draft if len(draft) == self.size else crop.apply(draft, self.size) for draft in drafts])

    def _borrowed(self, category: str, person: str, rng: np.random.Generator) -> list[Attribute]:
        items = [self.bank.borrow(category, person, rng) for _ in range(self.settings.expansion.borrowed)]
        return [item for item in items if item is not None]

    def _drawn(self, name: str, frame: ClipFrame) -> np.ndarray:
        return draw_keypoints(frame.landmarks, self.size) if name in self.drawn else np.zeros((0, 0, 3), np.uint8)


class Batches:
    """Numbers of the samples of batches ``first`` to ``last - 1``, or each ``every``-th of them: batch k holds k·B to
    k·B + B - 1.

    A loader gives them out in this order whatever the number of its processes.
    """

    def __init__(self, first: int, last: int, size: int, every: int = 1) -> None:
        self.numbers, self.size = range(first, last, every), size

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[range]:
        return (range(k * self.size, (k + 1) * self.size) for k in self.numbers)


def collate(samples: Sequence[Sample]) -> dict[str, Tensor | list]:
    """A batch: :data:`PICTURES` as ``(B, ...) uint8`` tensors, but for those that samples lack; others as lists."""
    batch: dict[str, Tensor | list] = {}
    for name in (one.name for one in fields(Sample)):
        values = [getattr(sample, name) for sample in samples]
        if values[0] is None:
            continue
        batch[name] = torch.from_numpy(np.stack(values)) if name in PICTURES else values
    return batch


def load_batches(
    samples: Dataset,
    first: int,
    last: int,
    size: int,
    workers: int = 0,
    pin_memory: bool = False,
    every: int = 1,
    stacked: Callable[[Sequence[Any]], Mapping[str, Any]] = collate,
) -> DataLoader:
    """Batches ``first`` to ``last - 1`` of ``size`` samples, in order.

    Args:
        samples: where they are from.
        first: number of the first batch: the batches that a run has behind it.
        last: number after the last one.
        size: B, samples of a batch.
        workers: processes that load; 0 loads here.
        pin_memory: for faster copies to a GPU.
        every: only each ``every``-th batch from the first one on, for one of as many devices.
        stacked: makes a batch of samples.
    """
    return DataLoader(
        samples,
        batch_sampler=Batches(first, last, size, every),
        collate_fn=stacked,
        num_workers=workers,
        pin_memory=pin_memory,
        worker_init_fn=_one_thread,
        # It seeds workers, which draw nothing from that; without one of its own the process's is used up.
        generator=torch.Generator(),
        # A process in which a face was searched must not be forked.
        multiprocessing_context="spawn" if workers else None,
    )


def split_clips(clips: Sequence[Clip], share: float = 0.05) -> tuple[list[Clip], list[Clip]]:
    """Clips to learn from and clips to validate with, no person in both.

    A person's place follows from their name alone, so more clips change nobody's.

    Args:
        clips: all.
        share: of the people that validate, about.
    """
    places = [_place_of(person_of(clip)) for clip in clips]
    return (
        [clip for clip, place in zip(clips, places) if place >= share],
        [clip for clip, place in zip(clips, places) if place < share],
    )


def _place_of(person: str) -> float:
    """Evenly in 0..1, by the name."""
    return int.from_bytes(hashlib.blake2b(person.encode(), digest_size=4).digest()) / 2**32


def _mask_of(frame: ClipFrame, category: str) -> np.ndarray:
    return frame.masks.get(category, np.zeros(frame.image.shape[:2], np.uint8))


def _one_thread(worker: int) -> None:
    import cv2

    cv2.setNumThreads(1)
