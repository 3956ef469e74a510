"""Builds an :class:`AnimationRequest` from files, clicks and names, for the command line, the API and batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, Strict

from durian.content_cache import current_client
from durian.errors import InvalidRequest, LimitExceeded
from durian.face import PORTRAIT_MAX_ROLL, Crop, check_crop, default_crop, require_face
from durian.layers.headroom import with_headroom
from durian.long_work import Turns, between_steps
from durian.media import Picture
from durian.motion import Driving, preset, read_driving
from durian.request import (
    ATTRIBUTE_NAMES,
    AnimationRequest,
    Attribute,
    DiffusionOptions,
    ErasableName,
    Placement,
    Portrait,
    RenderOptions,
)
from durian.request_pictures import RequestPictures, read_mask_of
from durian.schema import Checked, Real, Switch, Whole, accepting, at_most, called, settle
from durian.settings import get_settings

AT_ONCE = 2
"""Requests whose faces and items are looked for at the same time: each takes some 200 MB for a moment."""
_looking = Turns(AT_ONCE)

MOST_CLICKS = 200
"""On one picture; nobody needs twenty."""
MOST_CLICK_WORK = 60.0
"""Of all clicks that are followed for one request, each 1 and a third of its picture's megapixels: 30 clicks on
pictures of three, and each takes a second."""
FARTHEST_CLICK = 1_000_000
"""Pixels, beyond any picture; whether a click is inside its own is seen when that is read."""


SMALLEST_ROOM, LARGEST_ROOM = 0.4, 5.0
"""Space around the face as a factor on the usual one: from where the face fills the picture to a small one in it."""


def _label(given: Any) -> Any:
    # The number 1 or 0, as segmenters' own interfaces have it.
    return bool(given) if isinstance(given, (int, float)) and given in (0, 1) else given


def _from_row(given: Any) -> Any:
    """``[x, y]`` or ``[x, y, label]`` as a click's fields; anything else as it is, to be refused."""
    if isinstance(given, (list, tuple)) and len(given) in (2, 3):
        return dict(zip(("x", "y", "positive"), given, strict=False))
    return given


@dataclass(frozen=True)
class Click(Checked):
    """A point of the upright picture in pixels; ``positive`` for "this belongs to it"."""

    x: Annotated[Real, Field(ge=-FARTHEST_CLICK, le=FARTHEST_CLICK)]
    y: Annotated[Real, Field(ge=-FARTHEST_CLICK, le=FARTHEST_CLICK)]
    positive: Annotated[bool, BeforeValidator(_label), Strict(), called("label"), accepting("1 or 0")] = True


Room = Annotated[Real, Field(ge=SMALLEST_ROOM, le=LARGEST_ROOM), called("room around the face")]
Row = Annotated[Click, BeforeValidator(_from_row), accepting("[x, y] or [x, y, 1 or 0]")]
Rows = Annotated[tuple[Row, ...], at_most(MOST_CLICKS)]
"""Clicks as lists of two or three numbers, the way clients and bundles write them."""


@dataclass(frozen=True)
class PortraitSource:
    """``picture`` is a file or an ``(H, W, 3) uint8`` array; ``face`` counts from 0, the largest.

    ``crop`` is the square to animate, by default one around the face with ``room`` times the usual space, raised where
    what is put on needs it.
    """

    picture: Path | np.ndarray
    face: Whole = 0
    crop: Crop | None = None
    room: Room = 1.0

    def __post_init__(self) -> None:
        settle(self, "face", "crop", "room")


@dataclass(frozen=True)
class AttributeSource:
    """One item: from a mask file, by name, or by clicks (a name then only says of which kind it is)."""

    picture: Path | np.ndarray
    name: str | None = None
    mask: Path | np.ndarray | None = None
    clicks: tuple[Click, ...] = ()
    strength: float = 1.0
    trim: float = 0.0
    layer: int | None = None
    placement: Placement = field(default_factory=Placement)
    face: int = 0


@dataclass(frozen=True)
class MotionSource:
    """``what`` is a preset's name (text) or a video file (a path); ``start`` and ``end`` in seconds trim a video.

    Text is never taken for a path: it may be a stranger's.
    """

    what: str | Path = "nod"
    start: Real = 0.0
    end: Real | None = None
    neutral: Annotated[Whole, called("resting frame")] | None = None
    whole: Switch = False
    """Take as many frames as the video has, up to the limit, whatever the options say."""

    def __post_init__(self) -> None:
        settle(self, "start", "end", "neutral", "whole")


@dataclass(frozen=True)
class Prepared:
    """A request, and the video whose sound belongs to its motion (from ``audio_start`` seconds on), if any.

    ``notices`` are sentences about what was done to the files, for whoever gave them.
    """

    request: AnimationRequest
    audio_from: Path | None = None
    audio_start: float = 0.0
    notices: tuple[str, ...] = ()


