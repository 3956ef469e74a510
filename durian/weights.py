"""Weights that are downloaded on request: their addresses, sizes and checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from durian.download import download
from durian.errors import InvalidRequest, WeightsMissing
from durian.settings import get_settings


@dataclass(frozen=True)
class WeightFile:
    """A known file. ``size`` in bytes, ``sha256`` in hex, ``what`` in the words of a sentence."""

    name: str
    file: str
    url: str
    size: int
    sha256: str
    what: str
    licence: str

    @property
    def path(self) -> Path:
        """The file's path on this machine, whether it is there or not."""
        return get_settings().weights / self.file

    @property
    def megabytes(self) -> int:
        return round(self.size / 1e6)


KNOWN = {
    known.name: known
    for known in (
        WeightFile(
            name="sam-vit-b",
            file="sam_vit_b_01ec64.pth",
            url="https://dl.fbaipublicfiles.com/segment_anything/sam_vit_b_01ec64.pth",
            size=375_042_383,
            sha256="ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
            what="Segment Anything, ViT-B",
            licence="Apache-2.0",
        ),
    )
}


def known_weights(name: str) -> WeightFile:
    """The entry of :data:`KNOWN`.

    Raises:
        InvalidRequest: nothing of that name is known.
    """
    if name not in KNOWN:
        raise InvalidRequest(f"There are no weights named {name!r}: use one of {', '.join(KNOWN)}.")
    return KNOWN[name]


def is_present(name: str) -> bool:
    """Whether the file is on this machine in full size; :func:`verify` reads it whole."""
    known = known_weights(name)
    return known.path.is_file() and known.path.stat().st_size == known.size


def verify(path: Path) -> None:
    """Compare a file that is named like known weights with their checksum; others have none to compare with.

    Raises:
        WeightsMissing: it is another file, or damaged.
    """
    known = next((known for known in KNOWN.values() if known.file == path.name), None)
    if known is not None and (digest := _digest_of(path)) != known.sha256:
        raise WeightsMissing(
            f"{path.name} is not the file of that name (its checksum begins {digest[:8]}, not {known.sha256[:8]}): "
            f"fetch it again by 'python -m durian weights get {known.name}', which replaces it."
        )


def _digest_of(path: Path) -> str:
    """The SHA-256 of a file as it is now; read once, for as long as its size and time of change stay."""
    about = path.stat()
    return _digest(path, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(
    name: str,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Download weights unless they are here already, check them, and only then give them their name.

    A file of the right size but another checksum is replaced.

    Args:
        name: one of :data:`KNOWN`.
        on_progress: called with bytes done and bytes in all.
        cancelled: asked between chunks; True stops and deletes what was fetched.

    Returns:
        The file's path.

    Raises:
        InvalidRequest: an unknown name.
        WeightsMissing: the server is out of reach, or what came is not the file.
        OutputFailed: the disk is full or the folder not writable.
        Cancelled: ``cancelled`` said so.
    """
    known = known_weights(name)
    if is_present(name) and _digest_of(known.path) == known.sha256:
        if on_progress:
            on_progress(known.size, known.size)
        return known.path
    download(
        known.url,
        known.path,
        what=known.file,
        by_hand=f"put the file ({known.megabytes} MB) into {known.path.parent.name}/ by hand",
        sha256=known.sha256,
        size=known.size,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    return known.path
