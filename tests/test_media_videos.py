"""Reading videos: every container, rotation, odd clocks, trims, and every bad file, made on the spot."""

from __future__ import annotations

import time
from fractions import Fraction

import av
import numpy as np
import pytest
from videos_made import CODECS, HEIGHT, QUALITY, WIDTH, make_video, number_of, numbered, steady

from durian.errors import InvalidRequest, LimitExceeded, UnreadableMedia
from durian.media import iter_video, probe_video, read_video


@pytest.mark.parametrize("ending", CODECS)
def test_containers(tmp_path, ending):
    path = make_video(tmp_path / f"clip.{ending}", steady(20, 10))
    info = probe_video(path)
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    assert info.fps == pytest.approx(10, rel=0.06)
    assert info.duration == pytest.approx(2.0, abs=0.11)
    assert not info.has_audio
    video = read_video(path, fps=10)
    assert [number_of(frame) for frame in video.frames][:19] == list(range(19))
    assert video.frames[0].shape == (HEIGHT, WIDTH, 3)
    assert video.frames[0].dtype == np.uint8
    assert video.duration == pytest.approx(2.0, abs=0.11)


@pytest.mark.parametrize(("fps", "expected"), [(5, [0, 2, 4, 6, 8]), (20, [0, 0, 1, 1, 2, 2, 3, 3]), (10, [0, 1, 2])])
def test_resampling_keeps_time(tmp_path, fps, expected):
    path = make_video(tmp_path / "clip.mp4", steady(20, 10))
    video = read_video(path, fps=fps)
    assert len(video.frames) == round(2.0 * fps)
    assert [number_of(frame) for frame in video.frames][: len(expected)] == expected
    assert video.fps == fps


@pytest.mark.parametrize("ending", ["mp4", "webm", "mkv"])
def test_variable_frame_rate_shows_what_a_player_shows(tmp_path, ending):
    # Fast, then one frame held for a second, then fast again.
    times = [0, 0.1, 0.2, 0.3, 1.3, 1.4, 1.5, 1.6]
    path = make_video(tmp_path / f"variable.{ending}", times)
    numbers = [number_of(frame) for frame in read_video(path, fps=10).frames]
    assert numbers[:17] == [0, 1, 2, 3, *[3] * 9, 4, 5, 6, 7]


def test_a_recorder_without_length_or_rate(tmp_path):
    # What MediaRecorder writes: WebM as a live stream, without duration, in whole milliseconds.
    path = tmp_path / "webcam.webm"
    with av.open(str(path), "w", format="webm", options={"live": "1"}) as container:
        stream = container.add_stream("libvpx", rate=30, options=QUALITY["libvpx"])
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(30):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(index * 1000 / 30), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    info = probe_video(path)
    assert info.duration == pytest.approx(1.0, abs=0.05)
    assert [number_of(frame) for frame in read_video(path, fps=30).frames][:29] == list(range(29))


@pytest.mark.parametrize(("rotation", "corner"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (270, (0, 1))])
def test_rotation_metadata(tmp_path, rotation, corner):
    # PyAV and FFmpeg count the display matrix counter-clockwise.
    path = make_video(tmp_path / "phone.mp4", steady(5, 10), rotation=rotation)
    frame = read_video(path, fps=10).frames[0]
    info = probe_video(path)
    turned = rotation % 180 == 90
    assert frame.shape == ((WIDTH, HEIGHT, 3) if turned else (HEIGHT, WIDTH, 3))
    assert (info.height, info.width) == frame.shape[:2]
    bright = {
        (row, column): float(frame[-row * 8 :][:8, -column * 8 :][:, :8].mean()) for row in (0, 1) for column in (0, 1)
    }
    assert max(bright, key=bright.get) == corner


def test_non_square_pixels(tmp_path):
    path = make_video(tmp_path / "wide.mp4", steady(5, 10), aspect=Fraction(2, 1))
    assert (probe_video(path).width, probe_video(path).height) == (2 * WIDTH, HEIGHT)
    assert read_video(path).frames[0].shape == (HEIGHT, 2 * WIDTH, 3)


def test_trim_and_scale(tmp_path):
    path = make_video(tmp_path / "clip.mp4", steady(40, 10))
    video = read_video(path, fps=10, start=1.5, end=2.5, max_side=48)
    assert [number_of(frame) for frame in video.frames] == list(range(15, 25))
    assert video.frames[0].shape == (32, 48, 3)
    assert video.duration == pytest.approx(1.0)


@pytest.mark.parametrize(("start", "end"), [(-1, None), (9, None), (2, 1), (1, 1)])
def test_senseless_trims(tmp_path, start, end):
    path = make_video(tmp_path / "clip.mp4", steady(20, 10))
    with pytest.raises(InvalidRequest, match=r"start"):
        read_video(path, start=start, end=end)


def test_frames_may_be_changed_by_the_reader(tmp_path):
    path = make_video(tmp_path / "clip.mp4", steady(4, 2))
    frames = read_video(path, fps=4).frames
    frames[0][:] = 7
    assert number_of(frames[1]) == 0


