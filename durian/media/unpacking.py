"""Decoding a video's pictures within limits, on frames that are shown and on those that never are.

VP8, VP9, AV1 and others have frames that only others are made from. A file may hold nothing else, of thirty bytes each.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from durian.errors import LimitExceeded
from durian.media import av1_frames, vp9_frames
from durian.media.codecs import CHECKED
from durian.media.held_frames import check_frame, check_held, held_bytes, most_pixels, scout_of
from durian.media.jpeg_scans import check_frame_scans, without_exif
from durian.media.packets import packets_of
from durian.media.png_frames import plain_frame
from durian.settings import get_settings

if TYPE_CHECKING:
    from av import FFmpegError
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MAX_DECODED_PIXELS = 40_000_000_000
"""Of a minute, or of a shorter part: a minute of 4K at 60 frames a second has 30, which take two cores minutes."""
MAX_DECODED_PER_SECOND = 250
"""Frames decoded per second of video before a file counts as hostile; above any phone's slow motion."""
SECONDS_BEFOREHAND = 10.0
"""Frames of so many seconds more are never too many: decoders begin before the wanted part."""
MAX_PIXELS_BEFORE = 1_000_000_000
"""Taken in before the first frame comes out; of 8K 28 frames, where a decoder keeps 18 at most."""
KEPT_BACK = 64
"""Frames that a decoder has in hand at most, between what goes in and what comes out."""
COUNTED = {"av1": av1_frames.count_frames, "vp9": vp9_frames.count_frames}
"""Of codecs whose packets may hold several frames, how those are counted."""
WIDEST_BLOCK = 64
"""Pixels to whose multiple FFmpeg rounds a width up before it counts."""


class Unpacking:
    """The decoding of one stream. ``seconds`` of video have come out so far, as whoever takes the frames finds.

    Args:
        container: an open video.
        stream: its pictures.
        name: of the file, for sentences.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, name: str) -> None:
        self.seconds = 0.0
        self._container, self._stream, self._name = container, stream, name
        self._taken = self._given = self._pixels_taken = self._pixels_given = self._pixels_before = 0
        context = stream.codec_context
        self._most_pixels = most_pixels(context.codec.canonical_name, context.width * context.height)
        context.options = {"max_pixels": str(self._most_told())}
        self._scout = scout_of(context)

    def frames(self) -> Iterator[VideoFrame]:
        """The decoded frames, each counted before it is given.

        Raises:
            LimitExceeded: more than may be is unpacked for that many ``seconds``, or for one frame, or kept.
            av.FFmpegError: the file is damaged.
        """
        import av

        for packet in packets_of(self._container, self._stream, self._name):
            self._count_packet(packet)
            self._look_ahead(packet)
            try:
                frames = self._stream.decode(self._plain(packet))
            except av.FFmpegError as error:
                self._check_size(error)
                raise
            self._check_held(self._stream.codec_context)
            for frame in frames:
                self._given += 1
                self._pixels_given += frame.width * frame.height
                yield frame
                self._check()

    def _look_ahead(self, packet: Packet) -> None:
        """Check the frames of a packet before it is decoded, of codecs whose packets may change them."""
        import av

        if self._scout is None or not packet.size:
            return
        # It never succeeds, as it may make no frame.
        with suppress(av.FFmpegError):
            self._scout.decode(packet)
        self._check_held(self._scout)

    def _check_held(self, context: VideoCodecContext) -> None:
        """Look at the frames that a decoder is at: neither a header nor the frames before tell what they are."""
        check_frame(context.coded_width, context.coded_height, context.codec.canonical_name, self._name)
        check_held(held_bytes(context, self._stream.codec_context.thread_count), self._name)

    def _count_packet(self, packet: Packet) -> None:
        if not packet.size:
            return
        context = self._stream.codec_context
        if context.name == "mjpeg":
            check_frame_scans(bytes(packet), f"A frame of {self._name}")
        count = COUNTED.get(context.codec.canonical_name)
        frames = 1 if count is None else count(bytes(packet))
        self._taken += frames
        self._pixels_before += frames * context.width * context.height
        self._pixels_taken += min(frames, max(0, self._taken - KEPT_BACK)) * context.width * context.height
        self._check()

    def _plain(self, packet: Packet) -> Packet:
        """A packet without what a decoder would unpack besides pixels."""
        codec = self._stream.codec_context.name
        if codec not in CHECKED or not packet.size:
            return packet
        from av.packet import Packet

        data = bytes(packet)
        data = plain_frame(data, self._name) if codec == "png" else without_exif(data)
        # Given the bytes themselves, a packet would need the interpreter to let go of them, in a decoder's thread for
        # whose end the interpreter waits.
        plain = Packet(len(data))
        plain.update(data)
        plain.pts, plain.dts, plain.duration, plain.time_base = (
            packet.pts,
            packet.dts,
            packet.duration,
            packet.time_base,
        )
        plain.is_keyframe = packet.is_keyframe
        return plain

    def _check_size(self, error: FFmpegError) -> None:
        """Tell a decoder's refusal of ``max_pixels`` from what is damaged: each has its own error for it, and leaves
        the size that it refused, or none."""
        context = self._stream.codec_context
        left = context.width * context.height
        if error.errno == errno.ERANGE or left > self._most_told() or (left == 0 and error.errno == errno.EINVAL):
            raise LimitExceeded(
                f"{self._name} has frames of more than {self._most_pixels / 1e6:.0f} megapixels: make it smaller."
            ) from error

    def _most_told(self) -> int:
        """Pixels of a frame that the decoder is told to refuse; it looks at each frame's own size."""
        return self._most_pixels + WIDEST_BLOCK * get_settings().max_image_side

    def _check(self) -> None:
        if not self._given and self._pixels_before > MAX_PIXELS_BEFORE:
            before = MAX_PIXELS_BEFORE / 1e9
            raise LimitExceeded(
                f"{self._name} holds more than {before:g} gigapixels before its first frame: re-encode it."
            )
        check_work(max(self._pixels_taken, self._pixels_given), self.seconds, self._name)
        most = MAX_DECODED_PER_SECOND * (max(self.seconds, 0.0) + SECONDS_BEFOREHAND)
        if max(self._taken - KEPT_BACK, self._given) > most:
            raise LimitExceeded(f"{self._name} holds more than {MAX_DECODED_PER_SECOND} frames a second: re-encode it.")


def check_work(pixels: float, seconds: float, what: str) -> None:
    """
    Raises:
        LimitExceeded: all frames of so many seconds together have more pixels than are unpacked.
    """
    limit = MAX_DECODED_PIXELS * max(1.0, seconds / 60)
    if pixels > limit:
        raise LimitExceeded(
            f"{what} has more than {limit / 1e9:.0f} gigapixels in all its frames: trim it, or make it smaller."
        )
