"""Limits on connections: half-sent requests, unread answers and many connections of one address end."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import uvicorn
from h11._readers import CLIENT, IDLE, READERS, ChunkedReader
from served import free_port

from durian.settings import Settings
from durian.ui import connections
from durian.ui.connections import MOST_HEAD_BYTES, MOST_HEADERS
from durian.ui.shares import CONNECTIONS_A_PAGE

WAIT = 30
"""Seconds for what must come; far more than the limits that are set here."""
PAGES = 2
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: durian\r\nX-Long: "


class Inside:
    """An application that answers at once, when told to (``/later``), or more than fits on the way (``/long``)."""

    def __init__(self) -> None:
        self.go_on, self.left = threading.Event(), threading.Event()

    async def __call__(self, scope, receive, send) -> None:
        while scope["path"] == "/later" and not self.go_on.is_set():
            await asyncio.sleep(0.02)
        parts, part = (2, b"x" * 20_000_000) if scope["path"] == "/long" else (1, b"x")
        length = str(parts * len(part)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        for index in range(parts):
            await send({"type": "http.response.body", "body": part, "more_body": index < parts - 1})
        self.left.set()


@pytest.fixture
def inside() -> Inside:
    return Inside()


@pytest.fixture
def port(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "SECONDS_FOR_A_HEAD", 0.5)
    monkeypatch.setattr(connections, "SECONDS_UNREAD", 2.0)
    number = free_port()
    server = uvicorn.Server(uvicorn.Config(inside, port=number, log_level="error", lifespan="off"))
    server.config.load()
    connections.tend(server.config, Settings(visitor_pages=PAGES))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        assert thread.is_alive(), "another took the port"
    yield number
    inside.go_on.set()
    server.should_exit = True
    thread.join(WAIT)


def connect(port: int, own: str = "127.0.0.1") -> socket.socket:
    """A connection from an address of this machine's own."""
    try:
        return socket.create_connection(("127.0.0.1", port), WAIT, (own, 0))
    except OSError:
        pytest.skip(f"{own} is no address of this machine.")


def all_of(connection: socket.socket) -> bytes:
    """What comes until the other side ends the connection."""
    data = bytearray()
    with suppress(ConnectionError):
        while part := connection.recv(1_000_000):
            data += part
    return bytes(data)


def trickle(connection: socket.socket) -> None:
    for _ in range(WAIT * 20):
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("sent", [b"", b"GET", HALF_A_HEAD, b"GET / HTTP/1.1\r\nHost: durian\r\n\r\n" + HALF_A_HEAD])
def test_half_a_request_is_not_waited_for(port: int, sent: bytes):
    with connect(port) as connection:
        connection.sendall(sent)
        assert all_of(connection).count(b"200 OK") == sent.count(b"\r\n\r\n")


def test_what_trickles_in_is_no_request(port: int):
    """Neither a head byte by byte, nor a body for which the answer has come long ago."""
    answered_early = b"POST / HTTP/1.1\r\nHost: durian\r\nContent-Length: 1000000\r\n\r\n"
    for begun in (HALF_A_HEAD, answered_early):
        with connect(port) as connection:
            connection.sendall(begun)
            with pytest.raises(ConnectionError):
                trickle(connection)


def test_a_request_that_is_worked_on_stays(port: int, inside: Inside):
    with connect(port) as connection, connect(port) as other:
        connection.sendall(b"GET /later HTTP/1.1\r\nHost: durian\r\n\r\n")
        # By the time this one ends, the first one's head came as long ago.
        assert all_of(other) == b""
        time.sleep(1)
        inside.go_on.set()
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_an_answer_that_nobody_reads_ends(port: int, inside: Inside):
    with connect(port) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: durian\r\n\r\n")
        assert inside.left.wait(WAIT)
        assert len(all_of(connection)) < 40_000_000


def test_a_long_answer_arrives_whole(port: int):
    with connect(port) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: durian\r\nConnection: close\r\n\r\n")
        # Each of its two parts takes longer than a client may take nothing.
        taken = 0
        while part := connection.recv(1_000_000):
            taken += len(part)
            time.sleep(0.05)
        assert taken > 40_000_000


