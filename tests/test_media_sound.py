"""The driving video's sound: on the pictures' clock, and as loud as it was, however many channels it had."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos_made import HEIGHT, WIDTH, make_video, steady

from durian.errors import Cancelled
from durian.media import audio, probe_video, read_audio

LEVEL = 0.8
CLICK = slice(24_000, 24_480)
"""Samples of a click of a hundredth of a second, half a second in."""


def click_video(path: Path, *layouts: str) -> Path:
    """A picture and one second for each layout in turn, with the same click in all channels."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound = container.add_stream("pcm_f32le", rate=48000, layout=layouts[0])
        grey = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), format="rgb24")
        for _ in range(10 * len(layouts)):
            container.mux(pictures.encode(grey))
        container.mux(pictures.encode(None))
        for number, layout in enumerate(layouts):
            channels = av.AudioLayout(layout).nb_channels
            samples = np.zeros((48000, channels), np.float32)
            samples[CLICK] = LEVEL
            part = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=layout)
            part.sample_rate, part.pts, part.time_base = 48000, number * 48000, Fraction(1, 48000)
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("layout", ["mono", "stereo", "quad", "5.1", "7.1"])
def test_one_click_in_all_channels_keeps_its_level_and_its_moment(tmp_path, layout):
    samples = read_audio(click_video(tmp_path / "click.mkv", layout), 0, 1)
    wanted = np.zeros((2, 48000), np.float32)
    wanted[:, CLICK] = LEVEL
    exact = layout in ("mono", "stereo")
    assert np.abs(samples - wanted).max() <= (0 if exact else 1e-6)


def test_surround_sound_is_not_louder_than_full_scale(shared_data):
    samples = read_audio(shared_data / "bugs" / "snd_51.mp4", 0, 2)
    assert 0.7 < np.abs(samples).max() <= 1.0


def test_sound_on_the_picture_s_clock(tmp_path):
    path = make_video(tmp_path / "talk.mp4", steady(20, 10), sound=True)
    assert probe_video(path).has_audio
    for start in (0.0, 0.3):
        samples = read_audio(path, start, 1.0)
        assert samples.shape == (2, 48000)
        loud = np.flatnonzero(np.abs(samples[0]) > 0.1)[0] / 48000
        assert loud == pytest.approx(0.5 - start, abs=0.03)
    assert read_audio(make_video(tmp_path / "silent.mp4", steady(5, 10)), 0, 1) is None


@pytest.mark.parametrize("ending", ["mkv", "webm", "mp4"])
def test_sound_before_the_first_picture_is_left_out(tmp_path, ending):
    times = [2.0 + seconds for seconds in steady(10, 10)]
    path = make_video(tmp_path / f"late.{ending}", times, sound=True)
    assert probe_video(path).duration == pytest.approx(1.0, abs=0.02)
    samples = read_audio(path, 0.0, 0.5)
    # The tone has sounded since 0.5 s on the file's own clock.
    assert np.abs(samples[0, :4800]).max() > 0.3


def standing(path: Path, parts: list[np.ndarray]) -> Path:
    """A second of pictures, and a packet of sound for each of ``parts``, all of which begin at 0."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound = container.add_stream("pcm_f32le", rate=48000, layout="mono")
        grey = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), format="rgb24")
        container.mux([packet for _ in range(10) for packet in pictures.encode(grey)])
        container.mux(pictures.encode(None))
        for part in parts:
            packet = av.Packet(part.astype(np.float32).tobytes())
            packet.pts = packet.dts = 0
            packet.time_base, packet.stream = Fraction(1, 48000), sound
            container.mux(packet)
    return path


def test_sound_that_goes_on_at_one_moment_is_read_to_a_limit(tmp_path: Path, monkeypatch):
    """Seconds, each a little louder; a few hundred megabytes of them would take hours."""
    path = standing(tmp_path / "standing.mkv", [np.full(48000, second / 100) for second in range(20)])
    assert read_audio(path, 0, 1)[0, 1000] == pytest.approx(0.19)
    monkeypatch.setattr(audio, "MOST_SECONDS_BESIDE", 4.0)
    assert read_audio(path, 0, 1)[0, 1000] == pytest.approx(0.04)


def test_packets_of_next_to_nothing_are_counted(tmp_path: Path, monkeypatch):
    """The last of many packets of one sample is loud."""
    path = standing(tmp_path / "crumbs.mkv", [np.full(1, LEVEL * (number == 2999)) for number in range(3000)])
    assert read_audio(path, 0, 1).max() == pytest.approx(LEVEL)
    monkeypatch.setattr(audio, "MOST_SECONDS_BESIDE", 1.0)
    assert read_audio(path, 0, 1).max() == 0


def test_a_video_without_sound_has_none(tmp_path):
    assert read_audio(make_video(tmp_path / "silent.mp4", steady(5, 10)), 0.0, 1.0) is None


def test_reading_ends_when_it_is_cancelled(tmp_path):
    """Asked at each packet, of which 24 lie in half a second: before the wanted part, too."""
    path = make_video(tmp_path / "talk.mp4", steady(20, 10), sound=True)
    asked = []
    with pytest.raises(Cancelled):
        read_audio(path, 0.9, 1.0, is_cancelled=lambda: asked.append(0) or len(asked) > 10)
    assert len(asked) == 11


def test_sound_that_changes_its_kind_without_end(tmp_path, monkeypatch):
    """Mono and stereo in turn: the first so many kinds are heard."""
    pieces = [each for name in ("mono", "stereo") for each in decoded(click_video(tmp_path / f"{name}.mkv", name))]
    monkeypatch.setattr(audio, "MOST_KINDS", 3)
    made: list[av.AudioFrame] = []
    monkeypatch.setattr(audio, "_mixing", lambda frame, mixing=audio._mixing: made.append(frame) or mixing(frame))
    heard = sum(part.samples for part in audio._resampled(pieces * 50))
    assert len(made) == 3
    assert heard == pytest.approx(sum(part.samples for part in pieces) * 1.5, rel=0.01)


def decoded(path: Path) -> list[av.AudioFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(audio=0))
