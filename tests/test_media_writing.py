"""Written results: they play in a browser, keep time and sound, carry the mark, and are whole or absent."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from durian.errors import InvalidRequest, LimitExceeded, OutputFailed
from durian.media import (
    DIGITAL_SOURCE_TYPE,
    TITLE,
    VideoWriter,
    iter_lossless,
    probe_video,
    read_audio,
    read_image,
    read_metadata,
    read_video,
    write_frames_zip,
    write_gif,
    write_video,
)
from durian.settings import Settings


@pytest.fixture(scope="module")
def frames(collins) -> list[np.ndarray]:
    """Twelve frames of a real portrait that slides by two pixels."""
    return [np.ascontiguousarray(collins[2 * i : 2 * i + 128, 150 : 150 + 160]) for i in range(12)]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b.astype(float)) ** 2))))


def test_mp4_is_what_browsers_play(frames, no_leftovers):
    path = write_video(frames, no_leftovers / "result.mp4", 24)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 24
        assert (stream.codec_context.color_range, stream.codec_context.colorspace) == (1, 1)
        assert not container.streams.audio
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    video = read_video(path)
    assert len(video.frames) == 12
    assert all(psnr(a, b) > 33 for a, b in zip(video.frames, frames, strict=True))


def test_colours_survive(no_leftovers):
    # Flat patches, so that chroma subsampling does not matter: what is left is the colour matrix and range.
    frame = np.zeros((96, 128, 3), np.uint8)
    colours = np.array([(230, 30, 30), (30, 200, 40), (40, 60, 220), (250, 250, 250), (200, 150, 120), (8, 8, 8)])
    for index, colour in enumerate(colours):
        frame[(index // 3) * 48 :][:48, (index % 3) * 42 :][:, :44] = colour
    path = write_video([frame] * 3, no_leftovers / "colours.mp4", 24)
    shown = read_video(path).frames[1]
    for index, colour in enumerate(colours):
        patch = shown[(index // 3) * 48 + 12 :][:24, (index % 3) * 42 + 12 :][:, :20]
        assert np.abs(patch.reshape(-1, 3).mean(0) - colour).max() < 4


@pytest.mark.parametrize("fps", [23.976, 12.5, 30, 60])
def test_rates(frames, no_leftovers, fps):
    path = write_video(frames, no_leftovers / "rate.mp4", fps)
    assert probe_video(path).fps == pytest.approx(fps, rel=1e-3)
    assert probe_video(path).duration == pytest.approx(12 / fps, rel=0.01)


def test_odd_sizes_are_extended_by_a_pixel(frames, no_leftovers):
    odd = [frame[:127, :159] for frame in frames]
    video = read_video(write_video(odd, no_leftovers / "odd.mp4", 24))
    assert video.frames[0].shape == (128, 160, 3)
    assert psnr(video.frames[3][:127, :159], odd[3]) > 33
    master = read_video(write_video(odd, no_leftovers / "odd.mkv", 24))
    assert np.array_equal(master.frames[3][:127, :159], odd[3])


def test_the_master_is_lossless(frames, no_leftovers):
    path = write_video(frames, no_leftovers / "master.mkv", 24, metadata={"seed": 1})
    video = read_video(path)
    assert video.fps == 24
    assert all(np.array_equal(a, b) for a, b in zip(video.frames, frames, strict=True))
    assert read_metadata(path)["seed"] == 1


def test_the_mark_and_the_settings_travel_in_the_mp4(frames, no_leftovers):
    path = write_video(frames, no_leftovers / "result.mp4", 24, metadata={"seed": 5, "motion": "nod ü <&>"})
    found = read_metadata(path)
    assert found["seed"] == 5
    assert found["motion"] == "nod ü <&>"
    assert found["title"] == TITLE
    assert "AI-generated" in str(found["comment"])
    assert found["digital_source_type"] == DIGITAL_SOURCE_TYPE


@pytest.fixture(scope="module")
def driving(tmp_path_factory, frames) -> Path:
    """Two seconds of video whose tone begins at 1.0 s."""
    path = tmp_path_factory.mktemp("driving") / "driving.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
        sound = container.add_stream("aac", rate=44100, layout="mono")
        for frame in frames * 2:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
        tone = (np.sin(np.arange(88200) * 0.1) * (np.arange(88200) >= 44100) * 0.5).astype(np.float32)
        for begin in range(0, 88200 - 1024, 1024):
            part = av.AudioFrame.from_ndarray(tone[None, begin : begin + 1024], format="fltp", layout="mono")
            part.sample_rate, part.pts, part.time_base = 44100, begin, Fraction(1, 44100)
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("start", [0.0, 0.75])
def test_sound_keeps_time_and_ends_with_the_picture(frames, driving, no_leftovers, start):
    count = round((2 - start) * 12)
    path = write_video((frames * 2)[:count], no_leftovers / "sound.mp4", 12, read_audio(driving, start, 5.0))
    with av.open(str(path)) as container:
        audio = container.streams.audio[0]
        assert audio.codec_context.name == "aac"
        assert float(audio.duration * audio.time_base) == pytest.approx(count / 12, abs=0.05)
        assert float(container.streams.video[0].duration * container.streams.video[0].time_base) == count / 12
    loud = np.flatnonzero(np.abs(read_audio(path, 0, 2)[0]) > 0.1)[0] / 48000
    assert loud == pytest.approx(1.0 - start, abs=0.03)


def test_sound_shorter_than_the_picture_and_no_sound(frames, driving, no_leftovers):
    long = write_video(frames * 4, no_leftovers / "long.mp4", 12, read_audio(driving, 0.0, 5.0))
    assert probe_video(long).duration == pytest.approx(4.0)
    assert not probe_video(write_video(frames, no_leftovers / "silent.mp4", 12)).has_audio


def test_gif_loops_and_keeps_time(frames, no_leftovers):
    from PIL import Image

    path = write_gif(frames, no_leftovers / "result.gif", 24, {"seed": 3, "motion": "ü" * 400})
    with Image.open(path) as image:
        assert image.info["loop"] == 0
        delays = []
        for index in range(image.n_frames):
            image.seek(index)
            delays.append(image.info["duration"])
        assert image.n_frames == 12
    # 24 frames a second is no whole number of hundredths: the delays alternate so that the sum stays right.
    assert sum(delays) == pytest.approx(500, abs=10)
    assert psnr(read_image(path), frames[0]) > 27
    assert read_metadata(path)["title"] == TITLE
    assert read_metadata(path)["seed"] == 3
    assert read_metadata(path)["motion"] == "ü" * 400
    assert read_metadata(path)["digital_source_type"] == DIGITAL_SOURCE_TYPE


def test_gif_from_the_master_equals_the_frames_it_holds(frames, no_leftovers):
    master = write_video(frames, no_leftovers / "master.mkv", 25)
    video = read_video(write_gif(master, no_leftovers / "result.gif", 25), fps=25)
    assert len(video.frames) == 12
    assert all(psnr(a, b) > 27 for a, b in zip(video.frames, frames, strict=True))


def test_fast_gif_leaves_frames_out(frames, no_leftovers):
    video = read_video(write_gif(frames, no_leftovers / "fast.gif", 100))
    assert video.duration == pytest.approx(0.12, abs=0.03)


def test_zip_holds_exact_frames_with_the_mark(frames, no_leftovers):
    path = write_frames_zip(iter(frames), no_leftovers / "frames.zip", {"seed": 2})
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [f"frame_{i:04}.png" for i in range(12)]
        assert archive.testzip() is None
        data = [archive.read(name) for name in archive.namelist()]
    assert all(np.array_equal(read_image(d), f) for d, f in zip(data, frames, strict=True))
    (no_leftovers / "one.png").write_bytes(data[0])
    assert read_metadata(no_leftovers / "one.png")["seed"] == 2


@pytest.mark.parametrize("write", [write_gif, lambda f, p, fps: write_frames_zip(f, p), write_video])
def test_no_frames(no_leftovers, write):
    with pytest.raises(InvalidRequest, match="got no frames"):
        write([], no_leftovers / "none.mp4", 24)
    assert list(no_leftovers.iterdir()) == []


def test_nothing_is_left_after_an_error_or_a_cancel(frames, no_leftovers):
    def cancelled():
        yield frames[0]
        raise RuntimeError("cancelled")

    targets = [
        (write_video, "a.mp4"),
        (write_video, "a.mkv"),
        (lambda f, p, fps: write_frames_zip(f, p), "a.zip"),
        (write_gif, "a.gif"),
    ]
    for write, name in targets:
        with pytest.raises(RuntimeError, match="cancelled"):
            write(cancelled(), no_leftovers / name, 24)
    assert list(no_leftovers.iterdir()) == []


def test_the_name_appears_only_when_the_file_is_whole(frames, no_leftovers):
    path = no_leftovers / "result.mp4"
    path.write_bytes(b"the last result")
    with VideoWriter(path, 24, (160, 128)) as writer:
        writer.write(frames[0])
        assert path.read_bytes() == b"the last result"
    assert len(read_video(path).frames) == 1
    assert writer.close() == path
    with pytest.raises(InvalidRequest, match="does not fit"), VideoWriter(path, 24, (160, 128)) as writer:
        writer.write(frames[0][:64])
    assert len(read_video(path).frames) == 1


def test_impossible_places_and_names(frames, no_leftovers):
    with pytest.raises(OutputFailed, match="does not exist"):
        write_video(frames, no_leftovers / "absent" / "result.mp4", 24)
    with pytest.raises(OutputFailed, match="does not exist"):
        write_gif(frames, no_leftovers / "absent" / "result.gif", 24)
    with pytest.raises(InvalidRequest, match=r"\.mp4"):
        write_video(frames, no_leftovers / "result.avi", 24)
    with pytest.raises(InvalidRequest, match="cannot be written"):
        VideoWriter(no_leftovers / "result.mp4", 0, (160, 128))


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from durian.errors import OutputFailed
    from durian.media import write_frames_zip, write_gif, write_video

    # A file-size limit fails each write in the kernel, as a full disk does.
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    noise = [np.random.default_rng(i).integers(0, 255, (128, 128, 3), np.uint8) for i in range(8)]
    writers = {
        "a.mp4": lambda p: write_video(noise, p, 24),
        "a.mkv": lambda p: write_video(noise, p, 24),
        "a.gif": lambda p: write_gif(noise, p, 24),
        "a.zip": lambda p: write_frames_zip(noise, p),
    }
    for name, write in writers.items():
        try:
            write(Path(sys.argv[1]) / name)
        except OutputFailed as error:
            print(error)
        else:
            print(name, "was written")
"""


