"""The packets of a video's stream, in a file that may have far more of them than any film."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from durian.errors import LimitExceeded

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

MOST_PACKETS = 1_000_000
"""Of all streams together: two hours of film and sound, at 60 frames a second. An MKV of 200 MB may have two hundred
million, of which each takes microseconds."""


def packets_of(container: InputContainer, stream: Stream, name: str) -> Iterator[Packet[Stream]]:
    """The packets of ``stream``; those of all others are passed over, and counted.

    Args:
        container: an open video.
        stream: one of its own.
        name: of the file, for the sentence.

    Raises:
        LimitExceeded: there are more than :data:`MOST_PACKETS`.
        av.FFmpegError: the file is damaged.
    """
    for count, packet in enumerate(container.demux()):
        if count > MOST_PACKETS:
            raise LimitExceeded(
                f"{name} holds more than {MOST_PACKETS:,} frames and pieces of sound: convert it again."
            )
        if packet.stream.index == stream.index:
            yield packet
