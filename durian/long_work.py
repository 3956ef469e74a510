"""Long work of many clients: so many at once, in turns, and given up where nobody waits for it any more."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

CLIENTS_KEPT = 1000
"""Of whom it is remembered how long they worked."""
SECONDS_REMEMBERED = 60.0
"""After which a third of what somebody worked still counts (1/e)."""
LITTLE = 3.0
"""Seconds of work of late with which somebody has a spare place; most pictures take one at most."""
SECONDS_BETWEEN_LOOKS = 0.2
"""Seconds after which somebody who waits for a turn and is not wanted any more is noticed."""

_between: ContextVar[Callable[[], None]] = ContextVar("between steps", default=lambda: None)
_look: ContextVar[Callable[[], None]] = ContextVar("look", default=lambda: None)


def between_steps() -> None:
    """Called between the steps of long work, as clicks and pictures are: others may have their turn meanwhile.

    Raises:
        Cancelled: nobody waits for the work any more.
    """
    _between.get()()


def check_wanted() -> None:
    """As :func:`between_steps` within a step: nobody else has their turn.

    Raises:
        Cancelled: nobody waits for the work any more.
    """
    _look.get()()


@contextmanager
def stepping(look: Callable[[], None]) -> Iterator[None]:
    """A context in which :func:`between_steps` and :func:`check_wanted` call ``look``, which raises where the work is
    to be given up."""
    before = _look.set(look)
    try:
        with _stepping(look):
            yield
    finally:
        _look.reset(before)


@contextmanager
def _stepping(step: Callable[[], None]) -> Iterator[None]:
    before = _between.set(step)
    try:
        yield
    finally:
        _between.reset(before)


class WorkedOfLate:
    """How long each client worked of late, in seconds; those longer ago count for less. Not safe from many threads."""

    def __init__(self) -> None:
        self._worked: dict[str, tuple[float, float]] = {}
        """Of each client the seconds that counted when its last work ended, and when that was; the latest last."""

    def note(self, client: str, seconds: float, now: float) -> None:
        """``seconds`` of work have ended, ``now`` by a clock that never goes back."""
        worked = self.of(client, now) + seconds
        self._worked.pop(client, None)
        self._worked[client] = worked, now
        if len(self._worked) > CLIENTS_KEPT:
            del self._worked[next(iter(self._worked))]

    def of(self, client: str, now: float) -> float:
        """Seconds that count."""
        seconds, when = self._worked.get(client, (0.0, now))
        return seconds * math.exp((when - now) / SECONDS_REMEMBERED)


class Turns:
    """Lets so many work at once, in their own threads, of each client one at most.

    Next is the client who worked least of late; of equals, who came first. Who works gives way between steps to those
    who wait.

    Args:
        places: how many may work.
        spare: how many more may, of those who worked less than :data:`LITTLE` seconds of late: they do not wait for who
            works long.
    """

    def __init__(self, places: int, spare: int = 0) -> None:
        self._places, self._spare = places, spare
        self._changed = threading.Condition()
        self._tickets = itertools.count()
        self._waiting: dict[int, str] = {}
        self._working: Counter[str] = Counter()
        self._worked = WorkedOfLate()

    @contextmanager
    def turn(self, client: str) -> Iterator[None]:
        """A context in which a client may work; waits for it.

        Args:
            client: whose work it is, such as an address; "" for nobody's, which may have all places.

        Raises:
            Cancelled: nobody waits for the work any more, as the context's own :func:`between_steps` says.
        """
        is_wanted = _between.get()
        since: float | None = None

        def give_way() -> None:
            nonlocal since
            is_wanted()
            if since is not None and self._is_waited_for(client):
                self._leave(client, since)
                since = None
                since = self._enter(client, is_wanted)

        since = self._enter(client, is_wanted)
        try:
            with _stepping(give_way):
                yield
        finally:
            if since is not None:
                self._leave(client, since)

    @contextmanager
    def place(self, client: str, look: Callable[[], None]) -> Iterator[None]:
        """A context in which a client works without giving way, as what cannot be interrupted does; waits for it.

        Args:
            client: as of :meth:`turn`.
            look: called again and again while it waits; raises where that is to be given up.
        """
        since = self._enter(client, look)
        try:
            yield
        finally:
            self._leave(client, since)

    def _enter(self, client: str, is_wanted: Callable[[], None]) -> float:
        """Wait for a turn; when it began."""
        with self._changed:
            ticket = next(self._tickets)
            self._waiting[ticket] = client
            try:
                while not self._is_next(ticket):
                    self._changed.wait(SECONDS_BETWEEN_LOOKS)
                    is_wanted()
                self._working[client] += 1
                return time.monotonic()
            finally:
                del self._waiting[ticket]
                # Whose turn it is may have changed.
                self._changed.notify_all()

    def _leave(self, client: str, since: float) -> None:
        with self._changed:
            now = time.monotonic()
            self._worked.note(client, now - since, now)
            self._working[client] -= 1
            if not self._working[client]:
                del self._working[client]
            self._changed.notify_all()

    def _is_next(self, ticket: int) -> bool:
        now, taken = time.monotonic(), self._working.total()
        ready = [
            (self._worked.of(client, now), other) for other, client in self._waiting.items() if self._may_work(client)
        ]
        if not ready or taken >= self._places + self._spare:
            return False
        worked, first = min(ready)
        return first == ticket and (taken < self._places or worked < LITTLE)

    def _may_work(self, client: str) -> bool:
        return client == "" or client not in self._working

    def _is_waited_for(self, client: str) -> bool:
        """Whether another client could work if this one did not."""
        with self._changed:
            return any(other != client and self._may_work(other) for other in self._waiting.values())
