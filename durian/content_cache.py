"""Caches of results by the content of the picture they were computed from, apart for each client of a server.

How much all caches of the process keep together is limited in bytes, and fairly: see :func:`keep_within`.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from durian.content_hash import content_hash
from durian.memory_limit import memory_limit
from durian.settings import get_settings
from durian.value_size import value_size

SHARE_OF_MEMORY = 1 / 8
"""Of what the process may have, where ``cache_mb`` says nothing: 2 GB of 16."""
PRESENT_SECONDS = 300.0
"""After which a client who has asked for nothing has no share any more that others may not take."""
ROOM_MADE = 0.9
"""Share of a limit down to which results go once it is passed, so that not each new result has to look for another."""

Value = TypeVar("Value")

_lock = threading.Lock()
"""Of all caches; held for looking up only, never while anything is made or measured."""
_room = 0.0
"""Bytes that may still be added before the caches are looked through again."""
_caches: weakref.WeakSet[ContentCache] = weakref.WeakSet()
_client: ContextVar[str] = ContextVar("client of the content caches", default="")


def keep_for(client: str) -> None:
    """From here on in this context, results are kept for this client, and those of other clients are not found: how
    long an answer takes would tell that somebody else had sent the same picture."""
    _client.set(client)


@contextmanager
def kept_for(client: str) -> Iterator[None]:
    """A context in which :func:`keep_for` holds."""
    before = _client.set(client)
    try:
        yield
    finally:
        _client.reset(before)


def current_client() -> str:
    """Whom results are kept for in this context; "" for everybody, as where there is no server."""
    return _client.get()


def forget_unused(seconds: float, now: float | None = None) -> int:
    """Drop from all caches what nobody has asked for in so many seconds; returns how many results went.

    Args:
        seconds: age from which on a result goes.
        now: of :func:`time.monotonic`.
    """
    before = (time.monotonic() if now is None else now) - seconds
    return sum(cache.forget_before(before) for cache in list(_caches))


def keep_within(limit: float, now: float | None = None) -> int:
    """Drop results where all caches hold more than ``limit`` bytes together; returns how many went.

    The least recently used go first, but none of a client who was here of late and holds no more than an equal share:
    nobody can push out what others work with.

    Args:
        limit: bytes.
        now: of :func:`time.monotonic`.
    """
    global _room
    now = time.monotonic() if now is None else now
    with _lock:
        results = [
            (kept.used, number, client, name, shelf)
            for number, (client, shelf) in enumerate(_shelves())
            for name, kept in shelf.items()
        ]
        held: Counter[str] = Counter()
        last: dict[str, float] = {}
        for used, _, client, name, shelf in results:
            held[client] += shelf[name].size
            last[client] = max(used, last.get(client, used))
        _room = limit - held.total()
        if _room >= 0:
            return 0
        present = {client for client, used in last.items() if now - used < PRESENT_SECONDS}
        goal = ROOM_MADE * limit
        share = goal / max(1, len(present))
        gone = 0
        for _, _, client, name, shelf in sorted(results, key=lambda result: result[:2]):
            if held.total() <= goal:
                break
            if client not in present or held[client] > share:
                held[client] -= shelf.pop(name).size
                gone += 1
        _room = limit - held.total()
    return gone


def _shelves() -> Iterator[tuple[str, Shelf]]:
    """Of all caches, with their clients; to be called with the lock."""
    for cache in list(_caches):
        yield from cache.shelves.items()


@dataclass(slots=True)
class _Kept:
    """A result, when it was last asked for (of :func:`time.monotonic`), and its size in bytes."""

    value: Any
    used: float
    size: int


def _weigh(kept: _Kept) -> None:
    """Measure a result; makes room where all that came may be too much. What went is seen only then."""
    global _room
    size = value_size(kept.value)
    with _lock:
        _room -= size - kept.size
        kept.size = size
        if _room >= 0:
            return
    keep_within(get_settings().cache_mb * 1e6 or SHARE_OF_MEMORY * memory_limit())


Shelf = OrderedDict[str, _Kept]
"""Results of one client in one cache by name; the one last asked for is last."""


class ContentCache:
    """The newest ``entries`` results of each client, by the content of the picture they were made from, as far as all
    caches of the process have room. Safe between threads."""

    def __init__(self, entries: int):
        self.entries = entries
        self.shelves: dict[str, Shelf] = {}
        _caches.add(self)

    def get(self, image: np.ndarray, make: Callable[[np.ndarray], Value], key: str = "") -> Value:
        """The stored result for ``image`` (and ``key``), or ``make(image)``, stored.

        Two threads that miss together both compute; that is wasteful but never wrong, and nobody waits on a lock.
        """
        name, client = content_hash(image) + key, current_client()
        with _lock:
            shelf, kept = self._found(name, client)
            if kept is not None:
                kept.used = time.monotonic()
                shelf.move_to_end(name)
        if kept is not None:
            # Some results work parts out when they are first asked for.
            _weigh(kept)
            return kept.value
        value = make(image)
        kept = _Kept(value, time.monotonic(), 0)
        with _lock:
            shelf = self.shelves.setdefault(client, OrderedDict())
            shelf[name] = kept
            shelf.move_to_end(name)
            while len(shelf) > self.entries:
                shelf.popitem(last=False)
        _weigh(kept)
        return value

    def known(self, image: np.ndarray, key: str = "") -> Any:
        """The stored result for ``image`` (and ``key``), or ``None``; nothing is worked out."""
        with _lock:
            _, kept = self._found(content_hash(image) + key, current_client())
        return None if kept is None else kept.value

    def forget_before(self, moment: float) -> int:
        """Drop what was last asked for before a moment of :func:`time.monotonic`; returns how many results went."""
        gone = 0
        with _lock:
            for client, shelf in list(self.shelves.items()):
                old = [name for name, kept in shelf.items() if kept.used < moment]
                for name in old:
                    del shelf[name]
                gone += len(old)
                if not shelf:
                    del self.shelves[client]
        return gone

    def clear(self) -> None:
        with _lock:
            self.shelves.clear()

    def _found(self, name: str, client: str) -> tuple[Shelf, _Kept | None]:
        """A client's own result, or one that is there for everybody, such as an example's, and the shelf that it is on;
        to be called with the lock."""
        for whose in (client, ""):
            shelf = self.shelves.get(whose)
            if shelf is not None and name in shelf:
                return shelf, shelf[name]
        return OrderedDict(), None
