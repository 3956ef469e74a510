"""Files, clicks and names into an :class:`AnimationRequest`: shared by the command line, the API and batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, Strict

from durian.errors import InvalidRequest
from durian.face import Crop, default_crop, detect_faces, require_face
from durian.motion import PRESETS, Motion, from_video, preset
from durian.request import (
    ATTRIBUTE_NAMES,
    AnimationRequest,
    Attribute,
    DiffusionOptions,
    Placement,
    Portrait,
    RenderOptions,
)
from durian.schema import Checked, Real, accepting, at_most, called
from durian.settings import get_settings

DRIVING_FPS = 30.0
"""Highest rate at which a driving video is tracked; faster ones gain nothing visible."""
DRIVING_SIDE = 720
"""Longest side in pixels at which a driving video is tracked; landmarks do not get better above (face.tracking)."""

MOST_CLICKS = 200
"""On one picture; nobody needs twenty."""
FARTHEST_CLICK = 1_000_000
"""Pixels, beyond any picture; whether a click is inside its own is seen when that is read."""


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


Row = Annotated[Click, BeforeValidator(_from_row), accepting("[x, y] or [x, y, 1 or 0]")]
Rows = Annotated[tuple[Row, ...], at_most(MOST_CLICKS)]
"""Clicks as lists of two or three numbers, the way clients and bundles write them."""


@dataclass(frozen=True)
class PortraitSource:
    """``picture`` is a file or an ``(H, W, 3) uint8`` array; ``face`` counts from 0, the largest."""

    picture: Path | np.ndarray
    face: int = 0
    crop: Crop | None = None
    room: float = 1.0


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
    """``what`` is a preset's name or a video file; ``start`` and ``end`` in seconds trim a video."""

    what: str | Path = "nod"
    start: float = 0.0
    end: float | None = None
    neutral: int | None = None
    whole: bool = False
    """Take as many frames as the video has, up to the limit, whatever the options say."""


@dataclass(frozen=True)
class Prepared:
    """A request, and the video whose sound belongs to its motion (from ``audio_start`` seconds on), if any."""

    request: AnimationRequest
    audio_from: Path | None = None
    audio_start: float = 0.0


