"""Messages from a process that reads a file: JSON, and behind it the bytes of arrays.

What comes out of such a process may be forged by the file that it read, so nothing in it names code, as a pickle would.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

MOST_HEADER_BYTES = 100_000
"""Of the JSON; sentences and numbers."""
KINDS = ("|u1", "<f4")
"""Of arrays, as numpy names them: pictures and masks, and sound."""
_ARRAY = "array of"
_LENGTH = struct.Struct(">I")


class Forged(Exception):
    """What came is not what a reader sends."""


def message_of(kind: str, value: object) -> list[bytes | memoryview]:
    """What is sent for a value, in pieces that one after the other make the message; arrays are not copied.

    Args:
        kind: what the value is, for whoever receives it.
        value: ``None``, a truth value, number, text or array of one of :data:`KINDS`, or a list, tuple or dataclass of
            such; a dataclass is sent as the list of its fields' values.
    """
    arrays: list[memoryview] = []
    header = json.dumps([kind, _told(value, arrays)]).encode()
    return [_LENGTH.pack(len(header)), header, *arrays]


def _told(value: object, arrays: list[memoryview]) -> object:
    if isinstance(value, np.ndarray):
        whole = np.ascontiguousarray(value)
        if whole.size:
            arrays.append(whole.data.cast("B"))
        return {_ARRAY: whole.dtype.str, "shape": whole.shape}
    if isinstance(value, (list, tuple)):
        return [_told(part, arrays) for part in value]
    if is_dataclass(value):
        return [_told(getattr(value, field.name), arrays) for field in fields(value)]
    return value.item() if isinstance(value, np.generic) else value


def receive(fill: Callable[[memoryview], None], most_bytes: int) -> tuple[str, Any]:
    """Read one message.

    Args:
        fill: fills a buffer with the bytes that come next.
        most_bytes: of all arrays together.

    Returns:
        The kind and the value; lists have become tuples.

    Raises:
        Forged: it is none, or a larger one.
    """
    length = bytearray(_LENGTH.size)
    fill(memoryview(length))
    size = _LENGTH.unpack(length)[0]
    if size > MOST_HEADER_BYTES:
        raise Forged(f"A header of {size} bytes.")
    header = bytearray(size)
    fill(memoryview(header))
    try:
        kind, told = json.loads(header)
        arrays: list[np.ndarray] = []
        value = _value(told, arrays)
        if sum(array.nbytes for array in arrays) > most_bytes:
            raise Forged("Arrays that are too large.")
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise Forged("No message.") from error
    for array in arrays:
        if array.size:
            fill(array.data.cast("B"))
    return str(kind), value


def _value(told: Any, arrays: list[np.ndarray]) -> Any:
    """The value with its arrays still to be filled, which takes no memory yet."""
    if isinstance(told, list):
        return tuple(_value(part, arrays) for part in told)
    if not isinstance(told, dict):
        return told
    kind, shape = told[_ARRAY], told["shape"]
    if kind not in KINDS or not all(type(side) is int and side >= 0 for side in shape) or math.prod(shape) > 2**40:
        raise ValueError("No array of ours.")
    array = np.empty(shape, kind)
    arrays.append(array)
    return array
