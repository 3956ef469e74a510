"""Size of what a HEIF's decoder would unpack: all parts of its picture, and what is told about each picture.

A file of 50 kB may name a thousand tiles of sixteen megapixels that all lie at the same place, which takes minutes
whatever size the picture claims. What is told about pictures (EXIF, XMP, colour profiles) is copied for each picture of
the file, shown or not: one megabyte about nine hundred of them takes 900 MB. Boxes and their numbers are those of
ISO/IEC 14496-12 and 23008-12.
"""

from __future__ import annotations

import os
import struct
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from durian.media.boxes import box_content, boxes_in, parts_of, references_in
from durian.media.metered import ByteSource

DEEPEST = 8
"""Pictures made of pictures; a telephone's has one level."""


@dataclass
class _Described:
    """Content of the box: the main picture, the parts of each, what belongs to it, and pixels of each."""

    primary: int = 0
    parts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    beside: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    pixels: dict[int, int] = field(default_factory=dict)
    lengths: dict[int, int] = field(default_factory=dict)
    """Bytes of each item's data."""
    about: Counter[int] = field(default_factory=Counter)
    """How many pictures an item tells something about."""
    packed: set[int] = field(default_factory=set)
    """Items whose data is compressed, to whatever it may unpack."""
    profile_bytes: int = 0
    """Of all pictures' colour profiles, each as often as a picture has it."""


def decoded_pixels(file: ByteSource) -> int:
    """Pixels of all that a HEIF's main picture is put together from, each part as often as it is used; 0 where it is
    one picture alone.

    What lies beside a picture may be its transparency, which is unpacked along with it: beside a tile, too, for each
    tile again, and beside another transparency.

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
            own = described.pixels.get(item, 0)
            if not own:
                # Its decoder would unpack whatever size it meets.
                raise ValueError("A picture tells no size.")
            parts, beside = (
                sum(pixels_of(each, depth + 1) for each in needed.get(item, ()))
                for needed in (described.parts, described.beside)
            )
            # An overlay may be larger than what lies on it.
            known[item] = max(own, parts) + beside
        return known[item]

    main = described.primary
    return pixels_of(main, 0) if main in described.parts or main in described.beside else 0


def told_bytes(file: ByteSource) -> int:
    """Bytes of EXIF, XMP and colour profiles that a HEIF tells about all its pictures, counted for each of them.

    Args:
        file: at any place; where it stands then is not told.

    Raises:
        ValueError, struct.error: it is not made as HEIFs are.
    """
    described = _described(box_content(file))
    whole = file.seek(0, os.SEEK_END)
    if described.packed & described.about.keys():
        raise ValueError("What is told about a picture is compressed, which no camera does.")
    told = sum(described.lengths.get(item, whole) * times for item, times in described.about.items())
    return told + described.profile_bytes


def _described(meta: bytes) -> _Described:
    described, parts = _Described(), parts_of(meta)
    if content := parts.get(b"pitm"):
        (described.primary,) = struct.unpack_from(">I" if content[0] else ">H", content, 4)
    if content := parts.get(b"iref"):
        _read_references(content, described)
    if content := parts.get(b"iinf"):
        _read_kinds(content, described)
    if content := parts.get(b"iloc"):
        _read_lengths(content, described)
    inside = parts_of(parts.get(b"iprp", b""))
    if pairs := inside.get(b"ipma"):
        _read_properties(pairs, list(boxes_in(inside.get(b"ipco", b""))), described)
    return described


def _size(kind: bytes, content: bytes) -> int:
    """Pixels that a property tells, 0 where it tells something else."""
    if kind != b"ispe":
        return 0
    width, height = struct.unpack_from(">II", content, 4)
    return width * height


def _read_references(content: bytes, described: _Described) -> None:
    for kind, of, to in references_in(content):
        if kind == b"dimg":
            described.parts[of] += to
        elif kind == b"auxl":
            for item in to:
                described.beside[item].append(of)
        elif kind == b"cdsc":
            described.about[of] += len(to)


def _read_kinds(content: bytes, described: _Described) -> None:
    """Read which items are compressed: those with a content encoding behind their name and type."""
    first = 4 + (4 if content[0] else 2)
    for kind, entry in boxes_in(content[first:]):
        if kind != b"infe":
            continue
        version, item_bytes = entry[0], 4 if entry[0] == 3 else 2
        item = int.from_bytes(entry[4 : 4 + item_bytes], "big")
        at = 4 + item_bytes + 2
        if version >= 2:
            if entry[at : at + 4] != b"mime":
                continue
            at += 4
        _, _, encoding, *_ = [*entry[at:].split(b"\0"), b"", b"", b""]
        if encoding:
            described.packed.add(item)


def _read_lengths(content: bytes, described: _Described) -> None:
    """Read how long each item's data is; a length of 0 stands for the whole file, and is left out."""
    version = content[0]
    offset_bytes, length_bytes = content[4] >> 4, content[4] & 15
    base_bytes, index_bytes = content[5] >> 4, content[5] & 15 if version else 0
    number = ">I" if version == 2 else ">H"
    (items,) = struct.unpack_from(number, content, 6)
    at = 6 + struct.calcsize(number)
    for _ in range(items):
        (item,) = struct.unpack_from(number, content, at)
        at += struct.calcsize(number) + (4 if version else 2) + base_bytes
        (extents,) = struct.unpack_from(">H", content, at)
        at += 2
        step = index_bytes + offset_bytes + length_bytes
        ends = range(at + step, at + extents * step + 1, step) if step else ()
        lengths = [int.from_bytes(content[end - length_bytes : end], "big") for end in ends]
        at += extents * step
        if lengths and all(lengths):
            described.lengths[item] = described.lengths.get(item, 0) + sum(lengths)


def _read_properties(content: bytes, properties: list[tuple[bytes, bytes]], described: _Described) -> None:
    """Read which size, and how large a colour profile, each picture has."""
    version, is_wide = content[0], content[3] & 1
    (count,) = struct.unpack_from(">I", content, 4)
    sizes = [_size(*each) for each in properties]
    profiles = [len(inside) if kind == b"colr" else 0 for kind, inside in properties]
    at, owners = 8, set()
    for _ in range(count):
        (item,) = struct.unpack_from(">I" if version else ">H", content, at)
        if item in owners:
            raise ValueError("Properties of a picture are told twice.")
        owners.add(item)
        at += 4 if version else 2
        number = content[at]
        at += 1
        # The highest bit only tells whether a reader must know the property.
        indices = struct.unpack_from(f">{number}{'H' if is_wide else 'B'}", content, at)
        at += number * (2 if is_wide else 1)
        for index in (raw & (0x7FFF if is_wide else 0x7F) for raw in indices):
            if 0 < index <= len(properties):
                described.pixels[item] = max(described.pixels.get(item, 0), sizes[index - 1])
                described.profile_bytes += profiles[index - 1]
