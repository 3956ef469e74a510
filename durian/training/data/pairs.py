"""The choice of a sample's frames: pseudo pairs from one person's clip as in the paper, true pairs from two people's.

A pseudo pair takes everything from one person: the attribute from one frame, the portrait from another, the targets
from others again. A true pair takes the attribute from somebody else who wears the same item, and the portrait from the
target's person without it; only rendered scenes have such frames. Where two items change hands, the portrait already
wears the other one, so that it is a target frame as in a pseudo pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from durian.clips import CATEGORIES, Clip, ClipAbout
from durian.errors import InvalidRequest
from durian.face import eye_distance

TARGET_TRIES = 8
"""Draws of targets of which one without references is taken, where the references are given."""


@dataclass(frozen=True)
class PairSettings:
    """How samples are drawn from clips.

    Attributes:
        true_share: how many samples are true pairs, where there are clips of both kinds. Taste: true pairs teach what
            transfer is, pseudo pairs what real pictures look like.
        balance: 0 draws categories as clips have them, 1 all equally often. With 0.75 (taste) a hundred hats beside
            two thousand heads of hair are drawn half as often, and not a twentieth.
        strides: frames from one target to the next, one of these for a sample.
        candidates: pairs of references of which the one with the most different poses is taken; 1 takes any.
        mirrored: share of samples flipped left to right, all their pictures together.
    """

    true_share: float = 0.5
    balance: float = 0.75
    strides: tuple[int, ...] = (1, 2, 3)
    candidates: int = 2
    mirrored: float = 0.5

    def __post_init__(self) -> None:
        for name in ("true_share", "balance", "mirrored"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidRequest(f"{name} {getattr(self, name):g} is not a share: give a number from 0 to 1.")
        if not self.strides or min(self.strides) < 1 or self.candidates < 1:
            raise InvalidRequest(
                f"Strides {list(self.strides)} and {self.candidates} candidates draw nothing: use 1 or more."
            )


@dataclass(frozen=True)
class Pair:
    """Frame numbers in one clip, whose place in the list of clips is ``clip``; see :class:`Sample`'s fields."""

    clip: int
    category: str
    attribute: int
    portrait: int
    targets: tuple[int, ...]
    has_truth: bool
    draft: int | None = None
    """Place of the pair among the clip's drafts, where samples begin with drafts."""


@dataclass(frozen=True)
class Roles:
    """Numbers of the frames that may become each part of a sample."""

    attribute: tuple[int, ...]
    portrait: tuple[int, ...]
    targets: tuple[int, ...]


def categories_of(about: ClipAbout) -> tuple[str, ...]:
    """Items that can be learnt from a clip. Not hair below a hat: the hole of other hair would swallow the hat, which
    neither reference shows then.
    """
    return tuple(name for name in CATEGORIES if name in about.items and not (name == "hair" and "hat" in about.items))


def pseudo_roles(about: ClipAbout) -> Roles:
    """Frames of one person who wears the same throughout.

    Beside the targets, a scene of one person has portraits, in the targets' light, and references in their own: the
    attribute may come from the latter, the portrait may not.
    """
    targets = tuple(about.frames_of("target"))
    if about.has_truth:
        return Roles(targets, targets, targets)
    same = {number for number in range(len(about.people)) if about.people[number] == about.people[targets[0]]}
    references, portraits = (
        tuple(number for number in about.frames_of(role) if number in same) for role in ("reference", "portrait")
    )
    return Roles(targets + references, targets + portraits, targets)


def true_roles(about: ClipAbout, category: str) -> Roles:
    """Frames of a scene where an item of this category changes hands."""
    targets = tuple(about.frames_of("target"))
    portraits = targets if about.kind == "pair" else tuple(about.frames_of("portrait"))
    return Roles(tuple(about.item_frames.get(category, ())), portraits, targets)