def build_request(
    portrait: PortraitSource | Portrait,
    attributes: Sequence[AttributeSource | Attribute] = (),
    motion: MotionSource | None = None,
    options: RenderOptions | None = None,
    blend: tuple[float, float] | None = None,
    erase: Sequence[str] = (),
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
    """
    options = options or RenderOptions()
    person = load_portrait(portrait) if isinstance(portrait, PortraitSource) else portrait
    items = tuple(a if isinstance(a, Attribute) else load_attribute(a) for a in attributes)
    moves, audio_from, audio_start = None, None, 0.0
    if motion is not None:
        if not _is_preset(motion.what):
            audio_start = motion.start
            audio_from = Path(motion.what) if _has_sound(Path(motion.what)) else None
        moves = load_motion(motion, options)
        if motion.whole and not _is_preset(motion.what):
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
    return Prepared(request, audio_from, audio_start)


def load_portrait(source: PortraitSource) -> Portrait:
    """The person with landmarks and crop.

    Raises:
        UnreadableMedia, LimitExceeded: the file; NoFaceFound: its face.
    """
    image = _picture(source.picture)
    face = require_face(image, source.face, _called(source.picture, "portrait"))
    return Portrait(image, face.landmarks, source.crop or default_crop(face, image.shape, source.room))


def load_attribute(source: AttributeSource) -> Attribute:
    """An item with its mask; its landmarks where the picture shows a face.

    Raises:
        UnreadableMedia, LimitExceeded: a file; NoFaceFound: no face of that number.
        InvalidRequest: nothing says where the item is, or nothing of that name was found, or a click is outside.
    """
    image = _picture(source.picture)
    called = _called(source.picture, "reference")
    if source.name is not None and source.name not in ATTRIBUTE_NAMES:
        raise InvalidRequest(f"Attribute {source.name!r} is not known: use one of {', '.join(ATTRIBUTE_NAMES)}.")
    faces = detect_faces(image)
    if faces and source.face:
        faces = [require_face(image, source.face, called)]
    landmarks = faces[0].landmarks if faces else None
    if source.mask is not None:
        mask = _mask(source.mask, image)
    else:
        mask = find_mask(image, landmarks, source.name, source.clicks, called)
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
) -> np.ndarray:
    """Segment an item by its name, by clicks, or by its name and then clicks that correct it.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 3)`` of the face that wears it, or ``None``.
        name: one of :data:`ATTRIBUTE_NAMES`; "other" can only be clicked.
        clicks: points in pixels.
        called: how an error names the picture.
        segmenter: which one, see :func:`durian.segmentation.get_segmenter`.

    Returns:
        ``(H, W) uint8``, not empty.

    Raises:
        InvalidRequest: neither name nor clicks, a click outside the picture, or nothing found.
    """
    from durian.segmentation import get_segmenter

    height, width = image.shape[:2]
    for click in clicks:
        if not (-0.5 <= click.x <= width - 0.5 and -0.5 <= click.y <= height - 0.5):
            raise InvalidRequest(
                f"The click at {click.x:g},{click.y:g} is outside {called}, which is {width}×{height} pixels: "
                "give pixels of the upright picture."
            )
    has_name = name is not None and name != "other"
    if not has_name and not clicks:
        raise InvalidRequest(f"Nothing says where the item is in {called}: give a mask, a name or a click.")
    chosen = get_segmenter(segmenter)
    chosen.set_image(image)
    mask = chosen.named(name, landmarks) if has_name else None
    if clicks:
        points = np.array([(click.x, click.y) for click in clicks], np.float32)
        labels = np.array([int(click.positive) for click in clicks])
        mask = chosen.predict(points, labels, start=mask)
    if not mask.any():
        what = f"No {name}" if has_name else "Nothing"
        raise InvalidRequest(f"{what} was found in {called}: click on it, or give a mask.")
    return mask


def load_motion(source: MotionSource, options: RenderOptions) -> Motion:
    """A preset at the options' length, or a video's motion at the video's own length.

    Raises:
        InvalidRequest: neither a preset nor a file; UnreadableMedia, LimitExceeded: the file.
        NoFaceFound: a frame of the video has no face; the sentence names it.
    """
    if _is_preset(source.what):
        return preset(str(source.what), options.frames, options.fps, options.seed)
    path = Path(source.what)
    if not path.exists():
        raise InvalidRequest(f"Motion {path.name!r} is neither a video nor a preset: use one of {', '.join(PRESETS)}.")
    from durian.media import iter_video, probe_video

    fps = min(DRIVING_FPS, probe_video(path).fps)
    frames = iter_video(path, fps, start=source.start, end=source.end, max_side=DRIVING_SIDE)
    return from_video(frames, fps, source.neutral)


def _is_preset(what: str | Path) -> bool:
    return isinstance(what, str) and what in PRESETS


def _has_sound(path: Path) -> bool:
    from durian.media import probe_video

    return path.exists() and probe_video(path).has_audio


def _picture(source: Path | np.ndarray) -> np.ndarray:
    if isinstance(source, np.ndarray):
        return source
    from durian.media import read_image

    return read_image(source)


def _mask(source: Path | np.ndarray, image: np.ndarray) -> np.ndarray:
    if isinstance(source, np.ndarray):
        return source
    from durian.masks import read_mask

    if not Path(source).is_file():
        raise InvalidRequest(f"The mask {Path(source).name} does not exist: give a picture file.")
    return read_mask(source, image.shape)


def _called(source: Path | np.ndarray, otherwise: str) -> str:
    return otherwise if isinstance(source, np.ndarray) else Path(source).name
