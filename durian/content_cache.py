"""A cache of results by the content of the picture they were computed from, apart for each client of a server."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from durian.content_hash import content_hash

Value = TypeVar("Value")


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


class ContentCache:
    """The newest ``entries`` results, by the content of the picture they were made from. Safe between threads."""

    def __init__(self, entries: int):
        self.entries = entries
        self._values: OrderedDict[str, tuple[Any, float]] = OrderedDict()
        """Results and when they were last asked for; the latest last."""
        self._lock = threading.Lock()
        _caches.add(self)

    def get(self, image: np.ndarray, make: Callable[[np.ndarray], Value], key: str = "") -> Value:
        """The stored result for ``image`` (and ``key``), or ``make(image)``, stored.

        Two threads that miss together both compute; that is wasteful but never wrong, and nobody waits on a lock.
        """
        name, shared = self._names(image, key)
        with self._lock:
            for found in (name, shared):
                if found in self._values:
                    value, _ = self._values.pop(found)
                    self._values[found] = value, time.monotonic()
                    return value
        value = make(image)
        with self._lock:
            self._values[name] = value, time.monotonic()
            self._values.move_to_end(name)
            while len(self._values) > self.entries:
                self._values.popitem(last=False)
        return value

    def known(self, image: np.ndarray, key: str = "") -> Any:
        """The stored result for ``image`` (and ``key``), or ``None``; nothing is worked out."""
        name, shared = self._names(image, key)
        with self._lock:
            value, _ = self._values.get(name) or self._values.get(shared) or (None, 0.0)
            return value

    def _names(self, image: np.ndarray, key: str) -> tuple[str, str]:
        """Of a client's own result, and of one that is there for everybody, such as an example's."""
        shared = content_hash(image) + key
        client = current_client()
        return (f"{client}/{shared}" if client else shared), shared

    def forget_before(self, moment: float) -> int:
        """Drop what was last asked for before a moment of :func:`time.monotonic`; returns how many results went."""
        with self._lock:
            old = [name for name, (_, used) in self._values.items() if used < moment]
            for name in old:
                del self._values[name]
        return len(old)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
