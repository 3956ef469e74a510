"""The still that follows every slider."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from durian.engine import get_engine
from durian.errors import Cancelled, DurianError
from durian.request import AnimationRequest, Placement
from durian.ui import controls, views
from durian.ui.handlers import payloads
from durian.ui.handlers.common import QUICK, guarded
from durian.ui.layout import Page
from durian.ui.session import Session

LONGEST_SHIFT = 2.0
"""Farthest a handle moves an item, in eye distances; the sliders' range."""


def still_request(session: Session) -> tuple[AnimationRequest, int | None]:
    """The still's request, and the number of its frame (``None``: the portrait's own pose)."""
    frame = session.frame or None
    request = session.still_request(moving=frame is not None)
    if session.mode == "blend" and session.alpha_shown is not None:
        alpha = session.alpha_shown
        request = replace(request, blend_start=alpha, blend_end=alpha)
    return request, frame


def draw(session: Session) -> dict[str, Any]:
    """The still's stage for the session as it is now. What cannot be drawn is said under the last picture.

    Raises:
        Cancelled: a newer still of this visitor replaced it.
    """
    if session.portrait is None:
        return {}
    try:
        with session.lock:
            request, frame = still_request(session)
        image = get_engine().still(request, lane=session.owner, frame=frame, client=session.client)
    except Cancelled:
        raise
    except DurianError as error:
        return {**session.shown, "note": str(error)}
    with session.lock:
        value = views.still_view(session, image, views.still_note(session))
        session.shown = {**value, "image": None}
        session.still_image = image
        # Whoever changes something wants to see that, and no more of a job that began before.
        session.watched = None
    return value


def show_instead(session: Session, image: np.ndarray, note: str, **rest: Any) -> dict[str, Any]:
    """Put another picture than the preview's on the still's stage: without handles, until something changes."""
    with session.lock:
        value = views.picture_view(session, image, note, **rest)
        session.shown = {**value, "image": None}
        session.still_image = image
    return value


def refresh(session: Session) -> dict[str, Any]:
    """Draw the still anew after something else changed."""
    return draw(session)


def tune(session: Session, item_id: int, *values: Any) -> tuple[Any, ...]:
    """A slider moved: take all controls over, and draw.

    Which one moved is seen by comparing: of events that Gradio deferred only the last survives, without its sender.
    """
    named = dict(zip(controls.TUNED, values, strict=True))
    before = views.control_values(session)
    try:
        with session.lock:
            controls.apply(session, item_id, named)
            after = views.control_values(session)
            changed = {key for key in controls.TUNED if before.get(key) != after.get(key)}
            _follow(session, changed)
    except DurianError as error:
        return {**session.shown, "note": str(error)}, gr.skip(), gr.skip()
    crop = views.portrait_view(session, known=True) if changed.intersection(controls.PORTRAIT) else gr.skip()
    most = session.options.frames - 1
    moment = gr.update(maximum=most, value=session.frame) if "frames" in changed else gr.skip()
    return draw(session), crop, moment


def _follow(session: Session, changed: set[str]) -> None:
    """Show the end of the blend that is being set."""
    if changed & {"blend_start", "mode"}:
        session.alpha_shown = session.blend_start
    elif "blend_end" in changed:
        session.alpha_shown = session.blend_end
    elif "frame" in changed:
        session.alpha_shown = None


def place(session: Session, event: gr.EventData) -> tuple[Any, ...]:
    """A handle on the still was dragged."""
    data = payloads.read(payloads.StillEvent, event)
    if data.kind != "place":
        return (still_again(session), *[gr.skip()] * 4)
    with session.lock:
        item = session.item_by_id(data.item)
        if item is None:
            return (gr.skip(),) * 5
        item.placement = Placement(
            float(np.clip(data.dx, -LONGEST_SHIFT, LONGEST_SHIFT)),
            float(np.clip(data.dy, -LONGEST_SHIFT, LONGEST_SHIFT)),
            float(np.clip(data.scale, 0.3, 3.0)),
            float(np.clip(data.angle, -180, 180)),
        )
        placed = item.placement
    return draw(session), *(round(v, 3) for v in (placed.dx, placed.dy, placed.scale, placed.angle))


def still_again(session: Session) -> Any:
    """The page lost the still's picture (it keeps only the last few): send it again."""
    return draw(session)


def connect(page: Page) -> None:
    moving = [page.controls[key] for key in controls.TUNED]

    gr.on(
        [c.input for c in moving],
        guarded(tune),
        [page.session, page.item_id, *moving],
        [page.still_stage, page.portrait_stage, page.controls["frame"]],
        trigger_mode="always_last",
        **QUICK,
    )
    # Whatever changed it, what is new is worth seeing: a video of before would hide it.
    page.still_stage.change(
        None, [page.still_stage], [page.view], js="(still) => (still?.of_video ? 'video' : 'still')"
    )
    page.still_stage.edit(
        guarded(place),
        [page.session],
        [page.still_stage, *(page.controls[key] for key in ("dx", "dy", "scale", "angle"))],
        trigger_mode="multiple",
        **QUICK,
    )
