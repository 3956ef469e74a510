"""Downloading of one file: it can be stopped, is checked, and has its name only once it is whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from durian.errors import Cancelled, OutputFailed, WeightsMissing

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30
"""Longest silence of the server before giving up; a progress bar that stands longer looks broken."""


def download(
    url: str,
    path: Path,
    *,
    what: str,
    by_hand: str,
    sha256: str = "",
    size: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Fetch a file in place of whatever has its name.

    Args:
        url: where it is.
        path: where it goes; folders are made.
        what: it is called in sentences.
        by_hand: their end, what else to do: "put the file into weights/ by hand".
        sha256: in hex, all of it or its first digits; empty where nobody published one.
        size: in bytes; as the server says, if not given.
        on_progress: called with bytes done and bytes in all, 0 where nobody knows.
        cancelled: asked between chunks; True stops and deletes what was fetched.

    Raises:
        WeightsMissing: the server is out of reach, or what came is not the file.
        OutputFailed: the disk is full or the folder not writable.
        Cancelled: ``cancelled`` said so.
    """
    _make_room(path, size)
    # A plain name of its own: a file that stops half-way must never look like the whole.
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        digest, done, size = _stream(url, partial, what, by_hand, size, on_progress, cancelled)
        if not digest.startswith(sha256):
            raise WeightsMissing(
                f"What {host_of(url)} sent is not {path.name} (its checksum begins {digest[:8]}, not {sha256[:8]}): "
                f"try again later, or {by_hand}."
            )
        if size and done != size:
            raise WeightsMissing(
                f"{host_of(url)} sent {done} of the {size} bytes of {path.name}: try again, or {by_hand}."
            )
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def host_of(url: str) -> str:
    """``example.org`` of ``https://example.org/file``."""
    return url.split("/")[2]


def _make_room(path: Path, size: int | None) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise OutputFailed(f"The folder {path.parent.name}/ cannot be made: choose another one.") from error
    if size and free < size:
        raise OutputFailed(
            f"{path.name} needs {round(size / 1e6)} MB and the disk has {free // 1_000_000} MB left: free some space."
        )


def _stream(
    url: str,
    partial: Path,
    what: str,
    by_hand: str,
    size: int | None,
    on_progress: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[str, int, int]:
    """Write to ``partial`` what comes; returns its SHA-256, its bytes, and how many there should be, 0 if unknown."""
    digest, done = hashlib.sha256(), 0
    try:
        # Errors of the network end here; those of the disk are told apart below.
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer, _created(partial) as file:
            size = size or int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read(CHUNK_BYTES):
                if cancelled and cancelled():
                    raise Cancelled(f"Fetching {what} was stopped.")
                _append(file, chunk, what)
                digest.update(chunk)
                done += len(chunk)
                if on_progress:
                    on_progress(done, size)
                if size and done > size:
                    break
    except (Cancelled, OutputFailed):
        raise
    except (OSError, ValueError) as error:
        raise WeightsMissing(
            f"{what} could not be fetched from {host_of(url)}: check the connection and try again, or {by_hand}."
        ) from error
    return digest.hexdigest(), done, size


def _created(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise OutputFailed(f"The folder {path.parent.name}/ is not writable: choose another one.") from error


def _append(file: BinaryIO, chunk: bytes, what: str) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise OutputFailed(f"{what} could not be written because the disk is full: free some space.") from error
