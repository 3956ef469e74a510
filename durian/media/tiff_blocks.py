"""Looks at the tiles or strips of a TIFF before they are unpacked.

A picture of 100 × 100 pixels may lie in one tile of 40,000 × 40,000, and ten thousand tiles at the same place of the
file: decoders take all that as it is told, and unpack each whole.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from durian.errors import LimitExceeded, UnreadableMedia

if TYPE_CHECKING:
    from durian.media.metered import ByteSource

MOST_BLOCKS = 200_000
"""Tiles or strips; of the smallest tiles that the standard has, 16 × 16, as many make 50 megapixels."""
MOST_OVER_EDGE = 1024
"""Pixels by which a tile may be wider or higher than the picture; programs make tiles of that size at most, or one of
the whole picture."""
MOST_OF_FILE = 2
"""Times the file's size that all tiles or strips may have together. Only what lies at the same place has more than
once, but a few programs write wrong sizes."""
MOST_TAGS = 65_535
"""Of one directory; a BigTIFF may tell of more."""
WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
"""Types of whole numbers, as ``struct`` has them."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _PLANAR = 256, 257, 258, 259, 277, 278, 284
_STRIPS, _STRIP_BYTES, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 273, 279, 322, 323, 324, 325
_DEPTH, _TILE_DEPTH = 32_997, 32_998
_THESE = frozenset(
    {
        *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _PLANAR, _DEPTH, _TILE_DEPTH),
        *(_STRIPS, _STRIP_BYTES, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES),
    }
)
_NONE, _SEPARATE = 1, 2
"""Values: without compression, and one channel after the other."""


class _Entry(NamedTuple):
    kind: int
    length: int
    value: bytes
    """The value, or where it lies: 4 bytes, of a BigTIFF 8."""


def check_blocks(stream: ByteSource, name: str) -> None:
    """
    Args:
        stream: a whole TIFF, of which the first picture counts.
        name: for the sentence.

    Raises:
        LimitExceeded: a tile is far larger than the picture, there are far too many tiles or strips, or far more bytes
            in them than the file has.
        UnreadableMedia: what that hangs on is told twice.
        ValueError, struct.error: it is not made as TIFFs are.
    """
    size = stream.seek(0, os.SEEK_END)
    reader = _Reader(stream, name)
    width, height = reader.number(_WIDTH, 0), reader.number(_HEIGHT, 0)
    if width < 1 or height < 1:
        # Which every decoder refuses.
        return
    is_tiled = any(map(reader.count, (_TILE_WIDTH, _TILE_HEIGHT, _TILES)))
    if is_tiled:
        across, down = reader.number(_TILE_WIDTH, width), reader.number(_TILE_HEIGHT, height)
    else:
        across, down = width, min(reader.number(_ROWS, height), height)
    if across < 1 or down < 1:
        raise ValueError("A tile or strip has no pixels.")
    if across > width + MOST_OVER_EDGE or down > height + MOST_OVER_EDGE:
        raise LimitExceeded(
            f"{name} is a TIFF of {width}×{height} pixels in tiles of {across}×{down}: save it again without tiles."
        )
    if max(reader.number(_DEPTH, 1), reader.number(_TILE_DEPTH, 1)) > 1:
        raise UnreadableMedia(f"{name} is a TIFF with depth: save it as a picture of one layer.")
    planes = reader.number(_SAMPLES, 1) if reader.number(_PLANAR, 1) == _SEPARATE else 1
    needed = -(-width // across) * -(-height // down) * planes
    blocks = max(needed, *(reader.count(tag) for tag in (_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES)))
    if blocks > MOST_BLOCKS:
        raise LimitExceeded(
            f"{name} is a TIFF of {blocks:,} tiles or strips: at most {MOST_BLOCKS:,} are read; save it again without "
            "tiles."
        )
    if reader.number(_COMPRESSION, _NONE) != _NONE:
        told = max(reader.total(_STRIP_BYTES), reader.total(_TILE_BYTES))
        if told > MOST_OF_FILE * size:
            raise LimitExceeded(
                f"{name} is a TIFF whose tiles or strips have {told / 1e6:.1f} MB, in a file of {size / 1e6:.1f} MB: "
                "save it again with another program."
            )


class _Reader:
    """The first directory of a TIFF or BigTIFF, of :data:`_THESE` tags."""

    def __init__(self, stream: ByteSource, name: str) -> None:
        self._stream = stream
        stream.seek(0)
        head = stream.read(16)
        self._order = order = "<" if head[:2] == b"II" else ">"
        self._is_big = struct.unpack(order + "H", head[2:4])[0] == 43
        at = struct.unpack(order + "Q", head[8:16])[0] if self._is_big else struct.unpack(order + "I", head[4:8])[0]
        stream.seek(at)
        count = struct.unpack(order + ("Q" if self._is_big else "H"), stream.read(8 if self._is_big else 2))[0]
        if count > MOST_TAGS:
            raise ValueError("There are too many tags.")
        entry = struct.Struct(order + ("HHQ8s" if self._is_big else "HHI4s"))
        data = stream.read(count * entry.size)
        self._entries: dict[int, _Entry] = {}
        for tag, *told in entry.iter_unpack(data[: len(data) - len(data) % entry.size]):
            if tag not in _THESE:
                continue
            if tag in self._entries:
                # Readers differ in which of them they go by.
                raise UnreadableMedia(f"{name} is a TIFF that tells its size twice: save it again.")
            self._entries[tag] = _Entry(*told)

    def count(self, tag: int) -> int:
        return self._entries[tag].length if tag in self._entries else 0

    def number(self, tag: int, without: int) -> int:
        return int(self._numbers(tag, 1)[0]) if self.count(tag) else without

    def total(self, tag: int) -> int:
        """Sum of all numbers of a tag, which has been counted."""
        # As Python's own, which never run over.
        return sum(self._numbers(tag, self.count(tag)).tolist()) if self.count(tag) else 0

    def _numbers(self, tag: int, most: int) -> np.ndarray:
        """``(N,)`` of the first values."""
        kind, count, value = self._entries[tag]
        if kind not in WHOLE_NUMBERS:
            raise ValueError("A size is no whole number.")
        number = np.dtype(self._order + WHOLE_NUMBERS[kind])
        if count * number.itemsize > len(value):
            self._stream.seek(struct.unpack(self._order + ("Q" if self._is_big else "I"), value)[0])
            value = self._stream.read(min(count, most) * number.itemsize)
        found = np.frombuffer(value, number, min(count, most))
        if found.min() < 0:
            raise ValueError("A size is below zero.")
        return found
