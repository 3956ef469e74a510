"""Measures how much memory a value takes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

NOT_OWN = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
"""What is the program's and not the value's."""


def value_size(value: Any) -> int:
    """Bytes of a value: of arrays and tensors their whole memory, also where they are views; other objects roughly.

    What is in the value several times counts once; what it shares with other values counts.

    Args:
        value: arrays, tensors, texts, numbers, and mappings, sequences, sets and objects of them, nested freely.
    """
    seen: set[int] = set()
    waiting, size = [value], 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
        if id(value) in seen or isinstance(value, NOT_OWN):
            continue
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            size += value.nbytes
        elif hasattr(value, "untyped_storage"):
            storage = value.untyped_storage()
            # Views of one tensor are objects of their own.
            if storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                size += storage.nbytes()
        else:
            size += sys.getsizeof(value)
            waiting += _parts(value)
    return size


def _parts(value: Any) -> list[Any]:
    # Copied at once: another thread may be adding to it.
    if isinstance(value, Mapping):
        return [*list(value), *list(value.values())]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    slots = [name for kind in type(value).__mro__ for name in _slots(kind)]
    return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name) for name in slots if hasattr(value, name))]


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
