"""Kinds of files, told from their first bytes, and the sentences about those that are not read."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from pictures_made import QUARTERS, saved
from PIL import Image

from durian.errors import UnreadableMedia
from durian.media import probe_video, read_image
from durian.media.kinds import sniff, with_article

RAW = "a camera's raw file"


def tiff_of(*tags: tuple[int, str, int, object, bool], **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, QUARTERS, photometric="rgb", extratags=tags, **options)
    return buffer.getvalue()


NEW_SUBFILE_TYPE, SUB_IFDS = 254, 330


def tiff_head(order: str, *tags: tuple[int, int]) -> bytes:
    """A TIFF's first bytes, with numbers by tag, in byte order ``<`` or ``>``."""
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags)
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(tags)) + entries + bytes(4)


DNG_VERSION = (50706, "B", 4, b"\1\4\0\0", True)
TGA_HEAD = struct.pack("<BBB5xHHHHBB", 0, 0, 2, 0, 0, 64, 48, 24, 32)

FOREIGN = {
    "an icon": saved(QUARTERS, "ICO"),
    "a JPEG 2000 picture": saved(QUARTERS, "JPEG2000"),
    "a JPEG XL picture": b"\xff\x0a" + bytes(20),
    "an OpenEXR picture": b"\x76\x2f\x31\x01" + bytes(20),
    "a TGA picture": saved(QUARTERS, "TGA"),
    "a PPM picture": saved(QUARTERS, "PPM"),
    "an EPS or PostScript drawing": saved(QUARTERS, "EPS"),
    "an MPEG transport stream": (b"\x47" + bytes(187)) * 8,
    "an MPEG program stream": b"\0\0\1\xba" + bytes(20),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_kinds_are_called_by_their_names(tmp_path, kind):
    path = tmp_path / "given.mp4"
    path.write_bytes(FOREIGN[kind])
    with pytest.raises(UnreadableMedia, match=f"given.mp4 is {kind}: choose a JPEG"):
        read_image(path)
    with pytest.raises(UnreadableMedia, match=f"given.mp4 is {kind}: choose an MP4"):
        probe_video(path)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"\xff\x4f\xff\x51\0\0", "a JPEG 2000 picture"),
        (bytes(4) + (b"\x47" + bytes(191)) * 8, "an MPEG transport stream"),
        (b"P3\n# by hand\n2 2\n255\n", "a PPM picture"),
        (TGA_HEAD, "a TGA picture"),
        (b"FUJIFILMCCD-RAW 0201", RAW),
        (b"IIRO\x08\0\0\0", RAW),
        (b"IIU\0\x18\0\0\0", RAW),
        (b"II*\0\x10\0\0\0CR\2\0", RAW),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", RAW),
        (tiff_of(DNG_VERSION), RAW),
        (tiff_of(DNG_VERSION, byteorder=">"), RAW),
        (tiff_head("<", (NEW_SUBFILE_TYPE, 1), (SUB_IFDS, 900)), RAW),
        (tiff_head(">", (NEW_SUBFILE_TYPE, 1), (SUB_IFDS, 900)), RAW),
        # What only looks like one of them.
        (tiff_of(), "tiff"),
        (tiff_head("<", (SUB_IFDS, 900)), "tiff"),
        (tiff_head("<", (NEW_SUBFILE_TYPE, 0), (SUB_IFDS, 900)), "tiff"),
        (tiff_of(subfiletype=1), "tiff"),
        (tiff_of(bigtiff=True), "tiff"),
        (b"II*\0", "tiff"),
        (b"II*\0\xff\xff\xff\xff", "tiff"),
        (b"II*\0\x08\0\0\0\xff\xff", "tiff"),
        (b"G" * 100, "text"),
        (b"P5 is a fine radio play", "text"),
        (bytes(4000), "unknown"),
    ],
)
def test_a_kind_by_its_first_bytes(head, kind):
    assert sniff(head) == kind


def test_a_tiff_of_several_pages_is_a_picture():
    second = Image.fromarray(255 - QUARTERS)
    data = saved(QUARTERS, "TIFF", save_all=True, append_images=[second])
    assert np.array_equal(read_image(data), QUARTERS)


@pytest.mark.parametrize("form", ["WEBP", "PNG", "AVIF"])
def test_a_moving_picture_is_no_video(tmp_path, form):
    path = tmp_path / "moving"
    second = Image.fromarray(255 - QUARTERS)
    path.write_bytes(saved(QUARTERS, form, save_all=True, append_images=[second]))
    with pytest.raises(UnreadableMedia, match=f"is an animated {form}, which is not read as a video: convert it"):
        probe_video(path)
    path.write_bytes(saved(QUARTERS, form))
    with pytest.raises(UnreadableMedia, match="moving is a picture, without moving pictures: choose an MP4"):
        probe_video(path)


def test_what_holds_nothing_holds_no_pictures_either(tmp_path):
    path = tmp_path / "e.mp4"
    path.touch()
    with pytest.raises(UnreadableMedia, match=r"^e\.mp4 is empty: choose an MP4"):
        probe_video(path)
    with pytest.raises(UnreadableMedia, match=r"^gone\.mp4 does not exist: choose an MP4, MOV"):
        probe_video(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    ("words", "spoken"), [("MP4 video", "an MP4 video"), ("AVI", "an AVI"), ("JPEG", "a JPEG"), ("icon", "an icon")]
)
def test_articles(words, spoken):
    assert with_article(words) == spoken
