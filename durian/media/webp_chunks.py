"""Counts the chunks of a WebP, before its decoder makes something of every one.

An animated one of 138 MB may have three million frames, which take half a gigabyte as it is opened; one is read.
"""

from __future__ import annotations

from durian.errors import LimitExceeded
from durian.media.metered import ByteSource

MOST_CHUNKS = 10_000
"""Frames, and what lies beside them: a quarter of an hour at ten frames a second."""

_HEAD_BYTES, _FILE_HEAD_BYTES = 8, 12


def check_chunks(file: ByteSource, name: str) -> None:
    """
    Args:
        file: at any place; where it stands then is not told.
        name: for the sentence.

    Raises:
        LimitExceeded: a WebP has more than :data:`MOST_CHUNKS` chunks.
    """
    file.seek(0)
    end = _HEAD_BYTES + int.from_bytes(file.read(_FILE_HEAD_BYTES)[4:8], "little")
    at, count = _FILE_HEAD_BYTES, 0
    while at < end:
        file.seek(at)
        head = file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return
        count += 1
        if count > MOST_CHUNKS:
            raise LimitExceeded(
                f"{name} has more than {MOST_CHUNKS:,} frames or other parts: save one of its pictures by itself."
            )
        size = int.from_bytes(head[4:], "little")
        at += _HEAD_BYTES + size + size % 2
