"""The driving video's sound, cut to the part that is shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from durian.errors import Cancelled
from durian.media import results
from durian.media.apart import SOUND, called_apart
from durian.media.packets import packets_of
from durian.media.probing import find_sound_stream, find_video_stream, open_container, stream_zero, video_kind

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.filter import Graph

SAMPLE_RATE = 48_000
"""Hertz; what phones record and browsers play without resampling."""
CHUNK = 1024
"""Samples of one AAC frame."""
MOST_SECONDS_BESIDE = 600.0
"""Of sound before the wanted part, or at no time that can be told; as of pictures, where a file has no index."""
LOWEST_RATE = 4000
"""Hertz; sound that is sampled more rarely is none, and a few bytes of it would be minutes at :data:`SAMPLE_RATE`."""
SHORTEST_PACKET = 0.001
"""Seconds that a packet counts at least; Opus has 0.0025."""
MOST_KINDS = 100
"""Changes of the rate, the channels or the format of samples, each of which costs milliseconds; broadcasts have a few
of them. What comes after more is silence."""


@called_apart(SOUND, results.sound)
def read_audio(
    path: str | os.PathLike[str], start: float, seconds: float, *, is_cancelled: Callable[[], bool] = lambda: False
) -> np.ndarray | None:
    """Read ``seconds`` of sound from ``start``, both on the clock of the video's pictures.

    Args:
        path: a video.
        start: in seconds.
        seconds: how many.
        is_cancelled: asked again and again, since minutes without sound may come before the wanted part.

    Returns:
        ``(2, N) float32`` at :data:`SAMPLE_RATE`, silence where the file has none, or ``None`` without a sound track
        that is read.

    Raises:
        UnreadableMedia: not a video.
        LimitExceeded: of far more packets than any film has.
        Cancelled: ``is_cancelled`` said so.
    """
    import av

    path, kind = video_kind(path)
    with open_container(path, kind) as container:
        stream = find_sound_stream(container)
        if stream is None:
            return None
        zero = stream_zero(container, find_video_stream(container, path))
        samples = np.zeros((2, round(seconds * SAMPLE_RATE)), np.float32)
        if start > 1 and stream.time_base:
            # One second early: a codec's first frames after a jump may be silent.
            container.seek(int((start - 1 + zero) / stream.time_base), stream=stream)
        try:
            frames = _decoded(container, stream, path.name, seconds + MOST_SECONDS_BESIDE, is_cancelled)
            for part in _resampled(frames):
                if not _place(part, samples, start + zero):
                    break
        except av.FFmpegError:
            # Broken sound is no reason to lose the pictures: what was read is used.
            return samples
    return samples


def _decoded(
    container: InputContainer, stream: AudioStream, name: str, most: float, is_cancelled: Callable[[], bool]
) -> Iterator[AudioFrame]:
    """Frames with a time stamp, until ``most`` seconds are unpacked: time stamps may stand still for ever."""
    unpacked = 0.0
    for packet in packets_of(container, stream, name):
        if is_cancelled():
            raise Cancelled("The sound is not wanted any more.")
        frames = stream.decode(packet)
        unpacked += max(SHORTEST_PACKET, sum(frame.samples / (frame.sample_rate or SAMPLE_RATE) for frame in frames))
        if unpacked > most:
            return
        yield from (frame for frame in frames if frame.time is not None and frame.sample_rate >= LOWEST_RATE)


def _resampled(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    """Parts of one channel (of mono) or two at :data:`SAMPLE_RATE`, ``fltp``, however many channels there were.

    Surround sound is mixed down by FFmpeg's matrix, scaled so that the loudest possible sample still fits.
    """
    graph: Graph | None = None
    kind, kinds = None, 0
    for frame in frames:
        found = frame.format.name, frame.layout.name, frame.sample_rate, frame.time_base
        if graph is None or found != kind:
            if graph is not None:
                yield from _drained(graph, None)
            kinds += 1
            if kinds > MOST_KINDS:
                return
            graph, kind = _mixing(frame), found
        yield from _drained(graph, frame)
    if graph is not None:
        yield from _drained(graph, None)


def _mixing(frame: AudioFrame) -> Graph:
    from av.filter import Graph

    graph = Graph()
    given = graph.add_abuffer(
        format=frame.format.name, sample_rate=frame.sample_rate, layout=frame.layout.name, time_base=frame.time_base
    )
    # Mono is only doubled afterwards: FFmpeg would make it 3 dB quieter.
    layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
    mix = graph.add("aresample", f"{SAMPLE_RATE}:out_chlayout={layout}:out_sample_fmt=fltp:rematrix_maxval=1")
    graph.link_nodes(given, mix, graph.add("abuffersink")).configure()
    return graph


def _drained(graph: Graph, frame: AudioFrame | None) -> Iterator[AudioFrame]:
    """Frames that come out of a graph after ``frame`` (``None``: the end) went in."""
    import av

    graph.push(frame)
    while True:
        try:
            part = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(part, av.AudioFrame):
            yield part


def _place(part: AudioFrame, samples: np.ndarray, origin: float) -> bool:
    """Copy a decoded part to where its time stamp says; False once it lies behind the wanted stretch."""
    if part.time is None:
        return True
    values = part.to_ndarray()  # (1 or 2, n): one channel fills both
    first = round((part.time - origin) * SAMPLE_RATE)
    if first >= samples.shape[1]:
        return False
    skip = max(0, -first)
    values = values[:, skip : skip + samples.shape[1] - max(first, 0)]
    samples[:, max(first, 0) : max(first, 0) + values.shape[1]] = values
    return True
