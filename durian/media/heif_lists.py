"""Counts what the lists of a HEIF or AVIF tell of, before its decoder makes something of every entry.

A file of 2 MB may tell of two million frames of one byte each, which take 200 MB of memory while its header is read.
Decoders also look through a whole list for every entry of another: 40,000 groups of as many chunks take seconds, and
so do 40,000 items, which fit into one megabyte. Boxes and their numbers are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from durian.errors import LimitExceeded
from durian.media.boxes import MissingBox, box_content, boxes_in, parts_of, references_in
from durian.media.metered import ByteSource

MOST_FRAMES = 100_000
"""Of all tracks of a sequence together: an hour, of which one frame is read."""
MOST_LOOKS = 10_000_000
"""Chunks times groups of chunks; a sequence has few groups, or few chunks."""
MOST_ITEMS = 10_000
"""Entries of all lists of pictures; one of 2000 tiles has each tile in four of them. Boxes of tracks count, too."""
BYTES_OF_AN_OWNER = 8
"""What an item and the numbers of its properties take in their list."""

_INSIDE_A_TRACK = (b"trak", b"mdia", b"minf", b"stbl")
_FRAMES, _GROUPS, _CHUNKS, _OTHERS = b"stsz", b"stsc", (b"stco", b"co64"), (b"stts", b"stss", b"ctts", b"stz2")


def check_lists(file: ByteSource, name: str) -> None:
    """
    Args:
        file: at any place; where it stands then is not told.
        name: for the sentence.

    Raises:
        LimitExceeded: it lists more than :data:`MOST_ITEMS` entries about its pictures, or its sequence has more than
            :data:`MOST_FRAMES` frames, or groups of chunks without end.
        ValueError, struct.error: it is not made as such files are.
    """
    items, frames, looks = 0, 0, 0
    for kind in (b"meta", b"moov"):
        try:
            content = box_content(file, kind)
        except MissingBox:
            continue
        if kind == b"meta":
            items += _items(content)
            continue
        for inside, boxes in _parts_of_tracks(content):
            if inside == b"stbl":
                more_frames, more_looks = _frames(boxes)
                frames, looks = frames + more_frames, looks + more_looks
            items += len(boxes) + sum(_items(about[4:]) for each, about in boxes if each == b"meta")
            if items > MOST_ITEMS:
                break
    if items > MOST_ITEMS:
        raise LimitExceeded(
            f"{name} has lists of more than the {MOST_ITEMS:,} entries that are read about pictures: save it as one."
        )
    if frames > MOST_FRAMES or looks > MOST_LOOKS:
        raise LimitExceeded(
            f"{name} tells of more frames, or of more groups of them, than the {MOST_FRAMES:,} that are read: save one "
            "as a picture."
        )


def _parts_of_tracks(content: bytes, depth: int = 0) -> Iterator[tuple[bytes, list[tuple[bytes, bytes]]]]:
    """The boxes in which tracks are described, from the outside, each with those in it."""
    for kind, inside in boxes_in(content):
        if kind == _INSIDE_A_TRACK[depth]:
            yield kind, list(boxes_in(inside))
            if depth + 1 < len(_INSIDE_A_TRACK):
                yield from _parts_of_tracks(inside, depth + 1)


def _items(meta: bytes) -> int:
    """Entries of all lists in a description of pictures."""
    parts = parts_of(meta)
    inside = parts_of(parts.get(b"iprp", b""))
    items = sum(1 + len(to) for _, _, to in references_in(parts.get(b"iref", b"")))
    items += sum(1 for _ in boxes_in(inside.get(b"ipco", b""))) + len(inside.get(b"ipma", b"")) // BYTES_OF_AN_OWNER
    if b"iinf" in parts:
        items += _names(parts[b"iinf"])
    return items + (_places(parts[b"iloc"]) if b"iloc" in parts else 0)


def _names(content: bytes) -> int:
    """
    Raises:
        ValueError: it has others than it tells of, where readers differ in which of them they take.
    """
    width = 4 if content[0] else 2
    told, listed = _number(content, 4, width), list(boxes_in(content[4 + width :]))
    if len(listed) <= MOST_ITEMS:
        items = {_number(entry, 4, 4 if entry[0] == 3 else 2) for kind, entry in listed if kind == b"infe"}
        if not len(items) == len(listed) == told:
            raise ValueError("There are other names of items than are told of.")
    return max(told, len(listed))


def _places(content: bytes) -> int:
    """Of all items together, each at least once: a place may take no bytes of its list, and so be told of endlessly.

    Raises:
        ValueError: its numbers are of a length that there is none of, or an item lies in one place and again in
            another.
    """
    version, width = content[0], 4 if content[0] == 2 else 2
    lengths = (content[4] >> 4, content[4] & 15, content[5] >> 4, content[5] & 15 if version else 0)
    if version > 2 or any(length not in (0, 4, 8) for length in lengths):
        raise ValueError("The list of places is none that is known.")
    offset, length, base, index = lengths
    told, at, places, items = _number(content, 6, width), 6 + width, 0, set()
    head = width + (4 if version else 2) + base
    for _ in range(min(told, MOST_ITEMS)):
        items.add(_number(content, at, width))
        listed = _number(content, at + head, 2)
        places += max(1, listed)
        at += head + 2 + listed * (offset + length + index)
    if max(told, places) <= MOST_ITEMS and len(items) < told:
        raise ValueError("An item has places twice.")
    return max(told, places)


def _frames(tables: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    """Of one track as many frames as any of its tables tells of, and how often its groups of chunks are looked at."""
    told, chunks, groups = 0, 0, b""
    for kind, content in tables:
        if kind == _FRAMES:
            told += _number(content, 8, 4)
        elif kind in _CHUNKS:
            chunks += _number(content, 4, 4)
        elif kind == _GROUPS:
            groups += content[8 : 8 + 12 * _number(content, 4, 4)]
        elif kind in _OTHERS:
            told = max(told, _number(content, 8 if kind == b"stz2" else 4, 4))
    looks = chunks * (len(groups) // 12)
    return max(told, chunks, 0 if looks > MOST_LOOKS else _frames_in_chunks(groups, chunks)), looks


def _frames_in_chunks(groups: bytes, chunks: int) -> int:
    """Of a chunk as many as the last group tells that begins at it or before: frames of one size are listed nowhere
    else."""
    frames, end = 0, chunks + 1
    for first, each, _ in reversed(list(struct.iter_unpack(">III", groups[: len(groups) // 12 * 12]))):
        if first < end:
            frames, end = frames + each * (end - max(1, first)), first
    return frames


def _number(content: bytes, at: int, width: int) -> int:
    return int.from_bytes(content[at : at + width], "big")
