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
MOST_OF_FILE = 4
"""Times the file's bytes that all of them may have: tables may name the same bytes again and again, as those of a loop
that was made by an editing program do some times."""
SMALL_BYTES = 1_000_000
"""Of packets that are never too many: Matroska may have packed them."""


def packets_of(container: InputContainer, stream: Stream, name: str) -> Iterator[Packet[Stream]]:
    """The packets of ``stream``; those of all others are passed over, and counted.

    Args:
        container: an open video.
        stream: one of its own.
        name: of the file, for the sentence.

    Raises:
        LimitExceeded: there are more than :data:`MOST_PACKETS`, or their bytes are more than :data:`MOST_OF_FILE` times
            the file's.
        av.FFmpegError: the file is damaged.
    """
    given, most = 0, MOST_OF_FILE * container.size + SMALL_BYTES
    for count, packet in enumerate(container.demux()):
        given += packet.size
        if given > most:
            raise LimitExceeded(
                f"{name} tells of more than {MOST_OF_FILE} times as many bytes of frames and sound as it has: "
                "convert it again."
            )
        if count > MOST_PACKETS:
            raise LimitExceeded(
                f"{name} holds more than {MOST_PACKETS:,} frames and pieces of sound: convert it again."
            )
        if packet.stream.index == stream.index:
            yield packet
