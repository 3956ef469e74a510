"""Expansion of the hole in a training portrait beyond the worn item, so that its outline tells nothing of the item.

If the hole were just the item's own mask, a network would learn that an item fills its hole. The paper unites it with
``M_gen``, the mask of another item of the kind in a picture generated for the same keypoints. Here that other item is
taken from another clip and aligned to the portrait, as the application does with a new item; then the hole grows by a
random distance. So a hole has two outlines, as in the application: there that of the item to come and that of what the
portrait wore, here that of the item and somebody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from durian.clips import Clip, ClipFrame
from durian.errors import InvalidRequest
from durian.face import Crop
from durian.request import AnimationRequest, Attribute, ErasedName, ItemName, Portrait, RenderOptions
from durian.scene import prepare_scene
from durian.schema import checked
from durian.training.data.pairs import categories_of

FILL_REACH = 1 / 128
"""Half the width of gaps between hairs that :func:`filled` closes, relative to the picture's side: 2 pixels of 256."""
FULL_FROM = 0.25
"""Coverage of a pixel from which it is wholly the item's (taste). Holes that grow by 0.03 then leave 0.1 % of rendered
beards to be seen; without :func:`filled` 14 %."""
LEAST_SHARE = 5e-4
"""Share of a picture that an item must cover to be seen: 33 pixels of a picture of 256."""


@dataclass(frozen=True)
class ExpansionSettings:
    """How a pseudo pair's hole differs from the item in it.

    Attributes:
        borrowed: masks of other people's items that are added (the paper: one); 0 for training without expansion. On
            36 clips one hides 26 to 35 % of the item's own outline, two hide 38 to 49 %.
        growth: range of the distance that any hole grows by, in outer-eye distances; the application's default is 0.1.
    """

    borrowed: int = 1
    growth: tuple[float, float] = (0.03, 0.2)

    def __post_init__(self) -> None:
        low, high = self.growth
        # A hole that shrinks would show the rim of what is to be hidden.
        if self.borrowed < 0 or not 0 <= low <= high <= 1:
            raise InvalidRequest(
                f"{self.borrowed} borrowed masks and growth {low:g} to {high:g} are not possible: "
                "give 0 masks or more and distances from 0 to 1."
            )


def filled(mask: np.ndarray) -> np.ndarray:
    """A mask as a segmenter or a brush makes it, of one that says how much of each pixel hairs cover.

    Rendered beards cover a pixel here and the next one not, or all a little; multiplied by that, an attribute's picture
    is not what it will be in use, and a hole lets half of the beard be seen. Solid items keep their edges but for a
    fraction of a pixel.

    Args:
        mask: ``(S, S) uint8``.

    Returns:
        ``(S, S) uint8``, nowhere lower.
    """
    width = 2 * max(1, round(FILL_REACH * len(mask))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    return np.minimum(closed / np.float32(FULL_FROM), 255).astype(np.uint8)


def whole_item(clip: Clip, mask: np.ndarray) -> np.ndarray:
    """A clip's mask as a network is to see it: that of a video is so already."""
    return mask if clip.about.kind == "video" else filled(mask)


def person_of(clip: Clip) -> str:
    """A name for whom a clip shows: the same for all clips of one video. Every scene has people of its own."""
    return clip.about.source or clip.about.name


class MaskBank:
    """Items of all clips, to borrow their outlines.

    Args:
        clips: those that may lend.
    """

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.clips = clips
        self.people = np.array([person_of(clip) for clip in clips])
        self.places: dict[str, list[int]] = {}
        for place, clip in enumerate(clips):
            for category in categories_of(clip.about):
                self.places.setdefault(category, []).append(place)

    def borrow(self, category: str, person: str, rng: np.random.Generator) -> Attribute | None:
        """Somebody else's item, without its picture; ``None`` where nobody else wears one.

        Args:
            category: what kind of item.
            person: who does not lend (:func:`person_of`).
            rng: chooses the clip and the frame.
        """
        places = np.array(self.places.get(category, ()), np.int64)
        places = places[self.people[places] != person]
        if not len(places):
            return None
        clip = self.clips[int(rng.choice(places))]
        number = int(rng.choice(clip.about.frames_of("target")))
        mask = clip.mask(number, category)
        if mask is None or not is_seen(mask):
            return None
        return item_of(clip.landmarks[number], whole_item(clip, mask), category)


def is_seen(mask: np.ndarray | None) -> bool:
    """Whether enough of an item is in the picture."""
    return mask is not None and float((mask > 127).mean()) >= LEAST_SHARE


def item_of(landmarks: np.ndarray, mask: np.ndarray, category: str) -> Attribute:
    """An item as alignment takes it: its mask and its wearer's landmarks."""
    return Attribute(np.broadcast_to(np.uint8(0), (*mask.shape, 3)), mask, landmarks, checked(ItemName, category))


def make_hole(portrait: ClipFrame, category: str, items: Sequence[Attribute], growth: float) -> np.ndarray:
    """``M_port`` as the application makes it: ``(M_init ∪ (∪ M_attr aligned))``, grown.

    Args:
        portrait: with its masks of the category, and for a hat of the hair that it presses down.
        category: what will be put on.
        items: whose outlines are added: the reference's, or borrowed ones.
        growth: in outer-eye distances of the portrait, not below 0.

    Returns:
        ``(S, S) uint8``, nowhere below the portrait's own mask of the category.
    """
    size = len(portrait.image)
    nothing = np.zeros((size, size), np.uint8)
    # Kinds with a mask, even an empty one, are not looked for by the parser.
    worn = {name: portrait.masks.get(name, nothing) for name in masks_needed(category)}
    request = AnimationRequest(
        portrait=Portrait(portrait.image, portrait.landmarks, whole(size), worn),
        attributes=tuple(items),
        options=RenderOptions(expansion=growth),
        erase=(checked(ErasedName, category),),
    )
    return prepare_scene(request, size=size).hole


def masks_needed(category: str) -> tuple[str, ...]:
    """Categories whose masks in the portrait decide where its hole is."""
    return (category, "hair") if category == "hat" else (category,)


def whole(size: int) -> Crop:
    """All of a square picture; pixel centres lie at integers, so its middle at half of ``size - 1``."""
    return Crop((size - 1) / 2, (size - 1) / 2, size)
