"""Downloads, bundles and the history of this visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from durian.bundle import load_bundle, save_bundle
from durian.engine import get_engine
from durian.engine.dressed_photo import fitting_size
from durian.errors import InvalidRequest
from durian.face import Face
from durian.media import write_image
from durian.prepare import Rows
from durian.renderer import available_renderers
from durian.request import AnimationRequest
from durian.schema import checked
from durian.ui import texts
from durian.ui.handlers import opening, payloads, still, wear
from durian.ui.handlers.common import QUIET, guarded
from durian.ui.layout import Page
from durian.ui.session import Item, MotionChoice, Outcome, PortraitChoice, Session, bytes_of
from durian.ui.shares import png_bytes
from durian.ui.uploads import served_folder
from durian.ui.visitors import get_visitors

DOWNLOAD = """(file) => {
  if (!file) return;
  const one = Array.isArray(file) ? file[0] : file;
  const link = document.createElement('a');
  link.href = one.url; link.download = one.orig_name || one.path.split('/').pop();
  document.body.append(link); link.click(); link.remove();
}"""
"""Hands the file that a handler wrote to the browser."""


def newest(session: Session) -> Outcome:
    if not session.history:
        raise InvalidRequest("There is no animation yet: press Animate first.")
    return session.history[0]


def mp4(session: Session) -> str:
    return _video_of(newest(session))


def _video_of(outcome: Outcome) -> str:
    """
    Raises:
        InvalidRequest: it was deleted, while the page stayed open.
    """
    path = Path(outcome.animation.path)
    if not path.is_file():
        raise InvalidRequest("This animation's file was deleted after its time: make it again.")
    return str(path)


def gif(session: Session) -> str:
    animation = newest(session).animation
    return _made(session, animation.path.with_suffix(".gif"), animation.gif)


def frames(session: Session) -> str:
    animation = newest(session).animation
    return _made(session, animation.path.with_name(f"{animation.path.stem}-frames.zip"), animation.frames_zip)


def photo(session: Session) -> str:
    """The still in the whole photo, at the resolution that the table has of it.

    Raises:
        InvalidRequest: there is no portrait, or nobody said that its pictures may be used.
        QueueFull, LimitExceeded, OutputFailed: there is no room for the file.
    """
    with session.lock:
        if not session.consent:
            raise InvalidRequest(texts.CONSENT_NEEDED)
        request, frame = still.still_request(session)
        if session.portrait is not None:  # room for a hat within the photo
            request = replace(request, portrait=session.portrait.portrait_with(request.attributes, uncrop=True))
    options = replace(request.options, size=fitting_size(request.portrait.crop.side))
    request = replace(request, options=options)
    image = get_engine().dressed_photo(request, None, f"{session.owner}/photo", frame, session.client)
    path = served_folder() / "durian-photo.png"
    with get_visitors().reserve(session.owner, path.parent, png_bytes(image.size)) as room:
        write_image(image, path, {"seed": options.seed})
        room.settle(path)
    return str(path)


def bundle(session: Session) -> str:
    """The newest result with everything it was made from, or the table as it is when nothing was animated yet."""
    with session.lock:
        if session.history:
            outcome = session.history[0]
            request, result = outcome.request, outcome.animation.path
        else:
            request, result = session.request(only_ready=True), None
        clicks = [list(item.masking().step.clicks) for item in session.items if item.ready]
    path = served_folder() / "durian-bundle.zip"
    motion = request.motion.name if request.motion else None
    with get_visitors().reserve(session.owner, path.parent) as room:
        save_bundle(path, request, result, {"clicks": clicks, "motion": motion})
        room.settle(path)
    return str(path)


def _made(session: Session, path: Path, make: Callable[[Path, float], object]) -> str:
    """A file for a download, which takes room on the disk as uploads do, as it is served; made unless it is there.

    Raises:
        QueueFull, LimitExceeded: there is no room left for the visitor's address.
        OutputFailed: there is none on the disk.
    """
    if not path.is_file():
        with get_visitors().reserve(session.owner, path.parent) as room:
            make(path, room.size)
            room.settle(path)
    return str(path)


def restore(session: Session, path: str | None) -> tuple[Any, ...]:
    """Put everything in a bundle back on the table."""
    if path is None:
        return tuple(gr.skip() for _ in range(opening.OUTPUTS))
    request, extra = load_bundle(path, of_working_size=True)
    get_visitors().weigh_table(session.owner, session.picture_bytes() + bytes_of([request]))
    with session.lock:
        take(session, request, extra)
        if request.renderer in available_renderers():
            session.renderer, session.diffusion = request.renderer, request.diffusion
        return opening.everything(session)


def take(session: Session, request: AnimationRequest, extra: dict[str, Any]) -> None:
    """Make the session amount to ``request``."""
    portrait = request.portrait
    choice = PortraitChoice(portrait.image, [Face(portrait.landmarks)])
    crop = portrait.crop
    choice.frame(crop.x, crop.y, crop.side)
    # With worn known, a request from here has the very masks that the bundle had.
    choice.worn = dict(portrait.worn) or None
    session.portrait = choice
    session.items, session.selected = [], 0
    clicks = extra.get("clicks")
    clicks = clicks if isinstance(clicks, list) else []
    for index, attribute in enumerate(request.attributes):
        item: Item = session.add_item()
        item.put(attribute.image, attribute.landmarks).start(attribute.name, attribute.mask, _clicks(clicks, index))
        item.strength, item.trim = attribute.strength, attribute.trim
        item.layer, item.placement = attribute.layer, attribute.placement
    session.selected = 0
    session.options, session.mode, session.erase = request.options, request.mode, request.erase
    session.blend_start, session.blend_end = request.blend_start, request.blend_end
    session.frame, session.alpha_shown, session.example = 0, None, None
    session.motion = MotionChoice()
    if request.motion is not None:
        session.motion = MotionChoice(request.motion.name, None, request.motion, request.motion.duration)


def _clicks(clicks: list[Any], index: int) -> tuple[tuple[float, float, bool], ...]:
    """The dots that a bundle remembers for an item. They are there to look at, so odd ones are left out."""
    if index >= len(clicks):
        return ()
    try:
        dots = checked(Rows, clicks[index])
    except InvalidRequest:
        return ()
    return tuple((dot.x, dot.y, dot.positive) for dot in dots)


def choose(session: Session, event: gr.EventData) -> tuple[Any, str]:
    """Show an earlier result again; downloads are of the one that is shown."""
    index = payloads.read(payloads.PickedResult, event).index
    with session.lock:
        if index >= len(session.history):
            return gr.skip(), gr.skip()
        chosen = session.history.pop(index)
        session.history.insert(0, chosen)
    return _video_of(chosen), "video"


def connect(page: Page) -> None:
    for button, make in (
        (page.save_mp4, mp4),
        (page.save_gif, gif),
        (page.save_frames, frames),
        (page.save_photo, photo),
        (page.save_bundle, bundle),
    ):
        button.click(guarded(make), [page.session], [page.download], **QUIET).success(
            None, [page.download], None, js=DOWNLOAD
        )
    page.mask_export.click(guarded(wear.export_mask), [page.session], [page.download], **QUIET).success(
        None, [page.download], None, js=DOWNLOAD
    )
    page.restore.upload(guarded(restore), [page.session, page.restore], opening.outputs(page), **QUIET).success(
        *opening.redraw(page), **QUIET
    )
    page.history.select(guarded(choose), [page.session], [page.result_video, page.view], **QUIET)
