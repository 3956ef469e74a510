"""The plan of a soak, drawn from a seed: visits, each a few requests of one client."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from durian.soak.outcomes import Thing

Client = Literal["library", "http", "page"]
CLIENTS: tuple[Client, ...] = ("library", "http", "page")
"""``gradio_client``, plain HTTP calls, and the page as a browser opens it."""

Behaviour = Literal["stay", "cancel", "leave"]
BEHAVIOURS: tuple[Behaviour, ...] = ("stay", "cancel", "leave", "stay", "stay")
"""Actions of a visit's client on its animation; with three kinds of clients in turn, each does everything."""

MASKS_PER_STILL = 0.1
SECONDS_BEFORE_GIVING_UP = 2.0
"""At most: some leave while they wait, some while their frames are rendered (48 frames of 512 px take 0.7 s)."""
SECONDS_BETWEEN_REQUESTS = (0.2, 1.5)
"""A visitor looks at what came before moving the next slider; without it eight clients are never fewer than eight."""


@dataclass(frozen=True)
class Step:
    """One request. ``number`` draws its pictures and settings; ``after`` is when the client gives up, in seconds."""

    thing: Thing
    number: int
    behaviour: Behaviour = "stay"
    after: float = 0.0
    pause: float = 0.0
    """Seconds before it."""


@dataclass(frozen=True)
class Visit:
    """One session of one client."""

    client: Client
    number: int
    steps: tuple[Step, ...] = field(default_factory=tuple)


def draw_visits(animations: int, stills: int, seed: int) -> list[Visit]:
    """The visits of a soak in the order in which they begin, the same for the same seed.

    Each visit has about one animation and an equal share of the stills; callers of the API ask for masks too. A client
    that leaves does so during its last request.
    """
    random_ = random.Random(seed)
    count = max(1, animations, stills // 8)
    numbers = iter(range(10**9))
    masks = round(stills * MASKS_PER_STILL)
    callers = [number for number in range(count) if CLIENTS[number % len(CLIENTS)] != "page"]
    visits = []
    for number in range(count):
        client, behaviour = CLIENTS[number % len(CLIENTS)], BEHAVIOURS[number % len(BEHAVIOURS)]
        things: list[Thing] = ["still"] * _share(stills, count, number)
        if client != "page":
            things += ["mask"] * _share(masks, len(callers), callers.index(number))
        random_.shuffle(things)
        animation: list[Thing] = ["animation"] * _share(animations, count, number)
        # Whoever leaves or cancels mostly does so while something long is under way.
        at = len(things) if behaviour == "leave" else random_.randint(0, len(things))
        things[at:at] = animation
        visits.append(Visit(client, number, tuple(_steps(things, behaviour, numbers, random_))))
    random_.shuffle(visits)
    return visits


def planned(visits: list[Visit]) -> dict[Thing, int]:
    """How many requests of each kind; opening the page is one."""
    counts: dict[Thing, int] = {"page": sum(visit.client == "page" for visit in visits)}
    for thing in ("still", "mask", "animation"):
        counts[thing] = sum(step.thing == thing for visit in visits for step in visit.steps)
    return counts


def _steps(things: list[Thing], behaviour: Behaviour, numbers, random_: random.Random) -> list[Step]:
    steps = []
    for place, thing in enumerate(things, start=1):
        leaves = behaviour == "leave" and place == len(things)
        cancels = behaviour == "cancel" and thing == "animation"
        own: Behaviour = "leave" if leaves else "cancel" if cancels else "stay"
        after = 0.0 if own == "stay" else random_.uniform(0, SECONDS_BEFORE_GIVING_UP)
        pause = random_.uniform(*SECONDS_BETWEEN_REQUESTS)
        steps.append(Step(thing, next(numbers), own, after, pause))
    return steps


def _share(total: int, parts: int, part: int) -> int:
    """An equal part of ``total``; the parts add up to it."""
    return total * (part + 1) // parts - total * part // parts
