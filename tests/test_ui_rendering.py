"""The choice of renderer on the page, and the still's stage while a slow renderer works."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from gated import PATIENCE, GatedRenderer, wait_until
from test_diffusion_find_model import make_model
from test_ui_animate import pressed

from durian import renderer as renderers
from durian.errors import InvalidRequest
from durian.face import Face
from durian.request import DiffusionOptions
from durian.ui import texts
from durian.ui.handlers import animate, live_preview, rendering, still
from durian.ui.session import MotionChoice, PortraitChoice, Session


@pytest.fixture
def weights(tmp_path, settings_environment):
    folder = tmp_path / "weights"
    folder.mkdir()
    settings_environment(weights=folder)
    return folder


# The choice


def test_without_a_model_there_is_one_line_and_no_choice(weights):
    session = Session(renderer="diffusion")
    choice, _, _, group, line = rendering.offer(session)
    assert (choice["visible"], group["visible"], line["visible"]) == (False, False, True)
    assert "No diffusion model is in weights/" in line["value"]
    assert "DURIAN_WEIGHTS" in line["value"]
    assert session.renderer == "preview"


def test_an_untrained_model_is_not_offered(weights):
    make_model(weights / "<fresh>", trained_steps=0)
    choice, *_, line = rendering.offer(Session())
    assert not choice["visible"]
    assert "&lt;fresh&gt;/ was never trained" in line["value"]


def test_a_trained_model_can_be_chosen_with_its_own_steps(weights):
    make_model(weights / "durian-mini")
    session = Session()
    choice, steps, guidance, group, line = rendering.offer(session)
    assert choice["choices"] == [("Preview (instant)", "preview"), ("Diffusion (durian-mini)", "diffusion")]
    assert "small research model (256 pixels)" in choice["info"]
    assert (steps, guidance) == (6, 2.5)
    assert (choice["visible"], choice["value"], group["visible"], line["visible"]) == (True, "preview", False, False)
    assert rendering.choose(session, "diffusion", 9, 0)["visible"]
    assert (session.renderer, session.diffusion) == ("diffusion", DiffusionOptions(steps=9))
    with pytest.raises(InvalidRequest, match="guidance"):
        rendering.choose(session, "diffusion", 9, 0.5)
    choice, steps, guidance, group, _ = rendering.offer(session)
    assert (choice["value"], steps, guidance, group["visible"]) == ("diffusion", 9, 2.5, True)


def test_a_large_model_is_not_called_small(weights):
    make_model(weights / "durian", preset="sd15-512", size=512)
    assert rendering.offer(Session())[0]["info"] == texts.RENDERED_BY


# While it works


@pytest.fixture(scope="module")
def face(collins: np.ndarray) -> Face:
    from durian.face import detect_faces

    return detect_faces(collins)[0]


@pytest.fixture
def session(collins: np.ndarray, face: Face) -> Session:
    """A portrait that nods at 128 px, eight frames, by the slow renderer."""
    table = Session(owner="somebody", portrait=PortraitChoice(collins, [face], worn={}), renderer="diffusion")
    table.options = replace(table.options, size=128, frames=8, label=False)
    table.motion = MotionChoice("nod")
    return table


@pytest.fixture
def slow(gated: GatedRenderer, engine, monkeypatch: pytest.MonkeyPatch) -> GatedRenderer:
    """The gated renderer under the name of the diffusion one, in three steps."""
    monkeypatch.setitem(renderers._FACTORIES, "diffusion", lambda: gated)
    monkeypatch.delitem(renderers._WHY_NOT, "diffusion")
    for room in (animate, live_preview, still):
        monkeypatch.setattr(room, "get_engine", lambda: engine)
    gated.steps = 3
    return gated


def following(session: Session):
    """The steps of an animation, read in a thread of their own."""
    seen: list[tuple] = []

    def read() -> None:
        for step in pressed(session, renderer="diffusion"):
            seen.append(step)

    thread = threading.Thread(target=read)
    thread.start()
    return thread, seen


def stages(seen: list[tuple]) -> list[dict]:
    """What the still's stage was given, without what skipped it."""
    return [step[-1] for step in seen if isinstance(step[-1], dict) and "image_id" in step[-1]]


def test_the_preview_is_replaced_by_estimates_and_those_by_the_result(session: Session, slow: GatedRenderer, engine):
    session.frame = 5
    thread, seen = following(session)
    wait_until(lambda: stages(seen))
    expected = engine.still(session.still_request(moving=True), frame=5)
    assert np.array_equal(session.still_image, expected)
    assert stages(seen)[-1]["note"] == texts.WATCHING.format(frame=6)
    for step in (1, 2, 3):
        slow.let(1)
        wait_until(lambda step=step: len(stages(seen)) == step + 1)
        assert (session.still_image == step).all()
        shown = stages(seen)[-1]
        assert shown["note"] == f"Frame 6 after step {step} of 3: not finished yet."
        assert "box" not in shown
        assert "of_video" not in shown
    slow.let(8)
    thread.join(PATIENCE)
    _, view, words, *_ = seen[-1]
    assert view == "video"
    assert "8 frames of 128×128" in words
    assert stages(seen)[-1]["of_video"]
    # All of it is the animation's own: what is compared, and the poster.
    outcome = session.history[0]
    assert np.array_equal(session.still_image, outcome.animation.frame(5))
    assert np.array_equal(outcome.poster, outcome.animation.frame(2))
    assert slow.stills == []
    assert any("Step 2 of 3" in step[2] for step in seen)


def test_whoever_goes_on_working_sees_that_and_not_the_estimates(session: Session, slow: GatedRenderer):
    thread, seen = following(session)
    wait_until(lambda: stages(seen))
    slow.let(1)
    wait_until(lambda: len(stages(seen)) == 2)
    session.frame = 0
    moved = still.draw(session)
    slow.let(10)
    thread.join(PATIENCE)
    assert len(stages(seen)) == 2
    assert session.shown["image_id"] == moved["image_id"]
    assert seen[-1][1] == "video"


def test_cancelling_brings_the_preview_back(session: Session, slow: GatedRenderer, engine):
    thread, seen = following(session)
    wait_until(lambda: stages(seen))
    slow.let(1)
    wait_until(lambda: len(stages(seen)) == 2)
    animate.cancel(session)
    slow.let(1)
    thread.join(PATIENCE)
    assert texts.CANCELLED in seen[-1][2]
    assert np.array_equal(session.still_image, engine.still(session.still_request()))
    assert stages(seen)[-1]["image_id"] == session.shown["image_id"]
    assert slow.rendered == 0


def test_the_preview_s_own_animations_leave_the_still_alone(session: Session, slow: GatedRenderer):
    steps = list(pressed(session, renderer="preview"))
    assert stages(steps) == []
    assert steps[-1][1] == "video"
    assert np.array_equal(session.history[0].poster, session.history[0].animation.frame(2))
    assert session.history[0].request.renderer == "preview"


def test_stills_are_always_the_preview_s(session: Session):
    session.diffusion = DiffusionOptions(steps=7)
    asked = session.request()
    assert (asked.renderer, asked.diffusion.steps) == ("diffusion", 7)
    request, _ = still.still_request(session)
    assert (request.renderer, request.diffusion) == ("preview", DiffusionOptions())
