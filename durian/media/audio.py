"""The driving video's sound, cut to the part that is shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from durian.media.probing import find_video_stream, open_container, stream_zero, video_kind

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

SAMPLE_RATE = 48_000
"""Hertz; what phones record and browsers play without resampling."""
CHUNK = 1024
"""Samples of one AAC frame."""


def read_audio(path: str | os.PathLike[str], start: float, seconds: float) -> np.ndarray | None:
    """Read ``seconds`` of sound from ``start``, both on the clock of the video's pictures.

    Returns:
        ``(2, N) float32`` at :data:`SAMPLE_RATE`, silence where the file has none, or ``None`` without a sound track.

    Raises:
        UnreadableMedia: not a video.
    """
    import av

    path, kind = video_kind(path)
    with open_container(path, kind) as container:
        if not container.streams.audio:
            return None
        zero = stream_zero(find_video_stream(container, path))
        stream = container.streams.audio[0]
        samples = np.zeros((2, round(seconds * SAMPLE_RATE)), np.float32)
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
        if start > 1 and stream.time_base:
            # One second early: a codec's first frames after a jump may be silent.
            container.seek(int((start - 1 + zero) / stream.time_base), stream=stream)
        try:
            for frame in container.decode(stream):
                if frame.time is None:
                    continue
                for part in resampler.resample(frame):
                    if not _place(part, samples, start + zero):
                        return samples
            for part in resampler.resample(None):
                _place(part, samples, start + zero)
        except av.FFmpegError:
            # Broken sound is no reason to lose the pictures: what was read is used.
            return samples
    return samples


def _place(part: AudioFrame, samples: np.ndarray, origin: float) -> bool:
    """Copy a decoded part to where its time stamp says; False once it lies behind the wanted stretch."""
    if part.time is None:
        return True
    values = part.to_ndarray()
    first = round((part.time - origin) * SAMPLE_RATE)
    if first >= samples.shape[1]:
        return False
    skip = max(0, -first)
    values = values[:, skip : skip + samples.shape[1] - max(first, 0)]
    samples[:, max(first, 0) : max(first, 0) + values.shape[1]] = values
    return True
