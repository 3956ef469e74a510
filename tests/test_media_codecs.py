"""Codecs that people's videos have are read; of the hundreds that FFmpeg reads besides, not one is run."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from durian.errors import UnreadableMedia
from durian.media import probe_video, read_video
from durian.media.audio import read_audio
from durian.media.codecs import decoders_at_opening

READ = [
    ("mp4", "libx264", "yuv420p"),
    ("mp4", "libx265", "yuv420p"),
    ("webm", "libvpx", "yuv420p"),
    ("webm", "libvpx-vp9", "yuv420p"),
    ("mp4", "libsvtav1", "yuv420p"),
    ("mp4", "mpeg4", "yuv420p"),
    ("mkv", "mpeg2video", "yuv420p"),
    ("avi", "mjpeg", "yuvj420p"),
    ("mov", "prores_ks", "yuv422p10le"),
    ("mov", "qtrle", "rgb24"),
    ("mov", "png", "rgb24"),
    ("mkv", "ffv1", "yuv420p"),
    ("gif", "gif", "rgb8"),
]
NOT_READ = [
    ("avi", "rawvideo", "bgr24", "rawvideo"),
    ("avi", "cinepak", "rgb24", "cinepak"),
    ("avi", "snow", "yuv420p", "snow"),
    ("mov", "jpeg2000", "rgb24", "jpeg2000"),
    ("mov", "rpza", "rgb555le", "rpza"),
    ("mov", "tiff", "rgb24", "tiff"),
    ("avi", "wmv2", "yuv420p", "wmv2"),
]


def video(path: Path, codec: str, pixels: str, sound: str | None = None) -> Path:
    """Ten grey frames of 352 × 288, 128 bright, with a second of a tone where ``sound`` names a codec."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 352, 288, pixels
        track = None if sound is None else container.add_stream(sound, rate=48_000, layout="mono")
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((288, 352, 3), 128, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track is not None:
            tone = (np.sin(np.arange(48_000) / 20)[None] * 8000).astype(np.int16)
            part = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            part.sample_rate, part.pts = 48_000, 0
            resampler = av.AudioResampler(
                track.codec_context.format, "mono", 48_000, track.codec_context.frame_size or None
            )
            for each in [*resampler.resample(part), *resampler.resample(None)]:
                container.mux(track.encode(each))
            container.mux(track.encode(None))
    return path


@pytest.mark.parametrize(("ending", "codec", "pixels"), READ)
def test_what_people_have_is_read(tmp_path: Path, ending: str, codec: str, pixels: str):
    frames = read_video(video(tmp_path / f"clip.{ending}", codec, pixels)).frames
    assert len(frames) == 10
    # A GIF mixes its grey from dots of other colours.
    found = np.stack(frames).mean((1, 2)) if codec == "gif" else np.stack(frames).astype(int)
    assert np.abs(found - 128).max() <= 4


@pytest.mark.parametrize(("ending", "codec", "pixels", "name"), NOT_READ)
def test_what_else_there_is_is_refused_in_one_sentence(tmp_path: Path, ending: str, codec: str, pixels: str, name: str):
    path = video(tmp_path / f"clip.{ending}", codec, pixels)
    sentence = rf"^clip\.{ending} uses a codec that is not read \({name}\): convert it to H\.264 MP4\.$"
    for read in (probe_video, read_video):
        with pytest.raises(UnreadableMedia, match=sentence):
            read(path)


@pytest.mark.parametrize(
    ("sound", "is_heard"), [("aac", True), ("pcm_s16le", True), ("flac", True), ("wavpack", False)]
)
def test_sound_of_a_codec_that_is_not_read_is_none(tmp_path: Path, sound: str, is_heard: bool):
    path = video(tmp_path / "clip.mkv", "mpeg4", "yuv420p", sound)
    assert probe_video(path).has_audio is is_heard
    heard = read_audio(path, 0.0, 1.0)
    assert (heard is not None) is is_heard
    assert heard is None or np.abs(heard).max() > 0.1


def test_no_decoder_of_pictures_runs_while_a_file_is_opened():
    """FFmpeg would run one for each track of a file, each with frames that it keeps."""
    names = decoders_at_opening().split(",")
    assert {"aac", "opus", "pcm_s16le"} <= set(names)
    assert {av.Codec(name, "r").type for name in names} == {"audio"}
    assert not {"wmav2", "wavpack", "truehd"} & set(names)
