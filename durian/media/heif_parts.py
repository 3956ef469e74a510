"""The pixels that a HEIF's decoder would unpack: its picture may be put together from parts, each larger than it.

A file of 50 kB may name a thousand tiles of sixteen megapixels that all lie at the same place, which takes minutes
whatever size the picture claims. Boxes and their numbers are those of ISO/IEC 14496-12 and 23008-12.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import BinaryIO

from durian.media.boxes import box_content, boxes_in

DEEPEST = 8
"""Pictures made of pictures; a telephone's has one level."""


@dataclass
class _Described:
    """Content of the box: the main picture, the parts of each, what belongs to it, and pixels of each."""

    primary: int = 0
    parts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    beside: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    pixels: dict[int, int] = field(default_factory=dict)


def decoded_pixels(file: BinaryIO) -> int:
    """Pixels of all parts that a HEIF's main picture and its transparency are put together from; 0 where they are not.

    Args:
        file: at any place; where it stands then is not told.

    Raises:
        ValueError, struct.error: it is not made as HEIFs are.
    """
    described = _described(box_content(file))
    known: dict[int, int] = {}

    def pixels_of(item: int, depth: int) -> int:
        if depth > DEEPEST:
            raise ValueError("Pictures are made of pictures without an end.")
        if item not in known:
            parts = described.parts.get(item)
            own = described.pixels.get(item, 0)
            known[item] = own if not parts else sum(pixels_of(part, depth + 1) for part in parts)
        return known[item]

    needed = [described.primary, *described.beside[described.primary]]
    return sum(pixels_of(item, 0) for item in needed) if any(map(described.parts.get, needed)) else 0


def _described(meta: bytes) -> _Described:
    described = _Described()
    for kind, content in boxes_in(meta):
        if kind == b"pitm":
            (described.primary,) = struct.unpack_from(">I" if content[0] else ">H", content, 4)
        elif kind == b"iref":
            _read_references(content, described)
        elif kind == b"iprp":
            inside = list(boxes_in(content))
            sizes = [_size(*box) for name, properties in inside if name == b"ipco" for box in boxes_in(properties)]
            for name, pairs in inside:
                if name == b"ipma":
                    _read_sizes(pairs, sizes, described)
    return described


def _size(kind: bytes, content: bytes) -> int:
    """Pixels that a property tells, 0 where it tells something else."""
    if kind != b"ispe":
        return 0
    width, height = struct.unpack_from(">II", content, 4)
    return width * height


def _read_references(content: bytes, described: _Described) -> None:
    name, length = (">I", 4) if content[0] else (">H", 2)
    for kind, reference in boxes_in(content[4:]):
        (of,) = struct.unpack_from(name, reference)
        (count,) = struct.unpack_from(">H", reference, length)
        to = struct.unpack_from(f">{count}{name[1]}", reference, length + 2)
        if kind == b"dimg":
            described.parts[of] += to
        elif kind == b"auxl":
            for item in to:
                described.beside[item].append(of)


def _read_sizes(content: bytes, sizes: list[int], described: _Described) -> None:
    """Read which properties each picture has."""
    version, is_wide = content[0], content[3] & 1
    (count,) = struct.unpack_from(">I", content, 4)
    at = 8
    for _ in range(count):
        (item,) = struct.unpack_from(">I" if version else ">H", content, at)
        at += 4 if version else 2
        number = content[at]
        at += 1
        # The highest bit only tells whether a reader must know the property.
        indices = struct.unpack_from(f">{number}{'H' if is_wide else 'B'}", content, at)
        at += number * (2 if is_wide else 1)
        for index in (raw & (0x7FFF if is_wide else 0x7F) for raw in indices):
            if 0 < index <= len(sizes):
                described.pixels[item] = max(described.pixels.get(item, 0), sizes[index - 1])
