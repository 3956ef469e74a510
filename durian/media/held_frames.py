"""Memory for the frames that a video's decoder keeps: how much one may take.

A decoder keeps frames that others are made from: H.264 sixteen, each up to six bytes a pixel. Each may have a size that
is read, and all of them take gigabytes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from durian.errors import LimitExceeded
from durian.settings import get_settings

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

MOST_FRAME_PIXELS = 36_000_000
"""Of a video's frame: 8192 × 4320 are 35 million."""
MOST_GIF_PIXELS = 9_000_000
"""Of a GIF, each of whose frames is drawn whole, however small the part that changes; 4096 × 2160 are 8.8 million."""
UNTOLD_PIXELS = 9_000_000
"""That a frame may have although its header tells of fewer: recorders enlarge the picture as the connection allows.
Up to here several frames are decoded at once."""
BLOCK = 16
"""Pixels to whose multiple H.264 rounds sides up."""
MOST_THREADS = 8
"""Frames that are decoded at once, each of which takes memory."""
MOST_HELD_BYTES = 1_500_000_000
"""By one decoder: 4K in any pixel format, 8K of 8 bits 4:2:0."""

_KEPT = {"h264": 18, "hevc": 18, "vp8": 6, "vp9": 12, "av1": 13}
"""Frames by codec, by its standard: those that may be referred to, the one that is made and one that is given out."""
_KEPT_BY_OTHERS = 4
_CROPPED = ("h264", "hevc")
"""Codecs whose frames may be shown in part."""


def most_pixels(codec: str, told: int) -> int:
    """Pixels that a frame may have, by FFmpeg's name of its codec and the pixels that the video's header tells of."""
    return min(_most_of(codec), max(told, UNTOLD_PIXELS))


def _most_of(codec: str) -> int:
    return min(get_settings().max_megapixels * 1_000_000, MOST_GIF_PIXELS if codec == "gif" else MOST_FRAME_PIXELS)


def check_frame(width: int, height: int, codec: str, name: str) -> None:
    """
    Raises:
        LimitExceeded: a frame has more pixels than are decoded of a video, however little of it is shown.
    """
    limit = _most_of(codec)
    if (width - BLOCK) * (height - BLOCK) > limit:
        what = "a GIF" if codec == "gif" else "a video"
        raise LimitExceeded(
            f"{name} has frames of {width}×{height} pixels: at most {limit / 1e6:.0f} megapixels are read of {what}; "
            "make it smaller."
        )


def set_threads(stream: VideoStream) -> None:
    """Have small frames decoded side by side, and the parts of large ones, which takes no more frames."""
    context = stream.codec_context
    is_large = context.width * context.height > UNTOLD_PIXELS
    stream.thread_type = "SLICE" if is_large else "AUTO"
    context.thread_count = min(os.cpu_count() or 1, MOST_THREADS)


def held_bytes(context: VideoCodecContext, threads: int) -> int:
    """What a decoder of some threads holds at most, by its codec and the frames it is at; 0 before the first one."""
    if context.format is None:
        return 0
    pixels = max(context.width * context.height, context.coded_width * context.coded_height)
    at_once = threads if pixels <= UNTOLD_PIXELS else 1
    kept = _KEPT.get(context.codec.canonical_name, _KEPT_BY_OTHERS) + at_once
    return kept * pixels * context.format.padded_bits_per_pixel // 8


def scout_of(context: VideoCodecContext) -> VideoCodecContext | None:
    """A second decoder that finds size and pixel format of each packet's frames before the first one sees it.

    It may make no frame, and so takes no memory. Of H.264 and HEVC alone: their frames may be far larger than what
    is shown of them, and they may change with every packet. ``None`` of others.
    """
    from av.video.codeccontext import VideoCodecContext

    if context.codec.canonical_name not in _CROPPED:
        return None
    scout = VideoCodecContext.create(context.codec.canonical_name, "r")
    assert isinstance(scout, VideoCodecContext)
    scout.extradata = context.extradata
    scout.thread_count = 1
    scout.options = {"max_pixels": "1", "flags2": "+ignorecrop"}
    return scout


def check_held(size: int, name: str) -> None:
    """
    Args:
        size: of :func:`held_bytes`.
        name: of the file, for the sentence.

    Raises:
        LimitExceeded: that is more than one decoder may have.
    """
    if size > MOST_HELD_BYTES:
        raise LimitExceeded(
            f"{name} would take {size / 1e9:.1f} GB of memory for the frames that its decoder keeps: "
            f"at most {MOST_HELD_BYTES / 1e9:.1f} GB are used; make it smaller, or convert it to 8 bits 4:2:0."
        )
