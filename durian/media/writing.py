"""Atomic writing of results: an MP4 that browsers play, a lossless master, GIF, and a ZIP of frames."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from durian.errors import InvalidRequest, LimitExceeded
from durian.media.audio import CHUNK, SAMPLE_RATE
from durian.media.files import atomic_output, discard, output_failure, temporary_beside, written_to
from durian.media.gif import encode_gif
from durian.media.images import encode_png
from durian.media.metadata import append_xmp_box, container_tags
from durian.media.reading import iter_lossless

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

QUALITY = 14
"""H.264 constant rate factor. Measured on 48 rendered frames of 512 px: luma 42.9 dB and 0.22 MB; 17 gives 41.9 dB and
0.15 MB, 10 gives 44 dB and 0.38 MB, all in 0.3 s on two busy cores."""
X264_OPTIONS = {"preset": "veryfast", "crf": str(QUALITY), "threads": "2", "movflags": "+faststart"}
LOSSLESS_OPTIONS = {"preset": "ultrafast", "qp": "0", "threads": "2"}
AUDIO_BIT_RATE = 128_000
MAX_GIF_FPS = 50.0
"""Browsers slow down GIF frames shorter than 2/100 s."""
PALETTE_FRAMES = 16
"""Frames a GIF's palette is made from; enough to see each colour a portrait turns through (taste)."""


