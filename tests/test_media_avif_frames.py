"""AVIFs that hold more than they claim: refused before a frame is decoded, where others are read as ever."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from pictures_made import QUARTERS, saved
from PIL import Image
from test_media_unpacking import packets, units
from videos_made import HEIGHT, WIDTH

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media import read_image
from durian.media.av1_frames import ENDLESS, frame_pixels
from durian.media.avif_frames import unpacked_pixels

SIDE = 64
FRAME = 6
"""The kind of unit that is a whole frame."""


def avif(side: int = SIDE, mode: str = "RGB", **how: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (side, side), "#ff634780"[: 1 + 2 * len(mode)]).save(buffer, "AVIF", speed=10, **how)
    return buffer.getvalue()


def with_frames(count: int) -> bytes:
    """A picture whose only frame comes ``count`` times, behind the file's boxes."""
    data = avif()
    start = data.index(b"mdat") + 4
    *begin, frame = units(data[start:])
    assert frame[0] >> 3 == FRAME
    coded = b"".join(begin) + frame * count
    place = data.index(b"iloc") + 4
    at = data.index(struct.pack(">I", start), place)
    moved = struct.pack(">II", len(data), len(coded))
    return data[:at] + moved + data[at + 8 :] + coded


def claiming(data: bytes, side: int) -> bytes:
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", side, side) + data[at + 8 :]


@pytest.mark.parametrize(
    ("data", "largest", "together"),
    [
        (avif(), SIDE**2, SIDE**2),
        (avif(mode="RGBA"), SIDE**2, 2 * SIDE**2),
        (claiming(avif(640), 100), 640**2, 640**2),
        (with_frames(12), SIDE**2, 12 * SIDE**2),
        # Once as a picture, and once as the first of the sequence.
        (avif(save_all=True, append_images=[Image.new("RGB", (SIDE, SIDE))] * 5), SIDE**2, 2 * SIDE**2),
    ],
    ids=["one", "with transparency", "larger than it claims", "of many frames", "a sequence"],
)
def test_what_would_be_unpacked(data: bytes, largest: int, together: int):
    assert unpacked_pixels(io.BytesIO(data)) == (largest, together)


def test_a_frame_far_larger_than_the_picture_claims(settings_environment):
    data = claiming(avif(1600), 100)
    assert read_image(data).shape == (100, 100, 3)
    settings_environment(max_megapixels=1)
    assert len(data) < 2000
    with pytest.raises(LimitExceeded, match="frames of far more than 1 megapixels"):
        read_image(data)


def test_frames_without_end():
    assert read_image(with_frames(100)).shape == (SIDE, SIDE, 3)
    with pytest.raises(LimitExceeded, match="frames of far more than 50 megapixels"):
        read_image(with_frames(2000))


def sequence_of_one_size(sample: bytes) -> bytes:
    """A film's tables in which all samples have one size, and the first of them."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content) + 8) + kind + content

    def moov(offset: int) -> bytes:
        sizes = box(b"stsz", struct.pack(">III", 0, len(sample), 9))
        chunks = box(b"stco", struct.pack(">III", 0, 1, offset))
        tables = box(b"stbl", sizes + chunks)
        return box(b"moov", box(b"trak", box(b"mdia", box(b"minf", tables))))

    return moov(len(moov(0)) + 8) + box(b"mdat", sample)


def test_a_sequence_whose_samples_have_one_size():
    *_, frame = units(packets("libsvtav1", 3)[0])
    assert (
        unpacked_pixels(io.BytesIO(sequence_of_one_size(packets("libsvtav1", 3)[0] + frame * 6)))[1]
        > 6 * WIDTH * HEIGHT
    )


def test_units_without_end_before_a_size_is_told():
    assert unpacked_pixels(io.BytesIO(sequence_of_one_size(b"\x12\0" * 2000)))[1] >= ENDLESS


def test_text_about_a_picture_is_no_picture():
    data = avif(xmp=b"\x0a\x0a" * 4000)
    assert b"\x0a\x0a" * 4000 in data
    assert unpacked_pixels(io.BytesIO(data)) == (SIDE**2, SIDE**2)


def test_pictures_in_more_places_than_there_are():
    data, count = avif(), 60_000
    places = struct.pack(">HHH", 1, 0, count) + struct.pack(">II", 100, 200) * count
    content = bytes(4) + b"\x44\0" + struct.pack(">H", 1) + places
    meta = bytes(4) + struct.pack(">I", len(content) + 8) + b"iloc" + content
    file = data[: data.index(b"meta") - 4] + struct.pack(">I", len(meta) + 8) + b"meta" + meta
    with pytest.raises(ValueError, match="more places than there are"):
        unpacked_pixels(io.BytesIO(file))


def test_a_picture_is_read_as_ever():
    data = saved(QUARTERS, "AVIF", quality=100, subsampling="4:4:4")
    assert np.abs(read_image(data).astype(int) - QUARTERS).max() <= 8


def test_the_size_of_a_videos_frames():
    """Whose headers tell more than a still's."""
    assert frame_pixels(packets("libsvtav1", 3)[0]) == WIDTH * HEIGHT


def test_a_file_cut_off_anywhere():
    """Is refused in a sentence and nothing else; without its last bytes a decoder may still make a picture of it."""
    data = avif(mode="RGBA")
    for length in range(0, data.index(b"mdat"), 3):
        with pytest.raises(UnreadableMedia):
            read_image(data[:length])
    for length in range(data.index(b"mdat"), len(data), 3):
        with suppress(UnreadableMedia):
            assert read_image(data[:length]).shape == (SIDE, SIDE, 3)
