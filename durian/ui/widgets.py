"""The page's own components: stages and cards (HTML drawn by ``static/``), raw uploads, and pictures without files."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.components.gallery import GalleryData, GalleryImage
from gradio.components.imageslider import SliderData
from gradio.data_classes import ImageData

from durian.request import ATTRIBUTE_NAMES
from durian.ui.pictures import data_url
from durian.ui.uploads import is_uploaded

STATIC = Path(__file__).parent / "static"
PICTURE_TYPES = ["image", ".heic", ".heif", ".hif", ".avif"]
"""File types that the dialogs offer; many systems do not know the newer endings as pictures."""
GALLERY_SIDE = 512
"""Longest side of a gallery's pictures, in pixels: there may be a dozen."""

_STAGE = """
<div class="stage stage-{kind}" tabindex="0" data-drop="{drop}" aria-label="{title}">
  {before}
  <div class="stage-view">
    <div class="stage-world"><img alt="" draggable="false"><svg preserveAspectRatio="none"></svg></div>
    <div class="stage-empty"><strong>{title}</strong><span>{text}</span>{browse}</div>
    {zoom}
  </div>
  <p class="stage-note" role="status" hidden></p>
  {after}
</div>
"""

_BROWSE = '<button type="button" data-pick="{drop}">Choose a file</button>'

_ZOOM = """<div class="stage-zoom"><button type="button" data-zoom="out" aria-label="Zoom out">−</button>
<button type="button" data-zoom="fit" aria-label="Whole picture">fit</button>
<button type="button" data-zoom="in" aria-label="Zoom in">+</button></div>"""

_TOOLS = """<div class="stage-bar">
<span class="bar-group" role="group" aria-label="Tool">
<button type="button" data-tool="add" title="Click what belongs to the item">+ Add</button>
<button type="button" data-tool="remove" title="Click what does not belong (or hold Alt)">− Remove</button>
<button type="button" data-tool="paint" title="Paint the mask">Brush</button>
<button type="button" data-tool="rub" title="Rub the mask out">Eraser</button></span>
<input class="brush-size" type="range" min="3" max="60" value="18" aria-label="Brush size" title="Brush size">
<span class="bar-group" role="group" aria-label="Steps">
<button type="button" data-do="undo" aria-label="Undo" title="Undo">↶</button>
<button type="button" data-do="redo" aria-label="Redo" title="Redo">↷</button>
<button type="button" data-do="clear" title="Empty the mask">Clear</button></span></div>"""


def _starts() -> str:
    buttons = "".join(
        f'<button type="button" data-start="{name}">{name.capitalize()}</button>' for name in ATTRIBUTE_NAMES
    )
    return (
        '<div class="stage-bar stage-starts"><span class="bar-label">It is</span>'
        f'<span class="bar-group" role="group" aria-label="What it is">{buttons}</span></div>'
    )


def stage(kind: str, empty: tuple[str, str], elem_id: str, drop: str = "") -> gr.HTML:
    """A picture with a drawing over it; ``kind`` is ``portrait``, ``mask`` or ``still``.

    Its value is a dictionary (see :mod:`durian.ui.views`); its one event, ``edit``, carries what the visitor did.
    ``drop`` is the CSS selector of the upload button that takes dropped and pasted files.
    """
    title, text = (escape(part) for part in empty)
    masked = kind == "mask"
    template = _STAGE.format(
        kind=kind,
        drop=drop,
        title=title,
        text=text,
        browse=_BROWSE.format(drop=drop) if drop else "",
        zoom=_ZOOM if masked else "",
        before=_starts() if masked else "",
        after=_TOOLS if masked else "",
    )
    return gr.HTML(
        value={},
        html_template=template,
        js_on_load=f'window.durianStage(element, trigger, props, watch, "{kind}"); /* sends "edit" */',
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["stage-host"],
    )


def cards(elem_id: str, row: bool = False, value: dict[str, Any] | None = None) -> gr.HTML:
    """Buttons with pictures. Value: ``{cards: [{id, title, text, image, removable, warning}], chosen, add, note}``, a
    warning ``{level, text}`` or ``None``; event ``edit``."""
    return gr.HTML(
        value=value or {"cards": []},
        html_template=f'<div class="cards {"cards-row" if row else "cards-grid"}" role="group"></div>'
        '<p class="cards-note" role="status" hidden></p>',
        js_on_load='window.durianCards(element, trigger, props, watch); /* sends "edit" */',
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["cards-host"],
    )


