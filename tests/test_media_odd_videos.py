"""Videos with odd or hostile headers and clocks: read whole where a player shows them, else one sentence."""

from __future__ import annotations

import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest
from videos_made import HEIGHT, WIDTH, make_video, number_of, numbered, steady

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media import iter_video, probe_video, read_video, reading, unpacking

LATE = [3.0 + seconds for seconds in steady(20, 10)]


@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize("ending", ["mkv", "webm", "mp4", "mov"])
def test_a_first_frame_at_three_seconds(tmp_path, ending, sound):
    path = make_video(tmp_path / f"late.{ending}", LATE, sound=sound)
    assert probe_video(path).duration == pytest.approx(2.0, abs=0.01)
    assert [number_of(frame) for frame in read_video(path, fps=10).frames] == list(range(20))
    part = read_video(path, fps=10, start=0.5, end=1.0)
    assert [number_of(frame) for frame in part.frames] == [5, 6, 7, 8, 9]


def test_a_late_first_frame_of_a_real_file(shared_data):
    assert len(read_video(shared_data / "bugs" / "startoff.mkv", fps=30).frames) == 60


@pytest.mark.parametrize("ending", ["mkv", "webm"])
def test_a_late_and_cut_video_is_noticed(tmp_path, ending):
    path = make_video(tmp_path / f"late.{ending}", LATE, size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(UnreadableMedia, match=rf"late\.{ending} is cut off or damaged at 0\.\d s of 2 s"):
        read_video(path)


def test_a_length_that_mkvmerge_tagged_is_the_stream_s_own(tmp_path):
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.metadata["_STATISTICS_WRITING_APP"] = "mkvmerge"
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="rgb24")
            frame.pts, frame.time_base = 30 + index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert data.count(b"00:00:07.000000000") == 1
    path.write_bytes(data.replace(b"00:00:07.000000000", b"00:00:04.000000000"))
    assert probe_video(path).duration == pytest.approx(4.0)
    assert len(read_video(path, fps=10).frames) == 40