class VideoWriter:
    """Write frames to an H.264 MP4 (yuv420p, index in front, BT.709) or a lossless RGB MKV.

    The file appears under its name only when it is complete: :meth:`close` (or leaving ``with``) renames it, an error
    or :meth:`abort` deletes it. Odd sides are extended by one repeated row or column, since yuv420p needs even ones.

    Args:
        path: ends in ``.mp4``, or in ``.mkv`` for the lossless master.
        fps: frames a second.
        size: ``(width, height)`` of every frame.
        sound: samples ``(2, N) float32`` at :data:`durian.media.audio.SAMPLE_RATE` that are heard from the first frame
            on, as :func:`durian.media.read_audio` gives them; ``None`` for a video without sound.
        metadata: settings that travel in the file; see :mod:`durian.media.metadata`.

    Raises:
        OutputFailed: the disk is full or the place not writable (from the constructor, ``write`` or ``close``).
        InvalidRequest: a frame of another size or type, an unknown ending, or no frame at all.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        fps: float,
        size: tuple[int, int],
        sound: np.ndarray | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        import av

        self.path = Path(path)
        self.fps = fps
        self.frames = 0
        self.bytes_written = 0
        """Of pictures and sound so far; the file's head and index come on top."""
        self._width, self._height = size
        self._metadata = dict(metadata or {})
        self._lossless = self.path.suffix.lower() == ".mkv"
        if self.path.suffix.lower() not in (".mp4", ".mkv"):
            raise InvalidRequest(f"{self.path.name} cannot be written as a video: end its name in .mp4.")
        if min(size) < 2 or not 0 < fps <= 1000:
            raise InvalidRequest(f"A video of {size[0]}×{size[1]} pixels at {fps:g} frames a second cannot be written.")
        self._sound = sound
        self._sound_done = 0
        self._temporary = temporary_beside(self.path)
        self._container: OutputContainer | None = None
        self._audio: AudioStream | None = None
        try:
            options = {} if self._lossless else {"movflags": X264_OPTIONS["movflags"]}
            self._container = container = av.open(f"file:{self._temporary}", "w", options=options)
            container.metadata.update(container_tags(self._metadata))
            self._video = self._add_video(container)
            if self._sound is not None:
                self._audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
                self._audio.bit_rate = AUDIO_BIT_RATE
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise output_failure(self.path, error) from error

    def _add_video(self, container: OutputContainer) -> VideoStream:
        rate = Fraction(self.fps).limit_denominator(1001)
        if self._lossless:
            stream = container.add_stream("libx264rgb", rate=rate, options=dict(LOSSLESS_OPTIONS))
            stream.pix_fmt = "rgb24"
        else:
            options = {k: v for k, v in X264_OPTIONS.items() if k != "movflags"}
            stream = container.add_stream("libx264", rate=rate, options=options)
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            # Tagged, so that no player has to guess between BT.601 and BT.709; 1 is BT.709 in all three tables.
            context.colorspace = context.color_primaries = context.color_trc = 1
            context.color_range = 1
        stream.width, stream.height = self._width + self._width % 2, self._height + self._height % 2
        stream.codec_context.time_base = 1 / rate
        return stream

    def write(self, frame: np.ndarray) -> None:
        """Append one ``(H, W, 3) uint8`` RGB frame."""
        import av

        self._open_container()
        if frame.shape != (self._height, self._width, 3) or frame.dtype != np.uint8:
            raise InvalidRequest(
                f"A frame of {frame.dtype} {frame.shape} does not fit a video of {self._width}×{self._height} pixels."
            )
        if self._width % 2 or self._height % 2:
            frame = np.pad(frame, ((0, self._height % 2), (0, self._width % 2), (0, 0)), mode="edge")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        if not self._lossless:
            picture = picture.reformat(
                format="yuv420p", src_color_range="JPEG", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
        picture.pts = self.frames
        picture.time_base = self._video.codec_context.time_base
        self.frames += 1
        try:
            self._mux(self._video.encode(picture))
            self._write_sound(self.frames / self.fps, last=False)
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise output_failure(self.path, error) from error

    def _write_sound(self, until: float, last: bool) -> None:
        """Encode the sound up to ``until`` seconds, in whole AAC frames unless it is the end."""
        import av

        if self._audio is None or self._sound is None:
            return
        stop = min(round(until * SAMPLE_RATE), self._sound.shape[1])
        while self._sound_done < stop and (last or stop - self._sound_done >= CHUNK):
            part = self._sound[:, self._sound_done : min(self._sound_done + CHUNK, stop)]
            sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout="stereo")
            sound.sample_rate = SAMPLE_RATE
            sound.pts = self._sound_done
            sound.time_base = Fraction(1, SAMPLE_RATE)
            self._sound_done += part.shape[1]
            self._mux(self._audio.encode(sound))

    def _open_container(self) -> OutputContainer:
        if self._container is None:
            raise InvalidRequest(f"{self.path.name} is finished already: write more frames into a new video.")
        return self._container

    def _mux(self, packets: Sequence[Packet]) -> None:
        container = self._open_container()
        for packet in packets:
            self.bytes_written += packet.size
            container.mux(packet)

    def close(self) -> Path:
        """Finish the file and give it its name.

        Returns:
            The path. A second call does nothing.
        """
        import av

        if self._container is None:
            return self.path
        if self.frames == 0:
            self.abort()
            raise InvalidRequest(f"{self.path.name} got no frames: render at least 1.")
        try:
            self._mux(self._video.encode(None))
            if self._audio is not None:
                self._write_sound(self.frames / self.fps, last=True)
                self._mux(self._audio.encode(None))
            self._container.close()
            self._container = None
            if not self._lossless:
                append_xmp_box(self._temporary, self._metadata)
            os.replace(self._temporary, written_to(self.path))
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise output_failure(self.path, error) from error
        return self.path

    def abort(self) -> None:
        """Give up: close and delete what was written so far."""
        import av

        container, self._container = self._container, None
        if container is not None:
            try:
                container.close()
            except (av.FFmpegError, OSError):
                # The trailer of a file that is about to be deleted need not be written.
                container = None
        discard(self._temporary)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def write_video(
    frames: Iterable[np.ndarray],
    path: str | os.PathLike[str],
    fps: float,
    sound: np.ndarray | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """Write frames of one size to a video; see :class:`VideoWriter`."""
    first, frames = _peek(frames, path)
    with VideoWriter(path, fps, (first.shape[1], first.shape[0]), sound, metadata) as writer:
        for frame in frames:
            writer.write(frame)
    return Path(path)


def _peek(frames: Iterable[np.ndarray], path: str | os.PathLike[str]) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise InvalidRequest(f"{Path(path).name} got no frames: render at least 1.")
    return first, chain([first], iterator)


def write_gif(
    frames: Iterable[np.ndarray] | str | os.PathLike[str],
    path: str | os.PathLike[str],
    fps: float,
    metadata: Mapping[str, object] | None = None,
    most_bytes: float = math.inf,
) -> Path:
    """Write an endlessly looping GIF with one palette for the whole clip.

    Args:
        frames: ``(H, W, 3) uint8`` frames, or the path of a lossless video, which is read twice so that the palette
            sees the whole clip while memory stays small. Of an iterable the first frames make the palette.
        fps: of the frames; above 50 frames are left out, since browsers cannot show them.
        metadata: settings that travel in the file.
        most_bytes: that there is room for.

    Raises:
        OutputFailed: the file could not be written.
        LimitExceeded: it would have more than ``most_bytes``.
    """
    path = Path(path)
    step = max(1, int(np.ceil(fps / MAX_GIF_FPS)))
    if isinstance(frames, (str, os.PathLike)):
        sample = _spread(frames, fps)
        stream = iter_lossless(frames)
    else:
        stream = iter(frames)
        sample = [frame for _, frame in zip(range(PALETTE_FRAMES * 4), stream, strict=False)]
        stream = chain(sample, stream)
        sample = sample[:: max(1, len(sample) // PALETTE_FRAMES)]
    if not sample:
        raise InvalidRequest(f"{path.name} got no frames: render at least 1.")
    kept = (frame for index, frame in enumerate(stream) if index % step == 0)
    with atomic_output(path) as temporary:
        encode_gif(_within(kept, temporary, path.name, most_bytes), sample, temporary, fps / step, metadata)
    return path


def _spread(video: str | os.PathLike[str], fps: float) -> list[np.ndarray]:
    """About :data:`PALETTE_FRAMES` frames spread over a whole clip."""
    import av

    with av.open(f"file:{video}", format="matroska") as container:
        seconds = (container.duration or 0) / av.time_base
    return list(islice(iter_lossless(video), 0, None, max(1, round(seconds * fps) // PALETTE_FRAMES)))


def _within(frames: Iterable[np.ndarray], temporary: Path, name: str, most_bytes: float) -> Iterator[np.ndarray]:
    """``frames``, while the file that they are written to has no more than ``most_bytes``."""
    for frame in frames:
        yield frame
        if temporary.exists() and temporary.stat().st_size > most_bytes:
            raise LimitExceeded(
                f"{name} would have more than {max(0.0, most_bytes) / 1e6:.0f} MB, for which there is no room now: "
                "make a shorter or smaller animation, or try again later."
            )


def write_frames_zip(
    frames: Iterable[np.ndarray],
    path: str | os.PathLike[str],
    metadata: Mapping[str, object] | None = None,
    most_bytes: float = math.inf,
) -> Path:
    """Write frames as ``frame_0000.png`` ... into a ZIP, each with the AI-generated mark.

    Raises:
        OutputFailed: the file could not be written.
        LimitExceeded: it would have more than ``most_bytes``.
        InvalidRequest: no frames.
    """
    path = Path(path)
    _, frames = _peek(frames, path)
    # PNGs are compressed already: storing is faster and no larger.
    with atomic_output(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for index, frame in enumerate(_within(frames, temporary, path.name, most_bytes)):
            # Without a time of its own: the same frames make the same file.
            archive.writestr(zipfile.ZipInfo(f"frame_{index:04}.png"), encode_png(frame, metadata))
    return path
