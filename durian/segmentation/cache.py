"""Results kept per picture, found again by the picture's content."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import numpy as np

Value = TypeVar("Value")


def content_hash(*arrays: np.ndarray | None) -> str:
    """A short name of the arrays' contents and shapes."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        if array is None:
            digest.update(b"none")
            continue
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class ContentCache:
    """The newest ``entries`` results, by the content of the picture they were made from. Safe between threads."""

    def __init__(self, entries: int):
        self.entries = entries
        self._values: OrderedDict[str, object] = OrderedDict()
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

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
