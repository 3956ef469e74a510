"""Places of some bytes in a file that may be larger than memory should be."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence

BYTES_AT_ONCE = 4_000_000
MOST_FOUND = 100_000
"""Marks of tables and lists that a reader looks at in one file. A few stand in any other by chance, and two for each
second of a film in pieces."""


def places(data: mmap.mmap, kinds: Sequence[bytes]) -> Iterator[int]:
    """Where in ``data`` each of ``kinds`` ends, all of one length."""
    length = len(kinds[0])
    for offset in range(0, len(data), BYTES_AT_ONCE):
        part = data[offset : offset + BYTES_AT_ONCE + length - 1]
        for kind in kinds:
            at = part.find(kind)
            while at >= 0:
                yield offset + at + length
                at = part.find(kind, at + 1)