def build_request(
    portrait: PortraitSource | Portrait,
    attributes: Sequence[AttributeSource | Attribute] = (),
    motion: MotionSource | None = None,
    options: RenderOptions | None = None,
    blend: tuple[float, float] | None = None,
    erase: Sequence[ErasableName] = (),
    renderer: str | None = None,
    diffusion: DiffusionOptions | None = None,
) -> Prepared:
    """Read everything a request needs.

    Args:
        portrait: the person, or where to read them from.
        attributes: what goes on, or where to read it from.
        motion: how the person moves; ``None`` makes a request for a still.
        options: sliders and settings.
        blend: α at the first and the last frame; ``None`` wears all attributes.
        erase: what of the portrait is taken off without a replacement.
        renderer: its name; by default the settings'.
        diffusion: how the diffusion renderer samples; by default as its model was made for.

    Raises:
        UnreadableMedia, LimitExceeded, NoFaceFound, InvalidRequest: with one sentence about the file or value.
        Cancelled: nobody waits for the request any more.
    """
    options = options or RenderOptions()
    pictures = RequestPictures(
        portrait.picture if isinstance(portrait, PortraitSource) else None,
        [attribute.picture for attribute in attributes if isinstance(attribute, AttributeSource)],
    )
    check_click_work(
        (len(attribute.clicks), pictures.megapixels(attribute.picture))
        for attribute in attributes
        if isinstance(attribute, AttributeSource) and attribute.mask is None
    )
    with looking():
        person = load_portrait(portrait, pictures) if isinstance(portrait, PortraitSource) else portrait
        items = tuple(_loaded(attribute, pictures) for attribute in attributes)
    between_steps()
    if isinstance(portrait, PortraitSource) and portrait.crop is None:
        person = with_headroom(person, items, inside=options.uncrop)
    del pictures
    moves, audio_from, audio_start, notice = None, None, 0.0, None
    if motion is not None:
        if isinstance(motion.what, Path):
            audio_start = motion.start
            audio_from = motion.what if _has_sound(motion.what) else None
        driving = load_motion(motion, options)
        moves, notice = driving.motion, driving.notice
        if motion.whole and isinstance(motion.what, Path):
            frames = min(get_settings().max_frames, max(1, round(moves.duration * options.fps)))
            options = replace(options, frames=frames)
    request = AnimationRequest(
        portrait=person,
        attributes=items,
        motion=moves,
        options=options,
        mode="wear" if blend is None else "blend",
        blend_start=0.5 if blend is None else blend[0],
        blend_end=0.5 if blend is None else blend[1],
        erase=tuple(erase),
        renderer=renderer or get_settings().renderer,
        diffusion=diffusion or DiffusionOptions(),
    )
    return Prepared(request, audio_from, audio_start, () if notice is None else (notice,))


@contextmanager
def looking() -> Iterator[None]:
    """A context in which faces and items may be looked for: :data:`AT_ONCE` at the same time, by turns of clients.

    Raises:
        Cancelled: nobody waits for the work any more.
    """
    with _looking.turn(current_client()):
        yield


def check_click_work(clicks: Iterable[tuple[int, float]]) -> None:
    """Refuse clicks that would keep everybody waiting for minutes.

    Args:
        clicks: of each picture, how many there are and how many megapixels it is worked on at.

    Raises:
        LimitExceeded: they are more than :data:`MOST_CLICK_WORK` together.
    """
    given = list(clicks)
    count, work = sum(number for number, _ in given), sum(click_work(*each) for each in given)
    if work > MOST_CLICK_WORK:
        raise LimitExceeded(
            f"{count} clicks are too many for pictures of this size: give {int(count * MOST_CLICK_WORK / work)} at "
            "most in all, or masks."
        )


def click_work(number: int, megapixels: float) -> float:
    """How much work so many clicks are on a picture that is worked on at so many megapixels."""
    return number * (1 + megapixels / 3)


def _loaded(attribute: AttributeSource | Attribute, pictures: RequestPictures) -> Attribute:
    if isinstance(attribute, Attribute):
        return attribute
    between_steps()
    return load_attribute(attribute, pictures)


def load_portrait(source: PortraitSource, pictures: RequestPictures | None = None) -> Portrait:
    """The person with landmarks and crop, at the size that portraits are worked on.

    Args:
        source: where to read them from; its crop is in pixels of the upright file.
        pictures: of the request it belongs to, which share what they read.

    Raises:
        UnreadableMedia, LimitExceeded: the file; NoFaceFound: its face; InvalidRequest: a crop that does not hold it.
    """
    pictures = pictures or RequestPictures(source.picture)
    picture = pictures.portrait(source.picture)
    image = picture.image
    face = require_face(image, source.face, _called(source.picture, "the portrait"), PORTRAIT_MAX_ROLL)
    if source.crop is None:
        return Portrait(image, face.landmarks, default_crop(face, image.shape, source.room))
    x, y = picture.point(source.crop.x, source.crop.y)
    scale = sum(picture.scale) / 2
    crop = Crop(x, y, source.crop.side * scale)
    check_crop(crop, face.landmarks, image.shape, scale)
    return Portrait(image, face.landmarks, crop)