def resized(path: Path, first: tuple[int, int], second: tuple[int, int]) -> Path:
    """A second at one size and a second at another in one stream, as a browser's recorder makes them."""
    parts = []
    for number, size in enumerate((first, second)):
        part = path.with_name(f"part{number}.h264")
        with av.open(str(part), "w", format="h264") as container:
            stream = container.add_stream("libx264", rate=10, options={"bf": "0", "crf": "8"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for index in range(10):
                frame = av.VideoFrame.from_ndarray(numbered(10 * number + index, *size), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        parts.append(part.read_bytes())
    joined = path.with_suffix(".h264")
    joined.write_bytes(b"".join(parts))
    with av.open(str(joined), format="h264") as read, av.open(str(path), "w") as written:
        stream = written.add_stream_from_template(read.streams.video[0])
        for number, packet in enumerate(packet for packet in read.demux() if packet.size):
            packet.pts, packet.dts, packet.duration = 100 * number, 100 * number, 100
            packet.time_base, packet.stream = Fraction(1, 1000), stream
            written.mux(packet)
    return path


def test_a_size_that_changes_is_scaled_to_the_first(tmp_path):
    frames = read_video(resized(tmp_path / "call.mkv", (96, 64), (192, 128)), fps=10).frames
    assert {frame.shape for frame in frames} == {(64, 96, 3)}
    assert [number_of(frame) for frame in frames] == list(range(20))


def test_a_shape_that_changes_is_refused_with_its_second(tmp_path):
    path = resized(tmp_path / "turned.mkv", (96, 64), (64, 96))
    with pytest.raises(UnreadableMedia, match=r"turned\.mkv changes from 96×64 to 64×96 pixels at 1 s: trim it"):
        read_video(path, fps=10)
    assert [number_of(frame) for frame in read_video(path, fps=10, end=0.9).frames] == list(range(9))


def test_frames_without_time_stamps_follow_the_rate(tmp_path):
    # Negative times do not fit into MKV, so that this one has none.
    path = tmp_path / "timeless.mkv"
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as container:
        stream = container.add_stream("libx264", rate=10, options={"bf": "0", "crf": "8"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(20):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = 100 * index - 5000, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert probe_video(path).duration == pytest.approx(2.0)
    assert [number_of(frame) for frame in read_video(path, fps=10).frames] == list(range(20))


def test_ten_hours_of_two_frames(tmp_path):
    path = make_video(tmp_path / "long.mkv", [0.0, 36_000.0])
    with pytest.raises(LimitExceeded, match=r"long\.mkv lasts 10:00:0\d h: at most 60 s are used; trim it"):
        iter_video(path)
    assert [number_of(frame) for frame in read_video(path, fps=2, end=2).frames] == [0, 0, 0, 0]


def test_a_rate_of_zero(tmp_path):
    path = make_video(tmp_path / "zero.avi", steady(10, 10))
    data = bytearray(path.read_bytes())
    header = data.index(b"strh") + 8
    data[header + 20 : header + 28] = bytes(8)  # scale and rate
    path.write_bytes(data)
    assert 1 <= probe_video(path).fps <= 120
    numbers = [number_of(frame) for frame in read_video(path, fps=10).frames]
    assert numbers[0] == 0
    assert len(numbers) <= 20


@pytest.mark.parametrize("side", [16_384, 65_535])
def test_a_picture_larger_than_memory(tmp_path, side):
    png = b"\x89PNG\r\n\x1a\n"
    size = side.to_bytes(4, "big")
    for name, content in ((b"IHDR", size + size + b"\x08\x02\0\0\0"), (b"IDAT", zlib.compress(bytes(99)))):
        png += len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")
    path = tmp_path / "huge.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        container.start_encoding()
        packet = av.Packet(png)
        packet.pts = packet.dts = 0
        packet.time_base, packet.stream = Fraction(1, 10), stream
        container.mux(packet)
    with pytest.raises(LimitExceeded, match=rf"^A frame of huge\.avi is {side}×{side} pixels: at most"):
        probe_video(path)


def test_thousands_of_streams(tmp_path):
    path = make_video(tmp_path / "many.mp4", steady(5, 10))
    data = path.read_bytes()
    index, track = data.index(b"moov") - 4, data.index(b"trak") - 4
    length = int.from_bytes(data[track : track + 4], "big")
    copies = data[track : track + length] * 5000
    size = int.from_bytes(data[index : index + 4], "big") + len(copies)
    path.write_bytes(data[:index] + size.to_bytes(4, "big") + data[index + 4 : track] + copies + data[track:])
    with pytest.raises(UnreadableMedia, match=r"many\.mp4 is cut off or damaged"):
        probe_video(path)


def test_a_part_that_cannot_be_entered_is_refused_before_hours_are_unpacked(tmp_path, monkeypatch):
    """One picture can be read alone, the first: all others follow from those before."""
    path = make_video(tmp_path / "late.mkv", steady(20, 1))
    monkeypatch.setattr(reading, "MAX_SECONDS_BEFORE", 10)
    assert [number_of(frame) for frame in read_video(path, start=9, end=11).frames] == [9, 10]
    with pytest.raises(LimitExceeded, match=r"late\.mkv can only be read from 0 s on, too long before 11 s: cut out"):
        read_video(path, start=11, end=13)


def test_more_pixels_than_a_minute_of_large_frames_has(tmp_path, monkeypatch):
    path = make_video(tmp_path / "much.mp4", steady(30, 10))
    monkeypatch.setattr(unpacking, "MAX_DECODED_PIXELS", 25 * WIDTH * HEIGHT)
    with pytest.raises(LimitExceeded, match=r"much\.mp4 has more than .* gigapixels in all its frames: trim it"):
        iter_video(path)
    assert len(read_video(path, end=2).frames) == 20


def test_frames_that_no_header_told_of_are_counted(tmp_path, monkeypatch):
    """A rate of one frame a second, and forty within the first."""
    path = make_video(tmp_path / "lying.mkv", [index / 100 for index in range(40)] + [40.0])
    monkeypatch.setattr(unpacking, "MAX_DECODED_PIXELS", 30 * WIDTH * HEIGHT)
    assert probe_video(path).fps < 2
    with pytest.raises(LimitExceeded, match=r"lying\.mkv has more than .* gigapixels in all its frames"):
        read_video(path, end=20)