class Pairs:
    """Draws samples' frames, all chance coming from the generator given.

    Args:
        clips: all there are.
        frames: F, targets of a sample.
        settings: how often what is drawn.
        drafted: only pairs of frames of which the clips hold drafts.

    Raises:
        InvalidRequest: no clip has enough frames, or none has drafts where they are wanted.
    """

    def __init__(
        self, clips: Sequence[Clip], frames: int, settings: PairSettings = PairSettings(), drafted: bool = False
    ) -> None:
        self.clips, self.frames, self.settings, self.drafted = clips, frames, settings, drafted
        if drafted and not any(clip.about.drafts for clip in clips):
            raise InvalidRequest(
                f"None of the {len(clips)} clips holds drafts, which this model begins with: make them with durian "
                "prepare --drafts 4."
            )
        self.roles: dict[tuple[bool, int, str], Roles] = {}
        usable: dict[bool, dict[str, list[int]]] = {True: {}, False: {}}
        for place, clip in enumerate(clips):
            for category in categories_of(clip.about):
                for is_true in (True, False):
                    if is_true and not clip.about.has_truth:
                        continue
                    roles = true_roles(clip.about, category) if is_true else pseudo_roles(clip.about)
                    if _is_enough(roles, frames) and (not drafted or drafts_of(clip.about, category, is_true)):
                        self.roles[is_true, place, category] = roles
                        usable[is_true].setdefault(category, []).append(place)
        self.usable = {is_true: categories for is_true, categories in usable.items() if categories}
        if not self.usable:
            raise InvalidRequest(
                f"None of the {len(clips)} clips has {frames} target frames and two more as references: "
                "use longer clips, or fewer target frames."
            )

    def true_share(self) -> float:
        """How often a pair is a true one: the setting, or 0 or 1 where clips allow one kind only."""
        return self.settings.true_share if len(self.usable) == 2 else float(True in self.usable)

    def shares(self, is_true: bool) -> Mapping[str, float]:
        """How often each category is drawn among true pairs or among pseudo pairs."""
        weights = {name: len(places) ** (1 - self.settings.balance) for name, places in self.usable[is_true].items()}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    def draw(self, rng: np.random.Generator) -> Pair:
        """First whether it is a true pair, then the category, then a clip, then frames of it."""
        is_true = bool(rng.random() < self.true_share())
        shares = self.shares(is_true)
        category = str(rng.choice(list(shares), p=list(shares.values())))
        place = int(rng.choice(self.usable[is_true][category]))
        roles = self.roles[is_true, place, category]
        if self.drafted:
            about = self.clips[place].about
            draft = int(rng.choice(drafts_of(about, category, is_true)))
            drawn = about.drafts[draft]
            targets = self._targets_beside(roles, {drawn.attribute, drawn.portrait}, rng)
            return Pair(place, category, drawn.attribute, drawn.portrait, targets, is_true, draft)
        targets = self._targets(roles, rng)
        attribute, portrait = self._references(self.clips[place].landmarks, roles, targets, rng)
        return Pair(place, category, attribute, portrait, targets, is_true)

    def _targets(self, roles: Roles, rng: np.random.Generator) -> tuple[int, ...]:
        strides = [stride for stride in self.settings.strides if self._span(stride) <= len(roles.targets)]
        stride = int(rng.choice(strides)) if strides else 1
        start = int(rng.integers(len(roles.targets) - self._span(stride) + 1))
        return roles.targets[start : start + self._span(stride) : stride]

    def _targets_beside(self, roles: Roles, references: set[int], rng: np.random.Generator) -> tuple[int, ...]:
        """Targets of which, if there are such, none is a reference."""
        drawn = [self._targets(roles, rng) for _ in range(TARGET_TRIES)]
        return min(drawn, key=lambda targets: len(references.intersection(targets)))

    def _span(self, stride: int) -> int:
        return (self.frames - 1) * stride + 1

    def _references(
        self, landmarks: np.ndarray, roles: Roles, targets: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[int, int]:
        """Attribute and portrait, different and not among the targets."""
        attributes, portraits = (sorted(set(part) - set(targets)) for part in (roles.attribute, roles.portrait))
        middle = landmarks[targets[len(targets) // 2]]
        best, farthest = (0, 0), -1.0
        for _ in range(self.settings.candidates):
            attribute, portrait = _two_different(attributes, portraits, rng)
            spread = pose_distance(landmarks[attribute], landmarks[portrait])
            spread += pose_distance(landmarks[portrait], middle)
            if spread > farthest:
                best, farthest = (attribute, portrait), spread
        return best


def drafts_of(about: ClipAbout, category: str, is_true: bool) -> list[int]:
    """Places among a clip's drafts of the pairs of this category and kind."""
    return [place for place, pair in enumerate(about.drafts) if pair.category == category and pair.has_truth == is_true]


def pose_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Mean distance between the points of two faces ``(478, 3)`` laid over each other, in outer-eye distances.

    Turns of the head count, and expressions; place and size do not.
    """
    a, b = ((face - face.mean(0)) / eye_distance(face) for face in (first, second))
    return float(np.linalg.norm(a - b, axis=1).mean())


def _is_enough(roles: Roles, frames: int) -> bool:
    """Whether consecutive targets leave two different references."""
    spare = len(roles.targets) - frames
    if spare < 0:
        return False
    attributes, portraits = (set(part) - set(roles.targets) for part in (roles.attribute, roles.portrait))
    from_targets = [set(roles.targets) <= set(part) for part in (roles.attribute, roles.portrait)]
    # Each reference has frames of its own or takes one of the spare targets.
    needed = sum(not own for own in (attributes, portraits))
    return spare >= needed and all(own or shared for own, shared in zip((attributes, portraits), from_targets))


def _two_different(attributes: Sequence[int], portraits: Sequence[int], rng: np.random.Generator) -> tuple[int, int]:
    while True:
        attribute, portrait = int(rng.choice(attributes)), int(rng.choice(portraits))
        if attribute != portrait:
            return attribute, portrait
