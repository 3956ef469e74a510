"""Reads the boxes that HEIF, AVIF and MP4 files are made of (ISO/IEC 14496-12)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from durian.media.metered import ByteSource

MOST_META_BYTES = 10_000_000
"""Most of what is read of one; the box that describes a telephone's pictures has some ten kB."""
MOST_BOXES = 20_000
"""Side by side; of a picture's names there are as many as it has tiles."""

_ONCE = frozenset(
    (
        *(b"hdlr", b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"idat", b"ipco", b"ipma"),
        *(b"stsz", b"stz2", b"stsc", b"stco", b"co64"),
    )
)
"""Parts of a description that are there once: of several, some readers go by the first and others by the last."""


class MissingBox(ValueError):
    """A file has no box of the kind that was asked for."""


def box_content(file: ByteSource, wanted: bytes = b"meta") -> bytes:
    """The content of a file's only box of a kind; of ``meta``, which describes pictures, behind its version.

    Raises:
        MissingBox: there is none.
        ValueError, struct.error: there is more than one, and readers differ in which of them they go by, or it is far
            too long, or longer than the file.
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
        if kind == wanted:
            if not head <= size <= min(end - at, MOST_META_BYTES) or found is not None:
                raise ValueError(f"There is more than one box {wanted!r}, or one of a length that it cannot have.")
            found = file.read(size - head)
        size = size or end - at
        if size < head:
            break
        at += size
    if found is None:
        raise MissingBox(f"There is no box {wanted!r}.")
    return found[4:] if wanted == b"meta" else found


def boxes_in(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kinds and contents of boxes that follow each other and fill ``data``.

    Raises:
        ValueError: a box ends elsewhere than its size tells, which each reader takes in its own way, or there are far
            too many.
    """
    at = found = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if not 8 <= size <= len(data) - at:
            raise ValueError("A box is smaller than its head, or larger than what it lies in.")
        found += 1
        if found > MOST_BOXES:
            raise ValueError("There are more boxes than any picture has.")
        yield kind, data[at + 8 : at + size]
        at += size


def parts_of(data: bytes) -> dict[bytes, bytes]:
    """The boxes that fill ``data``, by kind.

    Raises:
        ValueError: as :func:`boxes_in`, or one is there twice that readers look for once.
    """
    parts: dict[bytes, bytes] = {}
    for kind, content in boxes_in(data):
        if kind in _ONCE and kind in parts:
            raise ValueError(f"There is more than one box {kind!r}.")
        parts[kind] = content
    return parts


def references_in(content: bytes) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    """The references of a box ``iref``: their kind, the item that refers, and the items that it refers to.

    Raises:
        ValueError, struct.error: one is longer or shorter than the items that it counts. Decoders go by their number,
            whatever the box's size.
    """
    name = "I" if content[:1] > b"\0" else "H"
    for kind, reference in boxes_in(content[4:]):
        of, count = struct.unpack_from(f">{name}H", reference)
        to = f">{count}{name}"
        start = struct.calcsize(f">{name}H")
        if start + struct.calcsize(to) != len(reference):
            raise ValueError("A reference tells another number of items than it has.")
        yield kind, of, struct.unpack_from(to, reference, start)
