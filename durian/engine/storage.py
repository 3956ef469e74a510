"""Where results lie: one folder per owner, emptied when the owner leaves or the files are old."""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import time
from pathlib import Path

from durian.errors import OutputFailed

NOBODY = "nobody"
"""Owner of jobs submitted without one, as from the command line."""

MOST_SECONDS_BETWEEN_SWEEPS = 300
"""A file is gone at most this much later than ``keep_seconds`` (taste)."""

log = logging.getLogger(__name__)


class Storage:
    """Owners' folders below ``root`` and the thread that deletes what is older than ``keep_seconds``.

    Nothing outside ``root`` is ever touched. Owners' names do not appear on disk: a folder's name is a digest.
    """

    def __init__(self, root: Path, keep_seconds: float) -> None:
        self.root = root
        self.keep_seconds = keep_seconds
        self._stop = threading.Event()
        self._sweeper: threading.Thread | None = None

    def folder(self, owner: str | None = None) -> Path:
        """The owner's folder, made when it is missing and readable by this user only.

        Raises:
            OutputFailed: it cannot be made.
        """
        self._start_sweeper()
        name = hashlib.blake2b((owner or NOBODY).encode(), digest_size=12).hexdigest()
        folder = self.root / name
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            # In use again, so not for the sweeper yet.
            folder.touch()
        except OSError as error:
            raise OutputFailed(
                f"The folder {folder} cannot be made ({error.strerror}): set DURIAN_WORK to a writable one."
            ) from error
        return folder

    def forget(self, owner: str) -> None:
        """Delete all files of ``owner``."""
        shutil.rmtree(self.folder(owner), ignore_errors=True)

    def sweep(self, now: float | None = None) -> int:
        """Delete files older than ``keep_seconds`` and folders left empty; returns how many files went."""
        now = time.time() if now is None else now
        gone = 0
        if not self.root.is_dir():
            return gone
        # Deepest first, so that a folder is seen after what it held. Links are removed, never followed.
        for path in sorted(self.root.rglob("*"), key=lambda p: len(p.parts), reverse=True):
            try:
                old = now - path.lstat().st_mtime > self.keep_seconds
                if path.is_dir() and not path.is_symlink():
                    if old and not any(path.iterdir()):
                        path.rmdir()
                elif old:
                    path.unlink()
                    gone += 1
            except OSError as error:
                # Another process may have removed it, or a job may just have written there.
                log.info("%s stays for now: %s", path, error)
        return gone

    def close(self) -> None:
        self._stop.set()

    def _start_sweeper(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._keep_sweeping, name="durian-sweeper", daemon=True)
            self._sweeper.start()

    def _keep_sweeping(self) -> None:
        pause = min(MOST_SECONDS_BETWEEN_SWEEPS, self.keep_seconds / 2)
        while True:
            gone = self.sweep()
            if gone:
                log.info("%d old files were deleted.", gone)
            if self._stop.wait(pause):
                return
