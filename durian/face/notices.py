"""Suppression of MediaPipe's notices about its own graphs on the terminal.

They are written in C++, straight to the process's stderr and before any level is read (``GLOG_minloglevel`` does not
reach them), so there is no other place to stop them. What else is written meanwhile, by whatever thread, arrives.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Iterator

NOTICE = re.compile(
    rb"[IW]\d{4,8} \d\d:\d\d:[\d.]+ +\d+ [\w./-]+:\d+\] "  # glog and absl: information and warnings, not errors
    rb"|INFO: Created TensorFlow Lite "
    rb"|WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
)
"""Beginnings of the lines that are left out, as mediapipe 0.10.14 writes them."""
STDERR = 2
SECONDS_TO_DRAIN = 1.0
"""How long the end waits for lines on their way; only a child process that was started meanwhile makes it wait."""

log = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def without_notices() -> Iterator[None]:
    """Within, lines of stderr that are :data:`NOTICE` are dropped and all others passed on, a moment later.

    For the short time in which a graph is made, and by one thread at a time; others wait. Where information is logged,
    as with ``--verbose``, everything is shown.
    """
    if log.isEnabledFor(logging.INFO):
        yield
        return
    with _one_at_a_time:
        try:
            terminal = os.dup(STDERR)
        except OSError:
            # No stderr at all, as in a process of a window system.
            yield
            return
        reading, writing = os.pipe()
        os.dup2(writing, STDERR)
        os.close(writing)
        sieve = threading.Thread(target=_pass_on, args=(reading, terminal), name="durian-notices", daemon=True)
        sieve.start()
        try:
            yield
        finally:
            os.dup2(terminal, STDERR)
            sieve.join(SECONDS_TO_DRAIN)


def _pass_on(reading: int, terminal: int) -> None:
    """Copy lines until nobody can write any more, and close both ends."""
    with open(reading, "rb") as lines, open(terminal, "wb", buffering=0) as out:
        for line in lines:
            # A progress bar may stand before it in the same line.
            if notice := NOTICE.search(line):
                line = line[: notice.start()]
            # Where nobody reads (a closed pipe) there is nobody to tell either.
            with contextlib.suppress(OSError):
                out.write(line)
