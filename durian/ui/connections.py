"""Limits on connections before there is a request: their number per address, and the time a request's head may take.

The web server (uvicorn) waits for ever for a request that is half sent, and for a client who does not read its answer.
Here both end. Behind a proxy, connections are the proxy's own, which is to count them; requests are counted in
:mod:`durian.ui.shares` for whom they come from.
"""

from __future__ import annotations

import asyncio
import logging
import math
import resource
import traceback
from collections import Counter
from contextlib import suppress
from typing import Any

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
FILES_BESIDE = 0.5
"""Part of the files that the process may have open which is left for uploads, pictures and results."""


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


class _Limited(H11Protocol):
    """One connection."""

    _open: _Open
    _proxies: Any

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
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
