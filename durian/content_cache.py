"""A cache of results by the content of the picture they were computed from, shared by all requests."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from durian.content_hash import content_hash

Value = TypeVar("Value")


_caches: weakref.WeakSet[ContentCache] = weakref.WeakSet()


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
        name = content_hash(image) + key
        with self._lock:
            if name in self._values:
                value, _ = self._values.pop(name)
                self._values[name] = value, time.monotonic()
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
        with self._lock:
            value, _ = self._values.get(content_hash(image) + key, (None, 0.0))
            return value

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
