"""Measuring the process's memory, and releasing it between jobs."""

from __future__ import annotations

import ctypes
import functools
import gc
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path

MEGABYTE = 1024 * 1024
QUIET_SECONDS = 3.0

log = logging.getLogger(__name__)


def resident_mb() -> float:
    """Memory of this process that is in RAM now, in MB; its peak where the system does not tell the present value."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak_resident_mb()
    import resource

    return pages * resource.getpagesize() / MEGABYTE


def peak_resident_mb() -> float:
    """The most this process ever had in RAM, in MB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in kB, macOS in bytes.
    return peak / MEGABYTE if sys.platform == "darwin" else peak / 1024


def settle() -> None:
    """Take all that is loaded by now for there to stay: :func:`release` then looks through what came since only.

    Libraries are 400,000 objects, and looking through them takes half a second in which no other thread goes on.
    """
    gc.collect()
    gc.freeze()


def release() -> None:
    """Collect garbage and hand freed memory back to the system (and the GPU's to its driver)."""
    gc.collect()
    if "torch" in sys.modules:
        # Not sys.modules["torch"]: another thread may be importing it, and `import` waits until it is whole.
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


class ReleaseWhenQuiet:
    """Releases memory once nothing has been done for :data:`QUIET_SECONDS`. Safe from any thread.

    Between the stills of a slider that is moved it would cost each of them time; after the last one what they used
    would stay with the process until the next animation.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False

    def done(self) -> None:
        """Something has been done just now."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if not self._closed:
                self._timer = threading.Timer(QUIET_SECONDS, _release_or_log)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Release nothing any more."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()


def _release_or_log() -> None:
    try:
        release()
    except Exception:
        log.exception("Releasing memory failed.")


@functools.lru_cache(maxsize=1)
def _malloc_trim() -> Callable[[int], object] | None:
    """glibc keeps freed frames in its arenas; this hands them back. Other C libraries do not have it."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        return None
