"""Turns in Gradio's queue: in each of its lanes addresses take turns, rather than first come, first served.

Gradio's lanes are first come, first served, so that one visitor with many slow clicks would keep all others waiting.
Of each lane's places an address may hold a quarter, or as many as is said, and of :data:`THREADS`, which all lanes have
together, :data:`AT_ONCE`. All addresses of a site of IPv6 are one here.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import gradio as gr

from durian.ui.shares import shared_address, site_of

THREADS = 40
"""For events of all visitors beside animations, which have places of their own."""
AT_ONCE = 8
"""Of those, for events of one address."""
SECONDS_BETWEEN_LOOKS = 0.01
"""Between two looks whether an event waits; nobody sees so short a delay. Gradio looks a thousand times a second, for
which a server with nobody on its page would be busy a tenth of the time."""


def share_threads(blocks: gr.Blocks, free: str, most: Mapping[str, int]) -> None:
    """Let Gradio's queue run no more than :data:`AT_ONCE` events of one address, in each lane a quarter of its places.

    Args:
        blocks: the page, whose queue has been made.
        free: the lane that does not count among those at once.
        most: of some lanes, that one too, how many events of one address may run there instead.
    """
    blocks._queue.get_events = lambda: _next(blocks, free, most)
    blocks._queue.sleep_when_free = SECONDS_BETWEEN_LOOKS


def _next(blocks: gr.Blocks, free: str, most: Mapping[str, int]) -> tuple[list[Any], bool, str] | None:
    """What Gradio's own ``get_events`` would give, less those of addresses that have enough; there are no batches."""
    at_once: Counter[str] = Counter()
    in_lane: Counter[tuple[str, str]] = Counter()
    for event in running(blocks):
        site = site_of(_address(event))
        at_once[site] += event.concurrency_id != free
        in_lane[event.concurrency_id, site] += 1
    lanes = list(blocks._queue.event_queue_per_concurrency_id.items())
    random.shuffle(lanes)
    for name, lane in lanes:
        if lane.concurrency_limit is not None and lane.current_concurrency >= lane.concurrency_limit:
            continue
        each = most.get(name, AT_ONCE if lane.concurrency_limit is None else max(1, lane.concurrency_limit // 4))
        for event in lane.queue:
            site = site_of(_address(event))
            if in_lane[name, site] < each and (name == free or at_once[site] < AT_ONCE):
                lane.queue.remove(event)
                return [event], False, name
    return None


def addresses(blocks: gr.Blocks) -> list[str]:
    """Of each event that waits for its turn or has it, the address that sent it."""
    waiting = [event for lane in blocks._queue.event_queue_per_concurrency_id.values() for event in list(lane.queue)]
    return [_address(event) for event in waiting + running(blocks)]


def take_turns(blocks: gr.Blocks) -> None:
    """Order each lane so that who has fewest events there, running and ahead, comes first; called after each new one.

    Events of one address keep their order.
    """
    for name, lane in blocks._queue.event_queue_per_concurrency_id.items():
        before = Counter(site_of(_address(event)) for event in running(blocks) if event.concurrency_id == name)
        rounds = {}
        for event in lane.queue:
            site = site_of(_address(event))
            rounds[event._id] = before[site]
            before[site] += 1
        lane.queue.sort(key=lambda event, rounds=rounds: rounds[event._id])


def running(blocks: gr.Blocks) -> list[Any]:
    """The events that are answered now."""
    return [event for batch in list(blocks._queue.active_jobs) for event in batch or ()]


def _address(event: Any) -> str:
    caller = event.request.client
    return shared_address(caller.host if caller else None)
