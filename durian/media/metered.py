"""A limit on how much a decoder may read before it knows a picture's size.

A TIFF of 5 MB may name the same 5 MB in sixty thousand tags, each of which its decoder keeps; a GIF's comment comes in
pieces that are put together one by one. No decoder has limits for that, so what it reads is counted.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media.tiff_tags import check_exif

if TYPE_CHECKING:
    from PIL import Image

MOST_READS = 50_000
"""Of one header: a JPEG with a thousand segments takes some thousand."""
MOST_READS_IN_ALL = 500_000
"""With the pixels: a PNG of 200 MB in pieces of 2 kB takes 300,000."""
MOST_BYTES = {"gif": 500_000, "jpeg": 10_000_000, "png": 20_000_000, "bmp": 1_000_000}
"""Before the pixels. Other kinds are read whole, or hold layers in their tags: what counts for them is their size."""
MOST_EXIF_BYTES = 131_072
"""Two segments of a JPEG, where the standard has one."""
MOST_PARTS = 8
"""Segments of EXIF, which readers put together, and of what tells of further pictures."""

_EXIF, _FURTHER = b"Exif\0\0", b"MPF\0"
"""What a JPEG's segments begin with: of its camera, and of other pictures in the file."""
_APP1 = 0xE1


class ByteSource(Protocol):
    """What the readers of headers need of a file, whether it is metered or not."""

    def read(self, size: int = ..., /) -> bytes: ...

    def seek(self, offset: int, whence: int = ..., /) -> int: ...

    def tell(self) -> int: ...


class MeteredStream:
    """A stream that counts what is read of it; everything else is the stream's own.

    Args:
        stream: an open file, or bytes in memory.
        kind: of :data:`durian.media.kinds.IMAGE_KINDS`.
        name: for the sentence.
    """

    def __init__(self, stream: BinaryIO, kind: str, name: str) -> None:
        self._stream, self._kind, self._name = stream, kind, name
        # A TIFF that one decoder gives up is read by another; what describes a HEIF is looked through before.
        self._most: float = MOST_BYTES.get(kind, 3 * stream.seek(0, os.SEEK_END) + 1_000_000)
        stream.seek(0)
        self._most_reads = MOST_READS
        self._reads = self._bytes = self._exif = 0
        self._further = 0
        self._exif_parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def end_header(self) -> None:
        """Lift a header's limits: from now on pixels are read, which may be as many bytes as there are."""
        self._most, self._most_reads = math.inf, MOST_READS_IN_ALL

    def read(self, size: int = -1) -> bytes:
        """
        Raises:
            LimitExceeded: a header of that many bytes or parts is none, or a JPEG tells far too much beside its pixels.
            UnreadableMedia: it tells twice where that is.
        """
        data = self._stream.read(size)
        self._reads += 1
        self._bytes += len(data)
        if self._kind == "jpeg" and data.startswith(_EXIF):
            self._exif += len(data)
        is_long = self._exif > MOST_EXIF_BYTES or max(self._further, len(self._exif_parts)) > MOST_PARTS
        if self._reads > self._most_reads or self._bytes > self._most or is_long:
            raise LimitExceeded(
                f"{self._name} holds far more than a picture needs beside its pixels: save it again without metadata."
            )
        if self._kind == "jpeg" and self._most < math.inf:
            self._check_segment(data)
        return data

    def _check_segment(self, data: bytes) -> None:
        if data.startswith(_FURTHER):
            self._further += 1
            check_exif(data.removeprefix(_FURTHER), self._name)
        if data.startswith(_EXIF) and self._marker(len(data)) == _APP1:
            self._exif_parts.append(data.removeprefix(_EXIF))
            check_exif(b"".join(self._exif_parts), self._name)

    def _marker(self, length: int) -> int:
        """Of the segment whose content has just been read; others than EXIF's may begin with the same letters."""
        end = self._stream.tell()
        self._stream.seek(max(0, end - length - 3))
        marker = self._stream.read(1)
        self._stream.seek(end)
        return marker[0]


def has_readable_exif(image: Image.Image) -> bool:
    """Whether what an opened picture says about itself is short enough to be looked through."""
    exif = image.info.get("exif")
    if exif is None:
        as_text = image.info.get("Raw profile type exif") or ""
        if len(as_text) > 2 * MOST_EXIF_BYTES:
            return False
        try:
            exif = bytes.fromhex("".join(as_text.split("\n")[3:]))
        except ValueError:
            return False
    if len(exif) > MOST_EXIF_BYTES:
        return False
    try:
        check_exif(exif, "The picture")
    except (LimitExceeded, UnreadableMedia):
        return False
    return True
