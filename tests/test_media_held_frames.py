"""Frames that decoders keep: counted by codec and pixel format, refused before they are many, with room for all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from test_media_unpacking import muxed, packets
from videos_made import number_of, numbered

from durian.errors import LimitExceeded
from durian.media import held_frames, iter_video, probe_video, read_video
from durian.media.held_frames import check_held, held_bytes
from durian.media.probing import find_video_stream, open_container
from durian.media.unpacking import Unpacking

SIZE = WIDTH, HEIGHT = 128, 96
KINDS = {"mkv": "matroska", "mov": "mp4", "mp4": "mp4", "webm": "matroska", "avi": "avi", "gif": "gif"}


def video(
    path: Path, codec: str, pixels: str, tracks: int = 1, aspect: Fraction | None = None, size: tuple[int, int] = SIZE
) -> Path:
    """Six numbered frames in each of some tracks."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream(codec, rate=10, options={"crf": "8"}) for _ in range(tracks)]
        for stream in streams:
            (stream.width, stream.height), stream.pix_fmt = size, pixels
            stream.codec_context.sample_aspect_ratio = aspect or Fraction(1)
        for stream in streams:
            for index in range(6):
                frame = av.VideoFrame.from_ndarray(numbered(index, *size), format="rgb24").reformat(format=pixels)
                frame.pts = index
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def changing(path: Path, codec: str, formats: list[str]) -> Path:
    """A second in each of some pixel formats, all in one track."""
    parts = []
    for pixels in formats:
        context = av.CodecContext.create(codec, "w")
        (context.width, context.height), context.pix_fmt = SIZE, pixels
        context.framerate, context.time_base = 10, Fraction(1, 10)
        context.options = {"bf": "0", "tune": "zerolatency"}
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(numbered(index, *SIZE), format="rgb24").reformat(format=pixels)
            frame.pts = index
            parts += context.encode(frame)
        parts += context.encode(None)
    return muxed(path, codec, [bytes(part) for part in parts])


def gif(path: Path, width: int, height: int, frames: int = 3) -> Path:
    """A canvas of any size in a few bytes: each frame changes one pixel."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    frame = b"!\xf9\x04\0\x0a\0\0\0" + b"," + bytes(4) + b"\1\0\1\0\0" + b"\x02\x02\x44\x01\x00"
    path.write_bytes(b"GIF89a" + size + b"\xf0\0\0\0\0\0\xff\xff\xff" + frame * frames + b";")
    return path


def told(path: Path, width: int, height: int) -> Path:
    """An MKV whose header tells another size than its frames have, of sides above 255."""
    data = path.read_bytes()
    for kind, side in ((b"\xb0\x82", width), (b"\xba\x82", height)):
        at = data.index(kind) + 2
        data = data[:at] + side.to_bytes(2, "big") + data[at + 2 :]
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("ending", "codec", "pixels", "kept", "bits"),
    [
        ("mkv", "libx264", "yuv420p", 18, 12),
        ("mkv", "libx264", "yuv444p10le", 18, 48),
        ("mp4", "libx264", "yuv422p10le", 18, 32),
        ("mp4", "libx265", "yuv420p10le", 18, 24),
        ("mkv", "libx265", "yuv444p12le", 18, 48),
        ("webm", "libvpx", "yuv420p", 6, 12),
        ("webm", "libvpx-vp9", "yuv444p", 12, 24),
        ("mp4", "libsvtav1", "yuv420p10le", 13, 24),
        ("mov", "prores_ks", "yuv422p10le", 4, 32),
        ("mkv", "ffv1", "yuv444p16le", 4, 48),
        ("mov", "png", "rgba64be", 4, 64),
        ("avi", "mjpeg", "yuvj420p", 4, 12),
        ("avi", "mpeg4", "yuv420p", 4, 12),
        ("gif", "gif", "rgb8", 4, 32),
    ],
)
def test_what_a_decoder_keeps(tmp_path, monkeypatch, ending, codec, pixels, kept, bits):
    path = video(tmp_path / f"clip.{ending}", codec, pixels)
    with open_container(path, KINDS[ending]) as container:
        stream = find_video_stream(container, path)
        context = stream.codec_context
        assert held_bytes(context, 8) == 0
        frames = Unpacking(container, stream, path.name).frames()
        next(frames)
        expected = (kept + context.thread_count) * WIDTH * HEIGHT * bits // 8
        assert 1 <= context.thread_count <= 8
        assert held_bytes(context, context.thread_count) == expected
        frames.close()
    monkeypatch.setattr(held_frames, "MOST_HELD_BYTES", expected)
    assert len(read_video(path).frames) == 6
    monkeypatch.setattr(held_frames, "MOST_HELD_BYTES", expected - 1)
    with pytest.raises(LimitExceeded, match=rf"^clip\.{ending} would take 0\.0 GB of memory for the frames"):
        probe_video(path)


@pytest.mark.parametrize(
    ("codec", "width", "height", "bits", "is_read"),
    [
        ("h264", 3840, 2160, 12, True),
        ("h264", 4096, 2160, 48, True),
        ("hevc", 4096, 2160, 32, True),
        ("hevc", 5312, 4648, 24, True),
        ("h264", 7680, 4320, 12, True),
        ("hevc", 8192, 4320, 12, True),
        ("av1", 7680, 4320, 24, True),
        ("prores", 8192, 4320, 32, True),
        ("h264", 7680, 4320, 24, False),
        ("h264", 6000, 6000, 48, False),
        ("vp9", 8192, 4320, 48, False),
    ],
)
def test_which_large_videos_are_read(codec, width, height, bits, is_read):
    """Cameras' 4K in every format, 5.3K of ten bits and 8K, but not with all colours."""

    context = SimpleNamespace(
        codec=SimpleNamespace(canonical_name=codec),
        format=SimpleNamespace(padded_bits_per_pixel=bits),
        **dict.fromkeys(("width", "coded_width"), width),
        **dict.fromkeys(("height", "coded_height"), height),
    )
    if is_read:
        check_held(held_bytes(context, 8), "clip.mov")
    else:
        with pytest.raises(LimitExceeded, match=r"GB of memory for the frames that its decoder keeps: at most 1"):
            check_held(held_bytes(context, 8), "clip.mov")


