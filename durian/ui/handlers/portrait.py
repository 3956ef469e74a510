"""Step 1: the photo, which face, and the crop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
import numpy as np

from durian.ui import controls, reading, texts, views
from durian.ui.handlers import payloads, still
from durian.ui.handlers.common import QUICK, QUIET, guarded
from durian.ui.layout import Page
from durian.ui.session import Session


def put(session: Session, source: str | np.ndarray | None) -> tuple[Any, ...]:
    """A new portrait: find its faces and crop. The old one stays when this one cannot be used."""
    if source is None:
        return (gr.skip(),) * (2 + len(controls.PORTRAIT))
    reading.check_table(session, source, session.portrait)
    choice = reading.portrait_from(source)
    with session.lock:
        session.portrait, session.erase, session.example = choice, (), None
    return shown(session)


def shown(session: Session) -> tuple[Any, ...]:
    values = views.control_values(session)
    # The masks of what the new person wears are still to be found.
    return views.portrait_view(session), gr.update(choices=[], value=[]), *(values[key] for key in controls.PORTRAIT)


def look(session: Session) -> Any:
    """Find what the portrait wears, to offer taking it off."""
    choice = session.portrait
    if choice is None:
        return gr.skip()
    worn = reading.find_worn(choice)
    with session.lock:
        erased = [name for name in session.erase if name in worn]
    return worn_choices(list(worn), erased)


def worn_choices(worn: Sequence[str], erased: Sequence[str]) -> Any:
    info = texts.ERASE if worn else texts.NOTHING_WORN
    return gr.update(choices=[(name.capitalize(), name) for name in worn], value=erased, info=info)


def edit(session: Session, event: gr.EventData) -> tuple[Any, ...]:
    """A face was chosen, or the crop was drawn."""
    data, choice = payloads.read(payloads.PortraitEvent, event), session.portrait
    if choice is None:
        return (gr.skip(),) * (2 + len(controls.PORTRAIT))
    if data.kind == "resend":
        return shown(session)
    with session.lock:
        before = choice.chosen
        if data.kind == "face":
            choice.choose(data.index)
        else:
            choice.frame(data.x, data.y, data.side)
        if choice.chosen != before:
            session.erase = ()
    values = views.control_values(session)
    erase = gr.update(choices=[], value=[]) if choice.chosen != before else gr.skip()
    return views.portrait_view(session, known=True), erase, *(values[key] for key in controls.PORTRAIT)


def judge(session: Session) -> dict[str, Any]:
    """Judge how well the items go on this portrait."""
    with session.lock:
        return views.items_view(session)


def connect(page: Page) -> None:
    outputs = [page.portrait_stage, page.controls["erase"], *(page.controls[key] for key in controls.PORTRAIT)]
    for trigger, source in (
        (page.portrait_upload.upload, page.portrait_upload),
        (page.portrait_camera.input, page.portrait_camera),
    ):
        changed = trigger(guarded(put), [page.session, source], outputs, trigger_mode="always_last", **QUIET)
        changed.success(guarded(still.refresh), [page.session], [page.still_stage], **QUICK)
        changed.success(guarded(judge), [page.session], [page.items], **QUICK)
        changed.success(guarded(look), [page.session], [page.controls["erase"]], **QUIET)
    edited = page.portrait_stage.edit(guarded(edit), [page.session], outputs, trigger_mode="multiple", **QUICK)
    edited.success(guarded(still.refresh), [page.session], [page.still_stage], **QUICK)
    edited.success(guarded(judge), [page.session], [page.items], **QUICK)
    edited.success(guarded(look), [page.session], [page.controls["erase"]], **QUIET)
