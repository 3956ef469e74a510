"""The HTTP API: three named endpoints, for ``gradio_client`` and anything that speaks HTTP.

All points and masks are in pixels of the upright (EXIF-applied) upload; x runs right, y down, pixel centres lie at
integers.
"""

# Gradio reads these functions' annotations as objects, so they are not postponed here.
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import gradio as gr
from pydantic import Field

from durian import masks, prepare
from durian.engine import get_engine, usual_bytes
from durian.errors import DurianError, InvalidRequest, LimitExceeded
from durian.face import detect_faces
from durian.layers.fit import fits
from durian.media import read_picture, write_image
from durian.renderer import check_renderer
from durian.request import (
    Alpha,
    AttributeName,
    DiffusionOptions,
    ErasableName,
    Erased,
    FaceNumber,
    ItemName,
    Layer,
    RenderOptions,
    Strength,
    Trim,
)
from durian.schema import Checked, Text, Whole, accepting, checked
from durian.settings import get_settings
from durian.ui import calls
from durian.ui.handlers.animate import ANIMATION_LANE
from durian.ui.handlers.common import broken, sentence
from durian.ui.handlers.wear import SEGMENT_LANE
from durian.ui.shares import png_bytes, site_of
from durian.ui.uploads import is_uploaded, served_folder
from durian.ui.visitors import CALLER_SECONDS, Visitor, get_visitors

log = logging.getLogger(__name__)

REPORTED = ("frames", "fps", "width", "height", "seconds", "renderer", "seed")
Blend = Annotated[
    list[Alpha], Field(min_length=2, max_length=2, fail_fast=True), accepting("[start, end], each from 0 to 1")
]
FrameNumber = Annotated[Whole, Field(ge=0, le=RenderOptions.frames - 1)]


@dataclass(frozen=True)
class GivenItem(Checked):
    """An attribute as a call gives it; its files are checked by :func:`_path`."""

    image: Annotated[Any, accepting("an uploaded file")]
    name: ItemName | None = None
    mask: Any = None
    clicks: prepare.Rows | None = None
    strength: Strength = 1.0
    trim: Trim = 0.0
    layer: Layer | None = None


async def animate(
    portrait: gr.FileData,
    attributes: list[dict] | None = None,
    motion: str = "nod",
    driving: gr.FileData | None = None,
    blend: list[float] | None = None,
    frames: int = RenderOptions.frames,
    fps: float = RenderOptions.fps,
    size: int = RenderOptions.size,
    expansion: float = RenderOptions.expansion,
    light: float = RenderOptions.light,
    pose_strength: float = RenderOptions.pose_strength,
    expression_strength: float = RenderOptions.expression_strength,
    smoothing: float = RenderOptions.smoothing,
    erase: list[str] | None = None,
    face: int = 0,
    seed: int = RenderOptions.seed,
    label: bool = RenderOptions.label,
    uncrop: bool = RenderOptions.uncrop,
    renderer: str | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    sampler: str | None = None,
    normalise_lips: bool = RenderOptions.normalise_lips,
    request: gr.Request = None,
) -> tuple[gr.FileData, dict]:
    """Animate a portrait that wears items from reference pictures.

    Calling this says that you may use the pictures. Points are pixels of the upright upload (x right, y down).

    Args:
        portrait: the photo.
        attributes: one dictionary an item: {"image": file, "name": "hair|glasses|hat|beard|lips|other", and optionally
            "mask": PNG file of the reference's size, "clicks": [[x, y, 1 or 0], ...] in pixels of the upright
            reference, "strength": 0 to 1, "trim": eye distances, "layer": whole number}. Without mask or clicks the
            named item is found.
        motion: a preset: nod, shake, tilt, smile, talk, blink, surprise, look-around, mix and others.
        driving: a driving video instead of the preset.
        blend: [start, end] of α from the first to the second of exactly two items of one kind; by default all are worn.
        frames: frames of the clip.
        fps: frames a second.
        size: side of the video in pixels, an even number.
        expansion: growth of the hole in the portrait, in distances between the outer eye corners.
        light: 0 keeps the items' colours, 1 matches their light to the portrait's.
        pose_strength: 0 to 2, how far the head moves.
        expression_strength: 0 to 2, how strongly the face acts.
        smoothing: seconds over which the motion is averaged.
        erase: what the portrait wears and shall take off, such as ["hat"].
        face: which face of the photo, 0 is the largest.
        seed: the same seed gives the same result.
        label: draw the visible "AI-generated" label.
        uncrop: paste the result back into the whole photo.
        renderer: preview or, where the server has a trained model, diffusion; by default the server's own choice.
        steps: of the diffusion renderer, 1 to 100; by default its model's own number.
        guidance: of the diffusion renderer, 1 (none, twice as fast) to 20; by default its model's own.
        sampler: of the diffusion renderer: ddim, dpm++, euler or lcm; by default its model's own.
        normalise_lips: close a mouth that is open in the portrait before a motion that speaks acts on it.

    Returns:
        The MP4, and a dictionary with frames, fps, width, height, seconds, renderer, seed, notices: sentences about
        what was done to the files, such as a driving video that was turned upright, and fit: for each attribute
        {"level": "good", "fair" or "poor", "reasons": sentences about what may not go well, worst first}.
    """
    with _Sentences():
        visitor = calls.begin(request)
        options = RenderOptions(
            size,
            frames,
            fps,
            seed,
            expansion,
            light,
            pose_strength,
            expression_strength,
            smoothing,
            label,
            uncrop,
            normalise_lips,
        )
        diffusion = checked(DiffusionOptions, {"steps": steps, "guidance_scale": guidance, "sampler": sampler})
        renderer = checked(Text | None, renderer, "the renderer") or get_settings().renderer
        motion = checked(Text, motion, "the motion")
        # Before anything is read: without its model, all of that would be for nothing.
        check_renderer(renderer)
        source = prepare.MotionSource(motion if driving is None else Path(_path(driving, "driving video")))
        prepared, fit = await calls.aside(
            visitor,
            request,
            _build_and_judge,
            portrait,
            attributes,
            source,
            options,
            blend,
            erase,
            face,
            renderer,
            diffusion,
        )
        folder = get_engine().owner_folder(visitor.owner)
        room = get_visitors().shares.reserve(visitor.address, folder, usual_bytes(prepared.request))
        job = get_engine().submit(
            prepared.request,
            audio_from=prepared.audio_from,
            audio_start=prepared.audio_start,
            owner=visitor.owner,
            client=site_of(visitor.address),
            room=room,
        )
        result = await calls.finished(job, request)
        told = {key: getattr(result, key) for key in REPORTED} | {"notices": [*prepared.notices, *result.notices]}
        told["fit"] = fit
        return gr.FileData(path=str(result.path), orig_name=result.path.name), told