@pytest.mark.parametrize(("ending", "codec"), [("mkv", "libx264"), ("mp4", "libx265"), ("avi", "mpeg4")])
def test_no_frame_of_any_track_is_decoded_at_opening(tmp_path, ending, codec):
    path = video(tmp_path / f"tracks.{ending}", codec, "yuv420p", tracks=4)
    with open_container(path, KINDS[ending]) as container:
        # The format is what only a decoder finds.
        assert [stream.codec_context.pix_fmt for stream in container.streams.video] == [None] * 4
        assert [stream.codec_context.width for stream in container.streams.video] == [WIDTH] * 4
    assert number_of(read_video(path).frames[-1]) == 5


def test_a_frame_that_is_too_large_by_its_header_is_not_decoded(tmp_path, monkeypatch):
    path = told(video(tmp_path / "large.mkv", "libx264", "yuv420p", size=(256, 256)), 7000, 6000)
    monkeypatch.setattr(Unpacking, "frames", lambda self: pytest.fail("decoded"))
    with pytest.raises(
        LimitExceeded, match=r"^large\.mkv has frames of 7000×6000 pixels: at most 36 megapixels are read of a video; "
    ):
        probe_video(path)


def test_a_gif_s_canvas_counts(tmp_path):
    assert (probe_video(gif(tmp_path / "wide.gif", 3840, 2160)).width) == 3840
    path = gif(tmp_path / "huge.gif", 4000, 3000)
    with pytest.raises(LimitExceeded, match=r"^huge\.gif has frames of 4000×3000 pixels: at most 9 megapixels are"):
        probe_video(path)


def test_sides_that_are_rounded_up_are_not_too_large(tmp_path, settings_environment):
    """1000 pixels are 1008 of H.264's blocks."""
    settings_environment(max_megapixels=1)
    assert probe_video(video(tmp_path / "clip.mp4", "libx264", "yuv420p", size=(1000, 1000))).width == 1000


