"""PNGs in a video that unpack to far more than their pixels."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from pictures_made import QUARTERS, saved
from test_media_metered import PNG_HEAD, chunk
from test_media_unpacking import muxed, packets
from videos_made import number_of

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media import png_frames, probe_video, read_video
from durian.media.png_frames import plain_frame

PICTURE = saved(QUARTERS, "PNG")
PACKED = zlib.compress(bytes(1_000_000))
BESIDE = [
    chunk(b"iCCP", b"profile\0\0" + PACKED),
    chunk(b"zTXt", b"text\0\0" + PACKED),
    chunk(b"iTXt", b"text\0\1\0\0\0" + PACKED),
    chunk(b"eXIf", bytes(1000)),
]


def with_inside(picture: bytes, inside: bytes) -> bytes:
    return picture[:PNG_HEAD] + inside + picture[PNG_HEAD:]


def with_rows(rows: int) -> bytes:
    """As many rows as the picture has, and more."""
    height, width = QUARTERS.shape[:2]
    data = zlib.compress(bytes((1 + 3 * width) * (height + rows)))
    return PICTURE[:PNG_HEAD] + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("inside", BESIDE, ids=lambda inside: inside[4:8].decode())
def test_what_no_pixel_depends_on_is_left_out(inside: bytes):
    assert plain_frame(PICTURE, "clip.mov") == PICTURE
    assert plain_frame(with_inside(PICTURE, inside * 3), "clip.mov") == PICTURE


def test_a_video_with_profiles_is_read_without_them(tmp_path: Path):
    frames = [with_inside(frame, b"".join(BESIDE)) for frame in packets("png", 8)]
    found = read_video(muxed(tmp_path / "clip.mov", "png", frames)).frames
    assert [number_of(frame) for frame in found] == list(range(8))


@pytest.mark.parametrize("ending", ["mov", "avi"])
def test_pixels_that_go_on_behind_the_last_row(tmp_path: Path, ending: str):
    path = muxed(tmp_path / f"clip.{ending}", "png", [with_rows(10_000)] * 3)
    with pytest.raises(
        LimitExceeded, match=rf"^A frame of clip\.{ending} is a PNG of far more than its pixels: convert"
    ):
        probe_video(path)


@pytest.mark.parametrize("parts", [1, 7, 500])
def test_the_pixels_may_lie_in_parts(parts: int):
    data = PICTURE[PNG_HEAD + 8 : -16]
    pieces = [
        chunk(b"IDAT", data[at : at + 1 + len(data) // parts]) for at in range(0, len(data), 1 + len(data) // parts)
    ]
    picture = PICTURE[:PNG_HEAD] + b"".join(pieces) + PICTURE[-12:]
    assert plain_frame(picture, "clip.mov") == picture


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_as_it_was(mode: str):
    from PIL import Image

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 50, 4), dtype=np.uint8))
    picture = Image.new(mode, (50, 40), 30_000) if mode == "I;16" else noise.convert(mode)
    data = saved(picture, "PNG")
    assert plain_frame(data, "clip.mov") == data


def test_far_too_many_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(png_frames, "MOST_CHUNKS", 50)
    with pytest.raises(LimitExceeded, match=r"A frame of clip\.mov is a PNG of far more"):
        plain_frame(with_inside(PICTURE, chunk(b"pHYs", bytes(9)) * 60), "clip.mov")


def test_far_too_many_pixels_or_none():
    for size, error in ((b"\0\1\0\0" * 2, LimitExceeded), (bytes(8), UnreadableMedia)):
        with pytest.raises(error, match=r"^A frame of clip\.mov "):
            plain_frame(PICTURE[:16] + size + PICTURE[24:], "clip.mov")


def test_a_damaged_frame_is_for_the_decoder():
    for cut in (0, 7, 20, 40, 60, len(PICTURE) - 3):
        assert PICTURE.startswith(plain_frame(PICTURE[:cut], "clip.mov"))
    plain_frame(PICTURE[:60] + bytes(20) + PICTURE[80:], "clip.mov")
