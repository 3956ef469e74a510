"""Counts the elements that an MKV or WebM has in lists, before FFmpeg keeps them all.

An element of two bytes may be an entry of a list, of which FFmpeg takes a hundred bytes of memory or, where it is a
track, a thousand. It looks for lists anywhere in a file whose order is broken, and so does this.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from durian.errors import LimitExceeded
from durian.media.byte_search import MOST_FOUND, places

MOST_ELEMENTS = 300_000
"""Of all lists together: the index of twelve hours with a key frame a second."""
MOST_TRACKS = 200
MOST_IN_GROUP = 10_000
"""Elements of one group of blocks, which is a frame and what goes with it."""
MOST_IN_CLUSTERS = 2_000_000
"""Frames, pieces of sound and what goes with them; more than are read (:data:`durian.media.packets.MOST_PACKETS`)."""

_TRACK = 0xAE
_GROUP = 0xA0
_CLUSTER = bytes.fromhex("1f43b675")
_LISTS = [
    bytes.fromhex(kind)
    for kind in (
        "1a45dfa3",  # EBML
        "114d9b74",  # SeekHead
        "1549a966",  # Info
        "1654ae6b",  # Tracks
        "1c53bb6b",  # Cues
        "1254c367",  # Tags
        "1941a469",  # Attachments
        "1043a770",  # Chapters
    )
]
_WITH_PARTS = frozenset(
    (
        *(int.from_bytes(kind, "big") for kind in _LISTS),
        0x4DBB,  # Seek
        _TRACK,
        *(0xE0, 0xE1, 0x55B0, 0x55D0, 0x7670, 0xE2, 0xE3, 0xE4, 0x41E4),  # of video, sound, planes, additions
        *(0x6D80, 0x6240, 0x5034, 0x5035),  # ContentEncodings
        *(0xBB, 0xB7),  # CuePoint
        *(0x7373, 0x63C0, 0x67C8),  # Tag
        0x61A7,  # AttachedFile
        *(0x45B9, 0xB6, 0x80),  # EditionEntry
        *(_GROUP, 0x75A1, 0xA6),  # BlockGroup
    )
)
"""Elements that consist of others, which FFmpeg reads one by one; all others it takes or passes over whole."""


def check_lists(path: Path) -> None:
    """
    Raises:
        LimitExceeded: an MKV or WebM has more than :data:`MOST_ELEMENTS` in its lists, :data:`MOST_TRACKS`,
            :data:`MOST_IN_GROUP` beside one frame, :data:`MOST_IN_CLUSTERS`, or
            :data:`durian.media.byte_search.MOST_FOUND` lists or clusters.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        too_many = _too_many_in_lists(data) or _too_many_in_clusters(data)
    if too_many:
        raise LimitExceeded(f"{path.name} tells of more than {too_many}: convert it again.")


def _too_many_in_lists(data: mmap.mmap) -> str:
    count, tracks = 0, 0
    for found, start in enumerate(_contents(data, _LISTS)):
        if found >= MOST_FOUND:
            return f"{MOST_FOUND:,} lists"
        for kind, _, _ in _elements(data, *start):
            count += 1
            tracks += kind == _TRACK
            if tracks > MOST_TRACKS:
                return f"{MOST_TRACKS} tracks"
            if count > MOST_ELEMENTS:
                return f"{MOST_ELEMENTS:,} entries of lists"
    return ""


def _too_many_in_clusters(data: mmap.mmap) -> str:
    count = 0
    for found, cluster in enumerate(_contents(data, [_CLUSTER])):
        if found >= MOST_FOUND:
            return f"{MOST_FOUND:,} clusters"
        in_group, end_of_group = 0, 0
        for kind, start, end in _elements(data, *cluster):
            count += 1
            if kind == _GROUP:
                in_group, end_of_group = 0, end
            in_group += start < end_of_group
            if in_group > MOST_IN_GROUP:
                return f"{MOST_IN_GROUP:,} entries beside one frame"
            if count > MOST_IN_CLUSTERS:
                return f"{MOST_IN_CLUSTERS:,} frames and pieces of sound"
    return ""


def _contents(data: mmap.mmap, kinds: list[bytes]) -> Iterator[tuple[int, int]]:
    """Where the content of each element of ``kinds`` begins and ends, wherever in the file one may lie; of what only
    looks like one there is none."""
    for at in places(data, kinds):
        size, start = _number(data, at) or (0, at)
        yield start, len(data) if size is None else min(start + size, len(data))


def _elements(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Kind, and beginning and end of the content, of all elements between two places, with those that are in them."""
    while start < end:
        length = 9 - data[start].bit_length()
        if length > 4:
            return
        kind = int.from_bytes(data[start : start + length], "big")
        sized = _number(data, start + length)
        if sized is None:
            return
        size, start = sized
        stop = end if size is None else start + size
        yield kind, start, stop
        if kind not in _WITH_PARTS:
            start = stop


def _number(data: mmap.mmap, at: int) -> tuple[int | None, int] | None:
    """The size that stands at a place (``None``: unknown), and where it ends; ``None`` where there is none."""
    if at >= len(data) or not data[at]:
        return None
    bits = 7 * (9 - data[at].bit_length())
    after = at + bits // 7
    size = int.from_bytes(data[at:after], "big") & ((1 << bits) - 1)
    return None if size == (1 << bits) - 1 else size, after
