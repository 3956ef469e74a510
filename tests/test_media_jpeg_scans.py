"""JPEGs of many scans: refused before one is decoded, where others are read as ever."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from pictures_made import QUARTERS
from PIL import Image

from durian.errors import LimitExceeded
from durian.media import pixel_count, read_image
from durian.media.jpeg_scans import BLOCK, MOST_SCANS, check_scans

SCANS_OF_GREY = 6
"""What libjpeg writes for a progressive picture without colour."""


def encoded(progressive: bool = True, side: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side), 128, np.uint8)).save(buffer, "JPEG", progressive=progressive)
    return buffer.getvalue()


def with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes ``count`` times more."""
    data = encoded()
    start, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[start:end] * count + data[end:]


def comment(length: int) -> bytes:
    return b"\xff\xfe" + struct.pack(">H", length + 2) + b"\xff\xda" * (length // 2)


def test_a_picture_of_too_many_scans_is_refused():
    bomb = with_scans(MOST_SCANS - SCANS_OF_GREY + 1)
    assert len(bomb) < 10_000
    with pytest.raises(LimitExceeded, match="JPEG of more than 100 scans"):
        read_image(bomb)


def test_its_size_is_told_all_the_same():
    assert pixel_count(with_scans(MOST_SCANS)) == 64 * 64


def test_as_many_scans_as_may_be():
    assert np.array_equal(read_image(with_scans(MOST_SCANS - SCANS_OF_GREY)), read_image(encoded()))


@pytest.mark.parametrize("progressive", [False, True])
def test_every_picture_of_an_encoder(progressive: bool):
    buffer = io.BytesIO()
    Image.fromarray(np.kron(QUARTERS, np.ones((40, 40, 1), np.uint8))).save(buffer, "JPEG", progressive=progressive)
    assert read_image(buffer.getvalue()).shape[2] == 3


def test_what_looks_like_scans_in_a_comment_is_none():
    data = encoded()
    assert np.array_equal(read_image(data[:2] + comment(1000) + data[2:]), read_image(data))


def test_scans_behind_what_only_looks_like_a_segment_are_counted():
    """A decoder that is within a scan looks on for a marker of JPEG's own."""
    data, start = encoded(), encoded().rindex(b"\xff\xda")
    end = data.rindex(b"\xff\xd9")
    hidden = data[start:end] * MOST_SCANS
    with pytest.raises(LimitExceeded, match="JPEG of more than 100 scans"):
        read_image(data[:end] + b"\xff\x02\xff\xff" + hidden + bytes(65535 - len(hidden)) + data[end:])


@pytest.mark.parametrize("marker", [0xC9, 0xCA, 0xCB, 0xCC])
def test_arithmetic_coding_is_refused_by_name(marker):
    data = encoded().replace(b"\xff\xc2", bytes([0xFF, marker]))
    with pytest.raises(LimitExceeded, match=r"^it is an arithmetically coded JPEG: save it again with another program"):
        check_scans(io.BytesIO(data), "it")


def test_what_comes_behind_the_end_is_none():
    data = encoded()
    assert np.array_equal(read_image(data + with_scans(MOST_SCANS)), read_image(data))


def test_segments_without_end_are_refused():
    data, start = encoded(), encoded().rindex(b"\xff\xda")
    with pytest.raises(LimitExceeded):
        check_scans(io.BytesIO(data[:start] + comment(0) * 20_000 + data[start:]), "it")


@pytest.mark.parametrize("shift", [-3, -2, -1, 0, 1])
def test_a_scan_across_two_blocks_is_counted(shift: int):
    """The marker begins ``shift`` bytes from where the second block does."""
    scan = b"\xff\xda\0\2"
    # Filled up with what no marker begins in, so that each block is searched to its end.
    data = b"\xff\xd8" + b"\0" * (BLOCK + shift) + scan * (MOST_SCANS + 1)
    with pytest.raises(LimitExceeded):
        check_scans(io.BytesIO(data), "it")
    check_scans(io.BytesIO(data[: -len(scan)]), "it")


def test_the_stream_stays_where_it_stood():
    stream = io.BytesIO(encoded())
    stream.seek(7)
    check_scans(stream, "it")
    assert stream.tell() == 7