async def preview(
    portrait: gr.FileData,
    attributes: list[dict] | None = None,
    motion: str = "nod",
    frame: int = 0,
    alpha: float | None = None,
    size: int = 512,
    expansion: float = 0.1,
    light: float = 0.5,
    erase: list[str] | None = None,
    face: int = 0,
    label: bool = True,
    uncrop: bool = False,
    request: gr.Request = None,
) -> gr.FileData:
    """One still of what :func:`animate` would make, in a fraction of a second.

    Args:
        portrait: the photo.
        attributes: as for animate; points in pixels of the upright reference.
        motion: a preset.
        frame: which of its 48 frames; 0 is the portrait's own pose.
        alpha: 0 shows the first of exactly two items of one kind, 1 the second; by default all items are worn.
        size: side of the picture in pixels.
        expansion: growth of the hole in the portrait, in distances between the outer eye corners.
        light: 0 keeps the items' colours, 1 matches their light to the portrait's.
        erase: what the portrait wears and shall take off.
        face: which face of the photo, 0 is the largest.
        label: draw the visible "AI-generated" label.
        uncrop: give the whole photo, at its own resolution up to 8 megapixels; ``size`` is then the head's.

    Returns:
        A PNG.
    """
    with _Sentences():
        visitor = calls.begin(request)
        alpha = checked(Alpha | None, alpha, "the alpha")
        blend = None if alpha is None else [alpha, alpha]
        frame = checked(FrameNumber, frame, "the frame")
        motion = checked(Text, motion, "the motion")
        options = RenderOptions(size=size, expansion=expansion, light=light, label=label, uncrop=uncrop)
        asked = portrait, attributes, prepare.MotionSource(motion), options, blend, erase, face
        return await calls.aside(visitor, request, _preview, visitor, frame or None, *asked, patience=CALLER_SECONDS)


def _preview(visitor: Visitor, frame: int | None, *arguments: Any) -> gr.FileData:
    built = _build(*arguments).request
    lane, client = f"{visitor.owner}/{uuid.uuid4().hex}", site_of(visitor.address)
    if built.options.uncrop:
        image = get_engine().dressed_photo(built, None, lane, frame, client)
    else:
        image = get_engine().still(built, lane, frame, client)
    metadata = {"seed": built.options.seed}
    return _written(visitor, "still", image.size, lambda path: write_image(image, path, metadata))


