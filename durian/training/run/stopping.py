"""Stopping of a training: in time for a checkpoint, or when the system or somebody at the keyboard asks."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

ASKING = (signal.SIGTERM, signal.SIGINT)
"""Signals that clusters send before they take a machine back, and Ctrl-C's."""


class Stopping:
    """Whether a training should stop; a context in which signals ask for it instead of ending the process.

    The clock starts when it is made: whatever comes before the first step counts. A signal's second time has its usual
    effect.

    Args:
        max_minutes: ``None`` for no limit.
        clock: seconds, ever growing.
    """

    def __init__(self, max_minutes: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, clock()
        self._seconds = None if max_minutes is None else 60 * max_minutes
        self._before: dict[int, signal.Handlers | Callable | int | None] = {}
        self.asked = False

    def reason(self, needed: float) -> str | None:
        """Why to stop now, ``"time"`` or ``"signal"``, or ``None``.

        Args:
            needed: seconds of another step and what must come after it.
        """
        if self.asked:
            return "signal"
        if self._seconds is not None and self.elapsed + needed > self._seconds:
            return "time"
        return None

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        return self._clock() - self._start

    def __enter__(self) -> Stopping:
        # Python lets signals be handled from the main thread only.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in ASKING}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(number, self._before[number])
