"""The queue of waiting animations, with an estimate of how long each must wait."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Hashable

from durian.engine.jobs import Job
from durian.errors import QueueFull
from durian.long_work import WorkedOfLate
from durian.request import AnimationRequest


def pace_key(request: AnimationRequest) -> Hashable:
    """The settings that a frame's time depends on."""
    return request.renderer, request.options.size, request.diffusion


GAVE_UP = "Many visitors wait: your last animation gave its place up. Send it again in a minute."


class JobQueue:
    """The bounded line in which animations wait. Next is the job whose client had least of late; of equals, the first.

    ``capacity`` jobs may wait; ``places_each`` of one client may run and wait, ``None`` for as many as there is room.
    """

    def __init__(self, capacity: int, places_each: int | None = None) -> None:
        self.capacity = capacity
        self.places_each = places_each
        self._changed = threading.Condition(threading.RLock())
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._since = 0.0
        self._worked = WorkedOfLate()
        self._pace: dict[Hashable, float] = {}
        self._open = True

    def join(self, job: Job) -> None:
        """
        Raises:
            QueueFull: ``capacity`` jobs wait already, none of which gives its place up, or the job's client has
                ``places_each`` here.
        """
        gives_up = None
        with self._changed:
            if not self._open:
                raise RuntimeError("The engine is closed.")
            client = job.delivery.client
            if client is not None and self.places_each is not None:
                theirs = sum(other.delivery.client == client for other in self.jobs())
                if theirs >= self.places_each:
                    raise QueueFull(f"{theirs} animations of yours are in the line already: wait for one of them.")
            if len(self._waiting) >= self.capacity:
                gives_up = self._last_of_who_has_most(client)
                if gives_up is None:
                    raise QueueFull(f"{self.capacity} animations are waiting already: try again in a minute.")
                self._waiting.remove(gives_up)
            job._leave_line = self._leave
            self._waiting.append(job)
            self._tell_places()
            self._changed.notify_all()
        if gives_up is not None:
            gives_up.finish_failed(QueueFull(GAVE_UP))

    def next(self) -> Job | None:
        """Wait for the next job and make it the running one; ``None`` once the line is closed."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._waiting or not self._open)
            if not self._open:
                return None
            self._running = self._in_order()[0]
            self._waiting.remove(self._running)
            self._since = time.monotonic()
            self._tell_places()
            return self._running

    def done(self, job: Job, pace_key: Hashable) -> None:
        """Note how fast ``job`` was, for the remaining time of those whose requests have the same ``pace_key``."""
        with self._changed:
            self._running = None
            if job.delivery.client is not None:
                now = time.monotonic()
                self._worked.note(job.delivery.client, now - self._since, now)
            if job.seconds_per_frame is not None:
                self._pace[pace_key] = job.seconds_per_frame
            self._tell_places()

    @property
    def running(self) -> Job | None:
        with self._changed:
            return self._running

    def jobs(self) -> list[Job]:
        """The running job and those that wait, in order."""
        with self._changed:
            return ([self._running] if self._running else []) + self._in_order()

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _in_order(self) -> list[Job]:
        """Those that wait, the next one first."""
        now = time.monotonic()

        def worked(job: Job) -> float:
            client = job.delivery.client
            if client is None:
                return 0.0
            runs = self._running is not None and self._running.delivery.client == client
            return self._worked.of(client, now) + (now - self._since if runs else 0.0)

        return sorted(self._waiting, key=worked)

    def _last_of_who_has_most(self, client: str | None) -> Job | None:
        """The job that gives its place up for one of ``client``: the last one of whoever has most in the line, where
        that is more than ``client`` will have."""
        count = Counter(job.delivery.client for job in self.jobs())
        others = [job for job in reversed(self._waiting) if job.delivery.client is not None]
        last = max(others, key=lambda job: count[job.delivery.client], default=None)
        return last if last is not None and count[last.delivery.client] > count[client] + 1 else None

    def _leave(self, job: Job) -> bool:
        with self._changed:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            self._tell_places()
            return True

    def _tell_places(self) -> None:
        ahead = self._running.progress.remaining if self._running else 0.0
        for place, job in enumerate(self._in_order(), start=1):
            pace = self._pace.get(pace_key(job.request))
            ahead = None if ahead is None or pace is None else ahead + pace * job.frames
            job.wait_at(place, ahead)
