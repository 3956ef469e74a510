"""The demo as a whole, without a browser: its endpoints, limits, and disabled features."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import asynchronous
import gradio as gr
import pytest
from fastapi import Request
from gradio.processing_utils import move_files_to_cache
from gradio.queueing import Event
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from durian.errors import InvalidRequest
from durian.folders import results_folder, uploads_folder
from durian.settings import get_settings
from durian.ui import create_demo, launch_options
from durian.ui import demo as demo_module
from durian.ui.api import _clicks, _path
from durian.ui.demo import NEAR
from durian.ui.handlers.animate import ANIMATION_LANE
from durian.ui.turns import take_turns


@pytest.fixture(scope="module")
def demo():
    return create_demo()


def test_only_three_endpoints_are_public(demo):
    public = {fn.api_name for fn in demo.fns.values() if fn.api_visibility == "public"}
    assert public == {"animate", "preview", "segment"}


def test_pages_show_signs_of_life_whose_end_gradio_is_not_told(demo):
    """It would make the page's components anew for its handlers; the guard does what is needed."""
    assert demo.config["connect_heartbeat"]
    assert not any(kind == "unload" for fn in demo.fns.values() for _, kind in fn.targets)


def test_when_a_page_is_left_its_owner_is_forgotten(monkeypatch):
    forgotten = []
    monkeypatch.setattr(demo_module, "get_engine", lambda: SimpleNamespace(forget_owner=forgotten.append))
    (guard,) = launch_options()["app_kwargs"]["middleware"]
    guard.kwargs["when_left"]("somebody")
    assert forgotten == ["somebody"]


def test_results_are_served_as_they_are(demo):
    """A copy would lie on the disk as well, and nobody would count it."""
    path = results_folder(get_settings()) / "durian-1.mp4"
    path.write_bytes(b"video")
    try:
        given = gr.FileData(path=str(path), orig_name=path.name)
        assert move_files_to_cache(given, gr.File(), postprocess=True)["path"] == str(path)
    finally:
        path.unlink()


def test_animations_share_one_lane_and_stills_are_not_in_it(demo):
    lanes = {fn.name: fn.concurrency_id for fn in demo.fns.values()}
    assert lanes["run"] == lanes["animate"] == ANIMATION_LANE["concurrency_id"]
    stills = [fn for fn in demo.fns.values() if fn.name in ("tune", "place", "refresh")]
    assert stills
    assert all(not fn.queue for fn in stills)


def test_clicks_are_never_dropped_and_never_overtake(demo):
    clicks = [fn for fn in demo.fns.values() if fn.concurrency_id == "segment" and fn.targets]
    assert [fn.trigger_mode for fn in clicks] == ["multiple"]
    sent = [click_of(demo, "203.0.113.5") for _ in range(3)]
    stranger = click_of(demo, "203.0.113.6")
    queue = demo._queue
    queue.active_jobs = [None] * 3
    assert run_next(queue) is sent[0]
    assert run_next(queue) is stranger
    assert run_next(queue) is None, "an address has one at a time, in their order"
    queue.active_jobs[queue.active_jobs.index([sent[0]])] = None
    assert run_next(queue) is sent[1]


def click_of(demo, host: str) -> Event:
    (function,) = [fn for fn in demo.fns.values() if fn.concurrency_id == "segment" and fn.targets]
    made = Event("session", function, Request({"type": "http", "client": (host, 1), "headers": []}), None)
    demo._queue.create_event_queue_for_fn(function)
    demo._queue.event_queue_per_concurrency_id["segment"].queue.append(made)
    take_turns(demo)
    return made


def run_next(queue) -> Event | None:
    if (found := queue.get_events()) is None:
        return None
    queue.active_jobs[queue.active_jobs.index(None)] = found[0]
    return found[0][0]