def test_frames_whose_header_tells_no_size_are_no_large_ones(tmp_path, monkeypatch):
    path = told(video(tmp_path / "clip.mkv", "libvpx-vp9", "yuv420p", size=(256, 256)), 0, 0)
    assert probe_video(path).width == 256
    monkeypatch.setattr(held_frames, "UNTOLD_PIXELS", 128 * 128)
    monkeypatch.setattr("durian.media.unpacking.WIDEST_BLOCK", 0)
    with pytest.raises(LimitExceeded, match=r"^clip\.mkv has frames of more than 0 megapixels"):
        probe_video(path)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_frames_that_are_cut_for_showing_count_whole(tmp_path, monkeypatch, codec):
    """A stream may show a corner of its frames only, and tell of no more."""
    kind = codec.replace("libx", "h").replace("h265", "hevc")
    whole, cut = tmp_path / f"whole.{kind}", tmp_path / "cut.mkv"
    whole.write_bytes(b"".join(packets(codec, 3, (512, 512))))
    with av.open(str(whole), format=kind) as read, av.open(str(cut), "w") as written:
        given = read.streams.video[0]
        stream = written.add_stream_from_template(given)
        corner = av.BitStreamFilterContext(f"{kind}_metadata=crop_right=448:crop_bottom=448", given, stream)
        for number, packet in enumerate(list(read.demux(given))):
            for each in corner.filter(packet if packet.size else None):
                each.pts = each.dts = number
                each.time_base, each.stream = Fraction(1, 10), stream
                written.mux(each)
    told(cut, 64, 64)
    assert probe_video(cut).width == 64
    monkeypatch.setattr(held_frames, "MOST_FRAME_PIXELS", 480 * 480)
    with open_container(cut, "matroska") as container:
        stream = find_video_stream(container, cut)
        with pytest.raises(LimitExceeded, match=r"^cut\.mkv has frames of 512×512 pixels: at most 0 megapixels"):
            next(Unpacking(container, stream, cut.name).frames())
        # Before a frame of that size was made.
        assert not stream.codec_context.is_open


def test_frames_that_become_larger_than_any_recorder_s(tmp_path, monkeypatch):
    small = packets("libx264", 8)
    path = muxed(tmp_path / "grown.mkv", "libx264", [*small, *packets("libx264", 8, (512, 512))])
    assert len(list(iter_video(path, end=0.5))) == 5
    monkeypatch.setattr(held_frames, "UNTOLD_PIXELS", 512 * 256)
    monkeypatch.setattr("durian.media.unpacking.WIDEST_BLOCK", 0)
    with pytest.raises(LimitExceeded, match=r"^grown\.mkv has frames of more than 0 megapixels: make it smaller"):
        list(iter_video(path))


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_pixel_format_that_changes_is_found_before_it_is_decoded(tmp_path, monkeypatch, codec):
    """Each part begins with its own parameters, as browsers' recorders write them."""
    path = changing(tmp_path / "changed.mkv", codec, ["yuv420p", "yuv444p10le"])
    assert len(read_video(path).frames) == 20
    monkeypatch.setattr(held_frames, "MOST_HELD_BYTES", 30 * WIDTH * HEIGHT * 3 // 2)
    with open_container(path, "matroska") as container:
        stream = find_video_stream(container, path)
        frames = Unpacking(container, stream, path.name).frames()
        with pytest.raises(LimitExceeded, match=r"^changed\.mkv would take"):
            list(frames)
        assert stream.codec_context.pix_fmt == "yuv420p"
    assert len(read_video(path, end=0.3).frames) == 3


def test_large_frames_are_not_decoded_side_by_side(tmp_path, monkeypatch):
    path = video(tmp_path / "clip.mkv", "libx264", "yuv420p")
    for most, kind in ((WIDTH * HEIGHT, "AUTO"), (WIDTH * HEIGHT - 1, "SLICE")):
        monkeypatch.setattr(held_frames, "UNTOLD_PIXELS", most)
        with open_container(path, "matroska") as container:
            stream = find_video_stream(container, path)
            assert stream.thread_type.name == kind
            frames = Unpacking(container, stream, path.name).frames()
            next(frames)
            at_once = stream.codec_context.thread_count if kind == "AUTO" else 1
            assert (
                held_bytes(stream.codec_context, stream.codec_context.thread_count)
                == (18 + at_once) * WIDTH * HEIGHT * 3 // 2
            )
            frames.close()


@pytest.mark.parametrize(("ending", "codec"), [("avi", "libx264"), ("mkv", "mpeg2video"), ("avi", "mpeg4")])
def test_square_pixels_that_only_the_frames_tell_of(tmp_path, ending, codec):
    """Players widen them, too."""
    path = video(tmp_path / f"wide.{ending}", codec, "yuv420p", aspect=Fraction(4, 3))
    info = probe_video(path)
    assert info.width > WIDTH
    assert np.shape(read_video(path).frames[0]) == (HEIGHT, info.width, 3)
