"""Frames into files in a thread of its own, so that encoding runs beside rendering."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol, Self

import numpy as np

from durian.errors import Cancelled

FRAMES_AHEAD = 8
"""Frames that may wait for the encoder: enough to even out its pace, 6 MB at 512²."""


SECONDS_BETWEEN_LOOKS = 0.05
"""Seconds after which a failed encoder or a cancelled job is noticed at the latest."""


class FrameWriter(Protocol):
    bytes_written: int

    def write(self, frame: np.ndarray) -> None: ...


class Encoder:
    """Writes frames to several files at once; a context manager.

    Left normally, all frames are written and the files closed, the first one last. Left by an exception, the writers
    see it inside their own ``with`` and remove what they had begun.

    Args:
        writers: open the files; each is called once, in the encoder's thread.
        finish: what is done to each frame before it is written.
        is_cancelled: asked while the last frames are written; true gives everything up.
        hold: called after each frame with how many bytes all files have together; what it raises gives everything up.
    """

    def __init__(
        self,
        writers: Sequence[Callable[[], AbstractContextManager[FrameWriter]]],
        finish: Callable[[np.ndarray], np.ndarray],
        is_cancelled: Callable[[], bool],
        hold: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._writers = writers
        self._finish = finish
        self._is_cancelled = is_cancelled
        self._hold = hold
        self._frames: queue.Queue[np.ndarray | None] = queue.Queue(FRAMES_AHEAD)
        self._abandoned = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="durian-encoder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is not None:
            self._abandoned.set()
        self._put(None)
        while self._thread.is_alive():
            self._thread.join(SECONDS_BETWEEN_LOOKS)
            if self._is_cancelled():
                self._abandoned.set()
        if kind is None and self._error is not None:
            raise self._error

    def write(self, frame: np.ndarray) -> None:
        """Hand a frame over; waits while the encoder is :data:`FRAMES_AHEAD` frames behind.

        Raises:
            Exception: whatever made the encoder fail.
        """
        self._put(frame)
        if self._error is not None:
            raise self._error

    def _put(self, frame: np.ndarray | None) -> None:
        while self._thread.is_alive():
            try:
                self._frames.put(frame, timeout=SECONDS_BETWEEN_LOOKS)
                return
            except queue.Full:
                # Look again whether the thread still lives: one that failed takes nothing more.
                continue

    def _run(self) -> None:
        try:
            with ExitStack() as stack:
                writers = [stack.enter_context(open_writer()) for open_writer in self._writers]
                while (frame := self._frames.get()) is not None and not self._abandoned.is_set():
                    finished = self._finish(frame)
                    for writer in writers:
                        writer.write(finished)
                    self._hold(sum(writer.bytes_written for writer in writers))
                if self._abandoned.is_set():
                    raise Cancelled("The writing was given up.")
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that writes
            self._error = error
