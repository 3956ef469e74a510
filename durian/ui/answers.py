"""Answers that nobody fetches, and whatever else Gradio keeps of sessions for good.

Gradio keeps the answers for 2000 sessions. The oldest go first, even those that somebody waits for, and what is lost
with them ends that event; calls that are begun and never asked for fill that list. Its lists of each session's events,
and its data of sessions that come to an end after they were let go, it never lets go of.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr

from durian.errors import QueueFull
from durian.ui.calls import forget_session
from durian.ui.shares import networks_of, site_of
from durian.ui.visitors import CALLER_SECONDS, SECONDS_BETWEEN_LOOKS, Visitors

MOST_UNFETCHED = 100
"""Events of one session whose answers nobody has fetched; a page has a few."""
MOST_UNFETCHED_BYTES = 50_000_000
"""Of the answers in all sessions of one address; one with a picture has 0.1 MB, with two of noise 1.3 MB."""
BYTES_BESIDE = 50
"""That a value takes beside its text, about."""


class _Queue(asyncio.Queue[Any]):
    """What a session is going to be told. ``weight`` is about how many bytes that has."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = 0
        self._weights: deque[int] = deque()

    def _put(self, item: Any) -> None:
        super()._put(item)
        self._weights.append(_weight(item))
        self.weight += self._weights[-1]

    def _get(self) -> Any:
        self.weight -= self._weights.popleft()
        return super()._get()


class _Queues(dict[str, _Queue]):
    """One for each session for which Gradio makes one."""

    def __setitem__(self, session: str, _: Any) -> None:
        super().__setitem__(session, _Queue())


def _weight(message: Any) -> int:
    inside, weight = [vars(message)], 0
    while inside:
        value: Any = inside.pop()
        weight += BYTES_BESIDE
        if isinstance(value, str):
            weight += len(value)
        elif isinstance(value, dict):
            inside.extend(value.values())
        elif isinstance(value, (list, tuple)):
            inside.extend(value)
    return weight


def keep_answers(blocks: gr.Blocks) -> None:
    """Let Gradio drop no answers by itself: :class:`Answers` does. They are weighed as they come.

    Args:
        blocks: the page, whose queue has been made.
    """
    blocks._queue.pending_messages_per_session = _Queues()


class Answers:
    """Used in the server's thread alone.

    Args:
        visitors: who is there.
        clock: seconds, never going back.
    """

    def __init__(self, visitors: Visitors, clock: Callable[[], float] = time.monotonic) -> None:
        self._visitors = visitors
        self._clock = clock
        self._asked: Counter[str] = Counter()
        self._rests: dict[str, float] = {}
        self._addresses: dict[str, str] = {}
        """Whose the sessions are for which answers are kept."""
        self._looked = clock()

    @contextmanager
    def fetching(self, session: str) -> Iterator[None]:
        """A context in which somebody is given a session's answers as they come."""
        self._asked[session] += 1
        try:
            yield
        finally:
            self._asked[session] -= 1
            if not self._asked[session]:
                del self._asked[session]

    def check_fetched(self, blocks: gr.Blocks, sessions: Sequence[str], address: str) -> None:
        """
        Args:
            blocks: the page.
            sessions: that are to have one more answer.
            address: whose they are.

        Raises:
            QueueFull: :data:`MOST_UNFETCHED` answers wait in one of them, or :data:`MOST_UNFETCHED_BYTES` in those of
                the address.
        """
        queue = blocks._queue
        for session in sessions:
            unfetched = len(queue.pending_event_ids_session.get(session, ()))
            if unfetched >= MOST_UNFETCHED:
                raise QueueFull(f"{unfetched} answers of this session were not fetched: ask for them first.")
        for network, times in networks_of(address):
            weight = sum(
                queue.pending_messages_per_session[session].weight
                for session, theirs in self._addresses.items()
                if session in queue.pending_messages_per_session and network in (theirs, site_of(theirs))
            )
            if weight > times * MOST_UNFETCHED_BYTES:
                raise QueueFull(
                    f"{weight // 1_000_000} MB of answers for your address were not fetched: ask for them first."
                )
        self._addresses.update(dict.fromkeys(sessions, address))

    def tidy(self, blocks: gr.Blocks) -> None:
        """Let go of all that is kept of sessions of which nothing waits or runs, and for which nobody has asked for
        :data:`durian.ui.visitors.CALLER_SECONDS`; a look every few seconds, however often it is called."""
        now = self._clock()
        if now - self._looked < SECONDS_BETWEEN_LOOKS:
            return
        self._looked = now
        queue = blocks._queue
        events = list(queue.event_ids_to_events.items())
        live = {event.session_hash for _, event in events}
        kept = queue.pending_messages_per_session.keys() | queue.pending_event_ids_session.keys()
        self._rests = {session: self._rests.get(session, now) for session in kept - live - self._asked.keys()}
        for session, since in self._rests.items():
            if now - since >= CALLER_SECONDS:
                queue.pending_messages_per_session.pop(session, None)
                queue.pending_event_ids_session.pop(session, None)
        still_kept = live | self._asked.keys() | queue.pending_messages_per_session.keys()
        self._addresses = {session: theirs for session, theirs in self._addresses.items() if session in still_kept}
        self._visitors.forget_listeners(live | {event for event, _ in events})
        # An event, or the end of a sign of life, that comes after its session was let go makes Gradio begin it anew.
        for session in list(blocks.state_holder.session_data):
            if session not in live and not self._visitors.knows(session):
                forget_session(blocks, session)
