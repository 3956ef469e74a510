"""Counts the scans of a JPEG before it is decoded.

Each scan of a progressive JPEG goes over the whole picture, and may have eighty bytes: a megabyte of them keeps a
decoder busy for minutes, which has no limit of its own.
"""

from __future__ import annotations

import re

from durian.errors import LimitExceeded
from durian.media.metered import ByteSource

MOST_SCANS = 100
"""Encoders make a dozen; libtiff draws the same line for JPEGs inside of TIFFs."""
MOST_SEGMENTS = 10_000
"""Of all kinds, before and between scans."""
BLOCK = 65_536
"""Bytes that are looked through at once."""

_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""A marker that is no restart within a scan, and no escaped byte of one (ITU T.81, table B.1)."""
_EXIF = re.compile(rb"(?<=\xff\xe1..)Exif", re.DOTALL)
"""Where FFmpeg takes a segment for Exif; data of a scan never hold the marker."""
_START_OF_SCAN, _END = 0xDA, 0xD9
_ALONE = (*range(0xC0), 0xD8)
"""Markers without a segment behind them: what comes before the first of JPEG's own is none, and a decoder within a scan
looks on behind it."""
_ARITHMETIC = range(0xC9, 0xD0)
"""Frames that are arithmetically coded, and what tells how."""


def check_scans(stream: ByteSource, name: str) -> None:
    """
    Args:
        stream: a whole JPEG, read from its beginning to its end marker; afterwards it stands where it stood.
        name: for the sentence.

    Raises:
        LimitExceeded: it has more than :data:`MOST_SCANS`, or segments without end, or is arithmetically coded: a
            scan without data takes such a decoder most of a second.
    """
    stood = stream.tell()
    try:
        scans = _count(stream, name)
    finally:
        stream.seek(stood)
    if scans > MOST_SCANS:
        raise LimitExceeded(f"{name} is a JPEG of more than {MOST_SCANS} scans: save it again with another program.")


def check_frame_scans(data: bytes, name: str) -> None:
    """The same of a video's frame, whose decoder also finds scans behind an end and inside of segments.

    Raises:
        LimitExceeded: it may have more than :data:`MOST_SCANS`.
    """
    # Data of a scan never hold that marker, those of segments seldom do: no honest frame comes near.
    if data.count(bytes([0xFF, _START_OF_SCAN])) > MOST_SCANS:
        raise LimitExceeded(f"{name} is a JPEG of more than {MOST_SCANS} scans: save it again with another program.")


def without_exif(data: bytes) -> bytes:
    """A video's frame of which FFmpeg reads no Exif: each of its tags may name the same bytes, which takes seconds."""
    return _EXIF.sub(b"none", data)


def _count(stream: ByteSource, name: str) -> int:
    """Scans; more than :data:`MOST_SCANS` also where there are more than :data:`MOST_SEGMENTS`."""
    scans, at = 0, 0
    for _ in range(MOST_SEGMENTS):
        found = _next_marker(stream, at)
        if found is None:
            return scans
        marker, at = found
        if marker == _END:
            return scans
        if marker in _ALONE:
            continue
        if marker in _ARITHMETIC:
            raise LimitExceeded(f"{name} is an arithmetically coded JPEG: save it again with another program.")
        scans += marker == _START_OF_SCAN
        if scans > MOST_SCANS:
            return scans
        stream.seek(at)
        at += int.from_bytes(stream.read(2), "big")
    return MOST_SCANS + 1


def _next_marker(stream: ByteSource, at: int) -> tuple[int, int] | None:
    """The next marker from ``at`` on and where it ends; ``None`` where there is none any more."""
    stream.seek(at)
    before = b""
    while data := stream.read(BLOCK):
        block = before + data
        if found := _MARKER.search(block):
            return found[1][0], at - len(before) + found.end()
        at += len(data)
        before = block[-1:]
    return None
