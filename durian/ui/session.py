"""A visitor's session in ``gr.State``: portrait, items, motion and options; it shares nothing and can be copied.

Handlers change a session in place under its lock, so that two quick events of one visitor never lose each other's work.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from durian.errors import InvalidRequest, LimitExceeded
from durian.face import Crop, Face, default_crop
from durian.face.crop import within_reach
from durian.layers.fit import Fit
from durian.layers.headroom import with_headroom
from durian.media import Picture
from durian.motion import Motion, preset
from durian.request import (
    AnimationRequest,
    Attribute,
    AttributeName,
    DiffusionOptions,
    ErasableName,
    Mode,
    Placement,
    Portrait,
    RenderOptions,
)
from durian.settings import get_settings
from durian.ui.masking import MaskHistory

HISTORY_KEPT = 12
"""Results offered again (taste); their files go with all others after ``keep_seconds``."""
ROOM_RANGE = (0.5, 2.0)
"""The slider's range of room around the face."""
SMALLEST_CROP_EYES = 2.2
"""Side of the smallest crop that is drawn by hand, in eye distances: the face still fits."""
ENDLESS = 1_000_000
"""Side of a photo that no crop reaches the end of, pixels."""


@dataclass
class PortraitChoice:
    """The photo, its faces, which one, and the crop around it."""

    image: np.ndarray
    faces: list[Face]
    chosen: int = 0
    room: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    given: tuple[int, int] | None = None
    """Width and height of the upload, where it is worked on at another size."""
    worn: dict[str, np.ndarray] | None = None
    """Masks of what the chosen person wears; ``None`` until somebody looked."""
    _portrait: tuple[Any, Portrait] | None = field(default=None, repr=False)
    _raised: tuple[Portrait, Portrait] | None = field(default=None, repr=False)

    @property
    def picture(self) -> Picture:
        return Picture.whole(self.image) if self.given is None else Picture(self.image, self.given)

    @property
    def face(self) -> Face:
        return self.faces[self.chosen]

    @property
    def crop(self) -> Crop:
        base = default_crop(self.face, self.image.shape, self.room)
        moved = Crop(base.x + self.shift_x * base.side, base.y + self.shift_y * base.side, base.side)
        return within_reach(moved, self.face.landmarks)

    @property
    def is_where_found(self) -> bool:
        """Whether nobody has moved the crop; more or less room around the face moves nothing."""
        return (self.shift_x, self.shift_y) == (0.0, 0.0)

    def choose(self, index: int) -> None:
        """Pick another face; the crop starts afresh."""
        if not 0 <= index < len(self.faces):
            raise InvalidRequest(f"Face {index + 1} does not exist: this portrait has {len(self.faces)}.")
        if index != self.chosen:
            self.chosen, self.worn = index, None
            self.room, self.shift_x, self.shift_y = 1.0, 0.0, 0.0

    def frame(self, x: float, y: float, side: float) -> None:
        """Take a crop drawn by hand: centre and side in photo pixels."""
        height, width = self.image.shape[:2]
        side = float(np.clip(side, SMALLEST_CROP_EYES * self.face.eye_distance, min(height, width)))
        # As if the photo had no end: inside a tight photo the crop of room 1 is already cut to its size.
        endless = default_crop(self.face, (ENDLESS, ENDLESS)).side
        self.room = float(np.clip(side / endless, *ROOM_RANGE))
        base = default_crop(self.face, self.image.shape, self.room)
        self.shift_x = float(np.clip((x - base.x) / base.side, -0.5, 0.5))
        self.shift_y = float(np.clip((y - base.y) / base.side, -0.5, 0.5))

    def portrait(self) -> Portrait:
        """The same object until something changes, so that renderers can keep what they know about it."""
        key = (self.chosen, self.crop, id(self.worn))
        if self._portrait is None or self._portrait[0] != key:
            portrait = Portrait(self.image, self.face.landmarks, self.crop, dict(self.worn or {}))
            self._portrait = (key, portrait)
        return self._portrait[1]

    def portrait_with(self, attributes: Sequence[Attribute], uncrop: bool = False) -> Portrait:
        """:meth:`portrait` with room above for what it puts on, unless somebody has moved its crop; inside the photo
        where the result is put back into it (``uncrop``)."""
        found = self.portrait()
        if not self.is_where_found:
            return found
        raised = with_headroom(found, attributes, inside=uncrop)
        if self._raised is None or self._raised[0] is not found or self._raised[1].crop != raised.crop:
            self._raised = (found, raised)
        return self._raised[1]


