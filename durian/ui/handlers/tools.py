"""Tools below the result: compare, α strip, look-book and overlays."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, Literal

import gradio as gr
import numpy as np

from durian.engine import get_engine
from durian.errors import DurianError, InvalidRequest
from durian.request import AttributeName
from durian.schema import checked
from durian.ui import pictures, reading, texts
from durian.ui.handlers import still
from durian.ui.handlers.common import QUIET, guarded, when_open
from durian.ui.layout import Page
from durian.ui.session import Item, Session

OverlayKind = Literal["landmarks", "keypoints", "hole", "difference"]
LookKind = Literal["hat", "glasses", "hair", "beard", "lips"]
STRIP_STEPS = 5
MOST_LOOKS = 12
"""References tried in one look-book: a still each, and a visitor still waits (taste)."""


def before_after(session: Session) -> tuple[np.ndarray, np.ndarray] | None:
    """The untouched portrait and the still, of one size."""
    portrait, image = session.shown_portrait(), session.still_image
    if portrait is None or image is None:
        return None
    if session.options.uncrop:
        return pictures.shrink(portrait.image, max(image.shape[:2])), image
    return portrait.crop.apply(portrait.image, image.shape[0]), image


def compare(session: Session) -> Any:
    pair = before_after(session)
    return gr.skip() if pair is None else pair


def overlay(session: Session, kind: str) -> Any:
    """A picture to check by: landmarks, keypoints, the hole with both outlines, or what changed."""
    kind = checked(OverlayKind, kind, "the overlay")
    if session.portrait is None:
        return None
    if kind == "difference":
        pair = before_after(session)
        if pair is None or pair[0].shape != pair[1].shape:
            return None
        return pictures.difference(*pair)
    with session.lock:
        request, _ = still.still_request(session)
    return get_engine().overlays(request, session.owner, session.client)[kind]


def strip(session: Session) -> list[tuple[np.ndarray, str]]:
    """Five stills from the first item to the second."""
    with session.lock:
        ready = [item for item in session.items if item.ready]
        if len(ready) != 2 or ready[0].name != ready[1].name:
            raise InvalidRequest(texts.BLEND_HINT)
        request = replace(session.still_request(), mode="blend")
    stills = get_engine().blend_strip(request, STRIP_STEPS, session.owner, session.client)
    return [(image, f"α {index / (STRIP_STEPS - 1):.2f}") for index, image in enumerate(stills)]


def look_book(session: Session, kind: str, paths: list[str] | None):
    """Each reference's ``kind`` on the portrait, growing as they are done; what fails is said and skipped."""
    if not paths:
        yield gr.skip()
        return
    if session.portrait is None:
        raise InvalidRequest("There is no portrait yet: upload one first.")
    if len(paths) > MOST_LOOKS:
        gr.Warning(f"{len(paths)} references are many: the first {MOST_LOOKS} are tried.", title="Look-book")
    wanted: AttributeName = checked(LookKind, kind, "the item")
    base = replace(session.still_request(), mode="wear")
    looks: list[tuple[np.ndarray, str]] = []
    for path in paths[:MOST_LOOKS]:
        try:
            item = Item(0)
            reading.reference_into(item, path)
            if item.name != wanted and not reading.start_named(item, wanted):
                gr.Warning(texts.NOTHING_NAMED.format(name=wanted), title=_title(path))
                continue
            image = get_engine().look_book(base, [item.attribute()], session.owner, session.client)[0]
        except DurianError as error:
            gr.Warning(escape(str(error), quote=False), title=_title(path))
            continue
        looks.append((image, Path(path).stem[:40]))
        yield looks


def _title(path: str) -> str:
    """A stranger's file name in a message, which the page shows as HTML."""
    return escape(Path(path).name, quote=False)


def connect(page: Page) -> None:
    redraw = (when_open(guarded(compare)), [page.session], [page.compare])
    page.still_stage.change(*redraw, trigger_mode="always_last", **QUIET)
    page.compare_tab.select(*redraw, **QUIET)
    check = (when_open(guarded(overlay)), [page.session, page.overlay_kind], [page.overlay])
    page.overlay_kind.input(*check, trigger_mode="always_last", **QUIET)
    page.check_tab.select(*check, **QUIET)
    page.strip_button.click(guarded(strip), [page.session], [page.strip], **QUIET)
    page.look_book_files.upload(
        guarded(look_book), [page.session, page.look_book_kind, page.look_book_files], [page.look_book], **QUIET
    )
    page.look_book_kind.input(
        guarded(look_book), [page.session, page.look_book_kind, page.look_book_files], [page.look_book], **QUIET
    )
