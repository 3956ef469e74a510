"""Access control around Gradio: sessions' owners, limits per address, and limits on what a request may hold.

A layer around Gradio's application (ASGI). Gradio takes a session's name from whoever sends it; here a request that
names one must come with the cookie of the page that began it. What it refuses, it refuses in one sentence.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import anyio.to_thread
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from durian.errors import DurianError, InvalidRequest, LimitExceeded, OutputFailed, QueueFull
from durian.folders import DISK_FULL, room_on_disk
from durian.ui import call_checks, forms, messages, turns
from durian.ui.answers import Answers
from durian.ui.places import Places
from durian.ui.shares import shared_address
from durian.ui.signs_of_life import end_session, show_alive
from durian.ui.uploads import FollowedUploads, drop_folder, forget_files, own_folder, shared_folder
from durian.ui.visitors import Visitors

MOST_PATH_CHARACTERS = 2000
"""Of a request; a file's name has 255 bytes."""
MOST_BYTES_OF_NO_CALL = 10_000
"""Of what ends an event: its name, and that of its session."""
LEAST_UPLOAD_BYTES = 1_000_000
"""An upload counts as this much at least, since a disk has so many files and no more."""

PAGE_COSTS = 20
"""Requests that the page itself counts as: its server draws it anew each time."""
BEAT_COSTS = 10
"""The same of a sign of life, which may begin a session; a page has one."""
SCHEMA_COSTS = 6
"""The same of what describes the API."""
BYTES_A_REQUEST = 25_000
"""A request counts as one more for each so many of its body: reading those takes as long as answering a short one."""

_PAGE = re.compile(r"/|/config/?")
_SCHEMA = re.compile(r"(?:/gradio_api)?/(?:info|openapi\.json|docs|redoc)/?")
_ASKED = re.compile(
    r"/gradio_api/(?:app_id|cancel|file[=/].*|heartbeat/[^/]+|info|login_check|openapi\.json|proxy=.*|reset|startup-events"
    r"|theme\.css|token|upload|upload_progress|user|(?:call|call/v2|run|api)/[^/]+|call/(?:v2/)?[^/]+/[^/]+"
    r"|queue/(?:data|join|status))/?"
)
"""Gradio's routes that the page and the API need; it has others: it records screens, edits code, streams into
events."""
_HEARTBEAT = re.compile(r".*/gradio_api/heartbeat/(?P<session>[^/]+)")
_LISTENING = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/(?P<event>[^/]+)\Z")
_AT_ONCE = re.compile(r"/gradio_api/(?:run|api)/[^/]+/?\Z")
_CANCEL = re.compile(r"/gradio_api/cancel/?\Z")
_UPLOAD = re.compile(r"/gradio_api/upload/?\Z")
_FILE = re.compile(r"/gradio_api/file[=/](?P<what>.*)\Z")
_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ELSEWHERE = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:")
"""The beginning of an address."""

log = logging.getLogger(__name__)


