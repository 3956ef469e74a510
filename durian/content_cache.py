"""A cache of results by the content of the picture they were computed from, shared by all requests."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from durian.content_hash import content_hash

Value = TypeVar("Value")


class ContentCache:
    """The newest ``entries`` results, by the content of the picture they were made from. Safe between threads."""

    def __init__(self, entries: int):
        self.entries = entries
        self._values: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, image: np.ndarray, make: Callable[[np.ndarray], Value], key: str = "") -> Value:
        """The stored result for ``image`` (and ``key``), or ``make(image)``, stored.

        Two threads that miss together both compute; that is wasteful but never wrong, and nobody waits on a lock.
        """
        name = content_hash(image) + key
        with self._lock:
            if name in self._values:
                self._values.move_to_end(name)
                return self._values[name]
        value = make(image)
        with self._lock:
            self._values[name] = value
            while len(self._values) > self.entries:
                self._values.popitem(last=False)
        return value

    def known(self, image: np.ndarray, key: str = "") -> Any:
        """The stored result for ``image`` (and ``key``), or ``None``; nothing is worked out."""
        with self._lock:
            return self._values.get(content_hash(image) + key)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
