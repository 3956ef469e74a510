"""The stills' lane: beside the animations, one still at a time, and only the newest of each visitor counts."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from durian.errors import Cancelled

Result = TypeVar("Result")

SUPERSEDED_SENTENCE = "A newer still replaced this one."
CLIENTS_KEPT = 1000
"""Of whom it is remembered when they had their last turn."""


@dataclass
class _Turn:
    """A lane's request to work. ``place`` orders a client's lanes; a newer turn of a lane inherits its place."""

    number: int
    place: int
    client: str


class StillsLane:
    """Lets callers work one at a time, in their own threads.

    A lane is a visitor's session. Clients, who may have many, take turns: next is who has waited longest for one. A
    call makes older calls of its lane stop: those that wait raise :class:`Cancelled`, one that works finishes the piece
    it is at and raises then if more pieces were left.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._newest: dict[str, int] = {}
        self._waiting: dict[str, _Turn] = {}
        self._busy = False
        self._turns = itertools.count()
        self._last_turn: dict[str, int] = {}
        """Of each client, the latest last."""
        self._giving_way = 0
        """How many wait in :meth:`let_pass`."""

    def run(self, lane: str, pieces: Sequence[Callable[[], Result]], client: str | None = None) -> list[Result]:
        """Do ``pieces`` one after another; other lanes may take turns between them.

        Args:
            lane: whose work it is.
            pieces: of the work.
            client: whom the lane counts for, such as an address; by default its part up to a slash.

        Raises:
            Cancelled: a newer call of ``lane`` came before all pieces were done.
        """
        client = client or lane.partition("/")[0]
        with self._changed:
            number = next(self._numbers)
            self._newest[lane] = number
            # Wake the older call of this lane, so that it sees that it was replaced.
            self._changed.notify_all()
        try:
            results = []
            for piece in pieces:
                with self._turn(lane, number, client):
                    results.append(piece())
            return results
        finally:
            with self._changed:
                if self._newest.get(lane) == number:
                    del self._newest[lane]
                    self._changed.notify_all()

    def let_pass(self, seconds: float) -> bool:
        """Wait until no still is under way or waits, at most ``seconds``; returns whether that came true."""
        with self._changed:
            self._giving_way += 1
            try:
                return self._changed.wait_for(lambda: not self._newest and not self._busy, seconds)
            finally:
                self._giving_way -= 1

    def cancel(self, lane: str) -> None:
        """Make all calls of ``lane`` and of the lanes below it (``lane/...``) stop."""
        with self._changed:
            for name in [name for name in self._newest if name == lane or name.startswith(f"{lane}/")]:
                del self._newest[name]
            self._changed.notify_all()

    @contextmanager
    def _turn(self, lane: str, number: int, client: str) -> Iterator[None]:
        with self._changed:
            self._check_newest(lane, number)
            place = self._waiting[lane].place if lane in self._waiting else next(self._numbers)
            turn = self._waiting[lane] = _Turn(number, place, client)
            try:
                self._changed.wait_for(lambda: self._newest.get(lane) != number or self._may_work(turn))
                self._check_newest(lane, number)
                self._busy = True
                self._note_turn(client)
            finally:
                if lane in self._waiting and self._waiting[lane].number == number:
                    del self._waiting[lane]
                    # Whose turn it is may have changed.
                    self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _may_work(self, turn: _Turn) -> bool:
        def order(other: _Turn) -> tuple[int, int]:
            return self._last_turn.get(other.client, -1), other.place

        return not self._busy and order(turn) == min(map(order, self._waiting.values()))

    def _note_turn(self, client: str) -> None:
        self._last_turn.pop(client, None)
        self._last_turn[client] = next(self._turns)
        if len(self._last_turn) > CLIENTS_KEPT:
            del self._last_turn[next(iter(self._last_turn))]

    def _check_newest(self, lane: str, number: int) -> None:
        if self._newest.get(lane) != number:
            raise Cancelled(SUPERSEDED_SENTENCE)
