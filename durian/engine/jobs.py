"""One animation's life: waiting, running, and how it ended; and the line in which they wait."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from durian.errors import Cancelled, DurianError, QueueFull
from durian.request import AnimationRequest

if TYPE_CHECKING:
    from durian.engine.production import Animation

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Stage = Literal["waiting", "preparing", "rendering", "encoding", "finished"]

CANCELLED_SENTENCE = "The animation was cancelled: press Animate to start it again."
SECONDS_BETWEEN_UPDATES = 0.1
"""A page shows ten steps a second as smooth, and more would only cost."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobStatus:
    """Where a job stands. ``position`` is 0 while it runs and afterwards, 1 for the next in line.

    ``remaining`` is in seconds, from frame times measured so far (of this job, or of earlier ones while it waits);
    ``None`` until there is something to measure.
    """

    state: State
    stage: Stage
    position: int
    frame: int
    frames: int
    elapsed: float
    remaining: float | None
    error: str | None = None

    @property
    def finished(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Sound:
    """The sound that goes with a motion: that of ``path``, from ``start`` seconds on."""

    path: Path
    start: float = 0.0


@dataclass(frozen=True)
class Delivery:
    """Where a job's result goes, whose it is, and what it sounds like."""

    out: Path | None = None
    owner: str | None = None
    sound: Sound | None = None
    on_progress: Callable[[JobStatus], None] | None = field(default=None, repr=False)


class Job:
    """One submitted animation. Made by the engine; safe to use from any thread."""

    def __init__(self, request: AnimationRequest, delivery: Delivery) -> None:
        self.id = uuid.uuid4().hex
        self.request: AnimationRequest | None = request
        self.delivery = delivery
        self.frames = request.options.frames if request.motion is not None else 1
        self._changed = threading.Condition()
        self._cancel = threading.Event()
        self._leave_line: Callable[[Job], bool] = lambda _: False
        self._state: State = "waiting"
        self._stage: Stage = "waiting"
        self._position = 0
        self._wait_estimate: float | None = None
        self._frame = 0
        self._submitted = time.perf_counter()
        self._first_frame_at = 0.0
        self._last_frame_at = 0.0
        self._ended: float | None = None
        self._version = 0
        self._result: Animation | None = None
        self._error: BaseException | None = None

    # For whoever submitted it

    @property
    def state(self) -> State:
        return self._state

    @property
    def position(self) -> int:
        """0 while running (or over), 1 for the next in line."""
        return self._position

    @property
    def progress(self) -> JobStatus:
        with self._changed:
            return self._status()

    def cancel(self) -> None:
        """Stop this job: at once while it waits, within one frame while it runs; nothing happens once it is over."""
        self._cancel.set()
        if self._leave_line(self):
            self.finish_cancelled()

    def result(self, timeout: float | None = None) -> Animation:
        """Wait for the animation.

        Raises:
            TimeoutError: it is not over after ``timeout`` seconds; it goes on.
            Cancelled: it was cancelled.
            Exception: whatever made it fail.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended is not None, timeout):
                raise TimeoutError(f"The animation was not finished after {timeout:g} seconds.")
            if self._error is not None:
                raise self._error
            return self._result

    def updates(self, interval: float = SECONDS_BETWEEN_UPDATES) -> Iterator[JobStatus]:
        """Its status at each change, at most every ``interval`` seconds; the last one is always of its end."""
        seen = -1
        while True:
            with self._changed:
                while self._version == seen:
                    self._changed.wait()
                seen, status = self._version, self._status()
            yield status
            if status.finished:
                return
            with self._changed:
                self._changed.wait_for(lambda: self._ended is not None, interval)

    # For the engine

    def is_cancelled(self) -> bool:
        """Whether somebody asked it to stop; it may not have noticed yet."""
        return self._cancel.is_set()

    def check_cancelled(self) -> None:
        if self._cancel.is_set():
            raise Cancelled(CANCELLED_SENTENCE)

    def wait_at(self, position: int, estimate: float | None) -> None:
        self._update(position=position, wait_estimate=estimate)

    def start(self) -> None:
        self._update(state="running", stage="preparing", position=0)

    def frame_done(self) -> None:
        now = time.perf_counter()
        self._first_frame_at = self._first_frame_at or now
        self._last_frame_at = now
        frame = self._frame + 1
        self._update(frame=frame, stage="encoding" if frame >= self.frames else "rendering")

    @property
    def seconds_per_frame(self) -> float | None:
        """Measured between frames, so that preparing the scene does not count; ``None`` before the second frame."""
        if self._frame < 2:
            return None
        return (self._last_frame_at - self._first_frame_at) / (self._frame - 1)

    def finish(self, result: Animation) -> None:
        self._end("done", result=result)

    def finish_failed(self, error: BaseException) -> None:
        self._end("failed", error=error)

    def finish_cancelled(self) -> None:
        self._end("cancelled", error=Cancelled(CANCELLED_SENTENCE))

    def _end(self, state: State, **values: object) -> None:
        # The pictures are let go here: a page may keep the job itself for its history.
        self._update(state=state, stage="finished", position=0, ended=time.perf_counter(), request=None, **values)

    def _update(self, request: AnimationRequest | Literal[False] | None = False, **values: object) -> None:
        with self._changed:
            if self._ended is not None:
                return
            if request is None:
                self.request = None
            for name, value in values.items():
                setattr(self, f"_{name}", value)
            self._version += 1
            status = self._status()
            self._changed.notify_all()
        if self.delivery.on_progress is not None:
            try:
                self.delivery.on_progress(status)
            except Exception:
                log.exception("The progress callback of job %s failed; the job goes on.", self.id)

    def _status(self) -> JobStatus:
        error = self._error
        sentence = (
            None if error is None else str(error) if isinstance(error, DurianError) else "Something broke inside."
        )
        return JobStatus(
            state=self._state,
            stage=self._stage,
            position=self._position,
            frame=self._frame,
            frames=self.frames,
            elapsed=(self._ended or time.perf_counter()) - self._submitted,
            remaining=self._remaining(),
            error=sentence,
        )

    def _remaining(self) -> float | None:
        if self._ended is not None:
            return 0.0
        if self._state == "waiting":
            return self._wait_estimate
        pace = self.seconds_per_frame
        return None if pace is None else pace * (self.frames - self._frame)


class JobLine:
    """The bounded line in which animations wait, first come, first served."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._changed = threading.Condition(threading.RLock())
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._pace: dict[tuple[str, int], float] = {}
        self._open = True

    def join(self, job: Job) -> None:
        """
        Raises:
            QueueFull: ``capacity`` jobs wait already.
        """
        with self._changed:
            if not self._open:
                raise RuntimeError("The engine is closed.")
            if len(self._waiting) >= self.capacity:
                raise QueueFull(f"{self.capacity} animations are waiting already: try again in a minute.")
            job._leave_line = self._leave
            self._waiting.append(job)
            self._tell_places()
            self._changed.notify_all()

    def next(self) -> Job | None:
        """Wait for the next job and make it the running one; ``None`` once the line is closed."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._waiting or not self._open)
            if not self._open:
                return None
            self._running = self._waiting.pop(0)
            self._tell_places()
            return self._running

    def done(self, job: Job, pace_key: tuple[str, int]) -> None:
        """Note how fast ``job`` was, for the remaining time of those who wait."""
        with self._changed:
            self._running = None
            if job.seconds_per_frame is not None:
                self._pace[pace_key] = job.seconds_per_frame
            self._tell_places()

    def jobs(self) -> list[Job]:
        """The running job and those that wait, in order."""
        with self._changed:
            return ([self._running] if self._running else []) + list(self._waiting)

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _leave(self, job: Job) -> bool:
        with self._changed:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            self._tell_places()
            return True

    def _tell_places(self) -> None:
        ahead = self._running.progress.remaining if self._running else 0.0
        for place, job in enumerate(self._waiting, start=1):
            options = job.request.options
            pace = self._pace.get((job.request.renderer, options.size))
            ahead = None if ahead is None or pace is None else ahead + pace * job.frames
            job.wait_at(place, ahead)
