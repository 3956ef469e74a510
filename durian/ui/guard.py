"""The door of the server: who may act in a session, how much an address may ask for, and how large a request may be.

A layer around Gradio's application (ASGI). Gradio takes a session's name from whoever sends it; here a request that
names one must come with the cookie of the page that began it.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from durian.errors import DurianError, InvalidRequest, LimitExceeded, OutputFailed, QueueFull
from durian.ui.visitors import Visitors, shared_address

COOKIE = "durian_visitor"
MOST_BODY_BYTES = 4_000_000
"""Of a request that is no upload; the longest brush stroke has some 200 kB."""
DISK_RESERVE_BYTES = 500_000_000
"""Free space that uploads may not use: results need some."""

_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{32,64}")
_IN_PATH = re.compile(r"/gradio_api/(?:heartbeat|stream)/(?P<session>[^/]+)")
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/[^/]+$")
_UPLOAD = re.compile(r"/gradio_api/upload/?$")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Guard:
    """The layer.

    Args:
        app: what it guards.
        visitors: who is there, and what each address has used.
        uploads: the folder that uploads are written to, whose disk must not fill up.
    """

    def __init__(self, app: Any, visitors: Visitors, uploads: Path) -> None:
        self._app = app
        self._visitors = visitors
        self._uploads = uploads

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = shared_address(scope["client"][0] if scope.get("client") else None)
        try:
            self._visitors.count_request(address)
            self._visitors.open_request(address)
        except DurianError as error:
            await _refuse(scope, send, error)
            return
        try:
            receive = await self._admit(scope, receive, address)
        except DurianError as error:
            await _refuse(scope, send, error)
        else:
            await self._app(scope, receive, _with_cookie(scope, send))
        finally:
            self._visitors.close_request(address)

    async def _admit(self, scope: MutableMapping[str, Any], receive: Receive, address: str) -> Receive:
        """Check a request; returns what to read its body from."""
        path = scope["path"]
        names = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash", [])
        if found := _IN_PATH.search(path):
            names.append(found["session"])
        if scope["method"] in ("POST", "PUT", "PATCH"):
            if _UPLOAD.search(path):
                self._check_upload(_header(scope, b"content-length"), address)
            else:
                body = await _read_body(scope, receive)
                names += _named_in(body)
                receive = _replay(body, receive)
        key = _key(scope)
        for name in names:
            self._visitors.admit(name, key, address)
        if _HEARTBEAT.search(path):
            self._visitors.beat(names[-1])
        return receive

    def _check_upload(self, length: str, address: str) -> None:
        if not length.isdecimal():
            raise InvalidRequest("The upload does not say how long it is: send it with a Content-Length.")
        if shutil.disk_usage(self._uploads).free - int(length) < DISK_RESERVE_BYTES:
            raise OutputFailed("The server's disk is full: try again in an hour.")
        self._visitors.count_upload(address, int(length))


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _key(scope: MutableMapping[str, Any]) -> str:
    """The value of the page's cookie, "" without a sound one."""
    try:
        morsel = SimpleCookie(_header(scope, b"cookie")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None and _COOKIE_VALUE.fullmatch(morsel.value) else ""


async def _read_body(scope: MutableMapping[str, Any], receive: Receive) -> bytes:
    """The whole body of a request that is no upload.

    Raises:
        InvalidRequest: it is a form; only uploads are.
        LimitExceeded: it is too long.
    """
    if _header(scope, b"content-type").startswith("multipart/"):
        raise InvalidRequest("Files are sent to /gradio_api/upload only: send this request as JSON.")
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BODY_BYTES:
            raise LimitExceeded(f"The request has more than {MOST_BODY_BYTES // 1_000_000} MB: send less at once.")
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _named_in(body: bytes) -> list[str]:
    """The session that a JSON body names, if any.

    Raises:
        InvalidRequest: it names one that is no text, or cannot be read.
    """
    if not body.strip():
        return []
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The request is not JSON that can be read: send an object with data.") from error
    name = content.get("session_hash") if isinstance(content, dict) else None
    if name is None:
        return []
    if not isinstance(name, str):
        raise InvalidRequest("The session's name is not one: give up to 64 letters, digits, - or _.")
    return [name]


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give ``body`` first, then what follows: that the caller hung up."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_cookie(scope: MutableMapping[str, Any], send: Send) -> Send:
    """Let the page's answer bring the cookie to a browser that has none."""
    root = scope.get("root_path", "")
    if scope["method"] != "GET" or scope["path"].removeprefix(root) not in ("", "/") or _key(scope):
        return send
    # In a frame of another site, as on a Space, a browser keeps a cookie only with these marks, and only over HTTPS.
    marks = "SameSite=None; Secure; Partitioned" if scope.get("scheme") == "https" else "SameSite=Lax"
    cookie = f"{COOKIE}={secrets.token_urlsafe(32)}; Path={root or '/'}; HttpOnly; {marks}"

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"set-cookie", cookie.encode("latin-1"))]
        await send(message)

    return send_with_cookie


async def _refuse(scope: MutableMapping[str, Any], send: Send, error: DurianError) -> None:
    """Answer with one sentence: as text to an upload, whose sender shows it as it is, as JSON otherwise."""
    kinds = ((QueueFull, 429), (LimitExceeded, 413), (OutputFailed, 507))
    status = next((status for kind, status in kinds if isinstance(error, kind)), 403)
    if _UPLOAD.search(scope["path"]):
        kind, body = b"text/plain; charset=utf-8", str(error).encode()
    else:
        kind, body = b"application/json", json.dumps({"detail": str(error)}).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
