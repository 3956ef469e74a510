"""Videos of frames that are never shown, and of frames that take a decoder for ever."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from test_media_jpeg_scans import encoded, with_scans
from videos_made import HEIGHT, WIDTH, make_video, number_of, numbered, steady

from durian.errors import LimitExceeded
from durian.media import probe_video, read_video, unpacking, vp9_frames
from durian.media.av1_frames import ENDLESS, MOST_UNITS, count_frames
from durian.media.jpeg_scans import MOST_SCANS, check_frame_scans, without_exif
from durian.media.probing import find_video_stream, open_container
from durian.media.unpacking import Unpacking

RATE = 10
SHOWN = 0x10
"""The bit of a VP8 frame's first byte that has it shown (RFC 6386, section 9.1)."""


PIXELS = {"mjpeg": "yuvj420p", "png": "rgb24"}
"""Of codecs that do not take ``yuv420p``."""


def packets(codec: str, count: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[bytes]:
    """Encoded frames, each in a packet."""
    context = av.CodecContext.create(codec, "w")
    (context.width, context.height), context.pix_fmt = size, PIXELS.get(codec, "yuv420p")
    context.framerate, context.time_base = RATE, Fraction(1, RATE)
    context.options = {"lag-in-frames": "0", "deadline": "realtime"}
    encoded = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(numbered(index, *size), format="rgb24").reformat(format=context.pix_fmt)
        frame.pts = index
        encoded += context.encode(frame)
    return [bytes(packet) for packet in encoded + context.encode(None)]


def hidden(packet: bytes) -> bytes:
    return bytes([packet[0] & ~SHOWN]) + packet[1:]


def muxed(path: Path, codec: str, content: list[bytes]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, PIXELS.get(codec, "yuv420p")
        for index, data in enumerate(content):
            packet = av.Packet(data)
            packet.pts = packet.dts = index
            packet.time_base, packet.stream = Fraction(1, RATE), stream
            container.mux(packet)
    return path


def units(packet: bytes) -> list[bytes]:
    """The units of an AV1 packet, each with its size in up to two bytes."""
    found = []
    while packet:
        size = packet[1] if packet[1] < 128 else packet[1] & 127 | packet[2] << 7
        end = size + (2 if packet[1] < 128 else 3)
        found.append(packet[:end])
        packet = packet[end:]
    return found


def test_a_film_of_frames_that_are_never_shown(tmp_path: Path):
    first, then = packets("libvpx", 2)
    path = muxed(tmp_path / "dark.mkv", "libvpx", [first, *[hidden(then)] * 10_000])
    assert probe_video(path).width == WIDTH
    with pytest.raises(LimitExceeded, match=r"dark\.mkv holds more than 250 frames a second"):
        read_video(path, end=1)


def test_a_film_without_a_frame_that_is_shown(tmp_path: Path):
    first, then = packets("libvpx", 2)
    path = muxed(tmp_path / "dark.mkv", "libvpx", [hidden(first), *[hidden(then)] * 10_000])
    with pytest.raises(LimitExceeded, match=r"dark\.mkv holds more than 250 frames a second"):
        probe_video(path)


def test_pixels_that_are_never_shown_are_counted(tmp_path: Path, monkeypatch):
    first, then = packets("libvpx", 2)
    path = muxed(tmp_path / "dark.mkv", "libvpx", [hidden(first), *[hidden(then)] * 200])
    monkeypatch.setattr(unpacking, "MAX_DECODED_PIXELS", 100 * WIDTH * HEIGHT)
    with pytest.raises(LimitExceeded, match=r"dark\.mkv has more than .* gigapixels"):
        probe_video(path)


def test_what_a_decoder_keeps_back_is_not_counted(tmp_path: Path, monkeypatch):
    """A part with as many pixels as may be, for which the decoder is given more frames than that."""
    path = make_video(tmp_path / "clip.mp4", steady(45, 30))
    monkeypatch.setattr(unpacking, "MAX_DECODED_PIXELS", 31 * WIDTH * HEIGHT)
    assert len(read_video(path, end=1).frames) == 30


def test_some_frames_that_are_never_shown(tmp_path: Path):
    """As encoders make them, to refer to."""
    shown = packets("libvpx", 12)
    path = muxed(tmp_path / "clip.mkv", "libvpx", [*shown[:6], hidden(shown[6]), *shown[7:]])
    assert [number_of(frame) for frame in read_video(path).frames] == [0, 1, 2, 3, 4, 5, 5, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9", "libx264", "libx265", "libsvtav1", "mpeg4", "mjpeg", "png"])
def test_frames_far_larger_than_told_are_not_decoded(tmp_path: Path, codec: str, settings_environment, monkeypatch):
    """What a header tells is no limit for a decoder, which looks at each frame's own size."""
    large = packets(codec, 1, (1024, 1024))
    name, kind = ("clip.mov", "mp4") if codec == "png" else ("clip.mkv", "matroska")
    path = muxed(tmp_path / name, codec, [*packets(codec, 8), *large, *packets(codec, 8)])
    monkeypatch.setattr(unpacking, "WIDEST_BLOCK", 0)
    settings_environment(max_megapixels=1)
    sizes: list[int] = []
    with open_container(path, kind) as container:
        frames = Unpacking(container, find_video_stream(container, path), name).frames()
        with pytest.raises(
            LimitExceeded, match=r"has frames of (more than 1 mega|1024×1024 )pixels: |is 1024×1024 pixels: "
        ):
            sizes.extend(frame.width for frame in frames)
    assert set(sizes) <= {WIDTH}


@pytest.mark.parametrize("ending", ["mkv", "avi", "mov"])
def test_frames_of_many_scans(tmp_path: Path, ending: str):
    assert probe_video(muxed(tmp_path / f"clip.{ending}", "mjpeg", [encoded()] * 12)).fps == pytest.approx(RATE)
    path = muxed(tmp_path / f"slow.{ending}", "mjpeg", [with_scans(MOST_SCANS)] * 12)
    with pytest.raises(LimitExceeded, match=rf"A frame of slow\.{ending} is a JPEG of more than 100 scans"):
        probe_video(path)


@pytest.mark.parametrize(
    "trick", [b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\x02\xff\xff"], ids=["an end before", "inside a segment"]
)
def test_scans_where_a_lenient_decoder_finds_them(trick: bytes):
    check_frame_scans(trick + encoded()[2:], "A frame")
    with pytest.raises(LimitExceeded, match="A frame is a JPEG of more than 100 scans"):
        check_frame_scans(trick + with_scans(MOST_SCANS)[2:], "A frame")


def test_exif_of_frames_is_not_read(tmp_path: Path):
    """A thousand tags that all name the same bytes, three times: a decoder reads them for seconds."""
    tags = b"".join(struct.pack("<HHII", 40_000 + index, 1, 30_000, 8) for index in range(1000))
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 30_008) + bytes(30_000) + struct.pack("<H", 1000) + tags + bytes(4)
    plain = encoded()
    frame = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    assert without_exif(plain) == plain
    assert without_exif(frame) == frame.replace(b"Exif", b"none")
    assert len(read_video(muxed(tmp_path / "clip.avi", "mjpeg", [frame] * 3)).frames) == 3


def test_a_packet_of_frames_that_are_never_shown(tmp_path: Path):
    """AV1 puts the hidden frames before a shown one into its packet."""
    encoded = packets("libsvtav1", 24)
    path = muxed(tmp_path / "clip.mkv", "libsvtav1", encoded)
    assert [number_of(frame) for frame in read_video(path).frames] == list(range(24))
    begin, hidden_frame, *rest = units(encoded[1])
    assert len(rest) > 1
    for times, count in ((4, 800), (1, 3000)):
        packet = b"".join([begin, *[hidden_frame] * count, *rest])
        path = muxed(tmp_path / "dark.mkv", "libsvtav1", [encoded[0], *[packet] * times, *encoded[2:]])
        with pytest.raises(LimitExceeded, match=r"dark\.mkv (has|holds) more than"):
            read_video(path)


def superframe(*frames: bytes) -> bytes:
    """A VP9 packet of several frames: these, and an index of two bytes for each."""
    mark = bytes([0xC0 | 1 << 3 | len(frames) - 1])
    return b"".join(frames) + mark + b"".join(struct.pack("<H", len(frame)) for frame in frames) + mark


def test_large_frames_before_the_first_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shown = packets("libvpx-vp9", 12)
    dark = bytes([shown[0][0] & ~2]) + shown[0][1:]
    path = muxed(tmp_path / "dark.mkv", "libvpx-vp9", [superframe(*[dark] * 7, shown[0]), *shown[1:]])
    monkeypatch.setattr(unpacking, "MAX_PIXELS_BEFORE", 20 * WIDTH * HEIGHT)
    assert len(read_video(path).frames) == 12
    monkeypatch.setattr(unpacking, "MAX_PIXELS_BEFORE", 7 * WIDTH * HEIGHT)
    with pytest.raises(LimitExceeded, match=r"^dark\.mkv holds more than \S+ gigapixels before"):
        probe_video(path)


def test_a_packet_of_hidden_vp9_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shown = packets("libvpx-vp9", 48)
    # The bit of a key frame's first byte that has it shown (VP9 Bitstream Specification, section 6.2).
    dark = bytes([shown[0][0] & ~2]) + shown[0][1:]
    path = muxed(tmp_path / "clip.mkv", "libvpx-vp9", [shown[0], *[superframe(dark, packet) for packet in shown[1:]]])
    assert len(read_video(path).frames) == 48
    # So many a second, and ten seconds' more beforehand.
    monkeypatch.setattr(unpacking, "MAX_DECODED_PER_SECOND", 15)
    assert len(read_video(path).frames) == 48
    packed = [superframe(*[dark] * 7, packet) for packet in shown[1:]]
    with pytest.raises(LimitExceeded, match=r"dark\.mkv (has|holds) more than"):
        read_video(muxed(tmp_path / "dark.mkv", "libvpx-vp9", [shown[0], *packed]))


@pytest.mark.parametrize(
    ("data", "frames"),
    [
        (b"", 1),
        (b"\x82\x49\x83\x42", 1),
        (superframe(b"one"), 1),
        (superframe(b"one", b"two"), 2),
        (superframe(*[b"eight"] * 8), 8),
        (b"\x00" + superframe(b"one", b"two")[1:-6] + b"\x00" * 5 + b"\xc9", 1),
        (b"\xc9", 1),
    ],
    ids=["nothing", "a plain frame", "one", "two", "eight", "no index", "cut off"],
)
def test_frames_of_vp9_are_counted(data: bytes, frames: int):
    assert vp9_frames.count_frames(data) == frames


@pytest.mark.parametrize(
    ("data", "frames"),
    [
        (b"", 0),
        (bytes([2 << 3 | 2, 0, 6 << 3 | 2, 1, 9]), 1),
        (bytes([3 << 3 | 2, 0, 4 << 3 | 2, 2, 9, 9, 6 << 3]) + bytes(300), 2),
        (bytes([3 << 3 | 2, 1, 0x80, 3 << 3 | 2, 1, 0x10]), 1),
        (bytes([6 << 3 | 2, 0xFF, 0xFF, 0xFF]), 1),
        (bytes([6 << 3 | 6, 0, 0x80 | 5, 0]) + bytes(5) + bytes([6 << 3 | 2, 0]), 2),
        (bytes([6 << 3 | 2, 0]) * (MOST_UNITS + 1), ENDLESS),
    ],
    ids=["nothing", "one", "without a size", "shown again", "cut off", "with an extension", "endless"],
)
def test_frames_of_av1_are_counted(data: bytes, frames: int):
    assert count_frames(data) == frames
