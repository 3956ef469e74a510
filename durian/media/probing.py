"""Properties of a video file, read from its headers and its first frame before anything large is unpacked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from durian.errors import DurianError, LimitExceeded, UnreadableMedia
from durian.media import avi_tables, matroska_lists, mp4_tables, results
from durian.media.apart import GLANCE, called_apart
from durian.media.codecs import decoders_at_opening, is_read
from durian.media.files import check_pixels, open_checked
from durian.media.held_frames import check_frame, set_threads
from durian.media.kinds import IMAGE_KINDS, VIDEO_FORMATS, VIDEO_KINDS, describe_kind, is_animated, sniff, with_article
from durian.media.packets import packets_of
from durian.media.unpacking import Unpacking
from durian.settings import get_settings

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MIN_FPS, MAX_FPS = 1.0, 120.0
"""Rates believed from a header. Browsers' recorders write 1000; slow-motion phones write up to 240."""
DEFAULT_FPS = 25.0
"""For a clip of a single frame without a rate."""
MOST_STREAMS = 32
"""Tracks of a video that are looked at, the first ones; each costs memory, and cameras write some ten."""
PACKETS_FOR_THE_START = 100
"""Of the pictures that are looked at for a time stamp, where no header tells when they begin."""
BYTES_LOOKED_AT = 1_000_000
"""As a file is opened, and one packet at least. FFmpeg keeps half a kilobyte for each packet, even of one byte."""
SECONDS_FOR_A_STEP = 30.0
"""For opening, and from one packet to the next: millions without content may lie between two, or none may come."""


@dataclass(frozen=True)
class VideoInfo:
    """``width`` and ``height`` are upright, in square pixels; ``duration`` in seconds."""

    width: int
    height: int
    fps: float
    duration: float
    has_audio: bool

    @classmethod
    def checked(cls, value: Any) -> VideoInfo:
        """One of the fields' values, as another process sends them; raises as :mod:`durian.media.results`."""
        width, height, fps, duration, has_audio = value
        return cls(
            results.whole(width),
            results.whole(height),
            results.positive(fps),
            results.positive(duration),
            results.truth(has_audio),
        )


def video_kind(path: str | os.PathLike[str]) -> tuple[Path, str]:
    """Check that a file is one of the accepted video containers, by content.

    The demuxer is chosen from this, never guessed: a playlist dressed as a video could otherwise make FFmpeg open
    other files or addresses.

    Raises:
        UnreadableMedia: not a video, or an AVI shorter than it says.
        LimitExceeded: too many bytes.
    """
    path, head = open_checked(path, VIDEO_FORMATS)
    kind = sniff(head)
    if kind not in VIDEO_KINDS:
        if is_animated(head, kind):
            moving = f"an animated {kind.upper()}, which is not read as a video"
            raise UnreadableMedia(f"{path.name} is {moving}: convert it to a GIF or an MP4.")
        still = ", without moving pictures" if kind in (*IMAGE_KINDS, "sound") else ""
        raise UnreadableMedia(f"{path.name} {describe_kind(kind)}{still}: choose {with_article(VIDEO_FORMATS)}.")
    if kind == "avi" and int.from_bytes(head[4:8], "little") > path.stat().st_size:
        # FFmpeg quietly shortens a cut AVI; only the size in its first bytes tells.
        raise damaged(path)
    return path, kind


def open_container(path: Path, kind: str) -> InputContainer:
    """Open a local video with the demuxer of its ``kind``.

    Raises:
        UnreadableMedia: the headers cannot be read.
        LimitExceeded: they tell of far more than a file of ours may hold.
    """
    import av

    if kind == "mp4":
        mp4_tables.check_tables(path)
    elif kind == "matroska":
        matroska_lists.check_lists(path)
    elif kind == "avi":
        avi_tables.check_tables(path)
    try:
        return av.open(f"file:{path}", format=kind, options=_options(kind), timeout=SECONDS_FOR_A_STEP)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise damaged(path) from error


