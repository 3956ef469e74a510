"""Checks that a file may be read, and atomic writing of files."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from durian.errors import LimitExceeded, OutputFailed, UnreadableMedia
from durian.media.kinds import HEAD_BYTES, with_article
from durian.settings import get_settings

LONGEST_SUFFIX = 8
"""Characters of an ending, its dot included, that a temporary name keeps; those that are written are shorter."""
NAME_SHOWN = 40
"""Characters of a name that is too long, as a message shows it."""

_SYSTEM_FOLDERS = ("/proc/", "/sys/", "/dev/fd/", "/dev/std")
"""Names in here stand for what the process has open or for the system's own values, whatever they claim to be."""


def open_regular(path: str | os.PathLike[str], accepted: str) -> BinaryIO:
    """Open a file that somebody named: a regular file within the size limit, and nothing else.

    What was opened is what is judged, so nothing can be put in its place in between, and a pipe never makes this wait.

    Args:
        path: the file, or a link to it.
        accepted: what would be accepted instead, for the message.

    Returns:
        The open file, for reading bytes.

    Raises:
        UnreadableMedia: missing, a folder, a pipe, socket or device, a name of the system's own, or not readable.
        LimitExceeded: larger than ``max_file_mb``.
    """
    path = Path(path)
    name = path.name or "The path"
    advice = f"choose {with_article(accepted)}"
    not_regular = UnreadableMedia(f"{name} is not a regular file: {advice} that is saved on a disk.")
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableMedia(f"{name} does not exist: {advice}.") from error
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENXIO:  # what opening a socket says
            raise not_regular from error
        raise UnreadableMedia(f"{name} cannot be opened: {advice} that may be read.") from error
    try:
        about = os.fstat(descriptor)
        if stat.S_ISDIR(about.st_mode):
            raise UnreadableMedia(f"{name} is a folder: {advice}.")
        if not stat.S_ISREG(about.st_mode) or os.path.abspath(path).startswith(_SYSTEM_FOLDERS):
            raise not_regular
        check_bytes(about.st_size, name)
        # By an opener, so that the file's own name is its path and no number, which readers of files stumble over.
        return open(path, "rb", opener=lambda *_: descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def open_checked(path: str | os.PathLike[str], accepted: str) -> tuple[Path, bytes]:
    """The checks of :func:`open_regular`, for readers that open the path themselves.

    Returns:
        Its path and its first :data:`HEAD_BYTES` bytes.

    Raises:
        UnreadableMedia, LimitExceeded: as :func:`open_regular`.
    """
    with open_regular(path, accepted) as file:
        return Path(path), file.read(HEAD_BYTES)


def check_bytes(size: int, name: str) -> None:
    """Refuse ``size`` bytes if that is above ``max_file_mb``."""
    limit = get_settings().max_file_mb
    if size > limit * 1_000_000:
        raise LimitExceeded(f"{name} has {size / 1e6:.0f} MB: at most {limit} MB are read; choose a smaller file.")


def check_pixels(width: int, height: int, name: str, kind: str = "picture") -> None:
    """Refuse a picture or frame size before anything is unpacked.

    Raises:
        LimitExceeded: a side or the area is beyond the limits.
        UnreadableMedia: no pixels at all.
    """
    limits = get_settings()
    if width <= 0 or height <= 0:
        raise UnreadableMedia(f"{name} has no pixels ({width}×{height}): choose another {kind}.")
    if max(width, height) > limits.max_image_side or width * height > limits.max_megapixels * 1_000_000:
        raise LimitExceeded(
            f"{name} is {width}×{height} pixels: at most {limits.max_image_side} pixels a side and "
            f"{limits.max_megapixels} megapixels are read; make it smaller."
        )
    if min(width, height) < limits.min_image_side:
        raise LimitExceeded(
            f"{name} is only {width}×{height} pixels: give a {kind} of at least {limits.min_image_side} pixels a side."
        )


def check_together(pixels: int, what: str, advice: str) -> None:
    """Refuse pictures that together hold more than ``max_request_megapixels``.

    Args:
        pixels: of all of them, as they were given.
        what: the sentence's subject, in the plural.
        advice: what to do, behind the colon.

    Raises:
        LimitExceeded: too many pixels.
    """
    limit = get_settings().max_request_megapixels
    if pixels > limit * 1_000_000:
        raise LimitExceeded(f"{what} have {pixels / 1e6:.0f} megapixels together: at most {limit} are taken; {advice}.")


def output_failure(path: Path, error: BaseException) -> OutputFailed:
    """The sentence for a result that could not be written because of ``error``."""
    code = getattr(error, "errno", None)
    # The names alone: where a server keeps its files is nobody's business.
    folder = f"the folder {path.parent.name}" if path.parent.name else "its folder"
    if code == errno.ENAMETOOLONG:
        return OutputFailed(
            f"{path.name[:NAME_SHOWN]}… could not be written because its name or path is too long: "
            "give it a shorter one."
        )
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OutputFailed(
            f"{path.name} could not be written because the disk is full: free some space and run again."
        )
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputFailed(f"{path.name} could not be written because {folder} is not writable: choose another place.")
    if code in (errno.ENOENT, errno.ENOTDIR) and path.parent.is_dir():
        # What the system's own folders, such as /proc, say.
        return OutputFailed(f"{path.name} could not be written because {folder} takes no files: choose another place.")
    if code in (errno.ENOENT, errno.ENOTDIR):
        return OutputFailed(
            f"{path.name} could not be written because {folder} does not exist: make it, or choose another place."
        )
    # The system's own words without the path that an OSError adds to them.
    reason = getattr(error, "strerror", None) or type(error).__name__
    return OutputFailed(f"{path.name} could not be written ({reason}): choose another place and run again.")


def written_to(path: Path) -> Path:
    """The file that a result at ``path`` is written to: itself, or the file that it links to, which keeps the link."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def temporary_beside(path: Path) -> Path:
    """A hidden, unique name in the folder that ``path`` is written to, so that the final rename stays on one disk.

    It holds nothing of the final name but its ending (by which writers tell formats), so that whatever name the disk
    takes as a result has room for it too.
    """
    suffix = path.suffix if len(path.suffix) <= LONGEST_SUFFIX else ""
    return written_to(path).with_name(f".durian-{uuid.uuid4().hex[:12]}{suffix}")


@contextlib.contextmanager
def atomic_output(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary name; on success it becomes ``path`` (of a link, what it leads to), on any error it is deleted.

    Raises:
        OutputFailed: writing or renaming failed, for example because the disk is full.
    """
    path = Path(path)
    temporary = temporary_beside(path)
    try:
        yield temporary
        os.replace(temporary, written_to(path))
    except OSError as error:
        if isinstance(error, OutputFailed) or not _about_output(error, temporary):
            raise
        raise output_failure(path, error) from error
    finally:
        discard(temporary)


def discard(temporary: Path) -> None:
    """Delete a temporary file; where even that fails, the error that led here is the one to tell."""
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)


def _about_output(error: OSError, temporary: Path) -> bool:
    """Whether an ``OSError`` comes from writing ``temporary`` and not from a source read meanwhile."""
    named = error.filename
    return named is None or Path(os.fsdecode(named)) == temporary
