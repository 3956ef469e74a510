"""The door of the server: who may act in a session, how much an address may ask for, and what a request may hold.

A layer around Gradio's application (ASGI). Gradio takes a session's name from whoever sends it; here a request that
names one must come with the cookie of the page that began it. What it refuses, it refuses in one sentence.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from durian.errors import DurianError, InvalidRequest, LimitExceeded, OutputFailed, QueueFull
from durian.ui import call_checks
from durian.ui.visitors import Visitors, shared_address

COOKIE = "durian_visitor"
MOST_BODY_BYTES = 2_000_000
"""Of a request that is no upload; the longest brush stroke has some 200 kB, and files are uploaded before."""
DISK_RESERVE_BYTES = 500_000_000
"""Free space that uploads may not use: results need some."""

_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{32,64}")
_IN_PATH = re.compile(r"/gradio_api/(?:heartbeat|stream)/(?P<session>[^/]+)")
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/[^/]+$")
_UPLOAD = re.compile(r"/gradio_api/upload/?$")


class Guard:
    """The layer.

    Args:
        app: what it guards.
        visitors: who is there, and what each address has used.
        uploads: the folder that uploads are written to, whose disk must not fill up.
    """

    def __init__(self, app: ASGIApp, visitors: Visitors, uploads: Path) -> None:
        self._app = app
        self._visitors = visitors
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = shared_address(scope["client"][0] if scope.get("client") else None)
        try:
            self._visitors.count_request(address)
            self._visitors.open_request(address)
        except DurianError as error:
            await _refusal(scope, error)(scope, receive, send)
            return
        try:
            receive, content = await self._admit(scope, receive, address)
        except DurianError as error:
            await _refusal(scope, error)(scope, receive, send)
        else:
            if (refusal := _check_call(scope, content)) is not None:
                await refusal(scope, receive, send)
            else:
                await self._app(scope, receive, _with_cookie(scope, send))
        finally:
            self._visitors.close_request(address)

    async def _admit(self, scope: Scope, receive: Receive, address: str) -> tuple[Receive, Any]:
        """Check who asks and how large it is; returns what to read the body from, and what its JSON says."""
        path, content = scope["path"], None
        names = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash", [])
        if found := _IN_PATH.search(path):
            names.append(found["session"])
        if scope["method"] in ("POST", "PUT", "PATCH"):
            if _UPLOAD.search(path):
                self._check_upload(_header(scope, b"content-length"), address)
            else:
                body = await _read_body(scope, receive)
                content = _json(body)
                names += _named_in(content)
                receive = _replay(body, receive)
        key = _key(scope)
        for name in names:
            self._visitors.admit(name, key, address)
        if _HEARTBEAT.search(path):
            self._visitors.beat(names[-1])
        return receive, content

    def _check_upload(self, length: str, address: str) -> None:
        if not length.isdecimal():
            raise InvalidRequest("The upload does not say how long it is: send it with a Content-Length.")
        if shutil.disk_usage(self._uploads).free - int(length) < DISK_RESERVE_BYTES:
            raise OutputFailed("The server's disk is full: try again in an hour.")
        self._visitors.count_upload(address, int(length))


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _key(scope: Scope) -> str:
    """The value of the page's cookie, "" without a sound one."""
    try:
        morsel = SimpleCookie(_header(scope, b"cookie")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None and _COOKIE_VALUE.fullmatch(morsel.value) else ""


async def _read_body(scope: Scope, receive: Receive) -> bytes:
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
            raise LimitExceeded(
                f"The request has more than {MOST_BODY_BYTES // 1_000_000} MB: upload files first and send their names."
            )
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _json(body: bytes) -> Any:
    """
    Raises:
        InvalidRequest: it is not empty and no JSON.
    """
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The request is not JSON that can be read: give an object.") from error


def _named_in(content: Any) -> list[str]:
    """The session that a body names, if any.

    Raises:
        InvalidRequest: its name is no text.
    """
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


def _with_cookie(scope: Scope, send: Send) -> Send:
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


def _check_call(scope: Scope, content: Any) -> Response | None:
    """A refusal in the form of Gradio's own validators if this is a call that it could not pass on."""
    route = call_checks.route_of(scope)
    if route is None:
        return None
    try:
        call_checks.check_call(scope["app"].get_blocks(), route, content)
    except DurianError as error:
        problem = {"__type__": "validate", "is_valid": False, "parameter_name": "call", "message": str(error)}
        return JSONResponse({"detail": [problem]}, 422)
    return None


def _refusal(scope: Scope, error: DurianError) -> Response:
    """One sentence, as the page shows it: as it is for an upload, as the detail of anything else."""
    statuses = ((QueueFull, 429), (LimitExceeded, 413), (OutputFailed, 507))
    status = next((status for kind, status in statuses if isinstance(error, kind)), 403)
    if _UPLOAD.search(scope["path"]):
        return PlainTextResponse(str(error), status)
    return JSONResponse({"detail": str(error)}, status)