def _options(kind: str) -> dict[str, str]:
    options = {
        "protocol_whitelist": "file",
        "codec_whitelist": decoders_at_opening(),
        "probesize": str(BYTES_LOOKED_AT),
        "max_streams": str(MOST_STREAMS),
    }
    if kind == "mp4":
        # Of which there may be as many as samples, each read by itself.
        options["ignore_chapters"] = "1"
    return options


def damaged(path: Path) -> UnreadableMedia:
    """The sentence for a video that cannot be read at all."""
    return UnreadableMedia(f"{path.name} is cut off or damaged: choose a complete {VIDEO_FORMATS}.")


def find_video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream with moving pictures, its size already checked against the limits.

    Raises:
        UnreadableMedia: sound only (cover art does not count), or of a codec that is not read.
        LimitExceeded: frames of too many pixels.
    """
    from av.stream import Disposition

    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            continue
        codec = None if stream.codec_context is None else stream.codec_context.codec.canonical_name
        if codec is None or not is_read(codec):
            called = f" ({codec})" if codec else ""
            raise UnreadableMedia(f"{path.name} uses a codec that is not read{called}: convert it to H.264 MP4.")
        told = stream.codec_context.width, stream.codec_context.height
        if any(told):
            check_pixels(*told, path.name, "video")
            check_frame(*told, codec, path.name)
        set_threads(stream)
        return stream
    if container.streams.audio:
        raise UnreadableMedia(
            f"{path.name} holds sound only, without moving pictures: choose {with_article(VIDEO_FORMATS)}."
        )
    raise UnreadableMedia(f"{path.name} holds no frames: choose {with_article(VIDEO_FORMATS)} that plays.")


def find_sound_stream(container: InputContainer) -> AudioStream | None:
    """The first stream of sound whose codec is read, ``None`` where there is none."""
    streams = (each for each in container.streams.audio if each.codec_context is not None)
    return next((each for each in streams if is_read(each.codec_context.codec.canonical_name)), None)


def stream_zero(container: InputContainer, stream: VideoStream) -> float:
    """Time stamp in seconds of the stream's beginning; recorders do not always start at 0."""
    start = _first_stamp(container, stream) if _is_matroska(container) else stream.start_time
    return 0.0 if start is None or stream.time_base is None else float(start * stream.time_base)


def _is_matroska(container: InputContainer) -> bool:
    """Whether what FFmpeg tells of a stream's beginning and length may be a guess, from the whole file's."""
    return "matroska" in container.format.name


def _first_stamp(container: InputContainer, stream: VideoStream) -> int | None:
    """That of the first packet which has one; read apart, so that the container stays where it is."""
    import av

    try:
        options = _options("matroska")
        with av.open(container.name, format="matroska", options=options, timeout=SECONDS_FOR_A_STEP) as again:
            packets = packets_of(again, again.streams[stream.index], Path(container.name).name)
            stamps = (packet.pts for packet in islice(packets, PACKETS_FOR_THE_START))
            return next((stamp for stamp in stamps if stamp is not None), None)
    except (av.FFmpegError, OSError, ValueError):
        # What is wrong is told where frames are read.
        return None


