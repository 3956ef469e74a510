"""A running server attacked over HTTP: isolation of callers, and nothing left of them."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from served import Served, serving

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.flaky(reruns=1)]
"""On two busy cores a server now and then misses a moment: such a test may try once more."""

PATIENCE = 60.0
SHORT = {"frames": 8, "size": 128}
LONG = {"frames": 2400, "size": 512}
"""An animation that takes far longer than any of these tests waits; a larger one would take longer to begin."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("server"), visitor_calls=20, max_frames=LONG["frames"]) as running:
        yield running


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, collins: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("photo") / "collins.png"
    Image.fromarray(collins).save(path)
    return path


@pytest.fixture
def caller(served: Served, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A caller from an address of their own, so that no test uses up another's share."""
    address = f"203.0.113.{1 + hash(request.node.name) % 250}"
    with served.client(**{"x-forwarded-for": address}) as client:
        yield client


def wait_until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def function_id(client: httpx.Client, name: str) -> int:
    return next(each["id"] for each in client.get("/config").json()["dependencies"] if each["api_name"] == name)


@pytest.mark.parametrize("motion", ["/etc/hostname", "/etc/shadow", "/proc/self/fd/1", "../../README.md", "~/.bashrc"])
def test_a_motion_is_a_presets_name_and_no_path(served: Served, caller: httpx.Client, photo: Path, motion: str):
    portrait = served.upload(caller, photo)
    for name in ("animate", "preview"):
        kind, answer = served.call(caller, name, portrait=portrait, motion=motion)
        assert kind == "error"
        assert f"Motion {motion!r} is not known" in answer["error"]


def test_another_callers_upload_does_not_drive_by_its_path(served: Served, caller: httpx.Client, photo: Path):
    portrait = served.upload(caller, photo)
    kind, answer = served.call(caller, "animate", portrait=portrait, motion=portrait["path"])
    assert kind == "error"
    # Of a long path: it is no name of a motion.
    assert "is not known" in answer["error"] or "cannot be the motion" in answer["error"]


def test_hanging_up_does_not_touch_strangers_previews(served: Served, caller: httpx.Client, photo: Path):
    portrait = served.upload(caller, photo)
    stop = threading.Event()

    def hang_up_again_and_again() -> None:
        with served.client(**{"x-forwarded-for": "203.0.113.251"}) as attacker:
            while not stop.is_set():
                for name in ("api", "nobody", "warm-up"):
                    with attacker.stream("GET", f"/gradio_api/heartbeat/{name}") as beat:
                        next(beat.iter_lines())

    attack = threading.Thread(target=hang_up_again_and_again)
    attack.start()
    try:
        events = [served.begin(caller, "preview", portrait=portrait, size=256, expansion=i / 10) for i in range(5)]
        kinds = [served.end(caller, "preview", event)[0] for event in events]
    finally:
        stop.set()
        attack.join()
    assert kinds == ["complete"] * 5


def test_a_known_session_is_of_no_use_without_its_cookie(served: Served, caller: httpx.Client, photo: Path):
    """The visitor's page animates through all that somebody who knows its session can try."""
    caller.get("/").raise_for_status()
    assert "durian_visitor" in caller.cookies
    portrait = served.upload(caller, photo)
    session, animate = "victim12345", function_id(caller, "animate")
    data = served.data(caller, "animate", portrait=portrait, frames=24, size=128)
    join = {"session_hash": session, "fn_index": animate, "data": data}
    event = caller.post("/gradio_api/queue/join", json=join).raise_for_status().json()["event_id"]
    with served.client(**{"x-forwarded-for": "203.0.113.252"}) as attacker:
        attacker.get("/").raise_for_status()
        answers = [
            attacker.get(f"/gradio_api/heartbeat/{session}"),
            attacker.get(f"/gradio_api/queue/data?session_hash={session}"),
            attacker.post("/gradio_api/queue/join", json=join),
            attacker.post("/gradio_api/cancel", json={"session_hash": session, "fn_index": animate, "event_id": event}),
            attacker.post("/gradio_api/cancel", json={"session_hash": "mine", "fn_index": animate, "event_id": event}),
        ]
        # Gradio would have the event go on with other data, and end.
        into = [attacker.post(f"/gradio_api/stream/{event}{end}", json=join) for end in ("", "/close")]
    assert [answer.status_code for answer in (*answers, *into)] == [403] * 7
    assert all("somebody else's" in answer.text for answer in answers)
    with caller.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as events:
        lines = [line for line in events.iter_lines() if "process_completed" in line]
    assert len(lines) == 1
    assert '"success":true' in lines[0]


def test_an_answer_says_how_well_each_item_will_go(served: Served, caller: httpx.Client, photo: Path):
    upload = served.upload(caller, photo)
    items = [{"image": upload, "name": "hair"}]
    kind, answer = served.call(caller, "animate", portrait=upload, attributes=items, frames=2, size=64)
    assert kind == "complete"
    (fit,) = answer[1]["fit"]
    assert set(fit) == {"level", "reasons"}
    assert (fit["level"] == "good") == (fit["reasons"] == [])


def test_a_name_of_nothing_that_is_worn_is_refused(served: Served, caller: httpx.Client, photo: Path):
    upload = served.upload(caller, photo)
    asked = {"image": upload, "name": "glasses"}
    event = caller.post("/gradio_api/call/v2/segment", json=asked).raise_for_status().json()["event_id"]
    kind, answer = served.end(caller, "segment", event)
    assert kind == "error"
    assert "No glasses found" in json.dumps(answer)
    items = [{"image": upload, "name": "beard"}]
    kind, answer = served.call(caller, "preview", portrait=upload, attributes=items)
    assert kind == "error"
    assert "No beard found" in json.dumps(answer)


def test_an_answer_is_for_whoever_asked(served: Served, caller: httpx.Client, photo: Path):
    """Gradio gives it to whoever names the session, and calls that off for the one who has the page."""
    caller.get("/").raise_for_status()
    portrait, session = served.upload(caller, photo), "asking12345"
    data = served.data(caller, "animate", portrait=portrait, frames=24, size=128)
    join = {"session_hash": session, "fn_index": function_id(caller, "animate"), "data": data}
    event = caller.post("/gradio_api/queue/join", json=join).raise_for_status().json()["event_id"]
    with served.client(**{"x-forwarded-for": "203.0.113.252"}) as attacker:
        for name in (session, event):
            answer = attacker.get(f"/gradio_api/call/x/{name}")
            assert (answer.status_code, "somebody else's" in answer.text) == (403, True)
        assert "no such event" in attacker.get("/gradio_api/call/x/unknown").text
    with caller.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as events:
        assert any('"success":true' in line for line in events.iter_lines() if "process_completed" in line)
    assert "Traceback" not in served.log.read_text()


def test_the_queue_has_no_way_around(served: Served, caller: httpx.Client, photo: Path):
    answer = caller.post("/gradio_api/run/segment", json={"data": [served.upload(caller, photo), None, "hat"]})
    assert answer.status_code == 404


def test_cancel_stops_an_animation_of_the_api(served: Served, caller: httpx.Client, photo: Path):
    portrait, before = served.upload(caller, photo), served.jobs_on_disk()
    event = served.begin(caller, "animate", portrait=portrait, **LONG)
    wait_until(lambda: served.jobs_on_disk() == before + 1)
    body = {"session_hash": event, "fn_index": function_id(caller, "animate"), "event_id": event}
    caller.post("/gradio_api/cancel", json=body).raise_for_status()
    wait_until(lambda: served.jobs_on_disk() == before)
    assert served.call(caller, "animate", portrait=portrait, **SHORT)[0] == "complete"


def test_a_caller_who_hangs_up_frees_their_place(served: Served, caller: httpx.Client, photo: Path):
    portrait, before = served.upload(caller, photo), served.jobs_on_disk()
    running, waiting = (served.begin(caller, "animate", portrait=portrait, seed=i, **LONG) for i in range(2))
    with (
        caller.stream("GET", f"/gradio_api/call/animate/{running}") as first,
        caller.stream("GET", f"/gradio_api/call/animate/{waiting}") as second,
    ):
        assert first.status_code == second.status_code == 200
        wait_until(lambda: served.jobs_on_disk() == before + 1)
    wait_until(lambda: served.jobs_on_disk() == before)
    assert served.call(caller, "animate", portrait=portrait, **SHORT)[0] == "complete"


def test_an_address_has_so_many_places_and_the_others_stay_free(served: Served, caller: httpx.Client, photo: Path):
    portrait = served.upload(caller, photo)
    events = [served.begin(caller, "animate", portrait=portrait, seed=i, **LONG) for i in range(5)]
    answers: dict[str, tuple[str, object]] = {}

    def end(event: str) -> None:
        with served.client() as client:
            answers[event] = served.end(client, "animate", event)

    threads = [threading.Thread(target=end, args=(event,)) for event in events]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(answers) == 1)
    kind, answer = next(iter(answers.values()))
    assert kind == "error"
    assert "4 animations of yours are in the line already" in answer["error"]
    with served.client(**{"x-forwarded-for": "203.0.113.253"}) as other:
        event = served.begin(other, "animate", portrait=served.upload(other, photo), **SHORT)
        for each in events:
            body = {"session_hash": each, "fn_index": function_id(caller, "animate"), "event_id": each}
            caller.post("/gradio_api/cancel", json=body)
        assert served.end(other, "animate", event)[0] == "complete"
    for thread in threads:
        thread.join(PATIENCE)


