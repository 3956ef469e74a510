"""Jobs: one animation's state, from waiting to its result or error."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from durian.errors import Cancelled, DurianError, LimitExceeded
from durian.request import AnimationRequest

if TYPE_CHECKING:
    from durian.engine.run_job import Animation

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Stage = Literal["waiting", "preparing", "denoising", "rendering", "encoding", "finished"]

CANCELLED_SENTENCE = "The animation was cancelled: press Animate to start it again."
SECONDS_BETWEEN_UPDATES = 0.1
"""A page shows ten steps a second as smooth, and more would only cost."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobStatus:
    """A job's progress. ``position`` is 0 while it runs and afterwards, 1 for the next in line.

    ``step`` of ``steps`` passes over the whole clip are done; both are 0 where a renderer makes none.
    ``remaining`` is in seconds, from steps or frames measured so far (of this job, or of earlier ones while it waits);
    ``None`` until there is something to measure. ``estimates`` counts the pictures that :attr:`Job.estimate` has shown.
    """

    state: State
    stage: Stage
    position: int
    frame: int
    frames: int
    elapsed: float
    remaining: float | None
    error: str | None = None
    step: int = 0
    steps: int = 0
    estimates: int = 0

    @property
    def finished(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Estimate:
    """An estimate of frame ``frame`` after ``step`` of ``steps``: ``picture`` ``(H, W, 3) uint8``, finished like a
    still."""

    step: int
    steps: int
    frame: int
    picture: np.ndarray


@dataclass(frozen=True)
class Sound:
    """The sound that goes with a motion: that of ``path``, from ``start`` seconds on."""

    path: Path
    start: float = 0.0


class Room(Protocol):
    """Room on the disk for a job's files, which somebody else counts; it is given back however the job ends."""

    def hold(self, size: int) -> None:
        """There are so many bytes by now; raises a :class:`DurianError` where there is no room for them."""

    def settle(self, *paths: Path) -> None:
        """The job is done, and these are its files."""

    def close(self) -> None:
        """The job is over; called after :meth:`settle`, too, and more than once."""


@dataclass(frozen=True)
class Delivery:
    """Path, owner and sound of a job's result, and how the job is watched.

    ``owner`` is whose files they are; ``client`` is who counts for a fair share of the line, such as an address.
    """

    out: Path | None = None
    owner: str | None = None
    client: str | None = None
    seconds: float | None = None
    """Longest that it may run; ``None`` for as long as it takes."""
    sound: Sound | None = None
    watched_frame: int | None = None
    """The frame whose estimates are wanted while it runs; ``None`` for the middle one."""
    on_progress: Callable[[JobStatus], None] | None = field(default=None, repr=False)
    room: Room | None = field(default=None, repr=False)
    """What the files' bytes are held against; ``None`` for as many as the disk takes."""


class Job:
    """One submitted animation. Made by the engine; safe to use from any thread."""

    def __init__(self, request: AnimationRequest, delivery: Delivery) -> None:
        self.id = uuid.uuid4().hex
        self._request: AnimationRequest | None = request
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
        self._started = 0.0
        self._step = self._steps = 0
        self._steps_began_at = self._last_step_at = 0.0
        self._estimate: Estimate | None = None
        self._estimates = 0
        self._first_frame_at = 0.0
        self._last_frame_at = 0.0
        self._ended: float | None = None
        self._version = 0
        self._result: Animation | None = None
        self._error: BaseException | None = None

    # For whoever submitted it

    @property
    def request(self) -> AnimationRequest:
        """
        Raises:
            RuntimeError: the job is over and has let its pictures go.
        """
        if self._request is None:
            raise RuntimeError("The job is over and has let its pictures go.")
        return self._request

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

    @property
    def estimate(self) -> Estimate | None:
        """The newest picture of what the result will be; ``None`` before the first, and once the job is over."""
        return self._estimate

    @property
    def watched_frame(self) -> int:
        """The frame that estimates show."""
        wanted = self.delivery.watched_frame
        return self.frames // 2 if wanted is None else min(max(wanted, 0), self.frames - 1)

    def cancel(self) -> None:
        """Stop this job: at once while it waits, within a step or frame while it runs; never once it is over."""
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
            if self._result is None:
                raise self._error or Cancelled(CANCELLED_SENTENCE)
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
        """Whether somebody asked it to stop, or its time is over; it may not have noticed yet."""
        return self._cancel.is_set() or self.is_overdue

    @property
    def is_overdue(self) -> bool:
        """Whether it has run for longer than it may."""
        allowed = self.delivery.seconds
        return allowed is not None and self._started > 0 and time.perf_counter() - self._started > allowed

    def check_cancelled(self) -> None:
        if self._cancel.is_set():
            raise Cancelled(CANCELLED_SENTENCE)
        if self.is_overdue:
            raise LimitExceeded(
                f"The animation took longer than {self.delivery.seconds:g} seconds: "
                "ask for fewer frames or steps, or a smaller size."
            )

    def wait_at(self, position: int, estimate: float | None) -> None:
        self._update(position=position, wait_estimate=estimate)

    def start(self) -> None:
        self._started = time.perf_counter()
        self._update(state="running", stage="preparing", position=0)

    def step_done(self, index: int, steps: int) -> None:
        """``index`` of ``steps`` are done; 0 when the first begins (again, where a renderer had to start over)."""
        now = time.perf_counter()
        if index == 0:
            self._steps_began_at = now
        self._last_step_at = now
        self._update(step=index, steps=steps, stage="denoising")

    def show(self, picture: np.ndarray) -> None:
        """Let those who wait see how the watched frame looks so far."""
        estimate = Estimate(self._step, self._steps, self.watched_frame, picture)
        self._update(estimate=estimate, estimates=self._estimates + 1)

    def frame_done(self) -> None:
        now = time.perf_counter()
        self._first_frame_at = self._first_frame_at or now
        self._last_frame_at = now
        frame = self._frame + 1
        self._update(frame=frame, stage="encoding" if frame >= self.frames else "rendering")

    @property
    def seconds_per_frame(self) -> float | None:
        """Measured between frames, so that preparing the scene does not count; ``None`` before the second frame.

        Steps over the whole clip count for all of its frames alike.
        """
        if self._frame < 2:
            return None
        pace = (self._last_frame_at - self._first_frame_at) / (self._frame - 1)
        return pace + (self._last_step_at - self._steps_began_at) / self.frames

    def finish(self, result: Animation) -> None:
        self._end("done", result=result)

    def finish_failed(self, error: BaseException) -> None:
        self._end("failed", error=error)

    def finish_cancelled(self) -> None:
        self._end("cancelled", error=Cancelled(CANCELLED_SENTENCE))

    def _end(self, state: State, **values: object) -> None:
        if self.delivery.room is not None:
            self.delivery.room.close()
        # The pictures are let go here: a page may keep the job itself for its history.
        ended = {"stage": "finished", "position": 0, "ended": time.perf_counter(), "request": None, "estimate": None}
        self._update(state=state, **ended, **values)

    def _update(self, **values: object) -> None:
        with self._changed:
            if self._ended is not None:
                return
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
            step=self._step,
            steps=self._steps,
            estimates=self._estimates,
        )

    def _remaining(self) -> float | None:
        if self._ended is not None:
            return 0.0
        if self._state == "waiting":
            return self._wait_estimate
        if self._stage == "denoising":
            done = self._last_step_at - self._steps_began_at
            return done / self._step * (self._steps - self._step) if self._step else None
        if self._frame < 2:
            return None
        return (self._last_frame_at - self._first_frame_at) / (self._frame - 1) * (self.frames - self._frame)
