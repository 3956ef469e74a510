"""API calls that Gradio itself does not handle, sent to the real demo on a port of its own."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import gradio as gr
import httpx
import pytest

from durian.ui import create_demo, launch_options

FILE = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
JSON = {"content-type": "application/json"}
ARGUMENTS = 23
"""Of animate."""


@pytest.fixture(scope="module")
def demo():
    options = launch_options() | {"server_port": None, "quiet": True, "prevent_thread_lock": True}
    made = create_demo()
    made.launch(**options)
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(demo):
    """One for all calls: making one reads the certificates of the whole system."""
    with httpx.Client(base_url=f"{demo.local_url}gradio_api/", timeout=60) as made:
        yield made


@pytest.fixture
def post(client):
    def send(route: str, body: object) -> str:
        """The sentence of a refusal at the door."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = client.post(route, content=content, headers=JSON)
        assert answer.status_code == 422, answer.text
        (problem,) = answer.json()["detail"]
        assert problem["is_valid"] is False
        return problem["message"]

    return send


@pytest.fixture
def listener():
    """A web server that remembers what it was asked for."""
    asked: list[str] = []

    class Remembering(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Remembering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/picture.png", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("route", ["call/animate", "run/animate", "api/animate"])
@pytest.mark.parametrize("count", [0, 1, ARGUMENTS - 1, ARGUMENTS + 1])
def test_the_number_of_values_must_be_right(post, route, count):
    sentence = post(route, {"data": [None] * count})
    assert sentence.startswith(f"animate takes {ARGUMENTS} values, not {count}: give all of them in their order")


@pytest.mark.parametrize(
    ("route", "body", "words"),
    [
        ("call/v2/animate", {}, "The portrait is missing"),
        (
            "call/v2/animate",
            {"portrait": None, "colour": 1},
            "animate has no argument 'colour': use portrait, attributes",
        ),
        ("call/v2/other", {}, "There is no 'other' to call: use animate, preview, segment."),
        ("call/other", {"data": []}, "There is no 'other' to call"),
        ("call/open_page", {"data": []}, "There is no 'open_page' to call"),
        ("call/animate", {"data": ["blend"], "fn_index": 20}, f"animate takes {ARGUMENTS} values, not 1"),
        ("call/animate", {"data": 7}, "7 cannot be the data of the call"),
        ("call/animate", {}, "The data of the call is missing: give a list"),
        ("call/animate", [], "A list of 0 cannot be the call"),
        ("call/animate", b'{"data": [' + b"[" * 400 + b"]" * 400 + b"]}", "nested deeper than 20 lists"),
        ("call/animate", {"data": [FILE] + [None] * (ARGUMENTS - 1)}, "'/etc/hostname' is not an uploaded file"),
        ("call/animate", {"data": [FILE | {"meta": "x"}] + [None] * (ARGUMENTS - 1)}, "is not an uploaded file"),
        ("call/animate", {"data": [FILE | {"path": 5}] + [None] * (ARGUMENTS - 1)}, "5 is not an uploaded file"),
        ("queue/join", {"data": [], "fn_index": 99999, "session_hash": "a"}, "There is no 99999 to call"),
        ("queue/join", {"data": [], "fn_index": "0", "session_hash": "a"}, "There is no '0' to call"),
        # FastAPI would repeat all of what is not of its kind.
        ("queue/join", {"data": [], "trigger_id": {str(i): 1 for i in range(9000)}}, "cannot be the trigger_id of the"),
        ("run/judge", {"data": [], "simple_format": [1] * 9000}, "cannot be the simple_format of the call"),
        ("run/judge", {"data": [], "batched": "x" * 9000}, "cannot be the batched of the call"),
        ("call/animate", {"data": [], "oauth_token": "x" * 9000}, "the oauth_token of the call"),
    ],
)
def test_what_gradio_would_choke_on_is_one_sentence(post, route, body, words):
    sentence = post(route, body)
    assert words in sentence
    assert len(sentence) < 400


def test_an_events_values_are_of_the_kind_that_its_controls_have(post, demo):
    index, tune = next((i, fn) for i, fn in demo.fns.items() if fn.name == "tune")
    body = {"fn_index": index, "session_hash": "a", "data": ["a"] * len(tune.inputs)}
    assert "'a' cannot be the value of" in post("queue/join", body)
    index = next(i for i, fn in demo.fns.items() if fn.name == "put")
    body = {"fn_index": index, "session_hash": "a", "data": [None, {"path": 5}]}
    assert "not an uploaded file" in post("queue/join", body)


@pytest.mark.parametrize("key", ["path", "url"])
def test_an_address_is_never_fetched(post, demo, listener, key):
    address, asked = listener
    given = {"meta": FILE["meta"], "path": "nothing.png", key: address}
    assert "is not an uploaded file: send the file itself" in post("call/segment", {"data": [given, None, "hat"]})
    attribute = {"image": given, "name": "hat"}
    post("call/animate", {"data": [None, [attribute]] + [None] * 20})
    post("call/v2/segment", {"image": given, "name": "hat"})
    # Without the mark of a file too: some of Gradio's components take that for one.
    assert "is not an uploaded file" in post("call/v2/segment", {"image": {key: address}, "name": "hat"})
    assert asked == []


def test_no_component_reads_a_file_of_the_server(post, demo):
    """Each event of the page with a path in each of its places, with and without a file's mark."""
    tried = 0
    for index, function in demo.fns.items():
        for place in range(len(function.inputs)):
            for given in (FILE, {"path": FILE["path"]}, [FILE], {"path": None, "url": "file:///etc/hostname"}):
                data = [None] * len(function.inputs)
                data[place] = given
                post("queue/join", {"fn_index": index, "session_hash": "a", "data": data})
                tried += 1
    assert tried > 200


def test_a_call_with_many_files_is_refused_at_once(post):
    files = [{"path": f"nothing-{index}.png"} for index in range(100)]
    assert "more than 64 files" in post("call/segment", {"data": [files, None, None]})


def test_a_list_of_what_are_no_files_is_refused_at_once(post, demo):
    """A sentence about each would take seconds."""
    index, look_book = next((i, fn) for i, fn in demo.fns.items() if fn.name == "look_book")
    data = [[1] * 150_000 if isinstance(block, gr.File) else None for block in look_book.inputs]
    sentence = post("queue/join", {"fn_index": index, "session_hash": "a", "data": data})
    assert sentence.endswith("got 150000 files: give 64 at most.")


def test_what_only_the_browser_does_cannot_be_called(post, demo):
    alone = [index for index, function in demo.fns.items() if function.fn is None]
    assert alone
    for index in alone:
        assert f"There is no {index} to call" in post("run/x", {"fn_index": index, "data": [None]})


def test_other_calls_pass(client):
    """A right call reaches its function, and tells in its own words what is wrong there."""
    name = client.post("upload", files={"files": ("a.png", b"no picture")}).json()[0]
    data = [FILE | {"path": name}, [[1, 2, 1]], None]
    event = client.post("call/segment", json={"data": data}).json()["event_id"]
    assert "This file cannot be read" in client.get(f"call/segment/{event}").text


def test_events_have_threads_apart_from_those_that_send_the_page(demo):
    assert demo.limiter.total_tokens == len(demo._queue.active_jobs) == 60
    assert demo._queue.get_events() is None
    assert demo._queue.get_events.__module__ == "durian.ui.turns"


def test_files_that_ever_came_are_not_listed_for_good(demo, client):
    """A call that follows lets go of all files of those that have been answered."""
    name = client.post("upload", files={"files": ("a.png", b"no picture")}).json()[0]
    assert name in demo.upload_file_set
    data = {"data": [FILE | {"path": name}, [[1, 2, 1]], None]}
    event = client.post("call/segment", json=data).json()["event_id"]
    assert "This file cannot be read" in client.get(f"call/segment/{event}").text
    client.post("call/segment", json={"data": [FILE | {"path": name}, None, None]}).raise_for_status()
    assert name not in demo.upload_file_set
