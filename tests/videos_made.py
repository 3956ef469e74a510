"""Small videos whose frames tell their number, in every container, at any time, with a tone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 96, 64
CODECS = {
    "mp4": ("libx264", "yuv420p"),
    "mov": ("libx264", "yuv420p"),
    "webm": ("libvpx", "yuv420p"),
    "mkv": ("libx264", "yuv420p"),
    "avi": ("mpeg4", "yuv420p"),
    "gif": ("gif", "rgb8"),
}

QUALITY = {"libx264": {"crf": "8"}, "libvpx": {"crf": "4", "b": "4M"}, "mpeg4": {"b": "6M"}}
"""High enough that a frame's number can be read off its level."""


def grey(index: int) -> int:
    """Level of frame ``index``; steps of 5 survive every codec."""
    return 20 + 5 * index


def numbered(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A frame whose level tells its number, with a bright block in the upper left corner to show rotation."""
    image = np.full((height, width, 3), grey(index), np.uint8)
    image[: height // 4, : width // 4] = 250
    return image


def number_of(frame: np.ndarray) -> int:
    """Which frame of :func:`numbered` this is, from its centre."""
    h, w = frame.shape[:2]
    return round((float(frame[h // 3 : -h // 3, w // 3 : -w // 3].mean()) - 20) / 5)


def make_video(
    path: Path,
    times: list[float],
    rotation: int = 0,
    sound: bool = False,
    aspect: Fraction | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Path:
    """A video whose frame ``i`` is shown at ``times[i]`` seconds, with a tone that starts at 0.5 s if ``sound``."""
    codec, layout = CODECS[path.suffix[1:]]
    clock = Fraction(1, 1000) if path.suffix not in (".avi", ".gif") else Fraction(1, 100)
    rate = round((len(times) - 1) / max(times[-1] - times[0], 1e-3)) if len(times) > 1 else 10
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=QUALITY.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = *size, layout
        if path.suffix in (".avi", ".gif"):
            clock = Fraction(1, rate) if path.suffix == ".avi" else clock
        stream.codec_context.time_base = clock
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        audio = container.add_stream("aac" if path.suffix != ".webm" else "libopus", rate=48000) if sound else None
        for index, seconds in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered(index, *size), format="rgb24").reformat(format=layout)
            frame.pts, frame.time_base = round(seconds / clock), clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio:
            tone = np.sin(np.arange(round(times[-1] * 48000)) * 0.1).astype(np.float32) * 0.5
            tone[:24000] = 0
            for begin in range(0, len(tone) - 960, 960):
                part = av.AudioFrame.from_ndarray(
                    np.repeat(tone[None, begin : begin + 960], 2, 0), format="fltp", layout="stereo"
                )
                part.sample_rate, part.pts, part.time_base = 48000, begin, Fraction(1, 48000)
                container.mux(audio.encode(part))
            container.mux(audio.encode(None))
    return path


def steady(count: int, fps: float) -> list[float]:
    return [index / fps for index in range(count)]
