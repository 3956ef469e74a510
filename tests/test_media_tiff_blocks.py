"""TIFFs whose tiles or strips unpack to far more than their picture, refused before one is."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from pictures_made import QUARTERS, saved
from PIL import Image, TiffImagePlugin

from durian.errors import DurianError, LimitExceeded, UnreadableMedia
from durian.media import read_image, tiff_blocks

SIDE = 64
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, SAMPLES = 256, 257, 258, 259, 262, 273, 277
ROWS, STRIP_BYTES, PLANAR, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 278, 279, 284, 322, 323, 324, 325
DEFLATE, LZW, PACKBITS, LZMA, ZSTD, JPEG = 8, 5, 32773, 34925, 50000, 7


def tiff(data: bytes, *entries: tuple[int, list[int]], count: int = 1, compression: int = DEFLATE) -> bytes:
    """A grey TIFF of 64 × 64 pixels, whose ``count`` tiles (where their size is told) or strips are all ``data``."""
    is_tiled = any(tag == TILE_WIDTH for tag, _ in entries)
    told = [(WIDTH, [SIDE]), (HEIGHT, [SIDE]), (BITS, [8]), (COMPRESSION, [compression]), (PHOTOMETRIC, [1])]
    told += [(SAMPLES, [1]), *entries, (TILE_BYTES if is_tiled else STRIP_BYTES, [len(data)] * count)]
    told += [(TILES if is_tiled else STRIPS, [8] * count)]
    at = 8 + len(data)
    directory, beside = b"", b""
    behind = at + 2 + 12 * len(told) + 4
    for tag, values in sorted(told, key=lambda entry: entry[0]):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(packed) > 4:
            packed, beside = struct.pack("<I", behind + len(beside)), beside + packed
        directory += struct.pack("<HHI", tag, 4, len(values)) + packed
    return b"II*\0" + struct.pack("<I", at) + data + struct.pack("<H", len(told)) + directory + bytes(4) + beside


def tiled(side: int) -> tuple[tuple[int, list[int]], tuple[int, list[int]]]:
    return (TILE_WIDTH, [side]), (TILE_HEIGHT, [side])


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Image.Image) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", never)


GREY = zlib.compress(b"\x80" * SIDE * SIDE)
SMALL = zlib.compress(b"\x80" * 256)


def test_tiles_and_strips_are_read():
    flat = np.full((SIDE, SIDE, 3), 128, np.uint8)
    for data in (
        tiff(GREY, (ROWS, [SIDE])),
        tiff(GREY),
        tiff(b"\x80" * SIDE * SIDE, compression=1),
        # A tile that is larger than the picture, and two that share their data.
        tiff(zlib.compress(b"\x80" * 1024 * 1024), *tiled(1024)),
        tiff(zlib.compress(b"\x80" * 64 * 32), (TILE_WIDTH, [SIDE]), (TILE_HEIGHT, [32]), count=2),
    ):
        assert np.array_equal(read_image(data), flat)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd", "jpeg"])
def test_strips_of_programs_are_read(compression: str | None):
    large = Image.fromarray(np.kron(QUARTERS, np.ones((16, 16, 1), np.uint8)))
    data = saved(large, "TIFF", compression=compression)
    assert np.abs(read_image(data).astype(int) - np.asarray(large)).max() <= (8 if compression == "jpeg" else 0)


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}, {"planarconfig": "separate"}])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiles_of_programs_are_read(options: dict[str, object], compression: str | None):
    picture = np.random.default_rng(0).integers(0, 255, (300, 200, 3), dtype=np.uint8)
    buffer, planes = io.BytesIO(), options.get("planarconfig") == "separate"
    content = np.ascontiguousarray(np.moveaxis(picture, -1, 0)) if planes else picture
    tifffile.imwrite(buffer, content, tile=(64, 48), photometric="rgb", compression=compression, **options)
    assert np.array_equal(read_image(buffer.getvalue()), picture)


@pytest.mark.parametrize("compression", [1, DEFLATE, LZW, PACKBITS, LZMA, ZSTD, JPEG])
@pytest.mark.parametrize(("across", "down"), [(40_000, 40_000), (2000, 16), (16, 4_000_000)])
def test_a_tile_far_larger_than_its_picture(undecoded: None, compression: int, across: int, down: int):
    data = tiff(GREY, (TILE_WIDTH, [across]), (TILE_HEIGHT, [down]), compression=compression)
    with pytest.raises(LimitExceeded, match=rf"^The picture is a TIFF of 64×64 pixels in tiles of {across}×{down}: "):
        read_image(data)


@pytest.mark.parametrize("compression", [DEFLATE, LZW, PACKBITS, LZMA, ZSTD, JPEG])
@pytest.mark.parametrize("entries", [tiled(16), ((ROWS, [4]),)], ids=["tiles", "strips"])
def test_tiles_or_strips_that_share_their_data(undecoded: None, compression: int, entries: tuple):
    with pytest.raises(LimitExceeded, match=r"whose tiles or strips have 1\.6 MB, in a file of 0\.1 MB: save it again"):
        read_image(tiff(SMALL + bytes(100_000), *entries, count=16, compression=compression))


@pytest.mark.parametrize("compression", [1, DEFLATE])
def test_far_too_many_tiles(undecoded: None, compression: int, monkeypatch: pytest.MonkeyPatch):
    """By what the picture needs, and by what is listed."""
    monkeypatch.setattr(tiff_blocks, "MOST_BLOCKS", 1000)
    for data in (
        tiff(b"\x80", *tiled(1), count=10, compression=compression),
        tiff(b"\x80", *tiled(SIDE), count=1001, compression=compression),
        tiff(b"\x80", count=1001, compression=compression),
    ):
        with pytest.raises(LimitExceeded, match="tiles or strips: at most 1,000 are read; save it again without tiles"):
            read_image(data)


@pytest.mark.parametrize(
    "entries",
    [(*tiled(40_000), *tiled(64)), (*tiled(64), *tiled(40_000)), (*tiled(64), (BITS, [64]))],
    ids=["larger first", "smaller first", "bits"],
)
def test_what_is_told_twice(undecoded: None, entries: tuple):
    with pytest.raises(UnreadableMedia, match="is a TIFF that tells its size twice: save it again"):
        read_image(tiff(GREY, *entries))


def test_depth(undecoded: None):
    with pytest.raises(UnreadableMedia, match="is a TIFF with depth: save it as a picture of one layer"):
        read_image(tiff(GREY, *tiled(64), (32_997, [100_000])))


def test_whatever_is_broken_is_refused_or_read():
    data = tiff(SMALL, *tiled(16), count=16)
    random = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        for place in random.integers(0, len(data), 3):
            broken[place] = random.integers(256)
        with contextlib.suppress(DurianError):
            read_image(bytes(broken))
