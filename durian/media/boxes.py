"""Reads the boxes that HEIF, AVIF and MP4 files are made of (ISO/IEC 14496-12)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from durian.media.metered import ByteSource

MOST_META_BYTES = 10_000_000
"""Most of what is read of one; the box that describes a telephone's pictures has some ten kB."""


class NoSuchBox(ValueError):
    """A file has no box of a kind."""


def box_content(file: ByteSource, wanted: bytes = b"meta") -> bytes:
    """The content of a file's only box of a kind; of ``meta``, which describes pictures, behind its version.

    Raises:
        NoSuchBox: there is none.
        ValueError, struct.error: there is more than one: readers differ in which of them they go by.
    """
    end = file.seek(0, os.SEEK_END)
    at, found = 0, None
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1 and at + 16 > end:
            break
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8))[0], 16
        size = size or end - at
        if size < head:
            break
        if kind == wanted:
            if size > MOST_META_BYTES or found is not None:
                raise ValueError(f"There is more than one box {wanted!r}, or a far too long one.")
            found = file.read(size - head)
        at += size
    if found is None:
        raise NoSuchBox(f"There is no box {wanted!r}.")
    return found[4:] if wanted == b"meta" else found


def boxes_in(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kinds and contents of boxes that follow each other.

    Raises:
        ValueError, struct.error: they are not made as boxes are.
    """
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        size = size or len(data) - at
        if size < head:
            raise ValueError("A box is smaller than its head.")
        yield kind, data[at + head : at + size]
        at += size
