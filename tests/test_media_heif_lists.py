"""Files whose lists tell of far more pictures and frames than they hold: refused before a decoder goes by them."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from pictures_made import heic
from PIL import Image
from test_media_avif_frames import SIDE, avif
from test_media_heif_parts import box, full_box

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media import pixel_count, read_image
from durian.media.avif_frames import unpacked_pixels
from durian.media.boxes import box_content, boxes_in
from durian.media.heif_lists import MOST_FRAMES, MOST_ITEMS, check_lists

AROUND = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
FRAMES = "tells of more frames, or of more groups of them, than the 100,000 that are read"
ITEMS = "has lists of more than the 10,000 entries that are read about pictures"


def sequence(frames: int = 3) -> bytes:
    more = [Image.new("RGB", (SIDE, SIDE), (40 * each % 256, 100, 90)) for each in range(1, frames)]
    return avif(save_all=True, append_images=more)


def with_tables(data: bytes, tables: dict[bytes, bytes], beside: bytes = b"") -> bytes:
    """The file with other contents of its sequence's tables.

    Args:
        data: a sequence.
        tables: by their names; others that tell of single frames are left out.
        beside: a box more in each track.
    """
    made = b""
    for kind, content in boxes_in(data):
        if kind in AROUND:
            content = with_tables(content, tables, beside) + (beside if kind == b"trak" else b"")
        if kind in tables or kind not in (b"stss", b"stts"):
            made += box(kind, tables.get(kind, content))
    return made


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values) + 1}I", 0, *values)


def of_one_size(told: int, in_a_chunk: int, chunks: int = 1) -> dict[bytes, bytes]:
    """Tables of frames of one byte each."""
    return {
        b"stsz": numbers(1, told),
        b"stsc": numbers(1, 1, in_a_chunk, 1),
        b"stco": numbers(chunks, *range(100, 100 + chunks)),
    }


def of_groups(count: int) -> dict[bytes, bytes]:
    """As many chunks as groups of them, which begin one after the other."""
    groups = [value for group in range(count) for value in (group + 1, 1, 1)]
    return {b"stsz": numbers(1, count), b"stsc": numbers(count, *groups), b"stco": numbers(count, *[100] * count)}


HUGE = 2_000_000
TOO_MANY = {
    "frames": of_one_size(HUGE, HUGE),
    "frames of which one is told": of_one_size(1, HUGE),
    "frames in some chunks": of_one_size(1, 50_000, 3),
    "frames in a group that is not the last": {
        b"stsz": numbers(1, 1),
        b"stsc": numbers(3, 1, 1, 1, 2, HUGE, 1, 3, 1, 1),
        b"stco": numbers(3, 100, 100, 100),
    },
    "groups of chunks": of_groups(4000),
    "times": {b"stts": numbers(HUGE)},
}


@pytest.mark.parametrize("tables", TOO_MANY.values(), ids=TOO_MANY)
@pytest.mark.parametrize("kind", ["AVIF", "HEIC"])
def test_tables_of_millions_of_frames(kind: str, tables: dict[bytes, bytes]):
    """Of some kB, which would take hundreds of MB, or seconds, before a pixel is unpacked."""
    data = with_tables(sequence(), tables)
    if kind == "HEIC":
        (film,) = (content for name, content in boxes_in(data) if name == b"moov")
        data = heic(np.zeros((SIDE, SIDE, 3), np.uint8)) + box(b"moov", film)
    assert len(data) < 70_000
    for read in (pixel_count, read_image):
        with pytest.raises(LimitExceeded, match=FRAMES):
            read(data)


def test_frames_of_all_tracks_count_together():
    (film,) = (content for name, content in boxes_in(sequence()) if name == b"moov")
    (track,) = (content for name, content in boxes_in(film) if name == b"trak")
    half = with_tables(box(b"trak", track), of_one_size(MOST_FRAMES // 2, MOST_FRAMES // 2))
    check_lists(io.BytesIO(box(b"moov", half * 2)), "It")
    with pytest.raises(LimitExceeded, match=FRAMES):
        check_lists(io.BytesIO(box(b"moov", half * 3)), "It")


def test_a_second_film_is_not_overlooked():
    data = sequence()
    (film,) = (content for name, content in boxes_in(data) if name == b"moov")
    with pytest.raises(UnreadableMedia, match="damaged"):
        pixel_count(data + box(b"moov", film))


@pytest.mark.parametrize("frames", [2, 40])
def test_animations_are_read(frames: int):
    data = sequence(frames)
    assert pixel_count(data) == SIDE**2
    assert np.abs(read_image(data)[32, 32].astype(int) - (255, 99, 71)).max() <= 12


def test_an_animation_of_an_hour_and_groups_that_differ_are_read():
    frames = MOST_FRAMES - 1
    for tables in (of_one_size(frames, frames), of_groups(1000)):
        check_lists(io.BytesIO(with_tables(sequence(), tables)), "It")


def with_lists(data: bytes, **more: bytes) -> bytes:
    """An AVIF's description with the lists instead of its own, whose places are not moved."""
    made = b""
    for kind, content in boxes_in(data):
        if kind == b"meta":
            lists = b"".join(
                box(name, more.get(name.decode(), inside)) for name, inside in boxes_in(content[4:])
            ) + b"".join(box(name.encode(), inside) for name, inside in more.items() if name.encode() not in content)
            content = content[:4] + lists
        made += box(kind, content)
    return made