class Guard:
    """The layer.

    Args:
        app: what it guards.
        visitors: who is there, and what each address has used.
        uploads: the folder that uploads are written to, whose disk must not fill up.
        when_left: called in a thread with the owner of a session that was left: their jobs and files go.
    """

    def __init__(
        self,
        app: ASGIApp,
        visitors: Visitors,
        uploads: Path,
        when_left: Callable[[str], object] = lambda owner: None,
    ) -> None:
        self._app = app
        self._visitors = visitors
        self._uploads = uploads
        self._when_left = when_left
        self._coming = 0
        """Bytes of uploads that are under way, for which there must be room on the disk."""
        self._followed = FollowedUploads()
        self._places = Places()
        self._answers = Answers(visitors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shared_folder()
        send = messages.with_safe_headers(send)
        if messages.header(scope, b"content-length") and messages.header(scope, b"transfer-encoding"):
            # A proxy that goes by the other would take the rest for another visitor's request.
            close = {"connection": "close"}
            await JSONResponse({"detail": "The request tells its length twice."}, 400, close)(scope, receive, send)
            return
        address = shared_address(scope["client"][0] if scope.get("client") else None)
        try:
            self._visitors.shares.count_request(address, _cost(scope))
            self._visitors.shares.open_request(address)
        except DurianError as error:
            await _refusal(scope, error)(scope, receive, send)
            return
        try:
            scope = messages.with_sound_headers(scope)
            receive, content, fetched = await self._admit(scope, receive, address)
        except DurianError as error:
            await _refusal(scope, error)(scope, receive, send)
        else:
            if (refusal := _check_call(scope, content) or self._count_call(scope, content, address)) is not None:
                await refusal(scope, receive, send)
            elif scope["method"] == "GET" and (found := _HEARTBEAT.fullmatch(scope["path"])):
                await self._beat(found["session"], scope, receive, send)
            elif fetched is not None:
                with self._answers.fetching(fetched):
                    await self._pass_on(scope, receive, send, address)
            else:
                await self._pass_on(scope, receive, send, address)
        finally:
            self._visitors.shares.close_request(address)

    async def _admit(self, scope: Scope, receive: Receive, address: str) -> tuple[Receive, Any, str | None]:
        """Check who asks and how large it is.

        Returns:
            What to read the body from, what its JSON says, and the session whose answers are asked for.
        """
        path, content, fetched = scope["path"], None, None
        _check_path(scope["method"], path)
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        names = query.get("session_hash", [])
        if any(query.get("page", [])) or any(query.get("deep_link", [])):
            raise InvalidRequest("There is one page here: ask for it without page or deep_link.")
        for upload_id in query.get("upload_id", []):
            if not _UPLOAD_ID.fullmatch(upload_id):
                raise InvalidRequest("The upload's id is none: give up to 64 letters, digits, - or _.")
            self._followed.follow(upload_id)
        if found := _HEARTBEAT.fullmatch(path):
            names.append(found["session"])
        if scope["method"] in ("POST", "PUT", "PATCH"):
            if _UPLOAD.search(path):
                self._check_upload(scope, address)
                receive = forms.checking_form(scope, receive)
            else:
                body = await messages.read_body(scope, receive)
                is_call = call_checks.route_of(scope) is not None
                content = messages.json_of(body, is_call)
                if not is_call and len(body) > MOST_BYTES_OF_NO_CALL:
                    # FastAPI repeats such a body for each field that it lacks, which may take it ten seconds.
                    raise LimitExceeded(f"Only calls have more than {MOST_BYTES_OF_NO_CALL} bytes: send what is asked.")
                names += _named_in(content)
                receive = messages.replay(body, receive)
        key = messages.key_of(scope)
        for name in names:
            if _CANCEL.search(path) and self._visitors.knows(name):  # ending an event makes no page of it
                self._visitors.check_key(name, key)
            else:
                self._visitors.admit(name, key, address)
        if event := _event_in(content):
            self._check_event(scope["app"].get_blocks(), event, key)
        if call_checks.route_of(scope):
            self._check_share(scope["app"].get_blocks(), names, address)
        if scope["method"] in ("GET", "HEAD") and (found := _LISTENING.search(path)):
            fetched = self._admit_listener(scope["app"].get_blocks(), found["event"], key)
        elif path.rstrip("/").endswith("/gradio_api/queue/data") and names:
            fetched = names[-1]
            self._visitors.listen(fetched)
        return receive, content, fetched

    def _check_share(self, blocks: Any, sessions: list[str], address: str) -> None:
        """
        Raises:
            QueueFull: too many events of the address are there, or too many answers for it wait.
        """
        self._answers.tidy(blocks)
        self._visitors.shares.check_events(address, turns.addresses(blocks))
        self._answers.check_fetched(blocks, sessions, address)

    def _count_call(self, scope: Scope, content: Any, address: str) -> Response | None:
        """Count a call of the API before Gradio has it, also one that will be cancelled before its turn; returns a
        refusal where too many came."""
        route = call_checks.route_of(scope)
        if route is not None and call_checks.is_of_api(scope["app"].get_blocks(), route, content):
            try:
                self._visitors.shares.count_call(address)
            except QueueFull as error:
                return _refusal(scope, error)
        return None

    def _admit_listener(self, blocks: Any, event: str, key: str) -> str:
        """The session of an event that somebody asks for.

        Gradio gives a session's answers to whoever names the session or one of its events.

        Raises:
            InvalidRequest: there is no such event, or it is somebody else's.
        """
        session = self._check_event(blocks, event, key)
        if session is None and not self._visitors.knows(event):
            raise InvalidRequest("There is no such event: ask for the one that a call of yours has answered.")
        self._visitors.listen(event)
        return session or event

    def _check_event(self, blocks: Any, event: str, key: str) -> str | None:
        """The session of an event, ``None`` where it has none (any more).

        Raises:
            InvalidRequest: it is somebody else's.
        """
        session = call_checks.session_of(blocks, event)
        self._visitors.check_key(session or event, key)
        return session

    def _check_upload(self, scope: Scope, address: str) -> None:
        length = messages.header(scope, b"content-length")
        if not length.isdecimal() or messages.header(scope, b"transfer-encoding"):
            raise InvalidRequest("The upload does not say how long it is: send it with a Content-Length alone.")
        if room_on_disk(self._uploads) - self._coming - self._visitors.shares.awaited < int(length):
            raise OutputFailed(DISK_FULL)
        self._visitors.shares.count_file(address, max(int(length), LEAST_UPLOAD_BYTES))

    async def _beat(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        """The connection by which a page shows that it is open; with the last one its jobs and files go."""
        self._visitors.beat(session)
        try:
            await show_alive(scope, receive, send)
        finally:
            left = self._visitors.leave(session)
            self._visitors.end_beat(session)
            if (app := scope.get("app")) is not None:
                self._answers.tidy(app.get_blocks())
                if left is not None:
                    end_session(app.get_blocks(), session)
            if left is not None:
                await anyio.to_thread.run_sync(self._when_left, left.owner)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        path = scope["path"]
        if call_checks.route_of(scope):
            forget_files(scope["app"].get_blocks())
        if _FILE.search(path):
            send = messages.with_file_headers_only(send)
        elif path.rstrip("/").endswith("/gradio_api/info"):
            # Gradio would tell everybody the host's name that the first one who asked had sent.
            scope["app"].api_info = None
        if _UPLOAD.search(path):
            await self._pass_upload(scope, receive, send, address)
        elif _AT_ONCE.search(path):
            async with self._places.place(address):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, messages.with_cookie(scope, send))
        if call_checks.route_of(scope):
            turns.take_turns(scope["app"].get_blocks())

    async def _pass_upload(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        status = None
        with self._room_for(messages.told_length(scope)), own_folder(scope.get("app"), self._uploads) as folder:

            async def noticed(message: Message) -> None:
                nonlocal status
                status = message.get("status", status)
                if status != 200:
                    drop_folder(folder)
                await send(message)

            try:
                with self._visitors.shares.uploading(address):
                    await self._app(scope, receive, noticed)
            except Exception as error:  # noqa: BLE001 - whatever a stranger's form makes a parser raise
                log.info("An upload could not be read: %r", error)
                drop_folder(folder)
                if status is None:
                    sentence = error if isinstance(error, DurianError) else InvalidRequest(forms.BROKEN)
                    await _refusal(scope, sentence)(scope, receive, send)

    @contextmanager
    def _room_for(self, length: int) -> Iterator[None]:
        """A context in which an upload of so many bytes has its room on the disk."""
        self._coming += length
        try:
            yield
        finally:
            self._coming -= length


def _cost(scope: Scope) -> int:
    """Requests that one counts as, by its path and the length of its body; uploads have a share of their own."""
    costs = ((_PAGE, PAGE_COSTS), (_SCHEMA, SCHEMA_COSTS), (_HEARTBEAT, BEAT_COSTS))
    cost = next((cost for kind, cost in costs if kind.fullmatch(scope["path"])), 1)
    if _UPLOAD.search(scope["path"]):
        return cost
    return cost + min(messages.told_length(scope), messages.MOST_BODY_BYTES) // BYTES_A_REQUEST


def _check_path(method: str, path: str) -> None:
    """
    Raises:
        InvalidRequest: no browser asks for such a path, or by such a method, or it is an address elsewhere.
    """
    if not path.isprintable():
        raise InvalidRequest("The path of the request has characters that cannot be printed: ask for it without them.")
    found = _FILE.search(path)
    if len(path) > MOST_PATH_CHARACTERS:
        raise InvalidRequest("The path of the request is too long: ask for it by its name.")
    if "/gradio_api/proxy=" in path or (found and _ELSEWHERE.match(found["what"])):
        raise InvalidRequest("Addresses elsewhere are never fetched: ask there yourself.")
    _, is_gradios, rest = path.partition("/gradio_api/")
    # Beside these, Gradio takes a name and a password, and nobody has any here.
    is_asked = _ASKED.fullmatch(is_gradios + rest) if is_gradios else method in ("GET", "HEAD")
    if not is_asked:
        raise InvalidRequest("Nothing of this page is asked this way: use the API.")


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


def _event_in(content: Any) -> str | None:
    """The event that a body names, if any.

    Raises:
        InvalidRequest: its name is no text.
    """
    event = content.get("event_id") if isinstance(content, dict) else None
    if event is not None and not isinstance(event, str):
        raise InvalidRequest("The event's id is none: give the one that a call of yours has answered.")
    return event


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
    statuses = ((QueueFull, 429), (LimitExceeded, 413), (OutputFailed, 507), (messages.NoJson, 415))
    status = next((status for kind, status in statuses if isinstance(error, kind)), 403)
    if _UPLOAD.search(scope["path"]):
        return PlainTextResponse(str(error), status)
    return JSONResponse({"detail": str(error)}, status)
