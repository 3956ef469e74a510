"""Outcomes of requests, as their clients saw them, and the counts of each."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Thing = Literal["page", "still", "mask", "animation"]
Ending = Literal["answered", "refused", "cancelled", "said", "wrong", "lost"]
ENDINGS: tuple[Ending, ...] = ("answered", "refused", "cancelled", "said", "wrong", "lost")
"""The result came; the line was full; the client itself gave up; another sentence of the server; a result that is not
what was asked for; neither result nor sentence."""

FULL_WORDS = ("waiting already", "running already", "from your address", "queue is full")
"""Words of the server's refusals for want of room, in lower case: the line's, a visitor's share's, Gradio's."""


class ServerSaid(Exception):
    """The server answered with a sentence instead of a result."""


class WrongAnswer(Exception):
    """A result that is not what was asked for."""


class NoAnswer(Exception):
    """The connection ended, or an error came without a sentence."""


class OutOfTime(NoAnswer):
    """The time limit of one request passed first."""


class GaveUp(Exception):
    """The client cancelled its request or left, as it was told to."""


@dataclass(frozen=True)
class Outcome:
    """One request: what was asked by which kind of client, how it ended and after how many seconds.

    ``beside_animation`` tells that an animation was asked for or under way meanwhile; ``words`` are the server's
    sentence, or what was wrong. ``in_time`` is false where the limit passed, also for a client that had cancelled and
    waited for the end.
    """

    thing: Thing
    client: str
    ending: Ending
    seconds: float
    beside_animation: bool = False
    words: str = ""
    in_time: bool = True


class Record:
    """All outcomes of a soak so far; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: list[Outcome] = []
        self._animations = 0

    def outcomes(self) -> list[Outcome]:
        with self._lock:
            return list(self._outcomes)

    def attempt(self, thing: Thing, client: str, ask: Callable[[], None], gives_up: bool = False) -> Outcome:
        """Ask for something and note how that ended.

        Args:
            thing: what is asked for.
            client: the kind of client that asks.
            ask: returns once the right answer came, and raises one of this module's exceptions otherwise.
            gives_up: whether the client means to cancel or leave; whatever came before is a cancelled request then.
        """
        with self._under_way(thing) as beside:
            started = time.perf_counter()
            ending, words, in_time = _ending(ask)
            seconds = time.perf_counter() - started
            beside_animation = beside()
        if gives_up and ending in ("said", "lost"):
            # What a client hears that has cancelled is no matter; that it hears something is (in_time).
            ending = "cancelled"
        outcome = Outcome(thing, client, ending, seconds, beside_animation, words, in_time)
        with self._lock:
            self._outcomes.append(outcome)
        return outcome

    @contextmanager
    def _under_way(self, thing: Thing) -> Iterator[Callable[[], bool]]:
        """Counts animations; gives what tells whether one other than this request was under way."""
        own = int(thing == "animation")
        with self._lock:
            self._animations += own
            at_first = self._animations > own
        try:
            yield lambda: at_first or self._animations > own
        finally:
            with self._lock:
                self._animations -= own


def _ending(ask: Callable[[], None]) -> tuple[Ending, str, bool]:
    """How it ended, in which words, and whether in time."""
    try:
        ask()
    except ServerSaid as error:
        words = str(error)
        full = any(part in words.lower() for part in FULL_WORDS)
        return ("refused" if full else "said"), words, True
    except GaveUp:
        return "cancelled", "", True
    except WrongAnswer as error:
        return "wrong", str(error), True
    except NoAnswer as error:
        return "lost", str(error), not isinstance(error, OutOfTime)
    except Exception as error:  # noqa: BLE001 - a client that breaks must be counted, not end the soak
        return "lost", f"{type(error).__name__}: {error}", True
    return "answered", "", True


def count(outcomes: list[Outcome], planned: dict[Thing, int]) -> dict[Thing, dict[str, int]]:
    """Endings of each thing, with ``planned``; a planned request that nobody asked for counts as lost."""
    table = {}
    for thing, wanted in planned.items():
        endings = Counter(outcome.ending for outcome in outcomes if outcome.thing == thing)
        row: dict[str, int] = {ending: endings[ending] for ending in ENDINGS}
        row["lost"] += max(0, wanted - endings.total())
        table[thing] = {"planned": wanted, **row}
    return table


def waiting(outcomes: list[Outcome], idle: dict[str, list[float]]) -> dict[str, float] | None:
    """How much longer answered stills took beside animations than the median of the same kind of client when idle.

    Returns:
        ``stills``, ``median`` and ``most`` (95 %) of the ratio, ``median_seconds`` and ``most_seconds``; ``None`` when
        there is nothing to compare.
    """
    medians = {client: statistics.median(times) for client, times in idle.items() if times}
    stills = [
        outcome
        for outcome in outcomes
        if (outcome.thing, outcome.ending) == ("still", "answered")
        and outcome.beside_animation
        and outcome.client in medians
    ]
    if not stills:
        return None
    ratios = [still.seconds / medians[still.client] for still in stills]
    seconds = [still.seconds for still in stills]
    return {
        "stills": len(stills),
        "median": statistics.median(ratios),
        "most": _nearest_rank(ratios, 0.95),
        "median_seconds": statistics.median(seconds),
        "most_seconds": _nearest_rank(seconds, 0.95),
    }


def _nearest_rank(values: list[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]
