"""Answers that nobody fetches, and whatever else Gradio keeps of sessions for good.

Gradio keeps the answers for 2000 sessions. The oldest go first, even those that somebody waits for, and what is lost
with them ends that event; calls that are begun and never asked for fill that list. Its lists of each session's events,
and its data of sessions that come to an end after they were let go, it never lets go of.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gradio as gr

from durian.errors import QueueFull
from durian.ui.calls import forget_session
from durian.ui.visitors import CALLER_SECONDS, SECONDS_BETWEEN_LOOKS, Visitors

MOST_UNFETCHED = 100
"""Events of one session whose answers nobody has fetched; a page has a few."""


def keep_answers(blocks: gr.Blocks) -> None:
    """Let Gradio drop no answers by itself: :class:`Answers` does.

    Args:
        blocks: the page, whose queue has been made.
    """
    blocks._queue.pending_messages_per_session = {}


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

    def check_fetched(self, blocks: gr.Blocks, session: str) -> None:
        """
        Raises:
            QueueFull: :data:`MOST_UNFETCHED` answers wait in a session that is to have one more.
        """
        unfetched = len(blocks._queue.pending_event_ids_session.get(session, ()))
        if unfetched >= MOST_UNFETCHED:
            raise QueueFull(f"{unfetched} answers of this session were not fetched: ask for them first.")

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
        self._visitors.forget_listeners(live | {event for event, _ in events})
        # An event, or the end of a sign of life, that comes after its session was let go makes Gradio begin it anew.
        for session in list(blocks.state_holder.session_data):
            if session not in live and not self._visitors.knows(session):
                forget_session(blocks, session)