@dataclass
class Item:
    """One thing to wear: a reference picture, its mask in the making, and how it goes on."""

    id: int
    image: np.ndarray | None = None
    given: tuple[int, int] | None = None
    """Width and height of the upload, where it is worked on at another size."""
    landmarks: np.ndarray | None = None
    history: MaskHistory | None = None
    found: tuple[ErasableName, ...] = ()
    strength: float = 1.0
    trim: float = 0.0
    layer: int | None = None
    placement: Placement = field(default_factory=Placement)
    card_cache: tuple[Any, str] | None = field(default=None, repr=False, compare=False)
    box_cache: tuple[Any, tuple[float, float, float, float]] | None = field(default=None, repr=False, compare=False)
    fit_cache: tuple[Any, Fit] | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> AttributeName:
        return self.history.step.name if self.history else "other"

    @property
    def ready(self) -> bool:
        return self.history is not None and bool((self.history.mask > 127).any())

    @property
    def picture(self) -> Picture | None:
        if self.image is None or self.given is None:
            return None if self.image is None else Picture.whole(self.image)
        return Picture(self.image, self.given)

    def put(self, image: np.ndarray, landmarks: np.ndarray | None, given: tuple[int, int] | None = None) -> MaskHistory:
        """Take another reference; returns its empty mask's history."""
        self.image, self.landmarks, self.given, self.found = image, landmarks, given, ()
        self.history = MaskHistory(image)
        return self.history

    def masking(self) -> MaskHistory:
        """The reference and the steps of its mask.

        Raises:
            InvalidRequest: there is no reference yet.
        """
        if self.history is None:
            raise InvalidRequest("This item has no picture yet: upload one, or remove the item.")
        return self.history

    def attribute(self) -> Attribute:
        history = self.masking()
        return Attribute(
            image=history.image,
            mask=history.mask,
            landmarks=self.landmarks,
            name=self.name,
            strength=self.strength,
            trim=self.trim,
            layer=self.layer,
            placement=self.placement,
        )


@dataclass
class MotionChoice:
    """A preset by name, or a driving video that was tracked."""

    name: str = "nod"
    video: Path | None = None
    tracked: Motion | None = None
    duration: float = 0.0
    has_audio: bool = False
    start: float = 0.0
    end: float = 0.0
    neutral: float | None = None
    """Time of the neutral frame in seconds of the trimmed clip; ``None`` finds it."""

    def motion(self, options: RenderOptions) -> Motion:
        if self.tracked is not None:
            return self.tracked.resampled(options.frames, options.fps)
        return preset(self.name, options.frames, options.fps, options.seed)


@dataclass
class Outcome:
    """One finished animation of this session."""

    animation: Any
    poster: np.ndarray
    title: str
    request: AnimationRequest


def bytes_of(requests: Iterable[AnimationRequest], besides: Iterable[np.ndarray] = ()) -> int:
    """Bytes of all pictures and masks of requests, and others ``besides``, each counted once."""
    pictures = list(besides)
    for request in requests:
        pictures += [request.portrait.image, *request.portrait.worn.values()]
        pictures += [picture for item in request.attributes for picture in (item.image, item.mask)]
    return sum({id(picture): picture.nbytes for picture in pictures}.values())