TEXT = full_box(b"infe", struct.pack(">HH4s", 7, 0, b"mime") + b"\0a\0", 2)
LISTS = {
    "names": {"iinf": bytes(4) + struct.pack(">H", 12_000) + TEXT * 12_000},
    "places of many": {"iloc": b"\0\0\0\0\0\0" + struct.pack(">H", 60_000)},
    "places of no bytes": {"iloc": bytes(6) + struct.pack(">4H", 1, 7, 0, 65_535)},
    "references": {"iref": bytes(4) + box(b"cdsc", struct.pack(">HH", 7, 12_000) + bytes(24_000))},
    "owners of properties": {"iprp": box(b"ipma", numbers(400) + (b"\0\7\xff" + b"\1" * 255) * 400)},
    "properties": {"iprp": box(b"ipco", box(b"free", b"") * 12_000)},
}


@pytest.mark.parametrize("lists", LISTS.values(), ids=LISTS)
def test_lists_of_pictures_without_end(lists: dict[str, bytes]):
    with pytest.raises(LimitExceeded, match=ITEMS):
        pixel_count(with_lists(avif(), **lists))


def test_pictures_that_a_track_lists():
    """In 3 kB they may lie in millions of places."""
    places = full_box(b"iloc", bytes(2) + struct.pack(">H", 300) + struct.pack(">3H", 7, 0, 65_535) * 300)
    with pytest.raises(LimitExceeded, match=ITEMS):
        pixel_count(with_tables(sequence(), {}, full_box(b"meta", places)))


def test_boxes_without_end():
    empty = box(b"trak", b"")
    with pytest.raises(LimitExceeded, match=ITEMS):
        check_lists(io.BytesIO(box(b"moov", box(b"trak", empty * (MOST_ITEMS + 1)))), "It")
    with pytest.raises(UnreadableMedia, match="damaged"):
        pixel_count(sequence() + box(b"moov", empty * 30_000))


def named(*items: int, told: int | None = None) -> bytes:
    names = b"".join(full_box(b"infe", struct.pack(">HH4s", item, 0, b"av01") + b"\0", 2) for item in items)
    return bytes(4) + struct.pack(">H", len(items) if told is None else told) + names


def placed(*items: int, widths: int = 0x44) -> bytes:
    places = b"".join(struct.pack(">3HII", item, 0, 1, 100, 10) for item in items)
    return bytes([0, 0, 0, 0, widths, 0]) + struct.pack(">H", len(items)) + places


@pytest.mark.parametrize(
    "lists",
    [
        {"iinf": named(1, 1)},
        {"iinf": named(1, 2, told=1)},
        {"iinf": named(1) + box(b"free", b"")},
        {"iloc": placed(1, 1)},
        {"iloc": placed(1, widths=0x42)},
        {"iref": bytes(4) + struct.pack(">I", 0) + b"cdsc" + struct.pack(">3H", 1, 1, 2)},
        {"iref": bytes(4) + box(b"cdsc", struct.pack(">3H", 1, 1, 2) + box(b"dimg", bytes(4)))},
        {"iprp": box(b"ipma", numbers(0)) * 2},
    ],
    ids=["names", "more names", "others", "places", "widths", "to the end", "references", "owners"],
)
def test_lists_that_readers_take_differently(lists: dict[str, bytes]):
    """Of a name or place that is there twice, and of one too many, each reader takes another."""
    for sound in (named(1, 2), placed(1, 2)):
        check_lists(io.BytesIO(with_lists(avif(), **{"iinf" if b"infe" in sound else "iloc": sound})), "It")
    data = with_lists(avif(), **lists)
    with pytest.raises(ValueError, match=r"box|name|place|number"):
        check_lists(io.BytesIO(data), "It")
    with pytest.raises(UnreadableMedia, match="damaged"):
        pixel_count(data)


def test_a_description_longer_than_its_file():
    data = heic(np.zeros((SIDE, SIDE, 3), np.uint8))
    at = data.index(b"meta") - 4
    assert len(box_content(io.BytesIO(data))) < len(data)
    for size in (0, len(data) - at + 1):
        with pytest.raises(ValueError, match="length"):
            box_content(io.BytesIO(data[:at] + struct.pack(">I", size) + data[at + 4 :]))


def test_tables_of_a_track_that_are_there_twice():
    """The first frame lies where the first of two lists tells."""
    data = sequence()
    assert data.count(b"stss") == 1
    assert unpacked_pixels(io.BytesIO(data))[0] == SIDE**2
    with pytest.raises(ValueError, match="more than one box b'stco'"):
        unpacked_pixels(io.BytesIO(data.replace(b"stss", b"stco")))