@pytest.mark.parametrize("limit", [100, 20_000])
def test_full_disk(no_leftovers, project_root, limit):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(no_leftovers), str(limit)],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = [
        f"{name} could not be written because the disk is full: free some space and run again."
        for name in ("a.mp4", "a.mkv", "a.gif", "a.zip")
    ]
    assert done.stdout.splitlines() == expected
    assert list(no_leftovers.iterdir()) == []


def test_zip_can_be_read_from_memory(frames, no_leftovers):
    path = write_frames_zip(frames[:1], no_leftovers / "frames.zip")
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert np.array_equal(read_image(archive.read("frame_0000.png")), frames[0])


@pytest.mark.parametrize("letter", ["a", "é", "頭"])
def test_the_longest_names_that_a_disk_takes(frames, no_leftovers, letter):
    folder = no_leftovers / "out"
    folder.mkdir()
    for write, ending in (
        (lambda path: write_video(frames, path, 24), ".mp4"),
        (lambda path: write_gif(frames, path, 24), ".gif"),
        (lambda path: write_frames_zip(frames, path), ".zip"),
    ):
        room = 255 - len(ending)
        stem = letter * (room // len(letter.encode()))
        stem += "x" * (room - len(stem.encode()))
        path = write(folder / (stem + ending))
        assert len(path.name.encode()) == 255
        assert path.stat().st_size > 0


def test_a_name_that_is_too_long_is_told_as_that(frames, no_leftovers):
    for write in (
        lambda path: write_video(frames, path.with_suffix(".mp4"), 24),
        lambda path: write_gif(frames, path.with_suffix(".gif"), 24),
        lambda path: write_frames_zip(frames, path.with_suffix(".zip")),
    ):
        with pytest.raises(OutputFailed, match="name or path is too long: give it a shorter one"):
            write(no_leftovers / ("頭" * 84 + "xxxx"))
        with pytest.raises(OutputFailed, match="name or path is too long"):
            write(no_leftovers.joinpath(*["deep" * 50] * 21) / "x")


def test_a_finished_video_takes_no_more_frames(tmp_path):
    writer = VideoWriter(tmp_path / "clip.mp4", 24, (64, 64))
    writer.write(np.zeros((64, 64, 3), np.uint8))
    writer.close()
    with pytest.raises(InvalidRequest, match=r"clip\.mp4 is finished already"):
        writer.write(np.zeros((64, 64, 3), np.uint8))


def test_a_download_that_there_is_no_room_for_ends_while_it_is_written(no_leftovers):
    noise = np.random.default_rng(0).integers(0, 256, (130, 64, 64, 3), np.uint8)
    master = write_video(noise, no_leftovers / "master.mkv", 24)
    asked = []

    def frames():
        for frame in noise:
            asked.append(frame)
            yield frame

    for write, name in (
        (lambda p: write_frames_zip(frames(), p, None, 100_000), "a.zip"),
        (lambda p: write_gif(master, p, 24, most_bytes=300_000), "a.gif"),
    ):
        with pytest.raises(LimitExceeded, match=rf"{name} would have more than 0 MB"):
            write(no_leftovers / name)
        assert not (no_leftovers / name).exists()
    assert len(asked) < 20
    assert write_frames_zip(iter_lossless(master), no_leftovers / "all.zip", None, 3_000_000).is_file()


def test_a_lossless_video_is_read_whole_however_large_it_is(no_leftovers, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (90, 64, 64, 3), np.uint8)
    master = write_video(noise, no_leftovers / "master.mkv", 24)
    assert master.stat().st_size > 1_000_000
    monkeypatch.setattr("durian.media.files.get_settings", lambda: replace(Settings(), max_file_mb=1))
    assert np.array_equal(np.stack(list(iter_lossless(master))), noise)
    with pytest.raises(LimitExceeded):
        read_video(master)
    assert write_gif(master, no_leftovers / "all.gif", 24).is_file()
    master.write_bytes(b"no video any more")
    with pytest.raises(OutputFailed, match="make the animation again"):
        list(iter_lossless(master))
