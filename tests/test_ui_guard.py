"""The layer around Gradio, with a small inner application that reports what reached it.

What calls carry is tried in ``test_ui_call_checks``, and all of it together in ``test_ui_server``.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import asynchronous
import gradio as gr
import httpx
import pytest
from gradio.state_holder import StateHolder

from durian.errors import LimitExceeded
from durian.settings import Settings
from durian.ui import guard as guard_module
from durian.ui import uploads
from durian.ui.guard import BEAT_COSTS, BYTES_A_REQUEST, PAGE_COSTS, SCHEMA_COSTS, Guard
from durian.ui.masking import LARGEST_STROKE
from durian.ui.messages import MOST_BODY_BYTES, MOST_NAMES, read_body
from durian.ui.signs_of_life import ALIVE
from durian.ui.visitors import COOKIE, Visitors


async def tells(scope, receive, send) -> None:
    """Answers with the path and the body it got."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    answer = json.dumps({"path": scope["path"], "body": body.decode("utf-8", "replace")}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": answer})


def hanging_up_on_signs_of_life(app):
    """A caller who hangs up at once: a sign of life lasts for as long as its connection."""

    async def called(scope, receive, send) -> None:
        messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

        async def hangs_up():
            return next(messages)

        await app(scope, hangs_up if "/heartbeat/" in scope["path"] else receive, send)

    return called


@pytest.fixture
def visitors() -> Visitors:
    return Visitors(Settings(visitor_pages=3, visitor_requests=REQUESTS, visitor_upload_mb=4))


@pytest.fixture
def ask(visitors: Visitors, tmp_path: Path):
    """``ask(method, path, host=..., scheme=..., **httpx)`` sends one request through the guard."""

    def ask_(method: str, path: str, host: str = "203.0.113.5", scheme: str = "http", **rest) -> httpx.Response:
        async def send() -> httpx.Response:
            guarded = hanging_up_on_signs_of_life(Guard(tells, visitors, tmp_path))
            transport = httpx.ASGITransport(guarded, client=(host, 1234))
            headers = {"content-type": "application/json"} if "content" in rest else {}
            async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://durian", headers=headers) as client:
                return await client.request(method, path, **rest)

        return asynchronous.run(send())

    return ask_


def form(size: int = 1) -> dict[str, object]:
    """A form with one file of ``size`` bytes."""
    return {"files": {"files": ("a.png", b"x" * size)}}


def cost(path: str, length: int = 0) -> int:
    headers = [(b"content-length", str(length).encode())]
    return guard_module._cost({"type": "http", "path": path, "headers": headers})


REQUESTS = 120
"""That an address may send in a minute."""


def cookie(value: str = "k" * 43) -> dict[str, str]:
    return {"cookie": f"other=1; {COOKIE}={value}"}


def test_the_page_brings_a_cookie_once(ask):
    given = ask("GET", "/").headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    value = given.split(";")[0].removeprefix(f"{COOKIE}=")
    assert len(value) == 43
    assert "set-cookie" not in ask("GET", "/", headers=cookie(value)).headers
    assert "set-cookie" not in ask("GET", "/config").headers
    framed = ask("GET", "/", scheme="https").headers["set-cookie"]
    assert framed.endswith("SameSite=None; Secure; Partitioned")


def test_behind_a_row_of_proxies_the_cookie_is_kept_in_a_frame(ask):
    framed = ask("GET", "/", headers={"x-forwarded-proto": "https,http"}).headers["set-cookie"]
    assert framed.endswith("SameSite=None; Secure; Partitioned")


SESSION = "mine1234567"
NAMING = [
    ("GET", f"/gradio_api/heartbeat/{SESSION}", {}),
    ("GET", f"/below/gradio_api/heartbeat/{SESSION}", {}),
    ("GET", f"/gradio_api/queue/data?session_hash={SESSION}", {}),
    ("GET", f"/gradio_api/queue/data?session_hash=x&session_hash={SESSION}", {}),
    ("POST", "/gradio_api/cancel", {"json": {"session_hash": SESSION, "fn_index": 1}}),
    ("POST", "/below/gradio_api/cancel", {"content": json.dumps({"session_hash": SESSION})}),
    ("POST", "/gradio_api/cancel", {"content": f'{{"session_hash": "a", "session_hash": "{SESSION}"}}'}),
    ("POST", "/gradio_api/cancel", {"content": json.dumps({"session_hash": SESSION}).encode("utf-16")}),
]


