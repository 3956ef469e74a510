"""Limits on connections before there is a request: their number per address, what a request's head may hold, and the
time it may take.

The web server (uvicorn) waits for ever for a request that is half sent, and for a client who does not read its answer.
Here both end. It also parses all that it has read at once, while everybody waits: up to 256 kB, which may be thousands
of headers or tens of thousands of chunks. Here a head that holds too much is refused before it is parsed, and a body
in chunks before the first of them is.

Behind a proxy, connections are the proxy's own, which is to count them; requests are counted in
:mod:`durian.ui.shares` for whom they come from.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import resource
import traceback
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from durian.settings import Settings
from durian.ui.foreign_pages import ForeignPages, names_of
from durian.ui.shares import CONNECTIONS_A_PAGE, networks_of, shared_address

SECONDS_FOR_A_HEAD = 15.0
"""From the connection's beginning, or the last answer, to the end of the next request's head."""
SECONDS_UNREAD = 120.0
"""A client who takes nothing of an answer for so long has gone; browsers come back for the rest of a paused video.
The system takes some megabytes off our hands at once, so a slow client may seem to take nothing for a while."""
SECONDS_BETWEEN_WARNINGS = 60.0
MOST_HEAD_BYTES = 16_384
"""Of a request's head. Browsers' are below 2 kB, beside cookies."""
MOST_HEADERS = 100
"""Browsers send some twenty, and a row of proxies adds as many."""
FILES_BESIDE = 0.5
"""Part of the files that the process may have open which is left for uploads, pictures and results."""

_HEAD_END = re.compile(rb"\n\r?\n")


class SeldomSaid(logging.Filter):
    """Lets through each of a log's warnings and errors, and of errors each place where one comes from, once in
    :data:`SECONDS_BETWEEN_WARNINGS`: whoever connects may cause many a second, such as by what is no HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[object, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind = (record.msg, *_origin(record))
        if record.created - self._said.get(kind, -math.inf) < SECONDS_BETWEEN_WARNINGS:
            return False
        self._said[kind] = record.created
        return True


def _origin(record: logging.LogRecord) -> tuple[object, ...]:
    """The kind of error that a record tells of, and the code and the line that raised it; nothing without an error."""
    if not record.exc_info or record.exc_info[2] is None:
        return ()
    *_, (frame, line) = traceback.walk_tb(record.exc_info[2])
    return record.exc_info[0], frame.f_code, line


class _Open:
    """The connections there are, by address. Used in the server's thread alone."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._count: Counter[str] = Counter()
        self._all = 0

    def join(self, address: str | None) -> bool:
        """Count one more, unless that is too many; ``None`` is a proxy, of which there may be as many as of all."""
        if self._all >= self._most:
            return False
        networks = [] if address is None else networks_of(address)
        if any(self._count[network] >= times * self._most_each for network, times in networks):
            return False
        self._all += 1
        self._count.update(network for network, _ in networks)
        return True

    def leave(self, address: str | None) -> None:
        self._all -= 1
        for network, _ in [] if address is None else networks_of(address):
            self._count[network] -= 1
            if not self._count[network]:
                del self._count[network]


def tend(config: Config, settings: Settings) -> None:
    """Let a running server's new connections be limited, and its requests come from its own pages alone.

    Args:
        config: of the server, which asks it for what each connection needs.
        settings: pages that one address may have open, and the names of the server.
    """
    logging.getLogger("uvicorn.error").addFilter(SeldomSaid())
    proxies = getattr(config.loaded_app, "trusted_hosts", ())
    connections = _Open(round(_raise_files() * (1 - FILES_BESIDE)), CONNECTIONS_A_PAGE * settings.visitor_pages)

    class Limited(_Limited):
        _open, _proxies = connections, proxies

    config.loaded_app = ForeignPages(config.loaded_app, names_of(settings))
    config.http_protocol_class = Limited
    # Nothing here speaks over one, and it would not be counted.
    config.ws_protocol_class = None


def _raise_files() -> int:
    """Let the process have as many files open as the system allows; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft


class _Reader(h11.Connection):
    """Takes one connection's bytes apart. ``refusal`` says with which status and sentence a request is refused."""

    refusal: tuple[int, str] | None = None

    def next_event(self) -> Any:
        """As h11's own.

        Raises:
            h11.RemoteProtocolError: what comes is no HTTP, or refused.
        """
        if self.their_state is h11.IDLE:
            self._check_head(self.trailing_data[0])
        event = super().next_event()
        if isinstance(event, h11.Request) and any(name == b"transfer-encoding" for name, _ in event.headers):
            self._refuse(411, "The request does not tell its length: send it with a Content-Length, not in chunks.")
        return event

    def _check_head(self, data: bytes) -> None:
        """Look at a request's head, as far as it came, before it is parsed."""
        found = _HEAD_END.search(data, 0, MOST_HEAD_BYTES)
        if found is None:
            if len(data) >= MOST_HEAD_BYTES:
                self._refuse(431, f"The request's head has more than {MOST_HEAD_BYTES} bytes: send a shorter one.")
        # The line of the request itself is no header, and the last header's end is not counted.
        elif data.count(b"\n", 0, found.start()) > MOST_HEADERS:
            self._refuse(431, f"The request has more than {MOST_HEADERS} headers: send fewer.")

    def _refuse(self, status: int, sentence: str) -> None:
        self.refusal = status, sentence
        raise h11.RemoteProtocolError(sentence, error_status_hint=status)


class _Limited(H11Protocol):
    """One connection."""

    _open: _Open
    _proxies: Any

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._reader = _Reader(h11.SERVER, MOST_HEAD_BYTES)
        self.conn = self._reader
        self._address: str | None = None
        self._counted = False
        self._head: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        host = self.client[0] if self.client else None
        self._address = None if host in self._proxies else shared_address(host)
        self._counted = self._open.join(self._address)
        if self._counted:
            self._await_head()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._counted:
            self._counted = False
            self._open.leave(self._address)
        _end(self._head)
        self._head = None
        _end(self._unread)
        self._unread = None

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            _end(self._head)
            self._head = None
        else:
            # Not begun anew: what trickles in is no head until it is whole.
            self._await_head()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be taken, in one sentence, and end the connection."""
        if self._reader.refusal is None:
            super().send_400_response(msg)
            return
        status, sentence = self._reader.refusal
        body = json.dumps({"detail": sentence})
        # Not by way of h11, which takes no body in answer to HEAD; here the connection ends with it.
        self.transport.write(
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode("ascii")
        )
        self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Unless a next request lay there already, whose answer has not begun.
        if self.cycle.response_complete:
            self._await_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._await_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        _end(self._unread)
        self._unread = None

    def _await_reading(self, before: int | None = None) -> None:
        """Look again and again whether any of the answer was taken since there were ``before`` bytes of it left."""
        left = self.transport.get_write_buffer_size()
        if left and before is not None and left >= before:
            self.transport.abort()
        else:
            self._unread = self.loop.call_later(SECONDS_UNREAD, self._await_reading, left) if left else None

    def _await_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(SECONDS_FOR_A_HEAD, self._miss_head)

    def _miss_head(self) -> None:
        self._head = None
        if not self.transport.get_write_buffer_size():
            self.transport.abort()
            return
        # The answer before is still being read.
        self._await_head()
        if self._unread is None:
            self._await_reading()


def _end(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
