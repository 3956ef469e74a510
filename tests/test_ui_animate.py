"""Animating from the page: one sentence however a job ends, and an unchanged session."""

from __future__ import annotations

import tempfile
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from requests_made import attribute, portrait

from durian.engine import JobStatus, usual_bytes
from durian.errors import Cancelled, OutputFailed, QueueFull
from durian.face import Face
from durian.ui import controls, shares, texts, views
from durian.ui.handlers import animate
from durian.ui.handlers.common import guarded
from durian.ui.session import PortraitChoice, Session
from durian.ui.visitors import get_visitors


class FakeJob:
    """A job that goes through ``statuses`` and ends as ``outcome`` says."""

    id, watched_frame, estimate = "job", 24, None

    def __init__(self, statuses=(), outcome=None):
        self.statuses, self.outcome, self.cancelled = statuses, outcome, 0

    @property
    def progress(self):
        return status("done")

    def updates(self):
        yield from self.statuses

    def result(self):
        raise self.outcome

    def cancel(self):
        self.cancelled += 1


class FakeEngine:
    def __init__(self, job):
        self.job = job

    def submit(self, *_, room, **__):
        room.close()
        if isinstance(self.job, Exception):
            raise self.job
        return self.job

    def owner_folder(self, owner):
        return Path(tempfile.gettempdir())


def status(state: str, **changes) -> JobStatus:
    stage = {"waiting": "waiting", "running": "rendering", "done": "finished"}[state]
    values = {"position": 0, "frame": 0, "frames": 48, "elapsed": 1.0, "remaining": None}
    return JobStatus(state=state, **{"stage": stage, **values, **changes})


@pytest.fixture
def session() -> Session:
    person, made = portrait(), attribute()
    table = Session(owner="somebody", portrait=PortraitChoice(person.image, [Face(person.landmarks)], worn={}))
    item = table.add_item()
    item.put(made.image, made.landmarks)
    item.history.start("hat", made.mask, ((3.0, 4.0, True),))
    return table


def pressed(session: Session, consent: bool = True, renderer: str | None = None, steps: float = 0):
    """The steps of an animation; without a model the page has no renderer to choose."""
    values = views.control_values(session)
    tuned = (values[key] for key in controls.TUNED)
    return guarded(animate.run)(session, consent, renderer, steps, 0, values["item_id"], *tuned)


def press(session: Session, **choice: object) -> list:
    return list(pressed(session, **choice))


def intact(session: Session) -> bool:
    item = session.item
    return session.portrait is not None and item.ready and item.history.step.clicks == ((3.0, 4.0, True),)


def test_nothing_runs_without_the_tick(session, monkeypatch):
    monkeypatch.setattr(animate, "get_engine", lambda: pytest.fail("the engine was asked"))
    with pytest.raises(gr.Error, match="tick"):
        press(session, consent=False)
    assert not session.consent


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (QueueFull("8 animations are waiting already: try again in a minute."), "8 animations"),
        (FakeJob(outcome=OutputFailed("The disk is full: free some space.")), "disk is full"),
    ],
)
def test_a_failure_is_a_sentence_and_loses_nothing(session, monkeypatch, job, words):
    monkeypatch.setattr(animate, "get_engine", lambda: FakeEngine(job))
    with pytest.raises(gr.Error, match=words):
        press(session)
    assert intact(session)
    assert session.consent


def test_nothing_is_begun_that_there_is_no_room_for(session, monkeypatch):
    """Neither in the share of the visitor's address, as far as such an animation usually goes, nor on the disk."""
    engine = FakeEngine(FakeJob(outcome=Cancelled("not this time")))
    monkeypatch.setattr(animate, "get_engine", lambda: engine)
    visitors = get_visitors()
    usual = usual_bytes(session.request())
    assert 1e6 < usual < 1e7
    taken = visitors.reserve(session.owner, Path("."), visitors.shares.check_room(session.owner) - usual + 1)
    with taken, pytest.raises(gr.Error, match="try again later"):
        press(session)
    monkeypatch.setattr(shares, "room_on_disk", lambda folder: usual - 1)
    with pytest.raises(gr.Error, match="disk is full"):
        press(session)
    monkeypatch.setattr(shares, "room_on_disk", lambda folder: usual)
    assert texts.CANCELLED in press(session)[-1][2]
    assert intact(session)


def test_a_cancelled_job_says_so_and_frees_the_button(session, monkeypatch):
    job = FakeJob([status("running", frame=3)], Cancelled("stopped"))
    monkeypatch.setattr(animate, "get_engine", lambda: FakeEngine(job))
    steps = press(session)
    assert texts.CANCELLED in steps[-1][2]
    assert steps[0][3]["interactive"] is False
    assert steps[-1][3]["interactive"] is True
    assert intact(session)


def test_a_closed_browser_cancels_the_job(session, monkeypatch):
    job = FakeJob([status("running", frame=n) for n in range(5)], Cancelled("never reached"))
    monkeypatch.setattr(animate, "get_engine", lambda: FakeEngine(job))
    steps = pressed(session)
    next(steps)
    steps.close()
    assert job.cancelled


def test_progress_tells_place_frame_and_time():
    assert "Place 2 in the line, about 12 s" in animate.progress_html(status("waiting", position=2, remaining=12.4))
    running = animate.progress_html(status("running", frame=12, remaining=1.24))
    assert "Frame 12 of 48 · 1.2 s left" in running
    assert "width:25.0%" in running


def test_progress_tells_the_steps_of_a_slow_renderer():
    denoising = animate.progress_html(status("running", stage="denoising", step=3, steps=6, remaining=7.96))
    assert "Step 3 of 6 · 8.0 s left" in denoising
    assert "width:45.0%" in denoising
    done = animate.progress_html(status("running", stage="denoising", step=6, steps=6, remaining=0.0))
    assert "Step 6 of 6 · decoding" in done
    decoding = animate.progress_html(status("running", frame=24, step=6, steps=6))
    assert "Frame 24 of 48" in decoding
    assert "width:95.0%" in decoding


def test_an_empty_tab_is_no_mistake_but_a_reference_without_a_mask_is(session, monkeypatch):
    session.add_item()
    animate._check_items(session)
    assert len(session.items) == 1
    session.add_item().put(np.zeros((30, 30, 3), np.uint8), None)
    with pytest.raises(ValueError, match="Item 2 has no mask"):
        animate._check_items(session)