async def segment(
    image: gr.FileData,
    points: list[list[float]] | None = None,
    name: str | None = None,
    request: gr.Request = None,
) -> gr.FileData:
    """Clicks or a name become a mask. Points are pixels of the upright (EXIF-applied) upload, x right and y down.

    Args:
        image: the reference picture.
        points: [[x, y, label], ...] in pixels of the upright (EXIF-applied) upload; label 1 belongs to the item, 0 does
            not; a missing label is 1.
        name: hair, glasses, hat, beard or lips; with points too, they correct the named start.

    Returns:
        A PNG of the upright picture's size, 255 inside the item.
    """
    with _Sentences():
        visitor = calls.begin(request)
        clicks = _clicks(points)
        name = checked(ItemName | None, name, "the name")
        image = _path(image, "image")
        return await calls.aside(visitor, request, _segment, visitor, image, name, clicks, patience=CALLER_SECONDS)


def _segment(
    visitor: Visitor, image: str, name: AttributeName | None, clicks: tuple[prepare.Click, ...]
) -> gr.FileData:
    with prepare.looking():
        picture = read_picture(image, get_settings().reference_megapixels)
        faces = detect_faces(picture.image)
        landmarks = faces[0].landmarks if faces else None
        found = prepare.find_mask(picture.image, landmarks, name, clicks, "the image", given=picture.given)
    mask = masks.resized(found, picture.given)
    return _written(visitor, "mask", mask.size, lambda path: path.write_bytes(masks.png_bytes(mask)))


class _Sentences:
    """Errors reach the caller as one sentence; traces stay in the log."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, DurianError):
            raise sentence(error, is_html=False) from None
        if isinstance(error, Exception) and not isinstance(error, gr.Error):
            log.error("An API call failed.", exc_info=error)
            raise broken() from None


def _build_and_judge(*arguments: Any) -> tuple[prepare.Prepared, list[dict[str, Any]]]:
    """As :func:`_build`, and how well each item will go."""
    prepared = _build(*arguments)
    return prepared, [fit.told() for fit in fits(prepared.request)]


def _build(
    portrait: Any,
    attributes: list[dict] | None,
    motion: prepare.MotionSource,
    options: RenderOptions,
    blend: list[float] | None,
    erase: list[str] | None,
    face: int,
    renderer: str = "preview",
    diffusion: DiffusionOptions | None = None,
) -> prepare.Prepared:
    blend = checked(Blend | None, blend, "the blend")
    erased: Sequence[ErasableName] = checked(Erased | None, erase, "the list of what is taken off") or ()
    return prepare.build_request(
        prepare.PortraitSource(Path(_path(portrait, "portrait")), checked(FaceNumber, face, "the face")),
        _attributes(attributes),
        motion,
        options,
        None if blend is None else (blend[0], blend[1]),
        erased,
        renderer,
        diffusion,
    )


def _attributes(given: Any) -> list[prepare.AttributeSource]:
    items = checked(list[Any] | None, given, "the attributes") or []
    limit = get_settings().max_attributes
    if len(items) > limit:
        raise LimitExceeded(f"{len(items)} attributes are too many: use at most {limit}.")
    return [_attribute(item, number) for number, item in enumerate(items, start=1)]


def _attribute(given: Any, number: int) -> prepare.AttributeSource:
    item = checked(GivenItem, given, f"attribute {number}")
    return prepare.AttributeSource(
        Path(_path(item.image, f"image of attribute {number}")),
        item.name,
        None if item.mask is None else Path(_path(item.mask, f"mask of attribute {number}")),
        item.clicks or (),
        item.strength,
        item.trim,
        item.layer,
    )


def _clicks(points: Any) -> tuple[prepare.Click, ...]:
    return checked(prepare.Rows | None, points, "the points") or ()


def _path(given: Any, what: str) -> str:
    """The path of an uploaded file. A server path that was not uploaded is refused, whatever the caller claims."""
    path = given.get("path") if isinstance(given, dict) else getattr(given, "path", None)
    if not is_uploaded(path):
        raise InvalidRequest(f"The {what} is not an uploaded file: send it with handle_file(...).")
    return str(path)


def _written(visitor: Visitor, name: str, raw_bytes: int, write: Callable[[Path], object]) -> gr.FileData:
    """A PNG that ``write`` makes for a visitor.

    Raises:
        QueueFull, OutputFailed: there is no room for a picture of so many bytes.
    """
    folder = served_folder()
    path = folder / f"{name}-{uuid.uuid4().hex[:12]}.png"
    with get_visitors().shares.reserve(visitor.address, folder, png_bytes(raw_bytes)) as room:
        write(path)
        room.settle(path)
    return gr.FileData(path=str(path), orig_name=f"{name}.png", mime_type="image/png")


def connect() -> None:
    """Add the endpoints to the current :class:`gr.Blocks`."""
    gr.api(animate, api_name="animate", **ANIMATION_LANE)
    gr.api(preview, api_name="preview")
    gr.api(segment, api_name="segment", **SEGMENT_LANE)
