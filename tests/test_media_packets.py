"""MKVs of far more packets than any film: each takes a byte of the file, or less, and half a kilobyte of memory."""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from test_media_mp4_tables import box, film, numbers, pictures, table

from durian.errors import LimitExceeded
from durian.media import packets, probe_video
from durian.media.packets import packets_of
from durian.media.probing import open_container, scan_packets

IN_A_LACE = 256
"""Frames of one block, at most."""


def element(kind: int, content: bytes) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + struct.pack(">Q", len(content) | 1 << 56) + content


def number(kind: int, value: int) -> bytes:
    return element(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def track(index: int, codec: bytes) -> bytes:
    size = element(0xE0, number(0xB0, 64) + number(0xBA, 64))
    about = number(0xD7, index) + number(0x73C5, index) + number(0x83, 1) + element(0x86, codec)
    return element(0xAE, about + size)


def laced(index: int, bytes_each: int) -> bytes:
    """A block of 256 frames of one size."""
    return element(
        0xA3, bytes([0x80 | index]) + struct.pack(">hBB", 0, 0x84, IN_A_LACE - 1) + bytes(IN_A_LACE * bytes_each)
    )


def matroska(*blocks: bytes) -> bytes:
    """An MKV of two tracks of JPEGs without a length."""
    head = element(0x1A45DFA3, element(0x4282, b"matroska") + number(0x4287, 4) + number(0x4285, 2))
    told = element(0x1549A966, number(0x2AD7B1, 1_000_000))
    tracks = element(0x1654AE6B, track(1, b"V_MJPEG") + track(2, b"V_MJPEG"))
    return head + element(0x18538067, told + tracks + element(0x1F43B675, number(0xE7, 0) + b"".join(blocks)))


def jpeg() -> bytes:
    context = av.CodecContext.create("mjpeg", "w")
    context.width = context.height = 64
    context.pix_fmt, context.time_base = "yuvj420p", 1
    frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    """One frame, then 100 blocks of another track."""
    path = tmp_path / "clip.mkv"
    first = element(0xA3, b"\x81" + struct.pack(">hB", 0, 0x80) + jpeg())
    path.write_bytes(matroska(first, *[laced(2, 1)] * 100))
    return path


def test_packets_of_all_streams_are_counted(busy: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packets, "MOST_PACKETS", 25_000)
    with (
        open_container(busy, "matroska") as container,
        pytest.raises(LimitExceeded, match=r"clip\.mkv holds more than 25,000 frames and pieces of sound"),
    ):
        list(packets_of(container, container.streams.video[0], busy.name))
    for read in (lambda: scan_packets(busy, "matroska"), lambda: probe_video(busy)):
        with pytest.raises(LimitExceeded, match="holds more than"):
            read()


def test_other_streams_are_passed_over(busy: Path):
    with open_container(busy, "matroska") as container:
        found = [packet.size for packet in packets_of(container, container.streams.video[0], busy.name)]
    # The last stands for the end.
    assert found == [len(jpeg()), 0]
    assert scan_packets(busy, "matroska") == (0.0, 1)


def shared(path: Path, handler: bytes, described: bytes, sample: bytes, count: int) -> Path:
    """A MOV with one frame, and a track whose ``count`` samples are all at one place."""

    def track(handler: bytes, described: bytes, at: int, size: int, count: int) -> bytes:
        places = table(b"stsc", 1, 1, 1, 1) + table(b"stsz", size, count) + table(b"stco", count, *[at] * count)
        tables = box(b"stbl", described, table(b"stts", 1, count, 100), places)
        told = table(b"mdhd", 0, 0, 1000, 100 * count, 0), box(b"hdlr", numbers(0, 0), handler, bytes(13))
        return box(b"trak", box(b"mdia", *told, box(b"minf", tables)))

    frame = jpeg()
    head = box(b"ftyp", b"qt  ", bytes(4)) + box(b"mdat", frame, sample)
    first = track(b"vide", pictures(), 24, len(frame), 1)
    path.write_bytes(head + film(first, track(handler, described, 24 + len(frame), len(sample), count)))
    return path


PLAIN_SOUND = box(b"stsd", numbers(0, 1), box(b"sowt", bytes(6) + b"\0\1" + bytes(8) + numbers(0x10010, 0, 8000 << 16)))


@pytest.mark.parametrize(("handler", "described"), [(b"vide", pictures()), (b"soun", PLAIN_SOUND)])
def test_bytes_that_are_given_again_and_again_are_counted(tmp_path: Path, handler: bytes, described: bytes):
    """Of all streams: those that are passed over are read, too."""
    sample = jpeg() + bytes(300_000)
    seldom = shared(tmp_path / "clip.mov", handler, described, sample, 2)
    with open_container(seldom, "mp4") as container:
        assert len(list(packets_of(container, container.streams[0], "clip.mov"))) == 2
    often = shared(tmp_path / "long.mov", handler, described, sample, 50)
    sentence = r"^long\.mov tells of more than 4 times as many bytes of frames and sound as it has: convert it again\.$"
    for stream in (0, 1):
        with open_container(often, "mp4") as container, pytest.raises(LimitExceeded, match=sentence):
            list(packets_of(container, container.streams[stream], often.name))


def test_a_file_of_single_bytes_takes_little_memory(tmp_path: Path):
    """Three megabytes, of which FFmpeg would keep three million packets as it opens them: 1.6 gigabytes."""
    path = tmp_path / "clip.mkv"
    path.write_bytes(matroska(*[laced(1, 1)] * 12_000))
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    done = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True, check=True, env=here)
    assert float(done.stdout) < 700


if __name__ == "__main__":
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_container(Path(sys.argv[1]), "matroska"):
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
