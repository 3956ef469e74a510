"""Counts the frames and pieces of sound that the tables of an AVI tell of, before FFmpeg makes an index of them all.

A table has eight bytes for each, and may lie anywhere in the file; the index takes 27.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import numpy as np

from durian.errors import LimitExceeded
from durian.media.byte_search import MOST_FOUND, places
from durian.media.mp4_tables import MOST_SAMPLES

MOST_TABLES = 10_000
"""That one table of tables may name; each stands for a gigabyte at most."""

_TABLES = 0
"""The kind of a table of tables."""
_HEAD = struct.Struct("<HBBI")
"""Of a table: numbers in an entry, a kind within the kind, the kind, entries."""
_BYTES_BEFORE_ENTRIES = 24


def check_tables(path: Path) -> None:
    """
    Raises:
        LimitExceeded: an AVI tells of more than :data:`durian.media.mp4_tables.MOST_SAMPLES`.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        count = 0
        for found, at in enumerate(places(data, [b"idx1", b"indx"])):
            count += _old_index(data, at) if data[at - 1 : at] == b"1" else _index(data, at + 4)
            if count > MOST_SAMPLES or found > MOST_FOUND:
                raise LimitExceeded(
                    f"{path.name} tells of more than {MOST_SAMPLES:,} frames and pieces of sound: convert it again."
                )


def _old_index(data: mmap.mmap, at: int) -> int:
    """Entries of the table at the end of a file, of which each names its stream by two digits."""
    size = int.from_bytes(data[at : at + 4], "little")
    entries = min(size, max(0, len(data) - at - 4)) // 16
    count = 0
    for start in range(0, entries, 100_000):
        part = data[at + 4 + 16 * start : at + 4 + 16 * min(entries, start + 100_000)]
        digits = np.frombuffer(part, np.uint8).reshape(-1, 16)[:, :2]
        count += int(((digits >= ord("0")) & (digits <= ord("9"))).all(1).sum())
        if count > MOST_SAMPLES:
            break
    return count


def _index(data: mmap.mmap, at: int) -> int:
    """Entries of a table, or of those that a table of tables names; at least as many as FFmpeg takes."""
    if at + _BYTES_BEFORE_ENTRIES > len(data):
        return 0
    _, _, kind, entries = _HEAD.unpack_from(data, at)
    if kind != _TABLES:
        return _entries(data, at)
    named = min(entries, (len(data) - at - _BYTES_BEFORE_ENTRIES) // 16)
    if named > MOST_TABLES:
        return MOST_SAMPLES + 1
    count = 0
    for number in range(named):
        start = at + _BYTES_BEFORE_ENTRIES + 16 * number
        inside = int.from_bytes(data[start : start + 8], "little") + 8
        if inside + _BYTES_BEFORE_ENTRIES <= len(data):
            count += _entries(data, inside)
        if count > MOST_SAMPLES:
            break
    return count


def _entries(data: mmap.mmap, at: int) -> int:
    numbers, _, kind, entries = _HEAD.unpack_from(data, at)
    if kind == _TABLES:
        # A table of tables of tables, which no film has.
        return MOST_SAMPLES + 1
    if (kind, numbers) != (1, 2):
        return 0  # FFmpeg takes no others
    return min(entries, (len(data) - at - _BYTES_BEFORE_ENTRIES) // 8)