def load_attribute(source: AttributeSource, pictures: RequestPictures | None = None) -> Attribute:
    """An item with its mask, at the size that references are worked on; its landmarks where the picture shows a face.

    Args:
        source: where to read it from; its mask and clicks are in pixels of the upright file.
        pictures: of the request it belongs to, which share what they read.

    Raises:
        UnreadableMedia, LimitExceeded: a file; NoFaceFound: no face of that number.
        InvalidRequest: nothing says where the item is, or nothing of that name was found, or a click is outside.
    """
    called = _called(source.picture, "the reference")
    if source.name is not None and source.name not in ATTRIBUTE_NAMES:
        raise InvalidRequest(f"Attribute {source.name!r} is not known: use one of {', '.join(ATTRIBUTE_NAMES)}.")
    pictures = pictures or RequestPictures(references=[source.picture])
    picture = pictures.reference(source.picture)
    image, faces = picture.image, pictures.faces(picture)
    if faces and source.face:
        faces = [require_face(image, source.face, called)]
    landmarks = faces[0].landmarks if faces else None
    if source.mask is not None:
        mask = read_mask_of(source.mask, picture)
    else:
        mask = find_mask(image, landmarks, source.name, source.clicks, called, given=picture.given, takes_mask=True)
    return Attribute(
        image=image,
        mask=mask,
        landmarks=landmarks,
        name=source.name or "other",
        strength=source.strength,
        trim=source.trim,
        layer=source.layer,
        placement=source.placement,
    )


def find_mask(
    image: np.ndarray,
    landmarks: np.ndarray | None,
    name: str | None = None,
    clicks: Sequence[Click] = (),
    called: str = "the picture",
    segmenter: str = "auto",
    given: tuple[int, int] | None = None,
    takes_mask: bool = False,
) -> np.ndarray:
    """Segment an item by its name, by clicks, or by its name and then clicks that correct it.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 3)`` of the face that wears it, or ``None``.
        name: one of :data:`ATTRIBUTE_NAMES`; "other" can only be clicked.
        clicks: points in pixels of the picture as it was given.
        called: how an error names the picture.
        segmenter: which one, see :func:`durian.segmentation.get_segmenter`.
        given: width and height that the picture was given in; by default its own.
        takes_mask: whether a mask could be given instead, so that sentences propose one.

    Returns:
        ``(H, W) uint8`` of the size of ``image``, not empty.

    Raises:
        InvalidRequest: neither name nor clicks, a click outside the picture, or nothing found.
        LimitExceeded: too many clicks.
        Cancelled: nobody waits for the mask any more.
    """
    from durian.segmentation import get_segmenter

    picture = Picture.whole(image) if given is None else Picture(image, given)
    width, height = picture.given
    for click in clicks:
        if not (-0.5 <= click.x <= width - 0.5 and -0.5 <= click.y <= height - 0.5):
            raise InvalidRequest(
                f"The click at {click.x:g},{click.y:g} is outside {called}, which is {width}×{height} pixels: "
                "give pixels of the upright picture."
            )
    named = None if name == "other" else name
    if named is None and not clicks:
        raise InvalidRequest(
            f"Nothing says where the item is in {called}: give {'a mask, ' if takes_mask else ''}a name or a click."
        )
    check_click_work([(len(clicks), image.shape[0] * image.shape[1] / 1e6)])
    chosen = get_segmenter(segmenter)
    chosen.set_image(image)
    mask = None if named is None else chosen.named(named, landmarks)
    if clicks:
        points = np.array([picture.point(click.x, click.y) for click in clicks], np.float32)
        labels = np.array([int(click.positive) for click in clicks])
        mask = chosen.predict(points, labels, start=mask)
    if mask is None or not mask.any():
        what = "Nothing" if named is None else f"No {named}"
        todo = "click on the item, or give a mask" if takes_mask else "click on the item"
        raise InvalidRequest(f"{what} found in {called}: {todo}.")
    return mask


def load_motion(source: MotionSource, options: RenderOptions) -> Driving:
    """A preset at the options' length, or a video's motion at the video's own length.

    Raises:
        InvalidRequest: text that is no preset's name, or a video of several shots; UnreadableMedia, LimitExceeded: the
            file.
        NoFaceFound: a frame of the video has no face; the sentence names it.
    """
    if not isinstance(source.what, Path):
        return Driving(preset(source.what, options.frames, options.fps, options.seed))
    return read_driving(source.what, source.start, source.end, source.neutral)


def _has_sound(path: Path) -> bool:
    from durian.media import probe_video

    return probe_video(path).has_audio


def _called(source: Path | np.ndarray, otherwise: str) -> str:
    return otherwise if isinstance(source, np.ndarray) else Path(source).name
