"""Progress of a slow renderer: the preview's picture of one moment first, then that moment as it sharpens."""

from __future__ import annotations

from typing import Any

import gradio as gr

from durian.engine import Animation, Job, get_engine
from durian.errors import Cancelled, DurianError
from durian.request import AnimationRequest
from durian.ui import texts
from durian.ui.handlers import still
from durian.ui.session import Session


def begin(session: Session, job: Job, request: AnimationRequest) -> Any:
    """Show the moment that will sharpen as the preview has it; nothing where the preview animates itself."""
    if request.renderer == "preview":
        return gr.skip()
    with session.lock:
        asked = session.still_request(moving=True)
    try:
        image = get_engine().still(asked, session.owner, job.watched_frame, session.client)
    except Cancelled:
        # The visitor goes on working, and sees that.
        return gr.skip()
    with session.lock:
        session.watched = job.id
        return still.show_instead(session, image, texts.WATCHING.format(frame=job.watched_frame + 1))


def estimate(session: Session, job: Job) -> Any:
    """The newest picture of the moment, unless the visitor has changed something since."""
    newest = job.estimate
    with session.lock:
        if newest is None or session.watched != job.id:
            return gr.skip()
        note = texts.ESTIMATE.format(step=newest.step, steps=newest.steps, frame=newest.frame + 1)
        return still.show_instead(session, newest.picture, note)


def result(session: Session, job: Job, animation: Animation) -> Any:
    """The moment as it came out, behind the video."""
    if session.watched != job.id:
        return gr.skip()
    image = animation.frame(job.watched_frame)
    with session.lock:
        note = texts.OF_RESULT.format(frame=job.watched_frame + 1)
        return still.show_instead(session, image, note, of_video=True)


def give_up(session: Session, job: Job) -> Any:
    """There will be no result: back to the preview's still, in place of half a picture."""
    if session.watched != job.id:
        return gr.skip()
    try:
        return still.draw(session)
    except DurianError:
        # Already on the way to tell why there is no result; a newer still is coming in any case.
        return gr.skip()
