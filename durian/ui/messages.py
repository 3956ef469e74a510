"""HTTP messages as ASGI passes them: bodies read and given again, headers that are let through."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from durian.errors import InvalidRequest, LimitExceeded
from durian.settings import get_settings
from durian.ui.call_checks import MOST_PARTS
from durian.ui.visitors import COOKIE, cookie_key

MOST_BODY_BYTES = 500_000
"""Of a request that is no upload; the longest brush stroke has some 200 kB, and files are uploaded before."""
MOST_NAMES = 20_000
"""Names of values in a call; a request has some hundred."""
SECONDS_WITHOUT_A_BYTE = 30.0
"""A caller of whose body nothing more comes for so long has gone."""
LEAST_BYTES_A_SECOND = 10_000
"""A body that comes more slowly, after its first half minute, holds a place and is meant to."""

SPACE_FRAMES = ["https://huggingface.co", "https://*.huggingface.co"]
"""Whose pages show a Space, in a frame."""

_COOKIE = re.compile(rf"(?:^|;) *{COOKIE}=(?P<value>[A-Za-z0-9_-]+) *(?:;|$)")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_JSON_KIND = re.compile(r"application/(?:[a-z0-9.+-]{1,100}\+)?json *(?:;.*)?", re.IGNORECASE)
_ONE_RANGE = re.compile(r"bytes=(?:[0-9]{1,15}-[0-9]{0,15}|-[0-9]{1,15})")
_ABOUT_A_FILE = {
    b"accept-ranges",
    b"content-disposition",
    b"content-length",
    b"content-range",
    b"content-security-policy",
    b"content-type",
    b"etag",
    b"last-modified",
    b"location",
    b"x-content-type-options",
}


class NoJson(InvalidRequest):
    """A body that does not say that it is JSON, of which Gradio would repeat all as often as it lacks something."""


def header(scope: Scope, name: bytes) -> str:
    """A request's header, "" where it has none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def told_length(scope: Scope) -> int:
    """Bytes that a request says its body has, 0 where it says none."""
    told = header(scope, b"content-length")
    return int(told) if told.isdecimal() else 0


def key_of(scope: Scope) -> str:
    """The value of the page's cookie, "" without a sound one."""
    # Not by a parser: those of the standard library need seconds for some cookies of 30 kB.
    found = _COOKIE.search(header(scope, b"cookie"))
    return cookie_key(None if found is None else found["value"])


def with_sound_headers(scope: Scope) -> Scope:
    """The request without headers that Gradio fails on: several ranges at once, a host that is none, other cookies.

    A row of proxies tells the scheme that each was asked by: the first is the browser's own, and means nothing to
    others than whoever sent it, whatever it is.

    Raises:
        InvalidRequest: its own host is none.
    """
    if not _HOST.fullmatch(header(scope, b"host") or "none"):
        raise InvalidRequest("The Host of the request is no host's name: ask for the server by its address.")
    sound = {
        b"range": lambda value: _ONE_RANGE.fullmatch(value),
        b"x-forwarded-host": lambda value: _HOST.fullmatch(value.split(",")[0].strip()),
    }
    kept = [(key, value) for key, value in scope["headers"] if key not in sound or sound[key](value.decode("latin-1"))]
    kept = [(key, value) for key, value in kept if key != b"cookie"]
    if own := key_of(scope):
        kept.append((b"cookie", f"{COOKIE}={own}".encode("latin-1")))
    kept = [(key, value) for key, value in kept if key != b"x-forwarded-proto"]
    scheme = header(scope, b"x-forwarded-proto").split(",")[0].strip().lower()
    if scheme not in ("http", "https"):
        return {**scope, "headers": kept}
    kept.append((b"x-forwarded-proto", scheme.encode("latin-1")))
    return {**scope, "scheme": scheme, "headers": kept}


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body of a request that is no upload.

    Raises:
        InvalidRequest: it is a form, which only uploads are, or nothing more of it comes.
        NoJson: it says that it is something else, or does not say what.
        LimitExceeded: it is too long; where it says so, nothing of it is read.
    """
    kind = header(scope, b"content-type")
    if kind.lower().startswith("multipart/"):
        raise InvalidRequest("Files are sent to /gradio_api/upload only: send this request as JSON.")
    _check_size(told_length(scope))
    parts, size = [], 0
    receive = at_a_pace(receive)
    while True:
        try:
            message = await receive()
        except TimeoutError as error:
            raise InvalidRequest("The request stopped half-way: send it again.") from error
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        _check_size(size)
        if not message.get("more_body"):
            break
    if size and not _JSON_KIND.fullmatch(kind):
        raise NoJson("The request does not say that it is JSON: send it with the Content-Type application/json.")
    return b"".join(parts)


def json_of(body: bytes, is_call: bool) -> Any:
    """What a body says. Of a call, its own checks refuse numbers that are none, in words that fit.

    Raises:
        InvalidRequest: it is not empty and no JSON.
        LimitExceeded: it has too many parts.
    """
    if not body.strip():
        return None
    # Counted before they are made: braces in texts count too, and no call has so many.
    if body.count(b"{") + body.count(b"[") > MOST_PARTS:
        raise LimitExceeded(f"The request has more than {MOST_PARTS} lists in it: send less at once.")
    if body.count(b":") > MOST_NAMES:
        raise LimitExceeded(f"The request has more than {MOST_NAMES} names in it: send less at once.")
    try:
        return json.loads(body) if is_call else json.loads(body, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The request is not JSON that can be read: give an object.") from error


def _finite(text: str) -> float:
    """
    Raises:
        ValueError: it is no number, or too large for one; FastAPI fails where it tells what is wrong with the rest.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("The number is none.")
    return value


