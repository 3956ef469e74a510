"""Counts the samples that the tables of an MP4 or MOV tell of, before FFmpeg makes an index of them all.

A file of 700 bytes may tell of a hundred million samples, all of one size; the index takes 70 bytes of memory for each.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from durian.errors import LimitExceeded
from durian.media.byte_search import MOST_FOUND

MOST_SAMPLES = 3_000_000
"""Of all tracks together: half a day of film and sound. Their index takes 200 MB."""
MOST_EMPTY = 100_000
"""Samples without content. FFmpeg looks through all at the beginning for one that has some, and keeps half a kilobyte
for each; recorders write a few where nothing moves."""
LONGEST_HEAD = 12
"""Bytes from a box's kind to its content; the box may be a table itself."""
A_FEW = 10
SHORTEST_PART = 160
"""Samples of plain sound that are one entry of the index at least."""

_PLAIN_SOUND = (
    b"sowt",
    b"twos",
    b"raw ",
    b"NONE",
    b"in24",
    b"in32",
    b"fl32",
    b"fl64",
    b"lpcm",
    b"ipcm",
    b"fpcm",
    b"ulaw",
    b"alaw",
)
_SKIPPED = (b"mdat", b"uuid", b"free", b"skip", b"hoov")
"""Boxes in which FFmpeg looks for no tables."""
_HIDDEN = (b"mvhd", b"cmov")
"""What a box that is to be skipped begins with where FFmpeg takes it for the description of a film."""
_TELLS_SIZES = 0x200
"""A fragment's flag."""
_TABLE = re.compile(rb"(stsz|stz2)|(trun)|(elst)|(cmov....dcom)", re.DOTALL)


def check_tables(path: Path) -> None:
    """
    Raises:
        LimitExceeded: an MP4 or MOV tells of more than :data:`MOST_SAMPLES`, of more than :data:`MOST_EMPTY` without
            content, has more than :data:`durian.media.byte_search.MOST_FOUND` tables or boxes, or packed ones.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        samples, empty, found = 0, 0, 0
        for start, end in _descriptions(data):
            more, tables = _samples(data, start, end, MOST_FOUND - found)
            samples, found = samples + more, found + tables + 1
            if samples > MOST_SAMPLES or found > MOST_FOUND:
                break
            empty += _empty_samples(data, start, end)
    if samples > MOST_SAMPLES or found > MOST_FOUND:
        most = f"{MOST_SAMPLES:,} frames and pieces of sound" if samples > MOST_SAMPLES else f"{MOST_FOUND:,} tables"
        raise LimitExceeded(f"{path.name} tells of more than {most}: convert it again.")
    if empty > MOST_EMPTY:
        raise LimitExceeded(f"{path.name} tells of {empty:,} frames without content: convert it again.")


def _boxes(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, beginning and end of the content of boxes that follow each other, as FFmpeg walks through them."""
    while start + 8 <= end:
        size, kind, head = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], 8
        if size == 1 and start + 16 <= end:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        size = size or end - start
        if size < head:
            return
        yield kind, start + head, min(start + size, end)
        start += size


def _descriptions(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where tables may lie: each track by itself, and everything else; of pictures and sound an empty place.

    They count wherever they lie, since FFmpeg takes them in places where the standard has none.
    """
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind in _SKIPPED and data[start + 4 : start + 8] not in _HIDDEN:
            yield start, start
            continue
        if kind != b"moov":
            yield start - LONGEST_HEAD, end
            continue
        for _, start_inside, end_inside in _boxes(data, start, end):
            yield start_inside - LONGEST_HEAD, end_inside


def _samples(data: mmap.mmap, start: int, end: int, most: int) -> tuple[int, int]:
    """At least as many entries as the index gets of one description, and its tables, of which ``most`` are counted."""
    in_table, in_fragments, edits, tables = 0, 0, 0, 0
    for tables, found in enumerate(_TABLE.finditer(data, start, end), 1):
        at = found.end()
        if tables > most:
            break
        if found[1]:
            in_table += _number(data, at + 8)
        elif found[2]:
            in_fragments += _number(data, at + 4)
        elif found[3]:
            edits += _number(data, at + 4)
        else:
            return MOST_SAMPLES + 1, tables
    if in_table > MOST_SAMPLES and tables <= most:
        in_table = min(in_table, _parts_of_plain_sound(data, start, end))
    # Each edit may use all samples again.
    return in_table * max(1, edits) + in_fragments, tables


def _empty_samples(data: mmap.mmap, start: int, end: int) -> int:
    """Samples of no bytes, and those of fragments that may have none: their size stands elsewhere."""
    empty = 0
    for at in _places(data, b"stsz", start, end):
        if not _number(data, at + 4):
            listed = min(_number(data, at + 8), max(0, end - at - 12) // 4)
            empty += listed - int(np.count_nonzero(np.frombuffer(data[at + 12 : at + 12 + 4 * listed], ">u4")))
    for at in _places(data, b"stz2", start, end):
        empty += _number(data, at + 8)
    for at in _places(data, b"trun", start, end):
        empty += 0 if _number(data, at) & _TELLS_SIZES else _number(data, at + 4)
    return empty


def _parts_of_plain_sound(data: mmap.mmap, start: int, end: int) -> int:
    """Entries of a track whose samples are so small that they are taken together; else far too many."""

    def told(kind: bytes, first: int, last: int) -> list[bytes]:
        """What stands in boxes of a kind; of a few, which is more than tracks of sound have."""
        return [data[at + first : at + last] for at in islice(_places(data, kind, start, end), A_FEW)]

    described, durations, sizes = told(b"stsd", 4, 16), told(b"stts", 4, 16), told(b"stsz", 4, 8)
    chunks, handlers = told(b"stco", 4, 8) + told(b"co64", 4, 8), told(b"hdlr", 8, 12)
    groups = list(islice(_places(data, b"stsc", start, end), A_FEW))
    is_plain = len(described) == 1 and described[0][:4] == b"\0\0\0\1" and described[0][8:] in _PLAIN_SOUND
    is_sound = b"soun" in handlers and b"vide" not in handlers and len(handlers) < A_FEW
    is_steady = len(durations) == 1 and durations[0][:4] + durations[0][8:] == b"\0\0\0\1" * 2
    is_steady = is_steady and len(sizes) == 1 and sizes[0] != bytes(4)
    if not (is_plain and is_sound and is_steady and len(chunks) == len(groups) == 1):
        return MOST_SAMPLES + 1
    number, at = _number(data, groups[0] + 4), groups[0] + 8
    if number > MOST_FOUND:
        return MOST_SAMPLES + 1
    entries = struct.iter_unpack(">III", data[at : min(at + 12 * number, end - (end - at) % 12)])
    return max((samples for _, samples, _ in entries), default=0) * int.from_bytes(chunks[0], "big") // SHORTEST_PART


def _places(data: mmap.mmap, kind: bytes, start: int, end: int) -> Iterator[int]:
    return (found.end() for found in re.compile(re.escape(kind)).finditer(data, start, end))


def _number(data: mmap.mmap, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