CHUNKED = b"Host: durian\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("method", [b"POST", b"GET", b"HEAD", b"PATCH"])
def test_a_body_in_chunks_is_refused_before_any_is_parsed(
    port: int, inside: Inside, monkeypatch: pytest.MonkeyPatch, method: bytes
):
    parsed = []
    monkeypatch.setattr(ChunkedReader, "__call__", lambda self, buffer: parsed.append(len(buffer)))
    for chunks in (b"", b"1\r\n \r\n" * 40_000, b"0\r\n" + b"a:\r\n" * 60_000):
        with connect(port) as connection:
            connection.sendall(method + b" / HTTP/1.1\r\n" + CHUNKED + chunks[:60_000])
            # What was not read makes the system end the connection at once, maybe before its answer is.
            with suppress(ConnectionError):
                connection.sendall(chunks[60_000:])
            answer = all_of(connection)
            assert chunks or answer.startswith(b"HTTP/1.1 411 Length Required")
            assert chunks or b"send it with a Content-Length, not in chunks" in answer
    assert not parsed
    assert not inside.left.is_set()


def test_a_body_in_chunks_is_refused_after_another_request(port: int):
    with connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: durian\r\n\r\nPOST / HTTP/1.1\r\n" + CHUNKED + b"1\r\n")
        answers = all_of(connection)
        assert answers.startswith(b"HTTP/1.1 200 OK")
        assert answers.count(b"HTTP/1.1 411 ") == 1


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        (b"a:\r\n" * (MOST_HEADERS - 2), b"200 OK", b""),
        (b"a:\r\n" * (MOST_HEADERS - 1), b"431 ", b"more than 100 headers"),
        (b"a:\n" * 3000, b"431 ", b"more than 100 headers"),
        (b"a: x\r\n" + b" x\r\n" * 3000, b"431 ", b"more than 100 headers"),
        (b"a: " + b"x" * (MOST_HEAD_BYTES - 100) + b"\r\n", b"200 OK", b""),
        (b"a: " + b"x" * MOST_HEAD_BYTES + b"\r\n", b"431 ", b"more than 16384 bytes"),
        (b"a:\r\n" * 15_000, b"431 ", b"more than 16384 bytes"),
    ],
)
def test_a_head_has_so_many_headers_and_bytes(
    port: int, monkeypatch: pytest.MonkeyPatch, headers: bytes, status: bytes, words: bytes
):
    """And it is not parsed where it has more."""
    parsed, parse = [], READERS[CLIENT, IDLE]
    monkeypatch.setitem(READERS, (CLIENT, IDLE), lambda buffer: parsed.append(len(buffer)) or parse(buffer))
    with connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: durian\r\nConnection: close\r\n" + headers + b"\r\n")
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert words in answer
    assert max(parsed, default=0) <= MOST_HEAD_BYTES
    assert bool(parsed) == (status == b"200 OK")


def test_an_address_has_so_many_connections(port: int):
    most = CONNECTIONS_A_PAGE * PAGES
    request = b"GET /later HTTP/1.1\r\nHost: durian\r\n\r\n"
    with ExitStack() as open_:
        for _ in range(most):
            open_.enter_context(connect(port, "127.0.0.2")).sendall(request)
        assert all_of(open_.enter_context(connect(port, "127.0.0.2"))) == b""
        quick = b"GET / HTTP/1.1\r\nHost: durian\r\nConnection: close\r\n\r\n"
        # A proxy, which 127.0.0.1 is unless another is named, has the connections of all its visitors.
        for own in ["127.0.0.3", *["127.0.0.1"] * (most + 1)]:
            connection = open_.enter_context(connect(port, own))
            connection.sendall(quick)
            assert b"200 OK" in all_of(connection)
    for _ in range(most + 1):
        with connect(port, "127.0.0.2") as connection:
            connection.sendall(quick)
            assert b"200 OK" in all_of(connection)


def test_what_anybody_can_cause_is_logged_once_a_minute():
    log, seldom, seen = logging.getLogger("durian.test.seldom"), connections.SeldomSaid(), []
    log.addFilter(seldom)
    handler = logging.Handler()
    handler.emit = lambda record: seen.append((record.levelname, record.getMessage()))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    for _ in range(100):
        log.warning("Invalid HTTP request received.")
    log.warning("Something else.")
    for name in ("a", "b", "a", "b"):
        try:
            {}[name]
        except KeyError:
            log.exception("Broken.")
    try:
        int("another")
    except ValueError:
        log.exception("Broken.")
    log.info("Not a warning.")
    log.info("Not a warning.")
    seldom._said[("Invalid HTTP request received.",)] -= connections.SECONDS_BETWEEN_WARNINGS
    log.warning("Invalid HTTP request received.")
    assert [level for level, _ in seen] == ["WARNING", "WARNING", "ERROR", "ERROR", "INFO", "INFO", "WARNING"]
    assert [words for _, words in seen].count("Invalid HTTP request received.") == 2
