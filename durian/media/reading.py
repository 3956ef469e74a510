"""Reading of videos: frames as ``(H, W, 3) uint8`` RGB, upright, at a steady rate whatever the file's own rate is."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from durian.errors import InvalidRequest, LimitExceeded, OutputFailed, UnreadableMedia
from durian.media import results
from durian.media.apart import CLIP, FRAMES, Work, iterated_apart
from durian.media.colour import flatten_on_white
from durian.media.files import check_pixels
from durian.media.kinds import VIDEO_FORMATS
from durian.media.probing import (
    VideoInfo,
    check_length,
    damaged,
    declared_duration,
    find_video_stream,
    open_container,
    probe_video,
    spoken_time,
    stream_zero,
    upright_size,
    video_kind,
)
from durian.media.unpacking import Unpacking, check_work

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

EARLY = 0.25
"""A frame due within this part of an output interval is shown already: time stamps in whole milliseconds (WebM)
would otherwise repeat one frame and skip the next. Measured on 30 fps WebM read at 30 fps."""
MISSING_SECONDS = 0.5
"""A file that ends this much before its declared end is cut off; containers round their lengths by less."""
SAME_SHAPE = 0.02
"""Part by which width over height may change within a video: sizes are rounded to whole blocks."""
MAX_LIST_BYTES = 3_000_000_000
"""Pixels :func:`read_video` keeps in memory at once; :func:`iter_video` has no such limit."""
MAX_SECONDS_BEFORE = 600.0
"""Read before the wanted part, where a file can be entered at few places: cameras' can every few seconds, those that
browsers record sometimes only at their beginning."""
CLIP_FRAME_PIXELS, CLIP_PIXELS = 9_000_000, 3_000_000_000
"""Of a frame (4K has 8.3 megapixels) and of all frames of what counts as a short video; a slow core decodes the latter
in half of the time that such a one may take."""
_HD_HEIGHT = 720
"""Untagged video of this height and above is in BT.709 colours, below in BT.601 (what players assume)."""
_UNSPECIFIED_COLORSPACE, _BT709, _BT601 = 2, 1, 5


@dataclass(frozen=True)
class Video:
    """Frames of ``(H, W, 3) uint8`` RGB at ``fps``; ``duration`` in seconds of what was read."""

    frames: list[np.ndarray]
    fps: float
    duration: float
    has_audio: bool


def read_video(
    path: str | os.PathLike[str],
    fps: float | None = None,
    max_seconds: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    max_side: int | None = None,
) -> Video:
    """Read (a part of) a video into memory.

    Args:
        path: an MP4, MOV, WebM, MKV, AVI or GIF.
        fps: rate of the result; ``None`` keeps the file's (average) rate.
        max_seconds: longest part that is read; ``None`` is the settings' limit.
        start: where to begin, seconds.
        end: where to stop, seconds; ``None`` is the end of the file.
        max_side: longest side in pixels; larger frames are scaled down.

    Raises:
        UnreadableMedia: not a video, damaged, or without frames.
        LimitExceeded: too long (refused from the headers, before decoding), too many bytes or pixels.
        InvalidRequest: ``start``, ``end`` or ``fps`` make no sense.
    """
    info = probe_video(path)
    rate = info.fps if fps is None else fps
    seconds = _window(info, Path(path).name, rate, start, end, max_seconds)
    scale = min(1.0, max_side / max(info.width, info.height)) if max_side else 1.0
    total = round(seconds * rate) * info.width * info.height * scale**2 * 3
    if total > MAX_LIST_BYTES:
        raise LimitExceeded(
            f"{Path(path).name} would take {total / 1e9:.1f} GB of memory: trim it or give a smaller size in pixels."
        )
    frames = list(iter_video(path, rate, max_seconds, start, end, max_side))
    return Video(frames, rate, len(frames) / rate, info.has_audio)


def iter_video(
    path: str | os.PathLike[str],
    fps: float | None = None,
    max_seconds: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    max_side: int | None = None,
) -> Generator[np.ndarray, None, None]:
    """As :func:`read_video`, one frame at a time. The checks run at the call, decoding at the first ``next``."""
    info = probe_video(path)
    rate = info.fps if fps is None else fps
    seconds = _window(info, Path(path).name, rate, start, end, max_seconds)
    return _sampled(Path(path), rate, start, seconds, max_side, info)


def _work_of(path: Path, fps: float, start: float, seconds: float, max_side: int | None, info: VideoInfo) -> Work:
    """The kind of work that a part of a video is, as far as its headers tell."""
    frame = info.width * info.height
    # A file without an index is read from its beginning.
    pixels = frame * info.fps * (seconds + min(start, MAX_SECONDS_BEFORE))
    return CLIP if frame <= CLIP_FRAME_PIXELS and pixels <= CLIP_PIXELS else FRAMES


def iter_lossless(path: str | os.PathLike[str]) -> Iterator[np.ndarray]:
    """Every frame ``(H, W, 3) uint8`` of a lossless video that :class:`durian.media.VideoWriter` wrote.

    It is our own, so that no limit of what somebody uploads holds for it: a minute of a whole photograph has 300 MB.

    Raises:
        OutputFailed: it is not there any more, or was written over.
    """
    import av

    try:
        with av.open(f"file:{path}", format="matroska") as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, OSError) as error:
        raise OutputFailed(f"{Path(path).name} cannot be read any more: make the animation again.") from error


def _window(
    info: VideoInfo, name: str, fps: float, start: float, end: float | None, max_seconds: float | None
) -> float:
    """Seconds that will be read, after checking the trim."""
    if not 0 < fps <= 1000:
        raise InvalidRequest(f"A rate of {fps:g} frames a second is out of range: give a value from 1 to 120.")
    if not 0 <= start < info.duration:
        length = spoken_time(info.duration)
        raise InvalidRequest(
            f"A start at {start:g} s is outside {name}, which lasts {length}: give one before its end."
        )
    if end is not None and not start < end:
        raise InvalidRequest(f"The end ({end:g} s) must come after the start ({start:g} s): move one of them.")
    seconds = (info.duration if end is None else min(end, info.duration)) - start
    what = name if start == 0 and end is None else f"The chosen part of {name}"
    check_length(seconds, what, max_seconds)
    check_work(info.width * info.height * info.fps * seconds, seconds, what)
    return seconds


@iterated_apart(_work_of, results.picture)
def _sampled(
    path: Path, fps: float, start: float, seconds: float, max_side: int | None, info: VideoInfo
) -> Generator[np.ndarray, None, None]:
    """Show at each output time the frame that a player would show, so that the length stays true."""
    count = max(1, round(seconds * fps))
    shown: VideoFrame | None = None
    emitted, last_time, complete = 0, start, False
    size: tuple[int, int] | None = None
    path, kind = video_kind(path)
    with open_container(path, kind) as container:
        stream = find_video_stream(container, path)
        declared = declared_duration(container, stream)
        for time, frame in _timed_frames(container, stream, path, start):
            check_pixels(frame.width, frame.height, path.name, "video")
            size = size or upright_size(frame, stream)
            _check_shape(upright_size(frame, stream), size, path, time)
            while shown is not None and emitted < count and start + (emitted + EARLY) / fps < time:
                yield _upright_rgb(shown, _limited(size, max_side))
                emitted += 1
            if emitted >= count:
                complete = True
                break
            shown, last_time = frame, time
        if shown is None or size is None:
            raise UnreadableMedia(f"{path.name} holds no frames from {spoken_time(start)} on: choose another part.")
        due = min(start + seconds, declared) if declared is not None else last_time
        if not complete and last_time + max(MISSING_SECONDS, 2 / fps) < due and kind != "gif":
            raise _broken_at(path, last_time, due)
        for _ in range(count - emitted):
            yield _upright_rgb(shown, _limited(size, max_side))


def _timed_frames(
    container: InputContainer, stream: VideoStream, path: Path, start: float
) -> Iterator[tuple[float, VideoFrame]]:
    """Decoded frames with their time in seconds from the stream's beginning, from the key frame before ``start``."""
    import av

    zero = stream_zero(container, stream)
    if start > 0 and stream.time_base:
        # Containers without an index (GIF) are read from the beginning, which is where they already stand.
        with suppress(av.FFmpegError):
            container.seek(int((start + zero) / stream.time_base), stream=stream)
    interval = 1 / float(stream.average_rate or 25)
    time, first, decoded = -interval, 0.0, 0
    # Headers may have told less than there is.
    unpacking = Unpacking(container, stream, path.name)
    try:
        for frame in unpacking.frames():
            time = frame.time - zero if frame.time is not None else time + interval
            first = time if decoded == 0 else first
            if first < start - MAX_SECONDS_BEFORE:
                raise LimitExceeded(
                    f"{path.name} can only be read from {spoken_time(max(first, 0))} on, too long before "
                    f"{spoken_time(start)}: cut out the part with another program."
                )
            decoded, unpacking.seconds = decoded + 1, time - first
            yield time, frame
    except (av.FFmpegError, MemoryError) as error:
        if decoded == 0:
            raise damaged(path) from error
        raise _broken_at(path, time, None) from error


