"""Animate and cancel: one job at a time for a visitor, with its place, its progress and its remaining time."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from durian.engine import Job, JobStatus, get_engine, usual_bytes
from durian.errors import Cancelled, DurianError, InvalidRequest
from durian.schema import Switch, checked
from durian.settings import get_settings
from durian.ui import controls, texts
from durian.ui.handlers import live_preview, rendering
from durian.ui.handlers.common import QUICK, guarded, sentence
from durian.ui.layout import Page
from durian.ui.session import Outcome, Session
from durian.ui.visitors import get_visitors

ANIMATION_LANE: dict[str, Any] = {
    "concurrency_id": "animation",
    # The engine runs one job at a time and shows each visitor their place; a limit of 1 here would hide that line
    # behind Gradio's own. The lane is longer than the engine's, so that a full one is refused in our words, and those
    # whose pictures are still being read keep nobody from it.
    "concurrency_limit": 2 * (get_settings().max_queue + 2),
}

DENOISING_SHARE = 0.9
"""Of the bar's length, where frames are decoded after all steps: the smaller part of the time."""


def run(
    session: Session, consent: bool, renderer: str | None, steps: float, guidance: float, item_id: int, *values: Any
) -> Iterator[tuple[Any, ...]]:
    """Animate what is on the table.

    A renderer that works for long shows its estimates on the still's stage, in place of the preview's still.

    Yields:
        video, view, progress, animate button, cancel button, history, still.
    """
    if not (checked(Switch | None, consent, "the consent") or session.consent):
        raise gr.Error(texts.CONSENT_NEEDED, title="One tick first", print_exception=False)
    with session.lock:
        session.consent = True
        if session.job is not None and not session.job.progress.finished:
            raise InvalidRequest("An animation of yours is running already: wait for it or cancel it.")
        controls.apply(session, item_id, dict(zip(controls.TUNED, values, strict=True)))
        rendering.apply(session, renderer, steps, guidance)
        _check_items(session)
        request = session.request()
        motion = session.motion
        folder = get_engine().owner_folder(session.owner)
        room = get_visitors().reserve(session.owner, folder, usual_bytes(request))
        audio = motion.video if session.sound and motion.has_audio and motion.tracked is not None else None
        job = get_engine().submit(
            request,
            audio_from=audio,
            audio_start=motion.start,
            owner=session.owner,
            watched_frame=session.frame or None,
            client=session.client,
            room=room,
        )
        session.job = job
    try:
        yield _during(progress_html(job.progress), True, gr.skip())
        shown, seen = live_preview.begin(session, job, request), 0
        for status in job.updates():
            if status.finished:
                continue
            if status.estimates > seen:
                shown, seen = live_preview.estimate(session, job), status.estimates
            yield _during(progress_html(status), True, shown)
            shown = gr.skip()
        outcome = finish(session, job, request)
    except Cancelled:
        yield _during(message(texts.CANCELLED), False, live_preview.give_up(session, job))
        return
    except DurianError as error:
        yield _during(message(str(error)), False, live_preview.give_up(session, job))
        raise sentence(error) from None
    finally:
        # Also reached when the browser is closed: the generator is closed then.
        job.cancel()
    animation = outcome.animation
    size = f"{animation.width}×{animation.height}"
    done = f"{animation.frames} frames of {size} in {animation.seconds:.1f} s · seed {animation.seed}"
    done = " · ".join([done, *animation.notices])
    shown = live_preview.result(session, job, animation)
    yield str(animation.path), "video", message(done), busy(False), waiting(False), gallery(session), shown


def _during(progress: str, running: bool, shown: Any) -> tuple[Any, ...]:
    """A step that has no video yet."""
    return gr.skip(), gr.skip(), progress, busy(running), waiting(running), gr.skip(), shown


def _check_items(session: Session) -> None:
    missing = [str(index) for index, item in enumerate(session.items, start=1) if not item.ready]
    if missing:
        # A new tab without a picture is no mistake; it is left out unless the blend needs it.
        empty = [item for item in session.items if item.image is None]
        if session.mode == "wear" and len(empty) == len(missing):
            session.items = [item for item in session.items if item.image is not None]
            session.selected = min(session.selected, max(0, len(session.items) - 1))
        else:
            raise InvalidRequest(texts.ITEMS_NEED_MASK.format(numbers=" and ".join(missing)))


def finish(session: Session, job: Job, request: Any) -> Outcome:
    """Put the job's result into the session's history."""
    animation = job.result()
    poster = animation.frame(animation.frames // 3)
    names = [item.name for item in session.items if item.ready]
    title = f"{session.motion.name} · {', '.join(names) or 'as is'}"
    outcome = Outcome(animation, poster, title, request)
    with session.lock:
        session.remember(outcome)
    return outcome


def gallery(session: Session) -> list[tuple[Any, str]]:
    """The history's posters."""
    return [(outcome.poster, outcome.title) for outcome in session.history]


def progress_html(status: JobStatus) -> str:
    """A bar with the stage, the step or frame and the measured remaining time, or the place in the line."""
    if status.state == "waiting":
        wait = "" if status.remaining is None else f", about {status.remaining:.0f} s"
        return bar(0, f"Place {status.position} in the line{wait}")
    share = status.frame / max(1, status.frames)
    if status.steps:
        share = DENOISING_SHARE * status.step / status.steps + (1 - DENOISING_SHARE) * share
    words = {
        "preparing": "Preparing the scene",
        "denoising": f"Step {status.step} of {status.steps}",
        "encoding": "Writing the video",
    }.get(status.stage, f"Frame {status.frame} of {status.frames}")
    if status.steps and status.step == status.steps and status.stage == "denoising":
        words += " · decoding"
    elif status.remaining is not None and status.stage in ("denoising", "rendering"):
        words += f" · {status.remaining:.1f} s left"
    return bar(share, words)


def bar(share: float, words: str) -> str:
    percent = f"{share * 100:.0f}"
    return (
        f'<div class="progress" role="progressbar" aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100">'
        f'<span style="width:{share * 100:.1f}%"></span></div><p class="progress-words">{escape(words)}</p>'
    )


def message(words: str) -> str:
    return f'<p class="progress-words">{escape(words)}</p>'


def busy(running: bool) -> Any:
    return gr.update(interactive=not running, value="Animating …" if running else "Animate")


def waiting(running: bool) -> Any:
    return gr.update(visible=True if running else "hidden")


def cancel(session: Session) -> None:
    """Stop this visitor's job; the generator that follows it says so."""
    if session.job is not None:
        session.job.cancel()


def remember_consent(session: Session, consent: bool) -> None:
    session.consent = bool(checked(Switch | None, consent, "the consent"))


SHOW = "(view) => { document.querySelector('#panel-result').dataset.view = view; }"
"""Shows the still or the video, without asking the server."""


def connect(page: Page) -> None:
    moving = [page.controls[key] for key in controls.TUNED]
    page.animate.click(
        guarded(run),
        [page.session, page.consent, *rendering.inputs(page), page.item_id, *moving],
        [
            page.result_video,
            page.view,
            page.progress,
            page.animate,
            page.cancel,
            page.history,
            page.still_stage,
        ],
        api_visibility="private",
        show_progress="hidden",
        **ANIMATION_LANE,
    )
    page.cancel.click(guarded(cancel), [page.session], None, **QUICK)
    page.consent.input(guarded(remember_consent), [page.session, page.consent], None, **QUICK)
    page.view.change(None, [page.view], None, js=SHOW)
