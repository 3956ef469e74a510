"""Counts what a TIFF's tags hold before they become Python objects; EXIF, and what a JPEG tells of further pictures in
its file, are made as TIFFs are.

A number of two bytes takes fifty as an object, a fraction five hundred, and all tags may name the same place of the
file: 70 kB become gigabytes.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from durian.errors import DurianError, LimitExceeded, UnreadableMedia
from durian.media.tiff_blocks import MOST_BLOCKS, MOST_TAGS, WHOLE_NUMBERS

if TYPE_CHECKING:
    from durian.media.metered import ByteSource

MOST_NUMBERS = 500_000
"""In all tags together, beside the places and sizes of tiles or strips. The longest that programs write are a palette
and a curve of 16 bits, each three times 65,536."""
MOST_IN_ALL = 5000
"""Tags of all directories, each of which takes a reader some time; a camera's have some hundred."""
OF_A_FRACTION = 10
"""Numbers that a fraction counts for."""
MOST_BESIDE = 1_000_000
"""Bytes that all tags may have beyond those of the file; some programs put equal values at one place."""
MOST_REPEATED = 8
"""Times that the letters may stand before EXIF; some programs put them there twice."""

_LETTERS = b"Exif\0\0"
_EXIF, _GPS, _INTEROPERABILITY = 34_665, 34_853, 40_965
_DIRECTORIES = (_EXIF, _GPS, _INTEROPERABILITY)
"""Tags that tell where another directory lies, of which readers take everything."""
_BLOCKS = (273, 279, 324, 325)
"""Places and sizes of strips and tiles."""
_NUMBERS = {kind: letter for kind, letter in WHOLE_NUMBERS.items() if kind != 1}
"""Those of which readers make numbers: bytes stay what they are."""
_FRACTIONS = (5, 10)
_BYTES = np.zeros(65_536)
_BYTES[1:19] = [1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]
"""Of a value by its type; of other types readers take nothing."""
_WEIGHTS = np.zeros(65_536)
_WEIGHTS[[*_NUMBERS, 11, 12]] = 1
_WEIGHTS[[*_FRACTIONS]] = OF_A_FRACTION


class _Layout(NamedTuple):
    order: str
    """Of bytes, as ``struct`` has it."""
    number: str
    """Counts and places: 4 bytes, of a BigTIFF 8."""
    length: str
    """How many tags a directory has."""


def check_tags(stream: ByteSource, name: str, may_be_big: bool = True) -> None:
    """
    Args:
        stream: a whole TIFF, of which the first picture counts, and what its tags tell about it.
        name: for the sentence.
        may_be_big: it may be a BigTIFF, which EXIF is not.

    Raises:
        LimitExceeded: far more tags or numbers than a picture needs, or far more bytes than the file has.
        UnreadableMedia: where EXIF lies is told twice.
        ValueError, struct.error: it is not made as TIFFs are.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = may_be_big and struct.unpack(order + "H", head[2:4])[0] == 43
    layout = _Layout(order, "Q", "Q") if is_big else _Layout(order, "I", "H")
    (first,) = struct.unpack(order + layout.number, head[8:16] if is_big else head[4:8])
    entries = _entries(stream, layout, first, size)
    directories = [entries]
    for place in _further(stream, layout, entries, name):
        directories.append(_entries(stream, layout, place, size))
        directories += [
            _entries(stream, layout, inner, size) for inner in _further(stream, layout, directories[-1], name)
        ]
    every = np.concatenate(directories)
    counts = every["count"].astype(float)
    # Tiles and strips are counted as such, as long as whole numbers tell of them.
    are_blocks = np.isin(entries["tag"], _BLOCKS) & (_WEIGHTS[entries["type"]] == 1)
    blocks = np.minimum(entries["count"][are_blocks].astype(float), MOST_BLOCKS).sum()
    numbers = float(counts @ _WEIGHTS[every["type"]] - blocks)
    if numbers > MOST_NUMBERS:
        raise LimitExceeded(
            f"{name} holds {numbers:,.0f} numbers in its tags: at most {MOST_NUMBERS:,} are read; save it again "
            "without metadata."
        )
    told = float(counts @ _BYTES[every["type"]])
    if told > size + MOST_BESIDE or np.count_nonzero(_BYTES[every["type"]]) > MOST_IN_ALL:
        raise _beside(name)


def check_exif(data: bytes, name: str) -> None:
    """
    Args:
        data: of EXIF, with the letters that a JPEG has before it or without.
        name: for the sentence.

    Raises:
        LimitExceeded, UnreadableMedia: as :func:`check_tags`.
    """
    at = 0
    while data.startswith(_LETTERS, at):
        at += len(_LETTERS)
    if at > MOST_REPEATED * len(_LETTERS):
        # Readers copy the rest each time that they pass them over.
        raise _beside(name)
    try:
        check_tags(io.BytesIO(data[at:]), name, may_be_big=False)
    except DurianError:
        raise
    except (ValueError, struct.error):
        # Readers take nothing of what is broken so.
        return


def _beside(name: str) -> LimitExceeded:
    return LimitExceeded(
        f"{name} holds far more than a picture needs beside its pixels: save it again without metadata."
    )


def _entries(stream: ByteSource, layout: _Layout, place: int, size: int) -> np.ndarray:
    """The tags of a directory, without those whose values lie beyond the file, of which readers take nothing."""
    number = np.dtype(layout.order + layout.number)
    fields = [("tag", layout.order + "u2"), ("type", layout.order + "u2"), ("count", number), ("value", number)]
    entry = np.dtype(fields)
    if place >= size:
        return np.empty(0, entry)
    stream.seek(place)
    length = struct.Struct(layout.order + layout.length)
    told = stream.read(length.size)
    (count,) = length.unpack(told) if len(told) == length.size else (0,)
    if count > MOST_TAGS:
        raise ValueError("There are too many tags.")
    data = stream.read(count * entry.itemsize)
    found = np.frombuffer(data, entry, len(data) // entry.itemsize)
    lengths = found["count"].astype(float) * _BYTES[found["type"]]
    return found[(lengths <= number.itemsize) | (found["value"].astype(float) + lengths <= size)]


def _further(stream: ByteSource, layout: _Layout, entries: np.ndarray, name: str) -> Iterator[int]:
    """Where the directories lie that others tell of."""
    for tag in _DIRECTORIES:
        found = entries[entries["tag"] == tag]
        if len(found) > 1:
            # Readers differ in which of them they go by.
            raise UnreadableMedia(f"{name} tells twice where its metadata is: save it again without metadata.")
        if len(found) == 1 and int(found["type"][0]) in _NUMBERS and found["count"][0] > 0:
            kind = np.dtype(layout.order + _NUMBERS[int(found["type"][0])])
            value = found["value"].tobytes()
            if int(found["count"][0]) * kind.itemsize > len(value):
                stream.seek(int(found["value"][0]))
                value = stream.read(kind.itemsize)
            place = int(np.frombuffer(value, kind, 1)[0])
            if place >= 0:
                yield place
