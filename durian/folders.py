"""Folders of visitors' files: private to this user, and swept of old files.

Everything that a visitor uploads or gets lies below one folder, :func:`visitors_folder`, whichever part of the
program writes it. So one sweep by age finds it all, that of processes which were killed included.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import logging
import os
import shutil
import stat
import time
import uuid
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from durian.errors import OutputFailed
from durian.settings import Settings, default_work

MARK = ".durian"
"""A file that says: this folder is Durian's, and what lies in it may be deleted."""
VISITORS, RESULTS, UPLOADS = "visitors", "results", "uploads"
DISK_RESERVE_BYTES = 500_000_000
"""Free space that uploads and downloads may not use: results need some."""
DISK_FULL = "The server's disk is full: try again in an hour."

log = logging.getLogger(__name__)


def visitors_folder(settings: Settings) -> Path:
    """The folder of all visitors' files below ``settings.work``, made when it is missing.

    Raises:
        OutputFailed: it cannot be made, is somebody else's, or holds files that are not Durian's.
    """
    if settings.work == default_work():
        # Its name can be guessed, and everybody may make it.
        private_folder(settings.work)
    folder = settings.work.absolute() / VISITORS
    if not os.path.lexists(folder):
        _make_marked(folder)
    private_folder(folder)
    if not (folder / MARK).exists():
        log.error("%s holds files that are not Durian's.", folder)
        raise OutputFailed("The working folder holds other files: set DURIAN_WORK to an empty folder.")
    return folder


def _make_marked(folder: Path) -> None:
    """Make ``folder`` with its mark in one step, so that no other thread or process sees it without."""
    made = private_folder(folder.with_name(f".{folder.name}-{uuid.uuid4().hex}"))
    try:
        (made / MARK).touch(mode=0o600)
        os.rename(made, folder)
    except OSError:
        # Another was quicker, or the folder is not ours to replace: which of them is seen by whoever looks next.
        shutil.rmtree(made, ignore_errors=True)


def results_folder(settings: Settings) -> Path:
    """The folder of results, with a folder for each owner.

    Raises:
        OutputFailed: as :func:`visitors_folder`.
    """
    return private_folder(visitors_folder(settings) / RESULTS)


@lru_cache(maxsize=8)
def uploads_folder(settings: Settings) -> Path:
    """The folder in which this process's server keeps uploads and served files; deleted when the process ends.

    Another process's uploads are not served by this one. Those of one that was killed go by their age.

    Raises:
        OutputFailed: as :func:`visitors_folder`.
    """
    folder = private_folder(private_folder(visitors_folder(settings) / UPLOADS) / uuid.uuid4().hex)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def private_folder(path: Path) -> Path:
    """Make ``path`` for this user alone (mode 0700), or check that it is so already.

    A folder whose name can be guessed may have been made by somebody else, or be a link to elsewhere.

    Raises:
        OutputFailed: it cannot be made, is a link or no folder, or belongs to another user.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or not _is_ours(status):
            log.error("%s is a link, or belongs to another user.", path)
            raise OutputFailed("The working folder is somebody else's: set DURIAN_WORK to a folder of your own.")
        if stat.S_IMODE(status.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        if isinstance(error, OutputFailed):
            raise
        log.error("%s cannot be made: %s", path, error)
        raise OutputFailed(
            f"The working folder cannot be made ({error.strerror}): set DURIAN_WORK to a writable one."
        ) from error
    return path


def room_on_disk(folder: Path) -> int:
    """Bytes that may still be written into a folder; below 0 where the reserve is used already."""
    return shutil.disk_usage(folder).free - DISK_RESERVE_BYTES


def _is_ours(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def sweep(
    folder: Path,
    keep_seconds: float,
    in_use: Collection[Path] = (),
    stay: Collection[Path] = (),
    now: float | None = None,
) -> int:
    """Delete what is older than ``keep_seconds`` below ``folder``, and folders that are empty and as old.

    Links are deleted, never followed: each step goes through a descriptor of the folder above. ``folder`` stays, and
    what lies directly in it.

    Args:
        folder: one of Durian's own, with its :data:`MARK`.
        keep_seconds: age, counted from when a file was last written, copied or moved.
        in_use: folders below ``folder`` that stay with all that is in them, since a job writes there.
        stay: folders below ``folder`` that are emptied but stay themselves.
        now: seconds since the epoch; by default the clock's.

    Returns:
        How many files went.
    """
    now = time.time() if now is None else now
    kept = {os.path.relpath(path, folder) for path in in_use}
    staying = kept | {os.path.relpath(path, folder) for path in stay}
    gone = 0
    with _opened(folder) as top:
        if top is None:
            return 0
        for name, folders, files, above in os.fwalk(".", topdown=False, follow_symlinks=False, dir_fd=top):
            name = os.path.normpath(name)
            if name == "." or any(name == path or name.startswith(path + os.sep) for path in kept):
                continue
            for entry in (*files, *folders):
                path = os.path.join(name, entry)
                with contextlib.suppress(FileNotFoundError):
                    gone += path not in staying and _remove_if_old(entry, above, now - keep_seconds, path)
    return gone


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    """A descriptor of ``folder``; ``None`` where it is missing, a link, somebody else's or not marked as Durian's."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        log.error("%s is not swept: %s", folder, error)
        yield None
        return
    try:
        marked = MARK in os.listdir(descriptor)
        ours = _is_ours(os.fstat(descriptor))
        if not (marked and ours):
            log.error("%s is not Durian's own and is not swept.", folder)
        yield descriptor if marked and ours else None
    finally:
        os.close(descriptor)


def _remove_if_old(entry: str, above: int, oldest: float, path: str) -> int:
    """Remove an entry of the folder ``above`` if it changed before ``oldest``; whether a file went."""
    status = os.stat(entry, dir_fd=above, follow_symlinks=False)
    # The time of the last change, since a copy or a move keeps the time of the last writing.
    if status.st_ctime > oldest:
        return 0
    try:
        if stat.S_ISDIR(status.st_mode):
            os.rmdir(entry, dir_fd=above)
            return 0
        os.unlink(entry, dir_fd=above)
        return 1
    except OSError as error:
        # A folder that is not empty yet, or a file that another process has just removed.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            log.info("%s stays for now: %s", path, error)
        return 0
