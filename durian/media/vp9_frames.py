"""Counts the frames of a VP9 packet before it is decoded."""

from __future__ import annotations

_MARKED, _MARK = 0xE0, 0xC0


def count_frames(data: bytes) -> int:
    """Frames in ``data``, one or a row of up to eight with an index behind them (VP9 Bitstream & Decoding Process
    Specification, annex B); of a row all but the last may be hidden."""
    if not data or data[-1] & _MARKED != _MARK:
        return 1
    count, size_bytes = (data[-1] & 7) + 1, (data[-1] >> 3 & 3) + 1
    index_bytes = 2 + count * size_bytes
    return count if len(data) >= index_bytes and data[-index_bytes] == data[-1] else 1