@dataclass
class Session:
    """Everything of one visitor. ``owner`` names them to the engine, ``client`` is who counts for a fair share."""

    owner: str = ""
    client: str | None = None
    portrait: PortraitChoice | None = None
    items: list[Item] = field(default_factory=list)
    selected: int = 0
    """Index into ``items``."""
    motion: MotionChoice = field(default_factory=MotionChoice)
    options: RenderOptions = field(default_factory=RenderOptions)
    mode: Mode = "wear"
    blend_start: float = 0.0
    blend_end: float = 1.0
    erase: tuple[ErasableName, ...] = ()
    frame: int = 0
    sound: bool = False
    consent: bool = False
    segmenter: str = "auto"
    renderer: str = "preview"
    """The renderer of animations. Stills are always the preview's."""
    diffusion: DiffusionOptions = field(default_factory=DiffusionOptions)
    example: str | None = None
    history: list[Outcome] = field(default_factory=list)
    job: Any = field(default=None, repr=False)
    revision: int = 0
    watched: str | None = None
    """Id of the job whose estimates the still's stage shows; ``None`` once the table was touched."""
    alpha_shown: float | None = None
    """The α that the still shows in a blend; ``None`` follows the moment."""
    shown: dict[str, Any] = field(default_factory=dict, repr=False)
    """The value of the still's stage, without the picture itself."""
    still_image: np.ndarray | None = field(default=None, repr=False)
    lock: Any = field(default_factory=threading.RLock, repr=False, compare=False)
    _numbers: int = 0

    def __deepcopy__(self, memo: dict) -> Session:
        # A lock cannot be copied and a running job belongs to the original.
        other = Session()
        memo[id(self)] = other
        for name, value in vars(self).items():
            if name not in ("lock", "job"):
                setattr(other, name, copy.deepcopy(value, memo) if name != "history" else list(value))
        return other

    @property
    def item(self) -> Item | None:
        return self.items[self.selected] if 0 <= self.selected < len(self.items) else None

    def item_by_id(self, number: int | None) -> Item | None:
        return next((item for item in self.items if item.id == number), None)

    def add_item(self) -> Item:
        limit = get_settings().max_attributes
        if len(self.items) >= limit:
            raise LimitExceeded(f"{limit} items are on already: remove one before adding another.")
        self._numbers += 1
        item = Item(self._numbers)
        self.items.append(item)
        self.selected = len(self.items) - 1
        return item

    def remove_item(self, number: int) -> None:
        chosen = self.item
        self.items = [item for item in self.items if item.id != number]
        self.selected = self.items.index(chosen) if chosen in self.items else max(0, len(self.items) - 1)

    def select(self, number: int) -> None:
        for index, item in enumerate(self.items):
            if item.id == number:
                self.selected = index

    def shown_portrait(self) -> Portrait | None:
        """The portrait with its crop as the still shows it, ``None`` without one."""
        ready = [item.attribute() for item in self.items if item.ready]
        return None if self.portrait is None else self.portrait.portrait_with(ready, self.options.uncrop)

    def remember(self, outcome: Outcome) -> None:
        self.history = [outcome, *self.history][:HISTORY_KEPT]

    def picture_bytes(self) -> int:
        """Of all pictures and masks on the table and in the history, each counted once."""
        pictures = [item.image for item in self.items if item.image is not None]
        if self.portrait is not None:
            pictures += [self.portrait.image, *(self.portrait.worn or {}).values()]
        return bytes_of([outcome.request for outcome in self.history], pictures)

    def request(self, only_ready: bool = False, moving: bool = True) -> AnimationRequest:
        """The request that the table amounts to.

        Args:
            only_ready: leave out items without a mask (a still shows what there is) instead of refusing them.
            moving: with the motion.

        Raises:
            InvalidRequest: something is missing or does not go together, in one sentence.
        """
        if self.portrait is None:
            raise InvalidRequest("There is no portrait yet: upload a photo of a face or pick an example.")
        attributes = tuple(item.attribute() for item in self.items if item.ready or not only_ready)
        return AnimationRequest(
            portrait=self.portrait.portrait_with(attributes, self.options.uncrop),
            attributes=attributes,
            motion=self.motion.motion(self.options) if moving else None,
            options=self.options,
            mode=self.mode,
            blend_start=self.blend_start,
            blend_end=self.blend_end,
            erase=self.erase,
            renderer=self.renderer,
            diffusion=self.diffusion,
        )

    def still_request(self, moving: bool = False) -> AnimationRequest:
        """The request for what is shown at once: by the preview, of all items that have a mask."""
        asked = self.request(only_ready=True, moving=moving)
        return replace(asked, renderer="preview", diffusion=DiffusionOptions())