def declared_duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds of the picture stream as the headers tell it, ``None`` where they do not (browsers' WebM, GIF)."""
    if stream.duration and stream.time_base and not _is_matroska(container):
        return float(stream.duration * stream.time_base)
    length = _tagged_duration(stream.metadata.get("DURATION", ""))
    if length is None and container.duration and not container.streams.audio:
        # With sound the container's length may be the sound's.
        length = container.duration / 1e6
    elif "_STATISTICS_WRITING_APP" in stream.metadata:
        # mkvmerge tags a stream with its own length, all others with its end.
        return length
    if length is not None and _is_matroska(container):
        # MKV and WebM count from 0, although their first frame may come later; other headers tell the length itself.
        after = length - max(stream_zero(container, stream), 0.0)
        length = after if after > 0 else length
    return length


def _tagged_duration(tag: str) -> float | None:
    """Seconds of a tag such as ``00:00:05.000000000``."""
    try:
        hours, minutes, seconds = (float(part) for part in tag.split(":"))
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def scan_packets(path: Path, kind: str) -> tuple[float, int]:
    """Length in seconds (0 without time stamps) and number of frames, by reading packets without decoding one.

    Raises:
        LimitExceeded: there are more than any film has.
    """
    import av

    last, count = 0.0, 0
    with open_container(path, kind) as container:
        stream = find_video_stream(container, path)
        zero = stream_zero(container, stream)
        base = stream.time_base or Fraction(1, 1000)
        try:
            for packet in packets_of(container, stream, path.name):
                count += packet.size > 0
                if packet.pts is not None:
                    last = max(last, float((packet.pts + (packet.duration or 0)) * base) - zero)
        except av.FFmpegError:
            # What was counted so far is what can be read.
            return last, count
    return last, count


def timing(path: Path, kind: str, container: InputContainer, stream: VideoStream) -> tuple[float, float]:
    """Duration in seconds and a sane frame rate, from the headers or, where they are silent, from the packets."""
    duration = declared_duration(container, stream)
    fps = float(stream.average_rate or stream.guessed_rate or 0)
    sane = MIN_FPS <= fps <= MAX_FPS
    if not duration or not sane:
        scanned, count = scan_packets(path, kind)
        if scanned > 0:
            fps = count / scanned
        elif not sane:
            fps = DEFAULT_FPS
        duration = duration or scanned or count / fps
    return duration, min(max(fps, MIN_FPS), MAX_FPS)


def upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Width and height as shown: square pixels, rotation applied."""
    # What the container does not tell stands in the frames.
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
    width = max(1, round(frame.width * float(aspect))) if Fraction(1, 4) < aspect < 4 else frame.width
    return (frame.height, width) if frame.rotation % 180 else (width, frame.height)


@called_apart(GLANCE, VideoInfo.checked)
def probe_video(path: str | os.PathLike[str]) -> VideoInfo:
    """Read size, rate, length and sound of a video. Decodes its first frame only, and not even that if too large.

    Raises:
        UnreadableMedia: not a video, sound only, damaged, or without a single frame.
        LimitExceeded: too many bytes or pixels, or frames that are never shown. A long video is *not*
            refused here, so that a trim can be offered.
    """
    import av

    path, kind = video_kind(path)
    with open_container(path, kind) as container:
        stream = find_video_stream(container, path)
        duration, fps = timing(path, kind, container, stream)
        try:
            frame = next(Unpacking(container, stream, path.name).frames(), None)
        except DurianError:
            raise
        except (av.FFmpegError, ValueError) as error:
            raise damaged(path) from error
        if frame is None:
            raise UnreadableMedia(f"{path.name} holds no frames: choose {with_article(VIDEO_FORMATS)} that plays.")
        width, height = upright_size(frame, stream)
        check_pixels(width, height, path.name, "video")
        return VideoInfo(width, height, fps, max(duration, 1 / fps), find_sound_stream(container) is not None)


def check_length(seconds: float, name: str, max_seconds: float | None = None) -> None:
    """Refuse a part of a video that is longer than ``max_seconds`` (default: the settings' limit).

    Raises:
        LimitExceeded: with both lengths and what to do.
    """
    limit = get_settings().max_video_seconds if max_seconds is None else max_seconds
    # A tenth of a second of grace: a clip recorded to the limit often holds a frame or two more.
    if seconds > limit + 0.1:
        raise LimitExceeded(f"{name} lasts {spoken_time(seconds)}: at most {spoken_time(limit)} are used; trim it.")


def spoken_time(seconds: float) -> str:
    """``"12.5 s"``, ``"1:30 min"`` or ``"3:00:00 h"``."""
    if seconds < 60.05:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02} h" if hours else f"{minutes}:{whole % 60:02} min"