def test_gif_transparency_lies_on_white(tmp_path):
    from PIL import Image

    path = tmp_path / "sticker.gif"
    frames = [Image.new("RGBA", (40, 40), (0, 0, 0, 0)) for _ in range(3)]
    for index, frame in enumerate(frames):
        frame.paste((200, 0, 0, 255), (index * 5, 0, 20, 20))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, disposal=2)
    assert read_video(path).frames[1][35, 35].tolist() == [255, 255, 255]


def _one_sentence(error: pytest.ExceptionInfo, *words: str) -> None:
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("ending", ["mp4", "mov", "webm", "mkv", "avi"])
def test_truncated(tmp_path, ending):
    path = make_video(tmp_path / f"cut.{ending}", steady(45, 10), size=(320, 240))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableMedia) as error:
        read_video(path)
    _one_sentence(error, path.name, "cut off or damaged")


def test_headers_only(tmp_path):
    path = make_video(tmp_path / "cut.mkv", steady(20, 10))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UnreadableMedia) as error:
        probe_video(path)
    _one_sentence(error, "cut.mkv")


def test_the_part_before_the_damage_can_be_used(tmp_path):
    path = make_video(tmp_path / "cut.mkv", steady(45, 10), size=(320, 240))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    assert [number_of(frame) for frame in read_video(path, fps=10, end=0.5).frames] == [0, 1, 2, 3, 4]


def test_empty_text_and_picture(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(UnreadableMedia, match=r"empty\.mp4 is empty"):
        probe_video(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("#EXTM3U\nhttp://example.org/secret\n")
    with pytest.raises(UnreadableMedia, match=r"text\.mp4 holds text.*choose an MP4"):
        probe_video(tmp_path / "text.mp4")
    (tmp_path / "photo.mp4").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    with pytest.raises(UnreadableMedia, match=r"photo\.mp4 is a picture"):
        iter_video(tmp_path / "photo.mp4")


@pytest.mark.parametrize("name", ["song.mp4", "song.mkv", "song.wav"])
def test_sound_only(tmp_path, name):
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le" if name.endswith("wav") else "aac", rate=48000)
        layout = "s16" if name.endswith("wav") else "fltp"
        for index in range(10):
            shape, kind = ((1, 1920), np.int16) if layout == "s16" else ((2, 960), np.float32)
            part = av.AudioFrame.from_ndarray(np.zeros(shape, kind), format=layout, layout="stereo")
            part.sample_rate, part.pts = 48000, index * 960
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    with pytest.raises(UnreadableMedia) as error:
        probe_video(path)
    _one_sentence(error, name, "sound only", "without moving pictures")


def test_zero_frames(tmp_path):
    path = tmp_path / "none.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        container.start_encoding()
    with pytest.raises(UnreadableMedia) as error:
        read_video(path)
    _one_sentence(error, "none.mp4")


def test_three_hours_are_refused_without_decoding(tmp_path):
    path = make_video(tmp_path / "film.mp4", [0.0, 1.0, 3 * 3600.0])
    began = time.process_time()
    with pytest.raises(LimitExceeded) as error:
        iter_video(path)
    _one_sentence(error, "film.mp4 lasts 3:00:0", "at most 60 s", "trim it")
    assert probe_video(path).duration > 10_000
    # A part of it is fine.
    assert [number_of(frame) for frame in read_video(path, fps=1, end=3).frames] == [0, 1, 1]
    # Not a speed test: decoding three hours takes minutes.
    assert time.process_time() - began < 20


def test_length_limit_counts_the_chosen_part(tmp_path):
    path = make_video(tmp_path / "clip.mp4", steady(40, 10))
    with pytest.raises(LimitExceeded, match=r"clip\.mp4 lasts 4 s: at most 2 s"):
        read_video(path, max_seconds=2)
    with pytest.raises(LimitExceeded, match=r"The chosen part of clip\.mp4 lasts 3 s"):
        read_video(path, max_seconds=2, start=1)
    assert len(read_video(path, max_seconds=2, start=1, end=3, fps=10).frames) == 20


def test_too_many_pixels(tmp_path, settings_environment):
    path = make_video(tmp_path / "clip.mp4", steady(5, 10), size=(1200, 900))
    settings_environment(max_megapixels=1)
    with pytest.raises(LimitExceeded) as error:
        probe_video(path)
    _one_sentence(error, "clip.mp4 is 1200×900 pixels", "1 megapixels")


def test_too_much_memory(tmp_path, monkeypatch):
    from durian.media import reading

    path = make_video(tmp_path / "clip.mp4", steady(10, 10))
    monkeypatch.setattr(reading, "MAX_LIST_BYTES", 100_000)
    with pytest.raises(LimitExceeded, match="GB of memory"):
        read_video(path)
    assert len(list(iter_video(path))) == 10


def test_a_closed_reader_lets_go_of_the_file(tmp_path):
    frames = iter_video(make_video(tmp_path / "clip.mp4", steady(20, 10)), fps=10)
    assert number_of(next(frames)) == 0
    frames.close()
    assert list(frames) == []