@pytest.mark.parametrize(("method", "path", "rest"), NAMING)
def test_whatever_names_a_session_needs_its_cookie(ask, method, path, rest):
    mine = ask(method, path, headers=cookie(), **rest)
    assert mine.status_code == 200
    if "/heartbeat/" in path:
        assert mine.content == ALIVE
    else:
        assert mine.json()["path"] == path.split("?")[0]
    for headers in ({}, cookie("x" * 43), cookie("short")):
        refused = ask(method, path, headers=headers, **rest)
        assert refused.status_code == 403
        assert "somebody else's" in refused.json()["detail"]


@pytest.fixture
def blocks() -> gr.Blocks:
    """A page with a queue, in which an event waits: of the session :data:`SESSION`."""
    page = gr.Blocks().queue()
    page._queue.pending_event_ids_session = {SESSION: {"waiting"}}
    return page


def test_an_event_is_cancelled_by_whoever_began_it(visitors: Visitors, tmp_path: Path, blocks: gr.Blocks):
    """Gradio cancels any event, whichever session is named beside it."""

    async def with_page(scope, receive, send) -> None:
        await Guard(tells, visitors, tmp_path)(
            {**scope, "app": SimpleNamespace(get_blocks=lambda: blocks)}, receive, send
        )

    async def cancel(session: str, key: str, event: object) -> httpx.Response:
        transport = httpx.ASGITransport(with_page, client=("203.0.113.5", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://durian") as client:
            body = {"session_hash": session, "fn_index": 1, "event_id": event}
            return await client.post("/gradio_api/cancel", json=body, headers=cookie(key))

    assert asynchronous.run(cancel(SESSION, "k" * 43, "waiting")).status_code == 200
    assert asynchronous.run(cancel("another", "x" * 43, "of nobody")).status_code == 200
    for event in ("waiting", SESSION):
        refused = asynchronous.run(cancel("another", "x" * 43, event))
        assert (refused.status_code, "somebody else's" in refused.text) == (403, True)
    assert "event's id" in asynchronous.run(cancel("another", "x" * 43, ["waiting"])).text


@pytest.mark.parametrize(
    "path",
    [
        "stream/event",
        "stream/event/close",
        f"stream/{SESSION}/1/2/playlist.m3u8",
        "process_recording",
        "component_server",
        "component_server/",
        "custom_component/a/client/b/c.js",
        "vibe-edit",
        "dev/reload",
        f"deep_link?session_hash={SESSION}",
        "run-history/connect",
        "profiling/traces",
        "what-comes-next",
        "",
    ],
)
def test_what_the_page_does_not_need_of_gradio_is_not_there(ask, path: str):
    for method in ("GET", "POST"):
        answer = ask(method, f"/gradio_api/{path}", headers=cookie())
        assert (answer.status_code, "asked this way" in answer.text) == (403, True)


def test_there_is_one_page(ask):
    for query in ("page=other", "deep_link=abc"):
        for path in ("/", "/config"):
            assert "one page" in ask("GET", f"{path}?{query}").text
    assert ask("GET", "/?__theme=dark&page=").status_code == 200


def test_the_body_arrives_as_it_was_sent(ask):
    content = '{"data": ["ä", 1.50],   "session_hash": "abc"}'
    assert ask("POST", "/gradio_api/cancel", content=content.encode()).json()["body"] == content
    assert ask("POST", "/gradio_api/cancel", content=b"").json()["body"] == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON"),
        (b"[" * 10_000, "not JSON"),
        (b'{"session_hash": 5}', "name"),
        (b'{"session_hash": ["mine"]}', "name"),
        (b'{"session_hash": "../../etc"}', "name"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_one_sentence(ask, content, words):
    answer = ask("POST", "/gradio_api/cancel", content=content)
    assert answer.status_code == 403
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/xml;+json"]
)
@pytest.mark.parametrize("path", ["run/edit", "queue/join", "call/v2/preview", "cancel"])
def test_what_does_not_say_that_it_is_json_is_refused(ask, kind: str, path: str):
    """Gradio would repeat all of it in its answer."""
    answer = ask("POST", f"/gradio_api/{path}", content=b'{"event_id": "x"}', headers={"content-type": kind})
    assert answer.status_code == 415
    assert answer.json() == {
        "detail": "The request does not say that it is JSON: send it with the Content-Type application/json."
    }


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/ld+json ;a=b"])
def test_json_is_told_in_several_ways(ask, kind: str):
    assert ask("POST", "/gradio_api/cancel", content=b"{}", headers={"content-type": kind}).status_code == 200
    assert ask("POST", "/gradio_api/cancel", headers={"content-type": "text/plain"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/login", "/login/", "/", "/config"])
def test_nothing_is_sent_to_the_page_itself(ask, method: str, path: str):
    for body in ({"json": {"a": "x" * 1000}}, {"data": {"username": "a"}}, {}):
        answer = ask(method, path, **body)
        assert answer.status_code == 403
        assert answer.json() == {"detail": "Nothing of this page is asked this way: use the API."}


def test_a_long_body_is_refused(ask):
    assert "Only calls" in ask("POST", "/gradio_api/cancel", json={"data": "x" * (MOST_BODY_BYTES - 100)}).text
    answer = ask("POST", "/gradio_api/cancel", json={"data": "x" * MOST_BODY_BYTES})
    assert answer.status_code == 413
    assert "more than 500 kB" in answer.json()["detail"]


def test_a_form_goes_to_the_upload_only(ask):
    form = {"files": {"files": ("a.png", b"123")}}
    assert ask("POST", "/gradio_api/upload", **form).status_code == 200
    assert ask("POST", "/gradio_api/component_server", **form).status_code == 403


def test_uploads_are_counted_before_they_are_read(ask):
    assert ask("POST", "/gradio_api/upload?upload_id=x", **form(2_500_000)).status_code == 200
    # The smallest counts as a megabyte, since a disk has so many files and no more.
    assert ask("POST", "/gradio_api/upload", **form()).status_code == 200
    answer = ask("POST", "/gradio_api/upload", **form())
    assert answer.status_code == 429
    assert answer.text.startswith("More than 4 MB were uploaded")
    assert ask("POST", "/gradio_api/upload", **form(), host="203.0.113.6").status_code == 200


def test_a_length_that_is_not_the_whole_is_refused(ask):
    both = {"content-length": "1", "transfer-encoding": "chunked"}
    answer = ask("POST", "/gradio_api/upload", content=b"x", headers=both)
    assert answer.status_code == 400
    assert "tells its length twice" in answer.text


def test_an_upload_that_is_no_form_is_refused(ask):
    assert "no form" in ask("POST", "/gradio_api/upload", content=b"x").text
    no_file = {"files": {"files": (None, b"x")}}
    assert ask("POST", "/gradio_api/upload", **no_file).text == "A part of the upload is no file: send files alone."
    assert "id is none" in ask("POST", f"/gradio_api/upload?upload_id={'x' * 65}", **form()).text
    assert ask("GET", f"/gradio_api/upload_progress?upload_id={'x' * 1000}").status_code == 403


def test_ids_of_uploads_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    from gradio.routes import file_upload_statuses

    monkeypatch.setattr(uploads, "UPLOADS_FOLLOWED", 2)
    followed = uploads.FollowedUploads()
    for name in "abacd":
        file_upload_statuses.track(name)
        followed.follow(name)
    assert [name for name in "abcd" if name in file_upload_statuses._signals] == ["c", "d"]
    assert [name for name in "abcd" if name in file_upload_statuses._statuses] == ["c", "d"]


def test_a_cookie_that_parsers_choke_on_takes_no_time(ask):
    """Those of the standard library need seconds for it; a hundred of them are read here."""
    choking = 'x="' + "\\" * 30_000 + '"; ' + cookie()["cookie"]
    for _ in range(10):
        assert "set-cookie" not in ask("GET", "/", headers={"cookie": choking}).headers


def test_other_cookies_stay_outside(visitors: Visitors, tmp_path: Path):
    arrived: list[tuple[bytes, bytes]] = []

    async def keeps(scope, receive, send) -> None:
        arrived.extend(scope["headers"])
        await tells(scope, receive, send)

    async def ask_() -> None:
        transport = httpx.ASGITransport(Guard(keeps, visitors, tmp_path), client=("203.0.113.5", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://durian") as client:
            await client.get("/config", headers={"cookie": f"a=1; {COOKIE}={'k' * 43}; b=2"})

    asynchronous.run(ask_())
    assert [value for key, value in arrived if key == b"cookie"] == [f"{COOKIE}={'k' * 43}".encode()]


def test_a_body_of_many_lists_is_refused_before_it_is_read(ask):
    for item in ("[]", "{}"):
        body = '{"data": [' + ",".join([item] * 100_000) + "]}"
        answer = ask("POST", "/gradio_api/cancel", content=body.encode())
        assert answer.status_code == 413
        assert "more than 20000 lists" in answer.json()["detail"]


def test_only_calls_are_long(ask):
    """FastAPI would repeat all of it for each field that is missing: five megabytes, in ten seconds."""
    content = json.dumps({f"k{index}": 1 for index in range(1000)})
    for route in ("cancel", "reset"):
        answer = ask("POST", f"/gradio_api/{route}", content=content)
        assert answer.status_code == 413
        assert answer.json() == {"detail": "Only calls have more than 10000 bytes: send what is asked."}


def test_a_form_that_a_parser_fails_on_is_one_sentence(visitors: Visitors, tmp_path: Path):
    async def fails(scope, receive, send) -> None:
        raise KeyError("filename")

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(Guard(fails, visitors, tmp_path), client=("203.0.113.5", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://durian") as client:
            return await client.post("/gradio_api/upload", **form())

    answer = asynchronous.run(send())
    assert answer.status_code == 403
    assert answer.text == "The upload is broken off or no form with files: send it again."


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gradio_api/queue/join%0A", "cannot be printed"),
        ("/gradio_api/file=%00", "cannot be printed"),
        ("/gradio_api/file=http://203.0.113.9/x.png", "never fetched"),
        ("/gradio_api/file=%20HTTP:/203.0.113.9/x.png", "never fetched"),
        ("/gradio_api/file/https://203.0.113.9/x.png", "never fetched"),
        ("/gradio_api/proxy=https://x.hf.space/file", "never fetched"),
    ],
)
def test_paths_that_lead_elsewhere_are_refused(ask, path: str, words: str):
    for method in ("GET", "POST", "HEAD"):
        answer = ask(method, path)
        assert answer.status_code == 403
        assert words in answer.text or method == "HEAD"
    assert ask("GET", "/gradio_api/file=/folder/a picture, größer.png").status_code == 200


def test_headers_that_gradio_fails_on_do_not_arrive(visitors: Visitors, tmp_path: Path):
    arrived: list[tuple[bytes, bytes]] = []

    async def keeps(scope, receive, send) -> None:
        arrived.extend(scope["headers"])
        await send({"type": "http.response.start", "status": 206, "headers": [*scope["headers"], (b"etag", b"1")]})
        await send({"type": "http.response.body", "body": b""})

    async def ask_(headers: dict[str, str]) -> httpx.Response:
        arrived.clear()
        transport = httpx.ASGITransport(Guard(keeps, visitors, tmp_path), client=("203.0.113.5", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://durian") as client:
            return await client.get("/gradio_api/file=/x.mp4", headers=headers)

    for unsound in ({"range": "bytes=0-1-2"}, {"range": "bytes=0-1,3-4"}, {"x-forwarded-host": "x:y"}):
        asynchronous.run(ask_(unsound))
        assert not {key for key, _ in arrived} & {b"range", b"x-forwarded-host"}
    answer = asynchronous.run(ask_({"range": "bytes=0-", "x-forwarded-host": "durian.example:443", **cookie()}))
    assert {b"range", b"x-forwarded-host"} <= {key for key, _ in arrived}
    # Gradio repeats the request's headers in a file's answer; the others are the guard's own.
    assert list(answer.headers) == ["etag", "cache-control", "content-security-policy", "x-content-type-options"]
    assert answer.headers["cache-control"] == "private"
    assert asynchronous.run(ask_({"host": "no host/at all"})).status_code == 403


def test_an_upload_of_unknown_length_is_refused(ask):
    async def parts():
        yield b"x"

    assert ask("POST", "/gradio_api/upload", content=parts()).status_code == 403


def test_a_full_disk_takes_no_upload(ask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("durian.folders.DISK_RESERVE_BYTES", 10**18)
    answer = ask("POST", "/gradio_api/upload", **form())
    assert answer.status_code == 507
    assert "disk is full" in answer.text


def test_uploads_under_way_have_their_room_on_the_disk(
    visitors: Visitors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nothing of them is written yet, and two come where there is room for one."""
    monkeypatch.setattr(guard_module, "room_on_disk", lambda folder: 1500)
    statuses: list[int] = []

    async def both() -> None:
        started, ended = asyncio.Event(), asyncio.Event()

        async def waits(scope, receive, send) -> None:
            started.set()
            await ended.wait()
            await tells(scope, receive, send)

        transport = httpx.ASGITransport(Guard(waits, visitors, tmp_path), client=("203.0.113.5", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://durian") as client:

            async def upload() -> int:
                return (await client.post("/gradio_api/upload", **form(1000))).status_code

            first = asyncio.create_task(upload())
            await started.wait()
            statuses.append(await upload())
            ended.set()
            statuses.extend([await first, await upload()])
            statuses.append((await client.get("/gradio_api/upload")).status_code)

    asynchronous.run(both())
    assert statuses == [507, 200, 200, 200]


@pytest.mark.parametrize("path", ["cancel", "upload", "call/v2/preview", "app_id"])
def test_a_length_that_is_told_twice_is_refused(visitors: Visitors, tmp_path: Path, path: str):
    sent: list[dict] = []

    async def send(message) -> None:
        sent.append(message)

    headers = [(b"content-length", b"4"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "path": f"/gradio_api/{path}", "headers": headers}
    asynchronous.run(Guard(tells, visitors, tmp_path)({**scope, "client": ("203.0.113.5", 1)}, None, send))
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]


def test_an_address_has_so_many_requests_a_minute(ask):
    answers = [ask("GET", "/gradio_api/token").status_code for _ in range(REQUESTS + 2)]
    assert answers[:REQUESTS] == [200] * REQUESTS
    assert answers[-1] == 429
    assert ask("GET", "/gradio_api/token", host="203.0.113.6").status_code == 200


def test_what_describes_the_api_counts_as_some_requests(ask):
    paths = ["/gradio_api/openapi.json", "/openapi.json", "/docs"] * REQUESTS
    answers = [ask("GET", path).status_code for path in paths[: REQUESTS // SCHEMA_COSTS + 1]]
    assert answers == [200] * (REQUESTS // SCHEMA_COSTS) + [429]
    assert cost("/gradio_api/info/") == SCHEMA_COSTS
    assert cost("/gradio_api/heartbeat/abc") == BEAT_COSTS
    assert cost("/below/gradio_api/heartbeat/abc") == BEAT_COSTS
    assert cost("/gradio_api/upload") == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_long_requests_count_as_several(ask, method: str):
    body = b" " * (BYTES_A_REQUEST * 9)
    answers = [ask(method, "/gradio_api/token", content=body).status_code for _ in range(REQUESTS // 10 + 1)]
    assert 429 not in answers[:-1]
    assert answers[-1] == 429
    assert cost("/gradio_api/run/edit", BYTES_A_REQUEST - 1) == 1
    assert cost("/", BYTES_A_REQUEST) == PAGE_COSTS + 1
    # It is refused by its length alone.
    assert cost("/gradio_api/run/edit", 10**15) == 1 + MOST_BODY_BYTES // BYTES_A_REQUEST
    assert cost("/gradio_api/upload", 10**9) == 1


def test_the_longest_stroke_fits():
    """As a browser writes it: with all digits that a number has."""
    points = [[100.12345678901234 + index % 7, 200.12345678901234] for index in range(LARGEST_STROKE)]
    assert len(json.dumps({"points": points})) < MOST_BODY_BYTES / 2


def test_a_body_that_says_it_is_too_long_is_not_read():
    async def never():
        raise AssertionError("It was read.")

    scope = {"type": "http", "headers": [(b"content-length", str(MOST_BODY_BYTES + 1).encode())]}
    with pytest.raises(LimitExceeded, match="more than 500 kB"):
        asynchronous.run(read_body(scope, never))


def test_the_page_counts_as_many_requests(ask):
    answers = [ask("GET", path).status_code for path in ("/", "/config", "/config/", "/", "/", "/config", "/")]
    assert answers == [200] * (REQUESTS // PAGE_COSTS) + [429]


def test_a_call_with_too_many_names_is_refused_before_it_is_read(ask):
    content = "{" + ",".join(f'"{n}": 0' for n in range(MOST_NAMES + 1)) + "}"
    answer = ask("POST", "/gradio_api/queue/join", content=content.encode())
    assert (answer.status_code, "names in it" in answer.text) == (413, True)


def test_ending_a_calls_event_makes_no_page_of_it(visitors: Visitors, ask):
    for number in range(visitors._settings.visitor_pages + 2):
        request = SimpleNamespace(
            session_hash=f"call{number}", client=SimpleNamespace(host="203.0.113.5"), cookies={COOKIE: "k" * 43}
        )
        visitors.of(request)
        body = {"session_hash": f"call{number}", "fn_index": 1}
        assert ask("POST", "/gradio_api/cancel", json=body, headers=cookie()).status_code == 200
        assert ask("POST", "/gradio_api/cancel", json=body, headers=cookie("x" * 43)).status_code == 403


def test_too_many_pages_of_one_address_are_refused(ask):
    for name in "abc":
        assert ask("GET", f"/gradio_api/queue/data?session_hash={name}").status_code == 200
    answer = ask("GET", "/gradio_api/heartbeat/d")
    assert answer.status_code == 429
    assert "3 pages are open" in answer.json()["detail"]


def test_a_request_that_fails_inside_is_closed_again(visitors: Visitors, tmp_path: Path):
    async def breaks(scope, receive, send) -> None:
        raise RuntimeError("inside")

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("203.0.113.5", 1)}
    with pytest.raises(RuntimeError, match="inside"):
        asynchronous.run(Guard(breaks, visitors, tmp_path)(scope, None, None))
    assert visitors.shares._shares["203.0.113.5"].open_requests == 0


class SignOfLife:
    """A connection of a page's that is open in a ``with``; what was sent over it is in ``sent``."""

    def __init__(self, guard: Guard, blocks: gr.Blocks | None, session: str = SESSION) -> None:
        self.sent: list[dict] = []
        self.stop_event = asyncio.Event()
        self._gone = asyncio.Event()
        scope = {"type": "http", "method": "GET", "path": f"/gradio_api/heartbeat/{session}", "headers": []}
        scope |= {"client": ("203.0.113.5", 1)}
        if blocks is not None:
            scope["app"] = SimpleNamespace(get_blocks=lambda: blocks, stop_event=self.stop_event)
        self._call = guard(scope, self._receive, self._send)

    async def __aenter__(self) -> SignOfLife:
        self.task = asyncio.create_task(self._call)
        while not self.sent[1:]:
            await asyncio.sleep(0.001)
        return self

    async def __aexit__(self, *_) -> None:
        self._gone.set()
        await self.task

    async def _receive(self) -> dict:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict) -> None:
        self.sent.append(message)


async def no_app(scope, receive, send) -> None:
    raise AssertionError("Gradio was asked")


def test_a_sign_of_life_lasts_as_long_as_its_connection(visitors: Visitors, tmp_path: Path):
    """With the last of a page its owner's jobs and files go, and Gradio makes nothing anew for that."""
    left: list[str] = []

    async def scene() -> None:
        guard = Guard(no_app, visitors, tmp_path, left.append)
        async with SignOfLife(guard, None) as first:
            owner = visitors._visitors[SESSION].owner
            assert visitors._visitors[SESSION].beats == 1
            async with SignOfLife(guard, None):
                assert visitors._visitors[SESSION].beats == 2
            assert left == []
        assert (left, visitors._visitors[SESSION].beats) == ([owner], 0)
        assert first.sent[0]["headers"][0] == (b"content-type", b"text/event-stream; charset=utf-8")
        assert [message["body"] for message in first.sent[1:]] == [ALIVE, b""]
        assert visitors._visitors[SESSION].left

    asynchronous.run(scene())


def test_a_sign_of_life_goes_on(visitors: Visitors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gr.utils, "get_heartbeat_rate", lambda: 0.001)

    async def scene() -> None:
        async with SignOfLife(Guard(no_app, visitors, tmp_path), None) as sign:
            while len(sign.sent) < 5:
                await asyncio.sleep(0.001)
        assert {message["body"] for message in sign.sent[1:-1]} == {ALIVE}

    asynchronous.run(scene())


def test_signs_of_life_end_when_the_server_stops(visitors: Visitors, tmp_path: Path, blocks: gr.Blocks):
    async def scene() -> None:
        async with SignOfLife(Guard(no_app, visitors, tmp_path), blocks) as sign:
            sign.stop_event.set()
            await asyncio.wait_for(sign.task, 20)
        assert sign.sent[-1]["more_body"] is False

    asynchronous.run(scene())


def test_what_runs_for_a_page_ends_with_it(visitors: Visitors, tmp_path: Path, blocks: gr.Blocks):
    """And nothing is made for a session that never was a page."""
    holder = StateHolder()
    holder.set_blocks(blocks)
    page = holder[SESSION]
    running = SimpleNamespace(closed=False, run_time=0.0, signal=asyncio.Event())
    blocks._queue.event_ids_to_events["waiting"] = running

    async def scene() -> None:
        guard = Guard(no_app, visitors, tmp_path)
        async with SignOfLife(guard, blocks, "another"):
            pass
        assert not running.closed
        async with SignOfLife(guard, blocks):
            pass

    asynchronous.run(scene())
    assert page.is_closed
    assert running.closed
    assert running.signal.is_set()
    assert running.run_time > 1e9
    assert list(holder.session_data) == [SESSION]


def test_other_methods_are_no_signs_of_life(visitors: Visitors, ask):
    assert ask("HEAD", f"/gradio_api/heartbeat/{SESSION}").headers["content-type"] == "text/html"
    assert visitors._visitors[SESSION].beats == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "frame-ancestors 'self'"),
        ({"framed_by": "https://a.example https://*.b.example:444"}, "frame-ancestors 'self' https://a.example"),
        ({"space": "a/b"}, "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co"),
        ({"space": "a/b", "framed_by": "https://a.example"}, "frame-ancestors 'self' https://a.example https://hugg"),
    ],
)
def test_no_page_of_another_site_shows_an_answer_in_a_frame(ask, settings_environment, monkeypatch, changes, expected):
    monkeypatch.delenv("SPACE_ID", raising=False)
    if "space" in changes:
        monkeypatch.setenv("SPACE_ID", changes.pop("space"))
    settings_environment(**changes)
    for path in ("/", "/config", "/gradio_api/file=/a.png", "/gradio_api/vibe-code"):
        answer = ask("GET", path)
        assert answer.headers["content-security-policy"].startswith(expected)
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("sites", ["example.org", "https://a.example; script-src *", "https://a.example\nset-cookie:x"])
def test_what_may_show_it_in_a_frame_is_a_site(sites: str):
    with pytest.raises(ValueError, match="DURIAN_FRAMED_BY must be sites"):
        Settings.from_environment({"DURIAN_FRAMED_BY": sites})


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_do_not_arrive(ask, number: str):
    """FastAPI fails where it tells what else is wrong with the body."""
    answer = ask("POST", "/gradio_api/cancel", content=f'{{"data": [{number}]}}')
    assert answer.status_code == 403
    assert answer.json() == {"detail": "The request is not JSON that can be read: give an object."}
    assert ask("POST", "/gradio_api/cancel", content='{"data": [1e99]}').status_code == 200


@pytest.mark.parametrize("names", ["https://durian.example.org", "a.example,b.example", "durian.example.org:7860"])
def test_names_that_match_nothing_are_told_at_the_start(names: str):
    with pytest.raises(ValueError, match="DURIAN_NAMES must be names"):
        Settings.from_environment({"DURIAN_NAMES": names})