def test_calls_have_a_rate_and_say_when_to_come_again(served: Served, caller: httpx.Client, photo: Path):
    portrait = served.upload(caller, photo)

    def begun() -> httpx.Response:
        """A call that is cancelled before its turn."""
        return caller.post("/gradio_api/call/v2/segment", json={"image": portrait, "points": [[-5, -5]]})

    kind, told = served.end(caller, "segment", begun().json()["event_id"])
    assert kind == "error"
    assert "outside" in told["error"]
    for _ in range(100):
        answer = begun()
        if answer.status_code != 200:
            break
        cancelled = {"session_hash": "canceller", "fn_index": 0, "event_id": answer.json()["event_id"]}
        assert caller.post("/gradio_api/cancel", json=cancelled).status_code == 200
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith("More than 20 calls came from your address within a minute: wait ")


def test_many_calls_of_one_address_put_nobody_out(served: Served, caller: httpx.Client, photo: Path):
    """Gradio keeps something of every call and lets go of the oldest: a page's table must not be among that."""
    caller.get("/").raise_for_status()
    session = "owner123456"

    def event(name: str, *data: object) -> str:
        body = {"session_hash": session, "fn_index": function_id(caller, name), "data": list(data)}
        caller.post("/gradio_api/queue/join", json=body).raise_for_status()
        with caller.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as events:
            return next(line for line in events.iter_lines() if "process_completed" in line)

    assert '"success":true' in event("open_page")
    with served.client(**{"x-forwarded-for": "203.0.113.254"}) as attacker:
        nothing = served.upload(attacker, photo)
        for index in range(230):
            call, address = {"data": [nothing, None, "nothing"]}, {"x-forwarded-for": f"198.51.100.{index // 20}"}
            while attacker.post("/gradio_api/call/segment", json=call, headers=address).status_code in (429, 503):
                time.sleep(0.1)
    assert '"success":true' in event("look", None)


