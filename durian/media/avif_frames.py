"""Counts the pixels that an AVIF's decoder would unpack, in frames larger than the picture and in hidden ones.

A file of 2 kB may claim a hundred pixels a side and hold 16,000, or thousands of frames before the one that is shown.
Boxes and their numbers are those of ISO/IEC 14496-12.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from durian.media.av1_frames import count_frames, frame_pixels
from durian.media.boxes import MissingBox, box_content, boxes_in, parts_of
from durian.media.metered import ByteSource

MOST_PLACES = 2000
"""Of the parts of all pictures in the file; a picture in tiles has some hundred."""
MOST_TOLD = 100
"""Times that EXIF is told: once for a picture, and again for its sequence's tracks."""
_CODED, _EXIF = b"av01", b"Exif"
_TABLES = (b"trak", b"mdia", b"minf", b"stbl")


def unpacked_pixels(file: ByteSource) -> tuple[int, int]:
    """Pixels of the largest frame in an AVIF, and of all its frames together.

    Args:
        file: at any place; where it stands then is not told.

    Raises:
        ValueError, struct.error: it is not made as AVIFs are.
    """
    largest, together = 0, 0
    for data in _coded(file):
        pixels = frame_pixels(data)
        largest, together = max(largest, pixels), together + max(1, pixels) * count_frames(data)
    return largest, together


def exif_of_avif(file: ByteSource) -> Iterator[bytes]:
    """What an AVIF tells about its pictures, made as TIFFs are.

    Args:
        file: at any place; where it stands then is not told.

    Raises:
        ValueError, struct.error: it is not made as AVIFs are.
    """
    for index, data in enumerate(_told(file)):
        if index >= MOST_TOLD:
            raise ValueError("There is far too much about the pictures.")
        # Before it stands how many bytes there are between, which not every reader leaves out.
        between = int.from_bytes(data[:4], "big")
        yield data[4:]
        if between:
            yield data[4 + between :]


def _told(file: ByteSource) -> Iterator[bytes]:
    """EXIF's data, of all pictures and of a sequence's tracks."""
    with suppress(MissingBox):
        yield from _items(file, box_content(file), _EXIF)
    with suppress(MissingBox):
        for kind, track in boxes_in(box_content(file, b"moov")):
            for inner, content in boxes_in(track) if kind == b"trak" else ():
                if inner == b"meta":
                    yield from _items(file, content[4:], _EXIF)


def _coded(file: ByteSource) -> Iterator[bytes]:
    """What each picture's decoder is given; of a sequence, for its first picture."""
    found = False
    for kind in (b"meta", b"moov"):
        try:
            content = box_content(file, kind)
        except MissingBox:
            continue
        found = True
        yield from _items(file, content) if kind == b"meta" else _first_samples(file, content)
    if not found:
        raise ValueError("There is no description of pictures.")


def _items(file: ByteSource, meta: bytes, kind: bytes = _CODED) -> Iterator[bytes]:
    size, left = file.seek(0, os.SEEK_END), MOST_PLACES
    inside = parts_of(meta)
    kinds = _kinds(inside.get(b"iinf", b""))
    for item, is_inside, places in _places(inside[b"iloc"]) if b"iloc" in inside else ():
        if kinds.get(item, _CODED) != kind:
            continue  # of pictures: text about them, or a list of their tiles
        left -= len(places)
        if left < 0 or sum(length for _, length in places) > size:
            raise ValueError("Pictures lie in more places than there are.")
        yield b"".join(
            _at(file, offset, length, inside.get(b"idat") if is_inside else None) for offset, length in places
        )


def _kinds(content: bytes) -> dict[int, bytes]:
    """Of each item what it is, four letters."""
    kinds = {}
    for name, entry in boxes_in(content[8 if content[:1] > b"\0" else 6 :]):
        width = {2: 2, 3: 4}.get(entry[0]) if name == b"infe" and entry else None
        if width is not None:
            kinds[int.from_bytes(entry[4 : 4 + width], "big")] = entry[6 + width : 10 + width]
    return kinds


def _at(file: ByteSource, offset: int, length: int, inside: bytes | None) -> bytes:
    if inside is not None:
        return inside[offset : offset + length or None]
    file.seek(offset)
    return file.read(length or -1)


def _places(content: bytes) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Of each item its number, whether it lies in the description itself, and where: offsets and lengths (0 to the
    end)."""
    if len(content) < 8:
        raise ValueError("The list of places is cut off.")
    version, at = content[0], 6
    widths = [content[4] >> 4, content[4] & 15, content[5] >> 4, content[5] & 15 if version else 0]

    def take(width: int) -> int:
        nonlocal at
        if at + width > len(content):
            raise ValueError("The list of places is cut off.")
        at += width
        return int.from_bytes(content[at - width : at], "big")

    for _ in range(take(4 if version == 2 else 2)):
        item = take(4 if version == 2 else 2)
        is_inside = bool(version) and take(2) & 15 == 1
        take(2)
        base = take(widths[2])
        places = []
        for _ in range(take(2)):
            take(widths[3])
            places.append((base + take(widths[0]), take(widths[1])))
        yield item, is_inside, places


def _first_samples(file: ByteSource, moov: bytes) -> Iterator[bytes]:
    for tables in _sample_tables(moov, 0):
        sizes, chunks = tables.get(b"stsz", b""), tables.get(b"stco", b"")
        offsets, width = (chunks, 4) if chunks else (tables.get(b"co64", b""), 8)
        # One size for all samples, or a list of them.
        size = int.from_bytes(sizes[4:8], "big") or int.from_bytes(sizes[12:16], "big")
        if size == 0 or len(offsets) < 8 + width:
            continue
        yield _at(file, int.from_bytes(offsets[8 : 8 + width], "big"), size, None)


def _sample_tables(content: bytes, depth: int) -> Iterator[dict[bytes, bytes]]:
    for kind, inside in boxes_in(content):
        if kind == _TABLES[depth]:
            if depth == len(_TABLES) - 1:
                yield parts_of(inside)
            else:
                yield from _sample_tables(inside, depth + 1)