def raw_upload(label: str, elem_id: str, kinds: list[str], size: str = "md") -> gr.UploadButton:
    """An upload button whose handler gets the path as it came: our own readers judge the file, in our own words."""
    return _unread(gr.UploadButton)(label, file_types=kinds, elem_id=elem_id, size=size)


def raw_video(elem_id: str) -> gr.Video:
    """A video input, by file or camera, that is passed on unconverted."""
    return _unread(gr.Video)(sources=["upload", "webcam"], label="Driving video", height=220, elem_id=elem_id)


def raw_camera(elem_id: str) -> gr.Image:
    """A camera whose picture is passed on as a file, for our own readers and limits."""
    return _unread(gr.Image)(sources=["webcam"], type="filepath", label="Take a photo", height=220, elem_id=elem_id)


def shown_video(elem_id: str) -> gr.Video:
    """A video of ours to look at, shown as it is."""
    return _unread(gr.Video)(
        label="Animation",
        show_label=False,
        interactive=False,
        autoplay=True,
        loop=True,
        elem_id=elem_id,
        buttons=[],
    )


def shown_picture(elem_id: str, **options: Any) -> gr.Image:
    """A picture of ours to look at. Value: ``(H, W, 3) uint8`` RGB or ``None``; see :func:`_without_files`."""
    return _without_files(gr.Image, _shown)(interactive=False, elem_id=elem_id, **options)


def shown_pair(elem_id: str, **options: Any) -> gr.ImageSlider:
    """Two pictures of ours, one over the other. Value: a pair of those of :func:`shown_picture`, or ``None``."""
    return _without_files(gr.ImageSlider, _shown_pair)(interactive=False, elem_id=elem_id, **options)


def shown_gallery(elem_id: str, **options: Any) -> gr.Gallery:
    """Pictures of ours with a line of text each. Value: a list of such pairs."""
    return _without_files(gr.Gallery, _shown_gallery)(interactive=False, elem_id=elem_id, **options)


def _shown(image: np.ndarray | None) -> ImageData | None:
    return None if image is None else ImageData(url=data_url(image))


def _shown_pair(pair: tuple[np.ndarray, np.ndarray] | None) -> SliderData | None:
    return None if pair is None else SliderData(root=(_shown(pair[0]), _shown(pair[1])))


def _shown_gallery(pictures: list[tuple[np.ndarray, str]] | None) -> GalleryData:
    return GalleryData(
        root=[
            GalleryImage(image=ImageData(url=data_url(image, GALLERY_SIDE)), caption=text)
            for image, text in pictures or []
        ]
    )


@lru_cache
def _without_files(kind: type, shown: Callable[[Any], Any]) -> Any:
    """A kind of component whose pictures travel inside the event's answer, as those of stages do.

    Gradio would write each into a folder of its own, beside all shares, under a name that tells its content: who has
    the same photo would learn that somebody has shown it.
    """
    return _derived(kind, postprocess=lambda _, value: shown(value))


@lru_cache
def _unread(kind: type) -> Any:
    """A kind of component whose files Gradio does not read, neither those that come nor those that are shown.

    It would have FFmpeg, where there is one, look at each video and convert all of it, within no limits, while nobody
    else is answered.
    """
    return _derived(
        kind, preprocess=lambda _, payload: _uploaded_path(payload), postprocess=lambda _, value: _file(value)
    )


def _derived(kind: type, **methods: Callable[..., Any]) -> Any:
    """A kind of component with some methods of ours, by its own name.

    It is a class, since Gradio makes a component anew for each visitor for whom one of its properties changes; made
    without Gradio's part of making classes, which writes a .pyi file beside the module.
    """
    return ABCMeta.__new__(type(kind), kind.__name__, (kind,), methods)


def _uploaded_path(payload: Any) -> str | None:
    """The uploaded file's path.

    Raises:
        gr.Error: there is no such file among what visitors sent.
    """
    if payload is None:
        return None
    if not is_uploaded(payload.path):
        raise gr.Error("This is not an uploaded file: choose it again.", print_exception=False)
    return payload.path


def _file(value: str | Path | None) -> gr.FileData | None:
    return None if value is None else gr.FileData(path=str(value), orig_name=Path(value).name)


def head() -> str:
    """Content of the page's ``<head>``: the scripts of stages and cards, and the frame's style."""
    scripts = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in ("stage.js", "cards.js"))
    frame = (STATIC / "frame.css").read_text(encoding="utf-8")
    return f"<style>\n{frame}</style>\n<script>\n{scripts}</script>"


def css() -> str:
    """The page's style sheet."""
    return (STATIC / "style.css").read_text(encoding="utf-8")
