"""Parts of a soak's clients: checks of answers, broken streams, and readings of a process."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from durian.media import encode_png, write_video
from durian.soak import wire
from durian.soak.checking import check_picture, check_video
from durian.soak.measuring import Left, count_left, read_process
from durian.soak.outcomes import NoAnswer, OutOfTime, Record, ServerSaid, WrongAnswer
from durian.soak.running import address_of
from durian.soak.server import Server

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Five frames of 64 × 64."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    write_video([np.full((64, 64, 3), 40 * index, np.uint8) for index in range(5)], path, 24.0)
    return path.read_bytes()


@contextmanager
def answering_with(answer: bytes, hold: bool = False) -> Iterator[str]:
    """A server of one connection: it reads the head, sends ``answer``, and closes, or holds on until the end."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while b"\r\n\r\n" not in connection.recv(65536):
                    continue
                connection.sendall(answer)
                if hold:
                    done.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join()


def read_all(address: str, seconds: float) -> Callable[[], None]:
    def ask() -> None:
        with wire.new_client(address) as client:
            for name, _ in wire.events(client, "/call/animate/1", seconds):
                if name == "complete":
                    return
            raise NoAnswer("the stream ended without a result")

    return ask


def test_every_frame_of_a_video_is_counted(video):
    check_video(video, 5, 64)
    with pytest.raises(WrongAnswer, match="instead of 6 of 64×64"):
        check_video(video, 6, 64)
    with pytest.raises(WrongAnswer, match="instead of 5 of 128×128"):
        check_video(video, 5, 128)
    with pytest.raises(WrongAnswer):
        check_video(video[: len(video) // 3], 5, 64)
    with pytest.raises(WrongAnswer, match="no video"):
        check_video(b"<html>", 5, 64)


def test_a_picture_must_be_whole_and_of_its_size():
    data = encode_png(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    check_picture(data, (60, 40))
    with pytest.raises(WrongAnswer, match="60×40 instead of 40×60"):
        check_picture(data, (40, 60))
    with pytest.raises(WrongAnswer, match="no picture"):
        check_picture(data[:-200], (60, 40))


def test_a_client_that_is_never_answered_is_lost_and_late():
    with answering_with(STREAM + b"event: heartbeat\ndata: null\n\n", hold=True) as address:
        outcome = Record().attempt("animation", "http", read_all(address, 0.3))
    assert (outcome.ending, outcome.in_time) == ("lost", False)


def test_a_client_whose_stream_breaks_off_is_lost_but_not_late():
    with answering_with(STREAM + b"event: generating\ndata: null\n\n") as address:
        outcome = Record().attempt("animation", "http", read_all(address, 20))
    assert (outcome.ending, outcome.in_time) == ("lost", True)


def test_a_client_that_gets_its_result_is_answered():
    with answering_with(STREAM + b"event: heartbeat\ndata: null\n\nevent: complete\ndata: []\n\n") as address:
        outcome = Record().attempt("animation", "http", read_all(address, 20))
    assert outcome.ending == "answered"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("503 Service Unavailable", b'{"detail": "Queue is full."}', ServerSaid),
        ("500 Internal Server Error", b'{"error": "There is no face."}', ServerSaid),
        ("500 Internal Server Error", b'{"error": null}', NoAnswer),
        ("502 Bad Gateway", b"<html>", NoAnswer),
    ],
)
def test_an_error_counts_as_an_answer_only_with_a_sentence(status, body, error):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    with answering_with(head + body) as address, wire.new_client(address) as client, pytest.raises(error):
        wire.post(client, "/run/predict", {}, 20)


def test_a_time_limit_is_told_from_a_broken_connection():
    with answering_with(b"", hold=True) as address, wire.new_client(address) as client, pytest.raises(OutOfTime):
        wire.post(client, "/run/predict", {}, 0.3)
    with answering_with(b"") as address, wire.new_client(address) as client, pytest.raises(NoAnswer) as broken:
        wire.post(client, "/run/predict", {}, 20)
    assert not isinstance(broken.value, OutOfTime)


def test_a_session_s_other_connections_carry_its_cookies_and_its_address():
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: visitor=abc; Path=/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering_with(cookie) as address, wire.new_client(address, address_of(2)) as client:
        wire.get(client, "/", 20)
        with wire.again(client) as other:
            assert dict(other.cookies) == {"visitor": "abc"}
            assert other.headers["X-Forwarded-For"] == "198.18.0.3"
            assert other.base_url == client.base_url
        with socket.create_server(("127.0.0.1", 0)) as listener:
            heartbeat = wire.Heartbeat(listener.getsockname(), "session", client)
            connection, _ = listener.accept()
            with connection:
                head = connection.recv(65536).decode()
                heartbeat.close()
                assert connection.recv(1) == b""
    assert head.startswith("GET /gradio_api/heartbeat/session HTTP/1.1\r\n")
    assert "\r\nCookie: visitor=abc\r\n" in head
    assert "\r\nX-Forwarded-For: 198.18.0.3\r\n" in head


def test_a_broken_upload_promises_more_than_it_sends(tmp_path: Path):
    (tmp_path / "photo.png").write_bytes(b"content")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire.break_off_an_upload(listener.getsockname(), tmp_path / "photo.png")
        connection, _ = listener.accept()
        with connection:
            sent = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = sent.partition(b"\r\n\r\n")
    promised = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
    assert head.startswith(b"POST /gradio_api/upload ")
    assert body.endswith(b"content")
    assert promised > len(body) + 100_000


def test_hidden_files_and_empty_folders_are_counted(tmp_path: Path):
    (tmp_path / "work" / "inner").mkdir(parents=True)
    (tmp_path / "work" / "result.mp4").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / ".half").touch()
    assert count_left(tmp_path) == Left(files=2, folders=3)
    assert count_left(tmp_path, without=tmp_path / "work") == Left(files=1, folders=1)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_process_is_read_from_outside(tmp_path: Path):
    before, done = read_process(os.getpid()), threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    with (tmp_path / "open").open("w"):
        after = read_process(os.getpid())
    done.set()
    thread.join()
    assert (after.threads - before.threads, after.open_files - before.open_files) == (1, 1)
    assert 0 < after.resident_mb <= after.peak_mb


def test_a_process_that_is_gone_cannot_be_read():
    assert read_process(2**30) is None


def test_traces_in_the_log_are_told_by_their_errors(tmp_path: Path):
    server = Server(tmp_path, keep_seconds=30)
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    x\nKeyError: {}\n'
    (tmp_path / "server.log").write_text("started\n" + trace.format("'a'") + "going on\n" + trace.format("'b'"))
    assert server.traces() == ["KeyError: 'a'", "KeyError: 'b'"]
    assert not server.alive()
