"""Pictures of many parts: telephones' are read, those that would keep a decoder busy for minutes are refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from pictures_made import heic

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media import pixel_count, read_image
from durian.media.heif_parts import decoded_pixels, told_bytes


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full_box(kind: bytes, content: bytes, version: int = 0) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]) + content)


def inside(data: bytes, kind: bytes) -> bytes:
    """The only box of a kind in a file, with its head."""
    at = data.index(kind) - 4
    return data[at : at + int.from_bytes(data[at : at + 4], "big")]


def grid(tile: np.ndarray, rows: int, columns: int, width: int, height: int, told: int | None = None) -> bytes:
    """A HEIC of ``rows`` × ``columns`` tiles, which all lie at the same place of the file.

    Args:
        tile: what each shows.
        rows, columns: of them.
        width, height: of the picture.
        told: the side that each tile claims; by default its own.
    """
    one, count = heic(tile), rows * columns
    main, side = count + 1, tile.shape[0] if told is None else told
    coded, plan = inside(one, b"mdat")[8:], struct.pack(">4B2I", 0, 1, rows - 1, columns - 1, width, height)
    names = [full_box(b"infe", struct.pack(">HH4sx", item, 0, b"hvc1"), 2) for item in range(1, main)]
    names.append(full_box(b"infe", struct.pack(">HH4sx", main, 0, b"grid"), 2))
    sizes = [full_box(b"ispe", struct.pack(">II", *size)) for size in ((side, side), (width, height))]
    properties = box(b"ipco", inside(one, b"hvcC") + b"".join(sizes))
    owned = b"".join(struct.pack(">H3B", item, 2, 0x81, 2) for item in range(1, main)) + struct.pack(">H2B", main, 1, 3)
    head = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)) + full_box(b"pitm", struct.pack(">H", main))
    head += full_box(b"iinf", struct.pack(">H", main) + b"".join(names))
    head += full_box(b"iref", box(b"dimg", struct.pack(f">HH{count}H", main, count, *range(1, main))))
    head += box(b"iprp", properties + full_box(b"ipma", struct.pack(">I", main) + owned)) + box(b"idat", plan)
    start = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")

    def described(offset: int) -> bytes:
        places = [struct.pack(">4HII", item, 0, 0, 1, offset, len(coded)) for item in range(1, main)]
        places.append(struct.pack(">4HII", main, 1, 0, 1, 0, len(plan)))
        content = b"\x44\0" + struct.pack(">H", main) + b"".join(places)
        return full_box(b"meta", head + full_box(b"iloc", content, 1))

    return start + described(len(start) + len(described(0)) + 8) + box(b"mdat", coded)


def put_together(
    items: dict[int, tuple[bytes, bytes | int, int]],
    parts: dict[int, list[int]],
    beside: dict[int, list[int]],
    listed: Callable[[bytes], bytes] = lambda references: references,
    also: bytes = b"",
) -> bytes:
    """A HEIC whose first item is its picture; equal contents lie in the file once.

    Args:
        items: of each its kind, its content (a plain picture's side), and the side that it tells, 0 for none.
        parts: items that others are put together from.
        beside: of transparencies, what each belongs to.
        listed: changes the boxes of references.
        also: more boxes in the description.
    """
    properties = [box(b"auxC", bytes(4) + b"urn:mpeg:hevc:2015:auxid:1\0")]
    contents: list[bytes] = []
    names, owned, references = b"", b"", b""
    files = {side: heic(plain(side)) for side in {content for _, content, _ in items.values()} if isinstance(side, int)}

    def number(of_property: bytes) -> int:
        if of_property not in properties:
            properties.append(of_property)
        return properties.index(of_property) + 1

    for item, (kind, content, side) in items.items():
        own = [1] if item in beside else []
        if isinstance(content, int):
            own.append(number(inside(files[content], b"hvcC")))
            content = inside(files[content], b"mdat")[8:]
        own += [number(full_box(b"ispe", struct.pack(">II", side, side)))] if side else []
        contents.append(content)
        names += full_box(b"infe", struct.pack(">HH4sx", item, 0, kind), 2)
        owned += struct.pack(">HB", item, len(own)) + bytes(own)
    for kind, lists in ((b"dimg", parts), (b"auxl", beside)):
        for item, to in lists.items():
            references += box(kind, struct.pack(f">HH{len(to)}H", item, len(to), *to))
    head = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)) + full_box(b"pitm", struct.pack(">H", min(items)))
    head += full_box(b"iinf", struct.pack(">H", len(items)) + names) + full_box(b"iref", listed(references)) + also
    head += box(b"iprp", box(b"ipco", b"".join(properties)) + full_box(b"ipma", struct.pack(">I", len(items)) + owned))
    coded, start = b"".join(dict.fromkeys(contents)), box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")

    def described(offset: int) -> bytes:
        places = b"".join(
            struct.pack(">3HII", item, 0, 1, offset + coded.index(content), len(content))
            for item, content in zip(items, contents, strict=True)
        )
        return full_box(b"meta", head + full_box(b"iloc", b"\x44\0" + struct.pack(">H", len(items)) + places))

    return start + described(len(start) + len(described(0)) + 8) + box(b"mdat", coded)


def tiles(number: int, side: int) -> tuple[bytes, bytes, int]:
    """A square of as many tiles on each side."""
    return b"grid", struct.pack(">4B2I", 0, 1, number - 1, number - 1, number * side, number * side), number * side


def overlay(side: int, on_it: int) -> tuple[bytes, bytes, int]:
    """A canvas with pictures in its corner."""
    return b"iovl", struct.pack(">BB4HII", 0, 1, 0, 0, 0, 65535, side, side) + bytes(8 * on_it), side


def plain(side: int) -> np.ndarray:
    return np.full((side, side, 3), (200, 120, 40), np.uint8)


def test_a_picture_of_tiles_is_read():
    data = grid(plain(256), 2, 3, 700, 500)
    assert decoded_pixels(io.BytesIO(data)) == 6 * 256 * 256
    assert pixel_count(data) == 700 * 500
    picture = read_image(data)
    assert picture.shape == (500, 700, 3)
    assert np.abs(picture.astype(int) - (200, 120, 40)).max() <= 3


@pytest.mark.parametrize("size", [(100, 100), (7000, 7000)])
def test_tiles_of_far_more_pixels_than_the_picture_are_refused(size: tuple[int, int]):
    """Of 50 kB; unpacking them would take minutes."""
    data = grid(plain(2048), 30, 31, *size)
    assert len(data) < 100_000
    for read in (pixel_count, read_image):
        with pytest.raises(LimitExceeded, match="put together from parts of 3901 megapixels: at most 100 are unpacked"):
            read(data)


def test_tiles_that_claim_to_be_smaller_are_refused():
    with pytest.raises(UnreadableMedia, match="damaged"):
        read_image(grid(plain(2048), 8, 8, 500, 500, told=64))


def test_pictures_of_pictures_have_an_end():
    data = grid(plain(64), 1, 2, 128, 64)
    # The second tile is put together from the whole.
    reference = box(b"dimg", struct.pack(">HHHH", 3, 2, 1, 2))
    looped = box(b"dimg", struct.pack(">HHHH", 3, 2, 1, 3))
    assert reference in data
    with pytest.raises(UnreadableMedia, match="damaged"):
        read_image(data.replace(reference, looped))


def test_one_picture_has_no_parts():
    data = heic(plain(128))
    assert decoded_pixels(io.BytesIO(data)) == 0
    for cut in range(0, len(data), 7):
        with pytest.raises(UnreadableMedia):
            read_image(data[:cut])


def described(images: int, told: int, profile: int, before: bytes = b"") -> bytes:
    """A HEIC of ``images`` pictures with one item of ``told`` bytes about all of them, and one profile for all.

    Args:
        images: of 64 pixels a side, all at the same place of the file.
        told: bytes of the item, its first four included; 0 for none.
        profile: bytes of the colour profile; 0 for none.
        before: a box before the one that describes all this.
    """
    one, items = heic(plain(64)), images + bool(told)
    coded, about = inside(one, b"mdat")[8:], bytes(4) + b"x" * (told - 4) if told else b""
    names = [full_box(b"infe", struct.pack(">HH4sx", item, 0, b"hvc1"), 2) for item in range(1, images + 1)]
    names += [full_box(b"infe", struct.pack(">HH4s", items, 0, b"mime") + b"\0application/rdf+xml\0", 2)] * bool(told)
    properties = inside(one, b"hvcC") + full_box(b"ispe", struct.pack(">II", 64, 64))
    properties += box(b"colr", b"prof" + bytes(profile - 4)) if profile else b""
    each = bytes([0x81, 2, 3] if profile else [0x81, 2])
    owned = b"".join(struct.pack(">HB", item, len(each)) + each for item in range(1, images + 1))
    head = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)) + full_box(b"pitm", struct.pack(">H", 1))
    head += full_box(b"iinf", struct.pack(">H", items) + b"".join(names))
    if told:
        head += full_box(b"iref", box(b"cdsc", struct.pack(f">HH{images}H", items, images, *range(1, images + 1))))
    head += box(b"iprp", box(b"ipco", properties) + full_box(b"ipma", struct.pack(">I", images) + owned))
    start = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + before

    def placed(offset: int) -> bytes:
        places = [struct.pack(">4HII", item, 0, 0, 1, offset, len(coded)) for item in range(1, images + 1)]
        places += [struct.pack(">4HII", items, 0, 0, 1, offset + len(coded), told)] * bool(told)
        content = b"\x44\0" + struct.pack(">H", items) + b"".join(places)
        return full_box(b"meta", head + full_box(b"iloc", content, 1))

    return start + placed(len(start) + len(placed(0)) + 8) + box(b"mdat", coded + about)


@pytest.mark.parametrize(("told", "profile"), [(100_000, 0), (0, 100_000), (30_000, 70_000)])
def test_what_is_told_about_all_pictures_counts_for_each(told: int, profile: int):
    """Of 200 kB; its decoder would keep 60 MB."""
    data = described(600, told, profile)
    assert len(data) < 200_000
    assert told_bytes(io.BytesIO(data)) == 600 * (told + profile)
    for read in (pixel_count, read_image):
        with pytest.raises(LimitExceeded, match="holds 60 MB of metadata and colour profiles"):
            read(data)


def test_several_pictures_with_something_told_about_them_are_read():
    data = described(16, 50_000, 0)
    assert told_bytes(io.BytesIO(data)) == 16 * 50_000
    assert np.abs(read_image(data).astype(int) - (200, 120, 40)).max() <= 3


def test_what_is_told_in_a_compressed_form_is_refused():
    """It may unpack to any size, whatever the file says of it."""
    data = described(2, 1000, 0)
    packed = data.replace(b"\0application/rdf+xml\0", b"\0application/rdf\0def\0")
    assert packed != data
    with pytest.raises(UnreadableMedia, match="damaged"):
        read_image(packed)


def test_a_second_description_is_refused():
    """A decoder goes by the last one, whatever the first says."""
    first = inside(heic(plain(64)), b"meta")
    assert np.abs(read_image(described(2, 1000, 0)).astype(int) - (200, 120, 40)).max() <= 3
    with pytest.raises(UnreadableMedia, match="damaged"):
        read_image(described(2, 1000, 0, before=first))


TILE = (b"hvc1", 64, 64)
LARGE = (b"hvc1", 1024, 1024)
FOUR, MANY = [10, 11, 12, 13], list(range(100, 164))
OF_64, OF_1024 = 64**2, 1024**2


@pytest.mark.parametrize(
    ("items", "parts", "beside", "pixels"),
    [
        ({1: TILE}, {}, {}, 0),
        ({1: TILE, 2: TILE}, {}, {2: [1]}, 2 * OF_64),
        ({1: TILE, 2: TILE, 3: LARGE}, {}, {2: [1], 3: [2]}, 2 * OF_64 + OF_1024),
        ({1: tiles(2, 64), 2: LARGE, **dict.fromkeys(FOUR, TILE)}, {1: FOUR}, {2: FOUR}, 4 * (OF_64 + OF_1024)),
        ({1: tiles(2, 64), 2: LARGE, 3: TILE}, {1: [3] * 4}, {2: [3]}, 4 * (OF_64 + OF_1024)),
        ({1: TILE, 2: tiles(2, 64), 3: LARGE, **dict.fromkeys(FOUR, TILE)}, {2: FOUR}, {2: [1], 3: [2]}, 0x105000),
        ({1: overlay(64, 2), 2: LARGE, 3: TILE}, {1: [2, 3]}, {}, OF_64 + OF_1024),
        ({1: overlay(64, 2), 2: overlay(1024, 1), 3: TILE}, {1: [2, 3], 2: [3]}, {}, OF_64 + OF_1024),
        ({1: (b"iden", b"-", 64), 2: TILE, 3: LARGE}, {1: [2]}, {3: [2]}, OF_64 + OF_1024),
    ],
    ids=[
        "one",
        "transparency",
        "beside a transparency",
        "beside tiles",
        "beside one tile in all places",
        "beside tiles of a transparency",
        "overlay",
        "an overlay on another",
        "the same again",
    ],
)
def test_all_that_is_unpacked_for_a_picture_counts(items, parts, beside, pixels: int):
    assert decoded_pixels(io.BytesIO(put_together(items, parts, beside))) == pixels


@pytest.mark.parametrize(
    ("items", "parts", "beside", "megapixels"),
    [
        (
            {1: tiles(2, 64), 2: tiles(8, 1024), **dict.fromkeys(FOUR, TILE), **dict.fromkeys(MANY, LARGE)},
            {1: FOUR, 2: MANY},
            {2: FOUR},
            268,
        ),
        ({1: TILE, 2: TILE, 3: tiles(10, 1024), 4: LARGE}, {3: [4] * 100}, {2: [1], 3: [2]}, 105),
        ({1: overlay(64, 120), 2: TILE, 3: LARGE}, {1: [2] * 120}, {3: [2]}, 126),
        ({1: overlay(64, 2), 2: overlay(9000, 1), 3: TILE}, {1: [2, 2], 2: [3]}, {}, 162),
    ],
    ids=["beside tiles", "beside a transparency", "beside what lies on an overlay", "large overlays on another"],
)
def test_transparency_beside_parts_without_end_is_refused(items, parts, beside, megapixels: int):
    data = put_together(items, parts, beside)
    assert len(data) < 10_000
    for read in (pixel_count, read_image):
        with pytest.raises(LimitExceeded, match=f"parts of {megapixels} megapixels: at most 100 are unpacked"):
            read(data)


def test_transparency_that_tells_no_size_is_refused():
    """Its decoder would unpack whatever size it has."""
    for told in (1024, 0):
        data = put_together({1: TILE, 2: (b"hvc1", 1024, told)}, {}, {2: [1]})
        if told:
            assert read_image(data).shape == (64, 64, 3)
        else:
            with pytest.raises(UnreadableMedia, match="damaged"):
                read_image(data)


def test_what_belongs_to_itself_has_no_end():
    with pytest.raises(UnreadableMedia, match="damaged"):
        read_image(put_together({1: TILE, 2: TILE}, {}, {2: [2, 1]}))


def test_a_picture_of_tiles_with_much_beside_it_is_read():
    """As telephones write it: what tells depth and brightness, and outlines of hair and skin."""
    beside = {item: [1] for item in range(2, 10)}
    items = {1: tiles(2, 64), **dict.fromkeys(beside, LARGE), **dict.fromkeys(FOUR, TILE)}
    data = put_together(items, {1: FOUR}, beside)
    assert decoded_pixels(io.BytesIO(data)) == 4 * OF_64 + 8 * OF_1024
    assert read_image(data).shape == (128, 128, 3)


def test_transparent_pictures_are_read():
    picture = np.dstack([plain(64), np.full((64, 64), 255, np.uint8)])
    data = heic(picture)
    assert decoded_pixels(io.BytesIO(data)) == 2 * OF_64
    assert np.abs(read_image(data).astype(int) - (200, 120, 40)).max() <= 3


SMALL_REFERENCE = struct.pack(">HHH", 10, 1, 11)


def reaching(length: int) -> Callable[[bytes], bytes]:
    """A reference's box before the others that reaches over them, by its size or (0) to the end."""
    return lambda others: struct.pack(">I4s", length and length + len(others), b"thmb") + SMALL_REFERENCE + others


@pytest.mark.parametrize(
    ("listed", "also"),
    [
        (reaching(8 + len(SMALL_REFERENCE)), b""),
        (reaching(0), b""),
        (lambda others: box(b"thmb", SMALL_REFERENCE + bytes(4)) + others, b""),
        (lambda others: others + bytes(4), b""),
        (lambda others: others, full_box(b"pitm", struct.pack(">H", 10))),
        (lambda others: others, full_box(b"iref", box(b"thmb", SMALL_REFERENCE))),
        (lambda others: others, box(b"iprp", box(b"ipco", b""))),
        (lambda others: others, full_box(b"iinf", bytes(2))),
        (lambda others: others, box(b"idat", b"-") * 2),
    ],
    ids=[
        "over others",
        "to the end",
        "with more in it",
        "and something behind",
        "two main pictures",
        "two lists of references",
        "two lists of properties",
        "two lists of names",
        "two boxes of data",
    ],
)
def test_descriptions_that_readers_take_differently_are_refused(listed, also: bytes):
    """A decoder goes by a reference's number of items, whatever its box's size, and takes the first of two lists."""
    items = {1: tiles(8, 1024), **dict.fromkeys(FOUR, TILE), **dict.fromkeys(MANY, LARGE)}
    assert decoded_pixels(io.BytesIO(put_together(items, {1: MANY}, {}))) == 64 * OF_1024
    data = put_together(items, {1: MANY}, {}, listed, also)
    for read in (decoded_pixels, told_bytes):
        with pytest.raises(ValueError, match=r"box|number of items"):
            read(io.BytesIO(data))
    for read in (pixel_count, read_image):
        with pytest.raises(UnreadableMedia, match="damaged"):
            read(data)


def test_a_picture_whose_properties_are_told_twice_is_refused():
    """A decoder takes the first, where the other tells the size."""
    data = put_together({1: TILE, 2: TILE}, {}, {2: [1]})
    owner = struct.pack(">HB", 2, 3)
    assert data.count(owner) == 1
    assert decoded_pixels(io.BytesIO(data)) == 2 * OF_64
    with pytest.raises(ValueError, match="twice"):
        decoded_pixels(io.BytesIO(data.replace(owner, struct.pack(">HB", 1, 3))))
