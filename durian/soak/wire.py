"""HTTP clients of a soak: uploads, event streams with a time limit, and connections that break off."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from durian.soak.outcomes import NoAnswer, OutOfTime, ServerSaid

API = "/gradio_api"
FORWARDED = "X-Forwarded-For"
"""By which a proxy on the server's machine, as a soak is, tells a client's address."""
SECONDS_TO_CONNECT = 10.0
SECONDS_AT_LEAST = 0.05
CUT_UPLOAD_BYTES = 200_000
"""Bytes that a broken upload announced and did not send: more than any buffer on the way."""


def new_client(address: str, caller: str | None = None) -> httpx.Client:
    """A client that goes through no proxy, whatever is set.

    Args:
        address: the server's.
        caller: the client's own address, which the server is told; this machine's by default.
    """
    headers = {} if caller is None else {FORWARDED: caller}
    return httpx.Client(base_url=address, trust_env=False, timeout=httpx.Timeout(SECONDS_TO_CONNECT), headers=headers)


def again(client: httpx.Client) -> httpx.Client:
    """The same client for another thread: its server, its cookies, its own address."""
    other = new_client(str(client.base_url), client.headers.get(FORWARDED))
    other.cookies.update(client.cookies)
    return other


@contextmanager
def answering(seconds: float) -> Iterator[httpx.Timeout]:
    """Turns what ``httpx`` raises into this package's exceptions; gives the timeout to pass on.

    Raises:
        OutOfTime: nothing came for ``seconds``.
        NoAnswer: the connection broke, or the answer is an error without a sentence.
        ServerSaid: the answer is an error with one.
    """
    try:
        yield httpx.Timeout(SECONDS_TO_CONNECT, read=max(seconds, SECONDS_AT_LEAST))
    except httpx.TimeoutException as error:
        raise OutOfTime(f"no answer within {seconds:.0f} s") from error
    except httpx.TransportError as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error
    except httpx.HTTPStatusError as error:
        raise _refusal(error.response) from None


def post(client: httpx.Client, path: str, body: dict[str, Any], seconds: float) -> Any:
    """The answer's JSON; raises as :func:`answering`."""
    with answering(seconds) as timeout:
        response = client.post(API + path, json=body, timeout=timeout)
        response.raise_for_status()
        return response.json()


def get(client: httpx.Client, address: str, seconds: float) -> bytes:
    """The answer's bytes; raises as :func:`answering`."""
    with answering(seconds) as timeout:
        response = client.get(address, timeout=timeout)
        response.raise_for_status()
        return response.content


def upload(client: httpx.Client, path: Path, seconds: float) -> dict[str, Any]:
    """Send a file; returns what a call names it by. Raises as :func:`answering`."""
    with answering(seconds) as timeout, path.open("rb") as file:
        response = client.post(f"{API}/upload", files={"files": (path.name, file)}, timeout=timeout)
        response.raise_for_status()
        return {"path": response.json()[0], "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def file_address(value: dict[str, Any]) -> str:
    """Where a file of an answer is fetched."""
    return value.get("url") or f"{API}/file={value['path']}"


def events(client: httpx.Client, path: str, seconds: float, **parameters: str) -> Iterator[tuple[str, str]]:
    """The pairs of event and data of a stream of server-sent events; event is ``""`` where a stream has none.

    Raises:
        OutOfTime: the stream did not end within about ``seconds``.
        NoAnswer, ServerSaid: as :func:`answering`.
    """
    deadline = time.monotonic() + seconds
    name = ""
    with (
        answering(seconds) as timeout,
        client.stream("GET", API + path, params=parameters, timeout=timeout) as response,
    ):
        if response.is_error:
            response.read()
            response.raise_for_status()
        for line in response.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, value
                name = ""
            if time.monotonic() > deadline:
                raise OutOfTime(f"no answer within {seconds:.0f} s")


def said(payload: Any) -> NoAnswer | ServerSaid:
    """The server's sentence in an error's payload, or none."""
    sentence = payload.get("error") or payload.get("detail") if isinstance(payload, dict) else payload
    return ServerSaid(str(sentence)) if sentence else NoAnswer("an error without a sentence")


class Heartbeat:
    """The connection that a browser holds open while its page is; closing it is how a visitor leaves."""

    def __init__(self, host_and_port: tuple[str, int], session: str, client: httpx.Client) -> None:
        told = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        head = [f"GET {API}/heartbeat/{session} HTTP/1.1", f"Host: {host_and_port[0]}"]
        head += [f"Cookie: {told}"] if told else []
        head += [f"{FORWARDED}: {client.headers[FORWARDED]}"] if FORWARDED in client.headers else []
        self._connection = socket.create_connection(host_and_port, timeout=SECONDS_TO_CONNECT)
        self._connection.sendall("\r\n".join([*head, "", ""]).encode())

    def close(self) -> None:
        self._connection.close()


def break_off_an_upload(host_and_port: tuple[str, int], path: Path) -> None:
    """Begin to send a file and vanish in the middle of it."""
    boundary = "half-a-file-and-no-more"
    content = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode() + path.read_bytes()
    head = (
        f"POST {API}/upload HTTP/1.1\r\nHost: {host_and_port[0]}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n"
        f"Content-Length: {len(content) + CUT_UPLOAD_BYTES}\r\n\r\n"
    ).encode()
    with socket.create_connection(host_and_port, timeout=SECONDS_TO_CONNECT) as connection:
        connection.sendall(head + content)
        # A moment for the server to write what it has; closing at once might take that back.
        time.sleep(0.1)


def _refusal(response: httpx.Response) -> NoAnswer | ServerSaid:
    try:
        return said(response.json())
    except ValueError:
        return NoAnswer(f"HTTP {response.status_code} {response.reason_phrase}")
