"""Small files whose data beside the pixels would keep a decoder busy for hours or fill the memory."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from pictures_made import QUARTERS, exif_of, saved
from PIL import Image

from durian.errors import LimitExceeded
from durian.media import metered, pixel_count, read_image

GIF_HEAD, JPEG_HEAD, PNG_HEAD, TIFF_HEAD = 13 + 3 * 4, 2, 33, 8
"""Where the first part may come; a GIF of four colours has them before."""


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def tags(count: int, length: int) -> bytes:
    """A TIFF's directory of ``count`` tags that all name the same ``length`` bytes."""
    entries = (struct.pack("<HHII", 40_000 + index, 1, length, TIFF_HEAD) for index in range(count))
    return struct.pack("<H", count) + b"".join(entries) + bytes(4)


def overlapping_tiff() -> bytes:
    """1 MB, of which forty tags each name all."""
    data = bytes(1_000_000)
    return b"II*\0" + struct.pack("<I", TIFF_HEAD + len(data)) + data + tags(40, len(data))


def overlapping_exif() -> bytes:
    return b"Exif\0\0II*\0" + struct.pack("<I", TIFF_HEAD) + tags(2000, 200_000) + bytes(200_000)


def with_inside(form: str, at: int, inside: bytes) -> bytes:
    """A picture with something put in at a place of its header."""
    picture = Image.fromarray(QUARTERS)
    data = saved(picture.quantize(256, dither=Image.Dither.NONE) if form == "GIF" else picture, form)
    return data[:at] + inside + data[at:]


FILES = {
    "a comment in pieces": with_inside("GIF", GIF_HEAD, b"\x21\xfe" + (b"\xff" + b"a" * 255) * 2500 + b"\0"),
    "many comments": with_inside("GIF", GIF_HEAD, b"\x21\xfe\x01a\0" * 60_000),
    "many segments": with_inside("JPEG", JPEG_HEAD, segment(0xFE, b"a") * 60_000),
    "much before a segment": with_inside("JPEG", JPEG_HEAD, b"\xff" * 60_000),
    "much Exif": with_inside("JPEG", JPEG_HEAD, segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 3),
    "many chunks": with_inside("PNG", PNG_HEAD, chunk(b"prVt", b"") * 30_000),
    "many empty pieces": with_inside("PNG", PNG_HEAD, chunk(b"IDAT", b"") * 300_000),
    "tags over each other": overlapping_tiff(),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_what_is_beside_the_pixels_has_an_end(data: bytes):
    with pytest.raises(LimitExceeded, match="beside its pixels: save it again without metadata"):
        read_image(data)


@pytest.mark.parametrize("name", ["a comment in pieces", "tags over each other"])
def test_its_size_is_not_asked_for_either(name: str, tmp_path):
    (tmp_path / "photo").write_bytes(FILES[name])
    with pytest.raises(LimitExceeded, match="photo holds far more"):
        pixel_count(tmp_path / "photo")


@pytest.mark.parametrize(
    "inside",
    [
        chunk(b"eXIf", overlapping_exif().removeprefix(b"Exif\0\0")),
        chunk(
            b"zTXt",
            b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 9\n" + overlapping_exif().hex().encode()),
        ),
    ],
    ids=["in its own chunk", "as text"],
)
def test_exif_that_is_too_long_to_be_looked_through_turns_nothing(inside: bytes, monkeypatch: pytest.MonkeyPatch):
    def never(self: Image.Exif, data: bytes) -> None:
        raise AssertionError("its tags were read")

    data = with_inside("PNG", PNG_HEAD, inside)
    monkeypatch.setattr(Image.Exif, "load", never)
    assert np.array_equal(read_image(data), QUARTERS)


def test_what_cameras_and_programs_write_is_read():
    long_profile = bytes(3_000_000)
    notes = {"exif": exif_of(6).tobytes() + bytes(60_000), "icc_profile": long_profile, "comment": b"a" * 60_000}
    assert read_image(saved(QUARTERS, "JPEG", **notes)).shape == (64, 48, 3)
    layers = Image.fromarray(QUARTERS)
    buffer = io.BytesIO()
    layers.save(buffer, "TIFF", tiffinfo={37_724: b"a" * 3_000_000})
    assert np.array_equal(read_image(buffer.getvalue()), QUARTERS)
    assert metered.MOST_BYTES["jpeg"] > 3 * len(long_profile)
