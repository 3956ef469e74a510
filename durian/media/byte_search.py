"""Places of some bytes in a file that may be larger than memory should be."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence

BYTES_AT_ONCE = 4_000_000


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