def _broken_at(path: Path, time: float, due: float | None) -> UnreadableMedia:
    of = f" of {spoken_time(due)}" if due else ""
    return UnreadableMedia(
        f"{path.name} is cut off or damaged at {spoken_time(max(time, 0))}{of}: "
        f"trim it to the part before, or choose a complete {VIDEO_FORMATS}."
    )


def _check_shape(size: tuple[int, int], first: tuple[int, int], path: Path, time: float) -> None:
    """Recorders change the size while they record, which is scaled away; another shape is another picture."""
    if abs(size[0] * first[1] - size[1] * first[0]) > SAME_SHAPE * size[1] * first[0]:
        raise UnreadableMedia(
            f"{path.name} changes from {first[0]}×{first[1]} to {size[0]}×{size[1]} pixels at "
            f"{spoken_time(max(time, 0))}: trim it to the part before."
        )


def _limited(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    scale = max_side / max(size) if max_side and max(size) > max_side else 1.0
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _upright_rgb(frame: VideoFrame, size: tuple[int, int]) -> np.ndarray:
    """A decoded frame at ``size``, width and height as shown."""
    width, height = size[::-1] if frame.rotation % 180 else size
    colorspace = frame.colorspace
    if colorspace == _UNSPECIFIED_COLORSPACE:
        colorspace = _BT709 if frame.height >= _HD_HEIGHT else _BT601
    has_alpha = any(component.is_alpha for component in frame.format.components) or frame.format.has_palette
    converted = frame.reformat(
        width=width,
        height=height,
        format="rgba" if has_alpha else "rgb24",
        src_colorspace=colorspace,
        interpolation="AREA" if width < frame.width else "BICUBIC",
    )
    image = converted.to_ndarray()
    if has_alpha:
        image = flatten_on_white(image)
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns))
