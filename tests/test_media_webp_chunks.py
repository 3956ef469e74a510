"""Animated WebPs of very many frames, and large files that decoders read whole."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from pictures_made import QUARTERS
from PIL import Image

from durian.errors import LimitExceeded
from durian.media import pixel_count, read_image, webp_chunks
from durian.media.webp_chunks import MOST_CHUNKS


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def webp(frames: int, between: bytes = b"", behind: bytes = b"") -> bytes:
    """Frames of one grey pixel on a canvas of 64 pixels a side, with something after each, and behind the file."""
    one = io.BytesIO()
    Image.new("RGB", (1, 1), (128, 128, 128)).save(one, "WEBP", lossless=True)
    pixel = chunk(b"ANMF", bytes(12) + b"\x0a\0\0\0" + one.getvalue()[12:]) + between
    side = struct.pack("<I", 63)[:3]
    content = b"WEBP" + chunk(b"VP8X", b"\x02\0\0\0" + side * 2) + chunk(b"ANIM", bytes(6)) + pixel * frames
    return b"RIFF" + struct.pack("<I", len(content)) + content + behind


@pytest.mark.parametrize("between", [b"", chunk(b"none", b""), chunk(b"none", b"odd")], ids=["none", "empty", "odd"])
def test_frames_and_other_parts_are_counted(monkeypatch, between):
    parts = 2 if between else 1
    monkeypatch.setattr(webp_chunks, "MOST_CHUNKS", 2 + 50 * parts)
    # What lies behind the file's own end is none of its parts.
    assert read_image(webp(50, between, bytes(4000))).shape == (64, 64, 3)
    sentence = (
        rf"^The picture has more than {2 + 50 * parts} frames or other parts: save one of its pictures by itself\.$"
    )
    for read in (read_image, pixel_count):
        with pytest.raises(LimitExceeded, match=sentence):
            read(webp(51, between))


def test_too_many_frames_are_refused_before_the_decoder_sees_them(monkeypatch):
    data = webp(MOST_CHUNKS)
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(LimitExceeded, match="more than 10,000 frames"):
        read_image(data)


@pytest.mark.parametrize("options", [{"quality": 90}, {"lossless": True}, {"lossless": True, "icc_profile": b"none"}])
def test_stills_and_real_animations_are_read(options):
    still, moving = io.BytesIO(), io.BytesIO()
    picture = Image.fromarray(QUARTERS)
    picture.save(still, "WEBP", **options)
    picture.save(
        moving, "WEBP", save_all=True, append_images=[picture.rotate(90 * turn) for turn in range(4)], **options
    )
    for data in (still, moving):
        assert np.abs(read_image(data.getvalue())[8, 8].astype(int) - QUARTERS[8, 8]).max() <= 6
