"""Sound and tracks that would take far more memory than their file has bytes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from durian.media import probe_video
from durian.media.audio import LOWEST_RATE, read_audio
from durian.media.probing import MOST_STREAMS, open_container


def video(path: Path, sounds: int, rate: int) -> Path:
    """Two grey frames, and so many tracks of one loud second each, sampled ``rate`` times a second."""
    with av.open(str(path), "w", format="matroska") as container:
        pictures = container.add_stream("mpeg4", rate=5)
        pictures.width = pictures.height = 64
        tracks = [container.add_stream("pcm_s16le", rate=rate, layout="mono") for _ in range(sounds)]
        for index in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
            frame.pts = index
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        for track in tracks:
            loud = av.AudioFrame.from_ndarray(np.full((1, rate), 20_000, np.int16), format="s16", layout="mono")
            loud.sample_rate, loud.pts, loud.time_base = rate, 0, Fraction(1, rate)
            container.mux(track.encode(loud))
            container.mux(track.encode(None))
    return path


@pytest.mark.parametrize(("rate", "is_heard"), [(8, False), (LOWEST_RATE, True)])
def test_sound_of_a_few_samples_a_second_is_silence(tmp_path: Path, rate: int, is_heard: bool):
    sound = read_audio(video(tmp_path / "a.mkv", 1, rate), 0.0, 0.5)
    assert sound is not None
    assert (np.abs(sound).max() > 0.3) == is_heard


def test_of_many_tracks_so_many_are_opened(tmp_path: Path):
    path = video(tmp_path / "many.mkv", 3 * MOST_STREAMS, LOWEST_RATE)
    with open_container(path, "matroska") as container:
        assert len(container.streams) == MOST_STREAMS
    assert probe_video(path).width == 64