def _check_size(size: int) -> None:
    if size > MOST_BODY_BYTES:
        most = MOST_BODY_BYTES // 1000
        raise LimitExceeded(f"The request has more than {most} kB: upload files first and send their names.")


def at_a_pace(receive: Receive) -> Receive:
    """Receive a body as long as it comes without long pauses and not too slowly; raises TimeoutError otherwise."""
    began, received = time.monotonic(), 0

    async def paced() -> Message:
        nonlocal received
        allowed = began + SECONDS_WITHOUT_A_BYTE + received / LEAST_BYTES_A_SECOND - time.monotonic()
        message = await asyncio.wait_for(receive(), max(0.0, min(SECONDS_WITHOUT_A_BYTE, allowed)))
        received += len(message.get("body", b""))
        return message

    return paced


def replay(body: bytes, receive: Receive) -> Receive:
    """Give ``body`` first, then what follows: that the caller hung up."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def with_cookie(scope: Scope, send: Send) -> Send:
    """Let the page's answer bring the cookie to a browser that has none."""
    root = scope.get("root_path", "")
    if scope["method"] != "GET" or scope["path"].removeprefix(root) not in ("", "/") or key_of(scope):
        return send
    # In a frame of another site, as on a Space, a browser keeps a cookie only with these marks, and only over HTTPS.
    marks = "SameSite=None; Secure; Partitioned" if scope.get("scheme") == "https" else "SameSite=Lax"
    cookie = f"{COOKIE}={secrets.token_urlsafe(32)}; Path={root or '/'}; HttpOnly; {marks}"
    return _changing_start(send, lambda headers: [*headers, (b"set-cookie", cookie.encode("latin-1"))])


def with_safe_headers(send: Send) -> Send:
    """Tell browsers that no other site's page may show an answer in a frame, where clicks on it would be ours, and that
    a file is of the kind that it is called."""
    sites = [*get_settings().framed_by.split(), *(SPACE_FRAMES if "SPACE_ID" in os.environ else [])]
    ours = " ".join(["frame-ancestors 'self'", *sites]).encode("latin-1")
    added = [(b"content-security-policy", ours), (b"x-content-type-options", b"nosniff")]
    return _changing_start(send, lambda headers: [*headers, *added])


def with_file_headers_only(send: Send) -> Send:
    """Leave out of a file's answer what Gradio repeats from its request, cookies among it; no cache on the way keeps
    it for others."""
    private = (b"cache-control", b"private")
    return _changing_start(
        send, lambda headers: [*(pair for pair in headers if pair[0].lower() in _ABOUT_A_FILE), private]
    )


Headers = list[tuple[bytes, bytes]]


def _changing_start(send: Send, change: Callable[[Headers], Headers]) -> Callable[[Message], Awaitable[None]]:
    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": change(list(message["headers"]))}
        await send(message)

    return changed