def test_nobody_holds_a_place_without_asking_for_the_answer(served: Served, caller: httpx.Client, photo: Path):
    portrait, before = served.upload(caller, photo), served.jobs_on_disk()
    served.begin(caller, "animate", portrait=portrait, **LONG)
    wait_until(lambda: served.jobs_on_disk() == before + 1)
    wait_until(lambda: served.jobs_on_disk() == before, seconds=45)


def test_closing_the_page_deletes_what_was_made(served: Served, caller: httpx.Client, photo: Path):
    caller.get("/").raise_for_status()
    portrait, before = served.upload(caller, photo), served.jobs_on_disk()
    session = "leaver12345"
    with caller.stream("GET", f"/gradio_api/heartbeat/{session}") as beat:
        # Held, since an iterator that is let go hangs up.
        alive = beat.iter_lines()
        assert next(alive) == "data: ALIVE"
        data = served.data(caller, "animate", portrait=portrait, frames=24, size=128)
        join = {"session_hash": session, "fn_index": function_id(caller, "animate"), "data": data}
        caller.post("/gradio_api/queue/join", json=join).raise_for_status()
        with caller.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as events:
            assert any('"success":true' in line for line in events.iter_lines() if "process_completed" in line)
        assert served.jobs_on_disk() == before + 1
    wait_until(lambda: served.jobs_on_disk() == before)


def test_uploads_of_a_killed_server_are_deleted_after_their_time_and_a_stopped_one_takes_them_along(
    served: Served, tmp_path: Path, photo: Path
):
    """The last of the server's users: it is killed. The next is stopped as its container stops it; Ctrl-C is tried in
    ``test_ui_serving``."""
    with ExitStack() as closing:
        first = served
        if served.process.poll() is not None:  # a try before this one killed it
            first = closing.enter_context(serving(tmp_path))
        client = closing.enter_context(first.client(**{"x-forwarded-for": "203.0.113.255"}))
        portrait = first.upload(client, photo)
        kind, answer = first.call(client, "animate", portrait=portrait, **SHORT)
        assert kind == "complete"
        # The working folder lies outside the project and the server's temporary folder: served all the same.
        assert client.get(answer[0]["url"]).content[4:8] == b"ftyp"
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(PATIENCE)
    work = first.work
    held = [path for path in work.rglob("*") if path.is_file() and path.name != ".durian"]
    assert {path.suffix for path in held} >= {".png", ".mp4"}
    with serving(tmp_path, work=work, keep_seconds=16) as second, second.client() as client:
        wait_until(lambda: not any(path.exists() for path in held))
        assert client.get(f"/gradio_api/file={portrait['path']}").status_code in (403, 404)
        portrait = second.upload(client, photo)
        assert second.call(client, "animate", portrait=portrait, **SHORT)[0] == "complete"
        assert list(work.rglob("*.mp4"))
        second.process.send_signal(signal.SIGTERM)
        second.process.wait(PATIENCE)
        left = [path for path in work.rglob("*") if path.is_file()]
        assert [path.name for path in left] == [".durian"]
