"""Visitors: owners of the server's own making for the session names that callers choose, with a fair share each.

Gradio lets every caller choose a session's name. Here a name belongs to whoever used it first, told by the page's
cookie: nobody else can act in it, hear it or end it. Owners, which lanes and folders go by, are made here and never
leave the server. What is shared (the line, pages, calls, uploads) is counted for each address, see
:mod:`durian.ui.shares`.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from durian.errors import InvalidRequest, LimitExceeded, QueueFull
from durian.settings import Settings, get_settings
from durian.ui.shares import Reserved, Shares, count_of, networks_of, shared_address, site_of

COOKIE = "durian_visitor"
COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{32,64}")
SESSION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Session names that Gradio's clients make: eleven letters and digits in a browser, a UUID elsewhere."""
CALLER_SECONDS = 120.0
"""An API session without a sign of life is let go after this; a page lives as long as its files."""
SESSIONS_KEPT = 200
"""Of all addresses together; what their tables hold is weighed besides."""
FEW_SESSIONS = 10
"""Who has no more keeps even those without an open page, which a phone has that sleeps, before others' open ones."""
SECONDS_TO_LISTEN = 15.0
"""A caller who begins something and does not ask for its end by then has gone."""
SECONDS_BETWEEN_LOOKS = 5.0
SOMEBODY_ELSES = "This session is somebody else's: reload the page to begin one of your own."


@dataclass
class Visitor:
    """One session. ``owner`` is the server's name for it; ``key`` the cookie that it belongs to, "" for none.

    ``is_call`` is one plain API call, for which Gradio keeps nothing once it has ended.
    """

    owner: str
    key: str
    address: str
    seen: float
    is_page: bool = False
    is_call: bool = False
    table_bytes: int = 0
    """Of the pictures on its page's table."""
    beats: int = 0
    """Connections by which its page shows that it is open; a page that comes back has a new one before the old ends."""
    left: bool = False