@pytest.mark.parametrize(
    ("address", "is_offered"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"names": "durian.example.org"}, False),
    ],
)
def test_strangers_do_not_have_the_server_fetch_weights(address: dict[str, str], is_offered: bool):
    page = create_demo(replace(get_settings(), **address))
    assert any(fn.name == "fetch" for fn in page.fns.values()) == is_offered
    (offer,) = [block for block in page.blocks.values() if block.elem_id == "sam-offer"]
    assert offer.visible == is_offered


def test_the_page_reports_nothing_and_cleans_up(demo):
    options = launch_options()
    assert not demo.analytics_enabled
    # Files go by our own sweep, which knows those of other processes too.
    assert demo.delete_cache is None
    assert os.environ["GRADIO_TEMP_DIR"] == str(uploads_folder(get_settings()))
    assert options["show_error"] is False
    assert options["run_history"] is False
    assert options["share"] is False
    assert options["max_file_size"] == f"{get_settings().max_file_mb}mb"


def test_nothing_is_fetched_from_elsewhere():
    for text in launch_options()["css"], launch_options()["head"]:
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in text


def test_building_the_page_loads_no_model():
    code = (
        "import sys, json; from durian.ui import create_demo; create_demo(); "
        "print(json.dumps([m for m in ('torch', 'mediapipe', 'diffusers', 'skimage') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize("path", ["/etc/hostname", "", None])
def test_a_path_that_was_not_uploaded_is_refused(path):
    with pytest.raises(InvalidRequest, match="not an uploaded file"):
        _path({"path": path, "meta": {"_type": "gradio.FileData"}}, "image")


def test_points_may_leave_out_their_label():
    first, second, third = _clicks([[1, 2], [3, 4, 0], [5, 6, 1]])
    assert (first.x, first.y, first.positive) == (1, 2, True)
    assert (second.positive, third.positive) == (False, True)
    with pytest.raises(InvalidRequest, match=r"give \[x, y\] or \[x, y, 1 or 0\]"):
        _clicks([[1, 2, 3, 4]])


def test_a_page_whose_session_is_forgotten_is_told_to_reload(demo):
    """Gradio then knows the choices that were built, not those that the visitor was offered."""
    from gradio.state_holder import SessionState

    (animate,) = [fn for fn in demo.fns.values() if fn.name == "run"]
    values = [each if each is not None else 0 for each in (getattr(block, "value", None) for block in animate.inputs)]
    offered = {"renderer": "diffusion", "control-erase": ["hat"], "segmenter": "sam"}
    for place, block in enumerate(animate.inputs):
        values[place] = offered.get(block.elem_id, values[place])
    state = SessionState(demo)
    inputs = asynchronous.run(demo.preprocess_data(animate, values, state))
    assert inputs[0] is None
    with pytest.raises(gr.Error) as said:
        next(animate.fn(*inputs))
    assert said.value.title == "Reload the page"


CHOSEN = "203.0.113.9"


@pytest.mark.parametrize("space", ["", "owner/name"])
@pytest.mark.parametrize(("chosen", "trusted"), [("", ""), ("*", NEAR), (CHOSEN, CHOSEN)])
def test_nobody_chooses_the_address_that_counts(monkeypatch: pytest.MonkeyPatch, space, chosen, trusted):
    """Whoever is trusted to name addresses is named, or in a private network."""
    for name, value in (("FORWARDED_ALLOW_IPS", chosen), ("SPACE_ID", space)):
        # Set first, so that what the launch sets is taken back too.
        monkeypatch.setenv(name, value)
        if not value:
            monkeypatch.delenv(name)
    trusted = trusted or (NEAR if space else "")
    launch_options()
    assert os.environ.get("FORWARDED_ALLOW_IPS", "") == trusted
    app = ProxyHeadersMiddleware(None, trusted or "127.0.0.1")
    assert "203.0.113.5" not in app.trusted_hosts
    stated = app.trusted_hosts.get_trusted_client_address("198.51.100.1, 203.0.113.5")
    assert stated[0] == "203.0.113.5"
