"""Counts the frames of AV1 data before it is decoded.

A decoder takes in all frames up to the first one that is shown. A hidden frame in which nothing changes has thirty
bytes, however large it is, and a single packet may hold millions.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

MOST_UNITS = 1000
"""Units of a packet that are looked at; encoders make some frames of some tiles each. A packet of more holds endless
frames, for all that is known."""
ENDLESS = 1_000_000_000

_SHOWS_ANOTHER = 0x80
_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6
"""Kinds of units: of what tells the size of all frames, and of those that begin one (AV1 Bitstream & Decoding Process
Specification, section 6.2.2)."""


def count_frames(data: bytes) -> int:
    """Frames in ``data``, which is a row of open bitstream units; :data:`ENDLESS` for more than :data:`MOST_UNITS`."""
    units = list(islice(_units(data), MOST_UNITS + 1))
    return ENDLESS if len(units) > MOST_UNITS else sum(_begins_a_frame(kind, content) for kind, content in units)


def _begins_a_frame(kind: int, content: bytes) -> bool:
    """Whether a unit begins a frame that is decoded; a header may also show one that was (section 5.9.2)."""
    return kind == _FRAME or (kind == _FRAME_HEADER and not (content[:1] and content[0] & _SHOWS_ANOTHER))


def frame_pixels(data: bytes) -> int:
    """Pixels of the largest frame that there may be in ``data``; 0 where that is not told."""
    told = (content for kind, content in islice(_units(data), MOST_UNITS) if kind == _SEQUENCE)
    return max(map(_sequence_pixels, told), default=0)


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind of each unit, and its content, of other units than sequences the first byte."""
    at = 0
    while at < len(data):
        kind, has_extension, has_size = data[at] >> 3 & 15, data[at] >> 2 & 1, data[at] >> 1 & 1
        at += 1 + has_extension
        size, at = _number(data, at) if has_size else (len(data), at)
        yield kind, data[at : at + (size if kind == _SEQUENCE else min(size, 1))]
        at += size


def _sequence_pixels(content: bytes) -> int:
    """Width times height of a sequence's frames (sections 5.5.1 to 5.5.4)."""
    bits = _Bits(content)
    bits.take(4)
    if bits.take(1):
        bits.take(5)
    else:
        _pass_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return (bits.take(width_bits) + 1) * (bits.take(height_bits) + 1)


def _pass_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            zeros = 0
            while zeros < 32 and not bits.take(1):
                zeros += 1
            # Nothing follows so many.
            bits.take(zeros if zeros < 32 else 0)
        if bits.take(1):
            delay_bits = bits.take(5) + 1
            bits.take(42)
    tells_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if tells_delay and bits.take(1):
            bits.take(4)


class _Bits:
    """Bits of ``data`` from the highest on; zeros behind its end."""

    def __init__(self, data: bytes) -> None:
        # A header has some ten bytes; a number of a million takes long to cut up.
        self._value, self._left = int.from_bytes(data[:1000].ljust(1000, b"\0"), "big"), 8000

    def take(self, count: int) -> int:
        self._left -= count
        return self._value >> self._left & (1 << count) - 1 if self._left >= 0 else 0


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for place, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    # Cut off, or longer than the standard has it: decoders stop there.
    return len(data), at
