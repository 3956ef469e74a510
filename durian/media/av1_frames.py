"""How many frames AV1 data holds, counted before it is decoded.

A decoder takes in all frames up to the first one that is shown. A hidden frame in which nothing changes has thirty
bytes, however large it is, and a single packet may hold millions.
"""

from __future__ import annotations

MOST_UNITS = 1000
"""Units of a packet that are looked at; encoders make some frames of some tiles each. A packet of more holds endless
frames, for all that is known."""
ENDLESS = 1_000_000_000

_FRAME_HEADER, _FRAME = 3, 6
"""Kinds of units that begin a frame (AV1 Bitstream & Decoding Process Specification, section 6.2.2)."""


def count_frames(data: bytes) -> int:
    """Frames in ``data``, which is a row of open bitstream units; :data:`ENDLESS` for more than :data:`MOST_UNITS`."""
    at, frames = 0, 0
    for _ in range(MOST_UNITS):
        if at >= len(data):
            return frames
        kind, has_extension, has_size = data[at] >> 3 & 15, data[at] >> 2 & 1, data[at] >> 1 & 1
        frames += kind in (_FRAME_HEADER, _FRAME)
        at += 1 + has_extension
        if not has_size:
            return frames
        size, at = _number(data, at)
        at += size
    return ENDLESS


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for place, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    # Cut off, or longer than the standard has it: decoders stop there.
    return len(data), at
