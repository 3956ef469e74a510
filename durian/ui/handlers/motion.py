"""Step 3: a preset, or a driving video with its trim and neutral frame."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Annotated, Any

import gradio as gr
from pydantic import Field

from durian.errors import DurianError, InvalidRequest
from durian.media.probing import spoken_time
from durian.schema import Real, Switch, checked
from durian.ui import reading, texts, views
from durian.ui.handlers import payloads, still
from durian.ui.handlers.common import QUICK, QUIET, guarded, sentence
from durian.ui.layout import Page
from durian.ui.session import MotionChoice, Session

LONGEST = 86_400
"""Seconds in a day: longer than any driving video."""
Seconds = Annotated[Real, Field(ge=0, le=LONGEST)]
Neutral = Annotated[Real, Field(ge=-1, le=LONGEST)]


def pick(session: Session, event: gr.EventData) -> tuple[Any, Any, Any]:
    """A preset was chosen; a driving video steps back."""
    picked = payloads.read(payloads.PickedMotion, event)
    with session.lock:
        session.motion = MotionChoice(picked.id)
        return views.motions_view(session), None, gr.update(visible=False)


def put_video(session: Session, path: str | None):
    """A driving video: track it, then offer its trim. A bad one leaves the motion as it was."""
    if path is None:
        yield (gr.skip(),) * 6
        return
    yield (gr.skip(), gr.skip(), gr.update(label="Following the face in the video …"), *[gr.skip()] * 3)
    before = session.motion
    try:
        choice, driving = reading.driving_from(path)
    except DurianError as error:
        kept = str(before.video) if before.video else None
        yield (gr.skip(), gr.skip(), gr.update(value=kept, label="Driving video"), *[gr.skip()] * 3)
        raise sentence(error) from None
    with session.lock:
        session.motion = choice
        frames = min(max(8, round(driving.motion.duration * session.options.fps)), 240)
        session.options = replace(session.options, frames=frames)
    if driving.notice is not None:
        gr.Info(escape(driving.notice, quote=False))
    if choice.end < choice.duration:
        gr.Info(texts.VIDEO_TRIMMED.format(length=spoken_time(choice.duration), used=spoken_time(choice.end)))
    yield (
        views.motions_view(session),
        gr.update(visible=True),
        gr.update(label="Driving video"),
        choice.start,
        round(choice.end, 2),
        frames,
    )


def use_part(session: Session, start: float, end: float, neutral: float) -> tuple[Any, Any]:
    """Track the chosen part anew, with the chosen neutral frame."""
    start, end = checked(Seconds, start, "the start"), checked(Seconds, end, "the end")
    neutral = checked(Neutral | None, neutral, "the neutral frame")
    with session.lock:
        if session.motion.video is None:
            raise InvalidRequest("There is no driving video to take a part of: upload one first.")
        choice = replace(session.motion, start=start, end=end)
        choice.neutral = None if neutral is None or neutral < 0 else neutral
    choice.tracked = reading.track(choice).motion
    with session.lock:
        session.motion = choice
        frames = min(max(8, round(choice.tracked.duration * session.options.fps)), 240)
        session.options = replace(session.options, frames=frames)
    return views.motions_view(session), frames


def sound(session: Session, wanted: bool) -> None:
    session.sound = bool(checked(Switch | None, wanted, "the choice of sound"))


def clear(session: Session) -> tuple[Any, Any, Any]:
    """Back to presets."""
    with session.lock:
        session.motion = MotionChoice()
        return views.motions_view(session), None, gr.update(visible=False)


def connect(page: Page) -> None:
    redraw = (guarded(still.refresh), [page.session], [page.still_stage])
    backs = [page.motions, page.video, page.video_group]
    page.motions.edit(guarded(pick), [page.session], backs, trigger_mode="multiple", **QUICK).success(*redraw, **QUICK)
    c = page.controls
    page.video.input(
        guarded(put_video),
        [page.session, page.video],
        [page.motions, page.video_group, page.video, c["trim_start"], c["trim_end"], c["frames"]],
        **QUIET,
    ).success(*redraw, **QUICK)
    page.video_apply.click(
        guarded(use_part),
        [page.session, c["trim_start"], c["trim_end"], c["neutral"]],
        [page.motions, c["frames"]],
        api_visibility="private",
    ).success(*redraw, **QUICK)
    page.video_clear.click(guarded(clear), [page.session], backs, **QUICK).success(*redraw, **QUICK)
    c["sound"].input(guarded(sound), [page.session, c["sound"]], None, **QUICK)
