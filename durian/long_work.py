"""Long work of many clients: so many at once, in turns, and given up where nobody waits for it any more."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

CLIENTS_KEPT = 1000
"""Of whom it is remembered when they had their last turn."""
SECONDS_BETWEEN_LOOKS = 0.2
"""Seconds after which somebody who waits for a turn and is not wanted any more is noticed."""

_between: ContextVar[Callable[[], None]] = ContextVar("between steps", default=lambda: None)


def between_steps() -> None:
    """Called between the steps of long work, as clicks and pictures are: others may have their turn meanwhile.

    Raises:
        Cancelled: nobody waits for the work any more.
    """
    _between.get()()


@contextmanager
def stepping(look: Callable[[], None]) -> Iterator[None]:
    """A context in which :func:`between_steps` calls ``look``, which raises where the work is to be given up."""
    before = _between.set(look)
    try:
        yield
    finally:
        _between.reset(before)


class Turns:
    """Lets so many work at once, in their own threads, of each client one at most.

    Next is the client who has waited longest for a turn. Who works gives way between steps to those who wait.

    Args:
        places: how many may work.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._changed = threading.Condition()
        self._tickets = itertools.count()
        self._waiting: dict[int, str] = {}
        self._working: Counter[str] = Counter()
        self._last_turn: dict[str, int] = {}
        """Of each client, the latest last."""

    @contextmanager
    def turn(self, client: str) -> Iterator[None]:
        """A context in which a client may work; waits for it.

        Args:
            client: whose work it is, such as an address; "" for nobody's, which may have all places.

        Raises:
            Cancelled: nobody waits for the work any more, as the context's own :func:`between_steps` says.
        """
        is_wanted = _between.get()
        has_turn = False

        def give_way() -> None:
            nonlocal has_turn
            is_wanted()
            if self._is_waited_for(client):
                self._leave(client)
                has_turn = False
                self._enter(client, is_wanted)
                has_turn = True

        self._enter(client, is_wanted)
        has_turn = True
        try:
            with stepping(give_way):
                yield
        finally:
            if has_turn:
                self._leave(client)

    @contextmanager
    def place(self, client: str, look: Callable[[], None]) -> Iterator[None]:
        """A context in which a client works without giving way, as what cannot be interrupted does; waits for it.

        Args:
            client: as of :meth:`turn`.
            look: called again and again while it waits; raises where that is to be given up.
        """
        self._enter(client, look)
        try:
            yield
        finally:
            self._leave(client)

    def _enter(self, client: str, is_wanted: Callable[[], None]) -> None:
        with self._changed:
            ticket = next(self._tickets)
            self._waiting[ticket] = client
            try:
                while not self._is_next(ticket):
                    self._changed.wait(SECONDS_BETWEEN_LOOKS)
                    is_wanted()
                self._working[client] += 1
                self._note_turn(client, ticket)
            finally:
                del self._waiting[ticket]
                # Whose turn it is may have changed.
                self._changed.notify_all()

    def _leave(self, client: str) -> None:
        with self._changed:
            self._working[client] -= 1
            if not self._working[client]:
                del self._working[client]
            self._changed.notify_all()

    def _is_next(self, ticket: int) -> bool:
        if self._working.total() >= self._places:
            return False
        ready = {other: client for other, client in self._waiting.items() if self._may_work(client)}
        order = sorted(ready, key=lambda other: (self._last_turn.get(ready[other], -1), other))
        return order[:1] == [ticket]

    def _may_work(self, client: str) -> bool:
        return client == "" or client not in self._working

    def _is_waited_for(self, client: str) -> bool:
        """Whether another client could work if this one did not."""
        with self._changed:
            return any(other != client and self._may_work(other) for other in self._waiting.values())

    def _note_turn(self, client: str, ticket: int) -> None:
        self._last_turn.pop(client, None)
        self._last_turn[client] = ticket
        if len(self._last_turn) > CLIENTS_KEPT:
            del self._last_turn[next(iter(self._last_turn))]
