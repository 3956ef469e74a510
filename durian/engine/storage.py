"""Storage of results: one folder per owner, emptied when the owner leaves or the files are old."""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from durian import folders
from durian.content_cache import forget_unused
from durian.engine import memory
from durian.settings import Settings

NOBODY = "nobody"
"""Owner of jobs submitted without one, as from the command line."""

MOST_SECONDS_BETWEEN_SWEEPS = 60
"""A file is gone at most this much later than ``keep_seconds`` (taste)."""

log = logging.getLogger(__name__)


class Storage:
    """Owners' folders, and the thread that deletes what is older than ``keep_seconds``.

    The thread sweeps all that visitors have here: results, uploads, what earlier processes left, and in memory what was
    worked out of pictures that nobody has used for as long. Nothing on disk outside
    :func:`durian.folders.visitors_folder` is ever touched. Owners' names do not appear on disk: a folder's name is a
    digest.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._sweeper: threading.Thread | None = None
        self._in_use: frozenset[Path] = frozenset()
        self._staying: frozenset[Path] = frozenset()
        self._owners: set[str] = set()

    def start_sweeping(self, *staying: Path) -> None:
        """Begin to delete what is old, if that has not begun.

        Args:
            staying: folders that are emptied but not deleted themselves.
        """
        self._staying |= set(staying)
        with self._starting:
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._keep_sweeping, name="durian-sweeper", daemon=True)
                self._sweeper.start()

    def folder(self, owner: str | None = None) -> Path:
        """The owner's folder, made when it is missing and readable by this user only.

        Raises:
            OutputFailed: it cannot be made.
        """
        self.start_sweeping()
        folder = folders.private_folder(self._path(owner))
        if owner is not None:
            self._owners.add(owner)
        # In use again, so not for the sweeper yet.
        folder.touch()
        return folder

    @contextmanager
    def job_folder(self, owner: str | None, job_id: str) -> Iterator[Path]:
        """The folder of one job, which is not swept inside the ``with``; after an error it is deleted.

        Raises:
            OutputFailed: it cannot be made.
        """
        folder = self.folder(owner) / job_id
        self._in_use |= {folder}
        try:
            yield folders.private_folder(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self._in_use -= {folder}

    def forget(self, owner: str | None) -> None:
        """Delete all files of ``owner``."""
        self._owners.discard(owner)
        shutil.rmtree(self._path(owner), ignore_errors=True)

    def sweep(self, now: float | None = None) -> int:
        """Delete what is older than ``keep_seconds``; returns how many files went. See :func:`durian.folders.sweep`."""
        top = folders.visitors_folder(self._settings)
        gone = folders.sweep(top, self._settings.keep_seconds, self._in_use, self._staying, now)
        self._owners -= {owner for owner in list(self._owners) if not self._path(owner).is_dir()}
        return gone

    def close(self) -> None:
        """Stop sweeping and delete what owners have here; what nobody owns, as of the command line, goes by its age."""
        self._stop.set()
        for owner in list(self._owners):
            self.forget(owner)

    def _path(self, owner: str | None) -> Path:
        name = hashlib.blake2b((owner or NOBODY).encode(), digest_size=12).hexdigest()
        return folders.results_folder(self._settings) / name

    def _keep_sweeping(self) -> None:
        pause = min(MOST_SECONDS_BETWEEN_SWEEPS, self._settings.keep_seconds / 2)
        while True:
            try:
                gone = self.sweep()
                if gone:
                    log.info("%d old files were deleted.", gone)
                # What was worked out of a visitor's pictures goes when their files go.
                if forget_unused(self._settings.keep_seconds):
                    memory.release()
            except Exception:
                # Tried again after the pause: a disk may be back then.
                log.exception("The old files could not be swept.")
            if self._stop.wait(pause):
                return
