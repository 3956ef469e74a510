"""The HTTP API: three named endpoints, for ``gradio_client`` and anything that speaks HTTP.

All points and masks are in pixels of the upright (EXIF-applied) upload; x runs right, y down, pixel centres lie at
integers.
"""

# Gradio reads these functions' annotations as objects, so they are not postponed here.
import logging
import uuid
from pathlib import Path
from typing import Any

import gradio as gr

from durian import masks, prepare
from durian.engine import get_engine
from durian.errors import DurianError, InvalidRequest
from durian.face import detect_faces
from durian.media import read_picture, write_image
from durian.renderer import check_renderer
from durian.request import AnimationRequest, DiffusionOptions, RenderOptions
from durian.settings import get_settings
from durian.ui import calls
from durian.ui.handlers.animate import ANIMATION_LANE
from durian.ui.handlers.common import broken, sentence
from durian.ui.handlers.wear import SEGMENT_LANE
from durian.ui.visitors import Visitor, get_visitors

log = logging.getLogger(__name__)

REPORTED = ("frames", "fps", "width", "height", "seconds", "renderer", "seed")
KEYS = {"image", "name", "mask", "clicks", "strength", "trim", "layer"}
"""What an attribute may say of itself."""


async def animate(
    portrait: gr.FileData,
    attributes: list[dict] | None = None,
    motion: str = "nod",
    driving: gr.FileData | None = None,
    blend: list[float] | None = None,
    frames: int = 48,
    fps: float = 24.0,
    size: int = 512,
    expansion: float = 0.1,
    light: float = 0.5,
    pose_strength: float = 1.0,
    expression_strength: float = 1.0,
    smoothing: float = 0.0,
    erase: list[str] | None = None,
    face: int = 0,
    seed: int = 0,
    label: bool = True,
    uncrop: bool = False,
    renderer: str | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    sampler: str | None = None,
    normalise_lips: bool = True,
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
        The MP4, and a dictionary with frames, fps, width, height, seconds, renderer, seed and notices: sentences about
        what was done to the files, such as a driving video that was turned upright.
    """
    with _Sentences():
        visitor = _caller(request)
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
        diffusion = DiffusionOptions(steps, guidance, sampler)
        renderer = renderer or get_settings().renderer
        # Before anything is read: without its model, all of that would be for nothing.
        check_renderer(renderer)
        source = prepare.MotionSource(Path(_path(driving, "driving video")) if driving else motion)
        prepared = await calls.aside(
            _build, portrait, attributes, source, options, blend, erase, face, renderer, diffusion
        )
        job = get_engine().submit(
            prepared.request,
            audio_from=prepared.audio_from,
            audio_start=prepared.audio_start,
            owner=visitor.owner,
            client=visitor.address,
        )
        result = await calls.finished(job)
        told = {key: getattr(result, key) for key in REPORTED} | {"notices": list(prepared.notices)}
        return gr.FileData(path=str(result.path), orig_name=result.path.name), told


def preview(
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

    Returns:
        A PNG.
    """
    with _Sentences():
        owner = _caller(request).owner
        blend = None if alpha is None else [alpha, alpha]
        options = RenderOptions(size=size, expansion=expansion, light=light, label=label)
        built = _build(portrait, attributes, prepare.MotionSource(motion), options, blend, erase, face).request
        if not 0 <= frame < options.frames:
            raise InvalidRequest(f"Frame {frame} is not in the motion: give a number from 0 to {options.frames - 1}.")
        image = get_engine().still(built, lane=f"{owner}/{uuid.uuid4().hex}", frame=frame or None)
        return _write(image, built, owner)


def segment(
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
        owner = _caller(request).owner
        picture = read_picture(_path(image, "image"), get_settings().reference_megapixels)
        faces = detect_faces(picture.image)
        landmarks = faces[0].landmarks if faces else None
        found = prepare.find_mask(picture.image, landmarks, name, _clicks(points), "the image", given=picture.given)
        mask = masks.resized(found, picture.given)
        path = _fresh(owner, "mask", ".png")
        path.write_bytes(masks.png_bytes(mask))
        return gr.FileData(path=str(path), orig_name="mask.png", mime_type="image/png")


class _Sentences:
    """Errors reach the caller as one sentence; traces stay in the log."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, DurianError):
            raise sentence(error) from None
        if isinstance(error, Exception) and not isinstance(error, gr.Error):
            log.error("An API call failed.", exc_info=error)
            raise broken() from None


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
    if blend is not None and len(blend) != 2:
        raise InvalidRequest(f"The blend has {len(blend)} values: give [start, end], each from 0 to 1.")
    return prepare.build_request(
        prepare.PortraitSource(Path(_path(portrait, "portrait")), face),
        [_attribute(each, number) for number, each in enumerate(attributes or [], start=1)],
        motion,
        options,
        None if blend is None else (float(blend[0]), float(blend[1])),
        erase or (),
        renderer,
        diffusion,
    )


def _attribute(given: dict, number: int) -> prepare.AttributeSource:
    if not isinstance(given, dict) or "image" not in given:
        raise InvalidRequest(f"Attribute {number} has no image: give a dictionary with at least an image and a name.")
    unknown = set(given) - KEYS
    if unknown:
        raise InvalidRequest(f"Attribute {number} has an unknown {min(unknown)!r}: use {', '.join(sorted(KEYS))}.")
    mask = given.get("mask")
    return prepare.AttributeSource(
        Path(_path(given["image"], f"image of attribute {number}")),
        given.get("name"),
        None if mask is None else Path(_path(mask, f"mask of attribute {number}")),
        _clicks(given.get("clicks")),
        float(given.get("strength", 1.0)),
        float(given.get("trim", 0.0)),
        given.get("layer"),
    )


def _clicks(points: Any) -> tuple[prepare.Click, ...]:
    try:
        rows = [[float(v) for v in row] for row in points or []]
    except (TypeError, ValueError) as error:
        raise InvalidRequest("The points are not numbers: give [[x, y, 1 or 0], ...].") from error
    if any(len(row) not in (2, 3) for row in rows):
        raise InvalidRequest("A point needs two or three numbers: give [x, y] or [x, y, 1 or 0].")
    return tuple(prepare.Click(row[0], row[1], len(row) == 2 or row[2] > 0) for row in rows)


def _path(given: Any, what: str) -> str:
    """The path of an uploaded file. A server path that was not uploaded is refused, whatever the caller claims."""
    path = given.get("path") if isinstance(given, dict) else getattr(given, "path", None)
    folder = Path(gr.utils.get_upload_folder()).resolve()
    if not path or not Path(path).resolve().is_relative_to(folder) or not Path(path).is_file():
        raise InvalidRequest(f"The {what} is not an uploaded file: send it with handle_file(...).")
    return str(path)


def _caller(request: gr.Request) -> Visitor:
    """Whose call this is.

    Raises:
        QueueFull: too many calls came from their address.
    """
    visitor = get_visitors().of(request)
    get_visitors().count_call(visitor.address)
    return visitor


def _fresh(owner: str, stem: str, suffix: str) -> Path:
    return get_engine().owner_folder(owner) / f"{stem}-{uuid.uuid4().hex[:12]}{suffix}"


def _write(image: Any, built: AnimationRequest, owner: str) -> gr.FileData:
    path = _fresh(owner, "still", ".png")
    write_image(image, path, {"seed": built.options.seed})
    return gr.FileData(path=str(path), orig_name="still.png", mime_type="image/png")


def connect() -> None:
    """Add the endpoints to the current :class:`gr.Blocks`."""
    gr.api(animate, api_name="animate", **ANIMATION_LANE)
    gr.api(preview, api_name="preview", concurrency_limit=2)
    gr.api(segment, api_name="segment", **SEGMENT_LANE)