class Visitors:
    """The sessions there are, and in ``shares`` what each address has used. Safe from any thread.

    Args:
        settings: the shares' sizes.
        clock: seconds, never going back.
    """

    def __init__(self, settings: Settings | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings or get_settings()
        self._clock = clock
        self.shares = Shares(self._settings, clock)
        self._when_over: Callable[[dict[str, Visitor]], None] = lambda over: None
        self._listeners: dict[str, float] = {}
        self._looked = clock()
        self._lock = threading.RLock()
        self._visitors: dict[str, Visitor] = {}

    # Sessions

    def admit(self, session: str, key: str, address: str) -> Visitor:
        """The visitor of a session, taken on if it is new.

        Args:
            session: the name that the caller gave it.
            key: the value of the page's cookie, "" without one.
            address: of the caller, see :func:`shared_address`.

        Raises:
            InvalidRequest: the name is none, or the session belongs to somebody else.
            QueueFull: the address has too many pages open.
        """
        if not SESSION_NAME.fullmatch(session):
            raise InvalidRequest("The session's name is not one: give up to 64 letters, digits, - or _.")
        self._expire()
        over: dict[str, Visitor] = {}
        with self._lock:
            self.check_key(session, key)
            visitor = self._visitors.get(session)
            # A call's session that a request names is no longer all there is of a call.
            if visitor is None or visitor.is_call:
                open_pages = [other.address for other in self._sessions().values() if not other.left]
                if theirs := count_of(address, open_pages, self._settings.visitor_pages):
                    raise QueueFull(f"{theirs} pages are open from your address: close one and reload this one.")
                over = self._make_room()
                if visitor is None:
                    visitor = self._visitors[session] = Visitor(secrets.token_hex(16), key, address, self._clock())
                visitor.is_call = False
            visitor.seen, visitor.left = self._clock(), False
        if over:
            self._when_over(over)
        return visitor

    def knows(self, session: str) -> bool:
        """Whether there is a session of that name."""
        with self._lock:
            return session in self._visitors

    def check_key(self, session: str, key: str) -> None:
        """
        Raises:
            InvalidRequest: the session is known, and somebody else's.
        """
        with self._lock:
            visitor = self._visitors.get(session)
        if visitor is not None and not secrets.compare_digest(visitor.key.encode(), key.encode()):
            raise InvalidRequest(SOMEBODY_ELSES)

    def _sessions(self) -> dict[str, Visitor]:
        return {session: visitor for session, visitor in self._visitors.items() if not visitor.is_call}

    def _make_room(self) -> dict[str, Visitor]:
        """Let sessions go so that there is room for one more: of whoever has many, most first; then of those without an
        open page."""
        over = {}
        while len(sessions := self._sessions()) >= SESSIONS_KEPT:
            count = Counter(site_of(visitor.address) for visitor in sessions.values())
            session = min(
                sessions,
                key=lambda name: (
                    -max(count[site_of(sessions[name].address)], FEW_SESSIONS),
                    sessions[name].beats > 0,
                    -count[site_of(sessions[name].address)],
                    not sessions[name].left,
                    sessions[name].seen,
                ),
            )
            over[session] = self._visitors.pop(session)
        return over

    def of(self, request: Any) -> Visitor:
        """The visitor whose event a handler is answering; calls without a session are one each.

        Args:
            request: the ``gr.Request`` that Gradio gave to the handler; ``None`` where Python called it.
        """
        session = getattr(request, "session_hash", None) or secrets.token_hex(16)
        self._expire()
        with self._lock:
            visitor = self._visitors.get(session)
            if visitor is None:
                # A plain call: Gradio names its session after the event, which only the caller is told.
                client = getattr(request, "client", None)
                address = shared_address(client.host if client else None)
                key = cookie_key(getattr(request, "cookies", {}).get(COOKIE))
                visitor = Visitor(secrets.token_hex(16), key, address, self._clock(), is_call=True)
                self._visitors[session] = visitor
            visitor.seen = self._clock()
            return visitor

    def open_page(self, request: Any) -> Visitor:
        """As :meth:`of`, for a session that has a page: it is kept for as long as its files."""
        visitor = self.of(request)
        visitor.is_page = True
        return visitor

    def beat(self, session: str) -> None:
        """A connection has begun by which an admitted session's page shows that it is open."""
        with self._lock:
            if session in self._visitors:
                self._visitors[session].beats += 1

    def end_beat(self, session: str) -> None:
        """Such a connection has ended."""
        with self._lock:
            if session in self._visitors:
                self._visitors[session].beats -= 1

    def weigh_table(self, owner: str, size: int) -> None:
        """Note of how many bytes an owner's table is going to be; pages that were left make room for it.

        Raises:
            LimitExceeded: with it, the tables of its address have more than ``visitor_table_mb``.
        """
        over: dict[str, Visitor] = {}
        try:
            with self._lock:
                visitor = next((other for other in self._visitors.values() if other.owner == owner), None)
                if visitor is not None:
                    for network, times in networks_of(visitor.address):
                        self._make_room_for_table(visitor, size, network, times, over)
                    visitor.table_bytes = size
        finally:
            if over:
                self._when_over(over)

    def reserve(self, owner: str, folder: Path, size: int | None = None) -> Reserved:
        """As :meth:`Shares.reserve`, for the address of an owner's page; one who has none is one by itself."""
        with self._lock:
            found = (visitor.address for visitor in self._visitors.values() if visitor.owner == owner)
            return self.shares.reserve(next(found, owner), folder, size)

    def note_table(self, owner: str, size: int) -> None:
        """Note of how many bytes an owner's table is now, whatever was expected."""
        with self._lock:
            for visitor in self._visitors.values():
                if visitor.owner == owner:
                    visitor.table_bytes = size

    def _make_room_for_table(
        self, visitor: Visitor, size: int, network: str, times: int, over: dict[str, Visitor]
    ) -> None:
        limit = times * self._settings.visitor_table_mb
        others = {
            name: other
            for name, other in self._visitors.items()
            if other is not visitor and network in (other.address, site_of(other.address))
        }
        while sum(other.table_bytes for other in others.values()) + size > limit * 1_000_000:
            left = [name for name, other in others.items() if other.left and other.table_bytes]
            if not left:
                raise LimitExceeded(
                    f"The pages that are open from your address hold more than {limit} MB of pictures: close one, or "
                    "remove an item."
                )
            oldest = min(left, key=lambda name: others[name].seen)
            over[oldest] = self._visitors.pop(oldest)
            del others[oldest]

    def leave(self, session: str | None) -> Visitor | None:
        """One of those connections is ending; returns the visitor if it is the last, ``None`` otherwise.

        The session stays theirs, since a phone that was put away comes back.
        """
        with self._lock:
            visitor = self._visitors.get(session or "")
            if visitor is None:
                return None
            visitor.left = visitor.beats <= 1
            return visitor if visitor.left else None

    def has_left(self, owner: str) -> bool:
        """Whether an owner's page was closed, or shows no sign that it is open for :data:`SECONDS_TO_LISTEN`; False for
        whoever is not known."""
        silent = self._clock() - SECONDS_TO_LISTEN
        with self._lock:
            return any(
                visitor.left or (not visitor.beats and visitor.seen < silent)
                for visitor in self._visitors.values()
                if visitor.owner == owner
            )

    def listen(self, name: str) -> None:
        """Somebody asks for what comes of the session, or of the event, of that name."""
        with self._lock:
            self._listeners[name] = self._clock()

    def forget_listeners(self, live: Collection[str]) -> None:
        """Forget who has asked, except of late and for ``live``: names of events that wait or run, and of sessions."""
        now = self._clock()
        with self._lock:
            self._listeners = {
                name: when for name, when in self._listeners.items() if name in live or now - when < CALLER_SECONDS
            }

    def is_listened_to(self, *names: str | None) -> bool:
        """Whether somebody has asked for what comes of a session or event of one of these names."""
        with self._lock:
            return any(name in self._listeners for name in names)

    def when_over(self, callback: Callable[[dict[str, Visitor]], None]) -> None:
        """Have ``callback`` called with sessions, by name, that were let go: they rested, or made room for others."""
        self._when_over = callback

    def _expire(self) -> None:
        now = self._clock()
        with self._lock:
            if now - self._looked < SECONDS_BETWEEN_LOOKS:
                return
            self._looked = now
            over = {
                session: visitor
                for session, visitor in self._visitors.items()
                if not visitor.beats
                and now - visitor.seen > (self._settings.keep_seconds if visitor.is_page else CALLER_SECONDS)
            }
            for session in over:
                del self._visitors[session]
        if over:
            self._when_over(over)


def cookie_key(value: str | None) -> str:
    """The page's cookie as a key, "" where it is none of ours."""
    return value if value is not None and COOKIE_VALUE.fullmatch(value) else ""


@lru_cache(maxsize=1)
def get_visitors() -> Visitors:
    """The process's visitors."""
    return Visitors()
