"""Leaves of a video's PNG what its pixels need, before FFmpeg reads it.

It unpacks whatever is in a PNG: a profile or a text of one megabyte to a gigabyte, and pixels far beyond the last row.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from durian.errors import LimitExceeded
from durian.media.files import check_pixels

MOST_CHUNKS = 100_000
"""Of a frame; FFmpeg writes pixels in pieces of 4 kB, of which 50 megapixels make 50,000."""
BLOCK = 65_536
"""Bytes that are unpacked, or come out, at once."""
MOST_OF_PIXELS = 2
"""Times the bytes that the pixels need that may come out."""

_SIGNATURE_BYTES, _HEAD_BYTES, _CHECK_BYTES = 8, 8, 4
"""Of a file, and of a chunk before and behind its content."""
_SIZE_BYTES = 13
"""Of the first chunk's content."""
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT", b"pHYs")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2}
"""By kind of colour; 4 of all others."""


def plain_frame(data: bytes, name: str) -> bytes:
    """
    Args:
        data: a PNG, which may be damaged.
        name: of the video, for the sentence.

    Returns:
        The same without profiles, texts and other parts that no pixel depends on.

    Raises:
        LimitExceeded: it has too many pixels, or more is packed in it than they need.
        UnreadableMedia: it has none.
    """
    parts: list[bytes | memoryview] = [data[:_SIGNATURE_BYTES]]
    packed: list[memoryview] = []
    most = 0
    for kind, chunk in _chunks(data):
        content = chunk[_HEAD_BYTES : len(chunk) - _CHECK_BYTES]
        if kind == b"IHDR" and len(content) == _SIZE_BYTES:
            most = MOST_OF_PIXELS * _needed(content, name)
        if kind == b"IDAT":
            packed.append(content)
        if kind in _KEPT:
            parts.append(chunk)
    if len(parts) > MOST_CHUNKS or _is_more(packed, most):
        raise LimitExceeded(f"A frame of {name} is a PNG of far more than its pixels: convert the video to H.264 MP4.")
    return b"".join(parts)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kinds of the chunks that are there whole, and each from its length to its sum."""
    at, view = _SIGNATURE_BYTES, memoryview(data)
    for _ in range(MOST_CHUNKS + 1):
        end = at + _HEAD_BYTES + int.from_bytes(data[at : at + 4], "big") + _CHECK_BYTES
        if end > len(data):
            return
        yield data[at + 4 : at + 8], view[at:end]
        at = end


def _needed(size: memoryview, name: str) -> int:
    """Bytes of all rows; those of an interlaced picture are up to twice as many (PNG specification, 8.1)."""
    width, height = int.from_bytes(size[:4], "big"), int.from_bytes(size[4:8], "big")
    check_pixels(width, height, f"A frame of {name}", "video")
    return height * (-(-width * size[8] * _CHANNELS.get(size[9], 4) // 8) + 4)


def _is_more(packed: Sequence[memoryview], most: int) -> bool:
    """Whether more than ``most`` bytes are packed in parts that follow each other."""
    unpacker, found = zlib.decompressobj(), 0
    try:
        for part in packed:
            for start in range(0, len(part), BLOCK):
                rest: bytes | memoryview = part[start : start + BLOCK]
                while rest and not unpacker.eof:
                    found += len(unpacker.decompress(rest, BLOCK))
                    rest = unpacker.unconsumed_tail
                    if found > most:
                        return True
    except zlib.error:
        # Which the decoder tells.
        return False
    return False
