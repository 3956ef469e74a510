"""The ZIPs of a bundle: how many members they list and how much those unpack to is known before memory is taken.

Python's own reader takes a list of members as long as the file says, and unpacks a member whole before it looks at the
size that was declared for it.
"""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO

from durian.errors import LimitExceeded

MOST_LIST_BYTES = 100_000
"""Of the list of members; 64 with long names have some thousand. The comment behind it has 65 kB at most."""
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How members of ours are packed. Others are unpacked in pieces of any size."""


class _ShortReads:
    """A file that is read in pieces of at most :data:`MOST_LIST_BYTES`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        """
        Raises:
            LimitExceeded: more is wanted, and there.
        """
        data = self._file.read(MOST_LIST_BYTES + 1 if size is None or size < 0 else min(size, MOST_LIST_BYTES + 1))
        if len(data) > MOST_LIST_BYTES:
            raise LimitExceeded("its list of files is too long.")
        return data


def open_members(file: BinaryIO) -> zipfile.ZipFile:
    """Open a ZIP for :func:`read_member`.

    Raises:
        LimitExceeded: its list of members is far longer than a bundle's.
        zipfile.BadZipFile, OSError, and others: it is damaged.
    """
    return zipfile.ZipFile(_ShortReads(file))


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, size: int | None = None) -> bytes:
    """A member's content, or its first ``size`` bytes. No more is unpacked than its declared size, which is for the
    caller to check.

    Raises:
        zipfile.BadZipFile, zlib.error, OSError, and others: it is damaged, or packed as no member of ours is.
    """
    if member.compress_type not in PACKINGS:
        raise zipfile.BadZipFile("packed in another way than Durian packs")
    size = member.file_size if size is None else size
    parts = []
    with archive.open(member) as content:
        # By steps: at a reading's end, and only there, the checksum is compared.
        while part := content.read(min(size, MOST_LIST_BYTES)):
            parts.append(part)
            size -= len(part)
    return b"".join(parts)
