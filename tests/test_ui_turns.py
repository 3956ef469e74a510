"""Turns of addresses in each lane of Gradio's queue, so that one visitor's many clicks do not delay the others."""

from __future__ import annotations

import gradio as gr
import pytest
from fastapi import Request
from gradio.queueing import Event

from durian.ui.demo import create_demo
from durian.ui.turns import AT_ONCE, SECONDS_BETWEEN_LOOKS, addresses, share_threads, take_turns

A, B, C = "203.0.113.5", "203.0.113.6", "2001:db8:1:2::1"
C_ELSEWHERE = "2001:db8:1:3::1"


@pytest.fixture
def blocks() -> gr.Blocks:
    with gr.Blocks() as made:
        button = gr.Button()
        button.click(lambda: None, concurrency_id="segment", concurrency_limit=1)
        button.click(lambda: None, concurrency_id="other", concurrency_limit=1)
    made._queue.active_jobs = [None, None]
    return made


def event(blocks: gr.Blocks, host: str | None, name: str, lane: str = "segment") -> Event:
    """An event that waits in a lane, named by its session."""
    (function,) = [each for each in blocks.fns.values() if each.concurrency_id == lane]
    client = None if host is None else (host, 1)
    made = Event(name, function, Request({"type": "http", "client": client, "headers": []}), None)
    blocks._queue.create_event_queue_for_fn(function)
    blocks._queue.event_queue_per_concurrency_id[lane].queue.append(made)
    return made


def order(blocks: gr.Blocks, lane: str = "segment") -> list[str]:
    return [each.session_hash for each in blocks._queue.event_queue_per_concurrency_id[lane].queue]


def run_first(blocks: gr.Blocks, lane: str = "segment") -> None:
    first = blocks._queue.event_queue_per_concurrency_id[lane].queue.pop(0)
    blocks._queue.active_jobs[0 if blocks._queue.active_jobs[0] is None else 1] = [first]


def test_an_idle_queue_looks_less_often_than_gradio_does(blocks: gr.Blocks):
    # Gradio's own attribute: by another name the server would be busy for nothing again.
    assert 0 < blocks._queue.sleep_when_free < SECONDS_BETWEEN_LOOKS
    share_threads(blocks, "other", {})
    assert blocks._queue.sleep_when_free == SECONDS_BETWEEN_LOOKS


def test_who_comes_after_many_clicks_is_next(blocks: gr.Blocks):
    for index in range(32):
        event(blocks, A, f"a{index}")
    run_first(blocks)
    for name in ("b0", "b1"):
        event(blocks, B, name)
        take_turns(blocks)
    assert order(blocks)[:5] == ["b0", "a1", "b1", "a2", "a3"]
    # In the order in which each came.
    assert [name for name in order(blocks) if name[0] == "a"] == [f"a{index}" for index in range(1, 32)]


def test_each_lane_has_its_own_turns(blocks: gr.Blocks):
    event(blocks, A, "busy", "other")
    run_first(blocks, "other")
    event(blocks, A, "a0")
    event(blocks, B, "b0")
    take_turns(blocks)
    assert order(blocks) == ["a0", "b0"]


def test_a_site_takes_one_turn(blocks: gr.Blocks):
    for host, name in ((C, "c0"), (C_ELSEWHERE, "c1"), (A, "a0"), (None, "n0")):
        event(blocks, host, name)
    take_turns(blocks)
    assert order(blocks) == ["c0", "a0", "n0", "c1"]


def test_what_runs_counts_like_what_waits(blocks: gr.Blocks):
    event(blocks, A, "a0")
    event(blocks, C, "c0", "other")
    run_first(blocks)
    assert sorted(addresses(blocks)) == ["2001:db8:1:2::/64", A]


def test_one_address_holds_so_many_threads_whatever_the_lanes():
    with gr.Blocks() as made:
        button = gr.Button()
        for lane in ("animation", *map(str, range(8))):
            button.click(lambda: None, concurrency_id=lane, concurrency_limit=4)
    made._queue.active_jobs = [None] * 40
    share_threads(made, "animation", {"animation": 4})
    for index in range(4):
        for lane in ("animation", *map(str, range(8))):
            event(made, C if index % 2 else C_ELSEWHERE, f"c{index}", lane)
    event(made, A, "a", "7")

    def run_all() -> list[str]:
        ran = []
        while found := made._queue.get_events():
            (first,), is_batch, lane = found
            assert not is_batch
            assert first.concurrency_id == lane
            made._queue.active_jobs[made._queue.active_jobs.index(None)] = [first]
            made._queue.event_queue_per_concurrency_id[lane].current_concurrency += 1
            ran.append(f"{first.session_hash[0]} {'animation' if lane == 'animation' else ''}".strip())
        return sorted(ran)

    assert run_all() == ["a", *["c"] * AT_ONCE, *["c animation"] * 4]
    # One that has ended makes room for one.
    ended = next(
        batch for batch in made._queue.active_jobs if batch and batch[0].concurrency_id not in ("animation", "7")
    )
    made._queue.active_jobs[made._queue.active_jobs.index(ended)] = None
    made._queue.event_queue_per_concurrency_id[ended[0].concurrency_id].current_concurrency -= 1
    assert run_all() == ["c"]


def test_a_full_lane_waits_and_what_was_first_goes_first(blocks: gr.Blocks):
    share_threads(blocks, "animation", {})
    for name in ("a0", "a1"):
        event(blocks, A, name)
    (first,), _, lane = blocks._queue.get_events()
    assert (first.session_hash, lane) == ("a0", "segment")
    blocks._queue.event_queue_per_concurrency_id[lane].current_concurrency = 1
    assert blocks._queue.get_events() is None


def ran(made: gr.Blocks) -> list[str]:
    """The sessions of all events that may run now, which then run."""
    found = []
    while event_ := made._queue.get_events():
        found.append(event_[0][0].session_hash)
        made._queue.active_jobs[made._queue.active_jobs.index(None)] = event_[0]
        made._queue.event_queue_per_concurrency_id[event_[2]].current_concurrency += 1
    return sorted(found)


def test_one_address_has_so_many_places_of_a_lane():
    with gr.Blocks() as made:
        gr.Button().click(lambda: None, concurrency_id="animation", concurrency_limit=20)
    made._queue.active_jobs = [None] * 40
    share_threads(made, "animation", {"animation": 3})
    for index in range(9):
        for host, name in ((A, "a"), (C, "c"), (C_ELSEWHERE, "c"), (B, "b")):
            event(made, host, f"{name}{index}", "animation")
    # All of a site are one.
    assert ran(made) == ["a0", "a1", "a2", "b0", "b1", "b2", "c0", "c0", "c1"]
    # Once one has ended, its address has the next.
    ended = next(batch for batch in made._queue.active_jobs if batch and batch[0].session_hash == "b1")
    made._queue.active_jobs[made._queue.active_jobs.index(ended)] = None
    assert ran(made) == ["b3"]


@pytest.mark.parametrize(("limit", "each"), [(8, 2), (4, 1), (2, 1), (1, 1), (None, AT_ONCE)])
def test_one_address_has_a_quarter_of_any_lane(limit: int | None, each: int):
    """Of lanes that nobody has said anything of, too: somebody else finds a place at once."""
    with gr.Blocks() as made:
        gr.Button().click(lambda: None, concurrency_id="put", concurrency_limit=limit)
    made._queue.active_jobs = [None] * 40
    share_threads(made, "animation", {})
    for index in range(9):
        event(made, A, f"a{index}", "put")
    assert ran(made) == [f"a{index}" for index in range(each)]
    event(made, B, "b", "put")
    assert ran(made) == ["b"] * (each != limit)


def test_every_lane_of_the_page_has_a_place_for_somebody_else():
    """Each endpoint of the API, too; one event at a time is for what no two visitors should do at once."""
    made = create_demo()
    for function in made.fns.values():
        made._queue.create_event_queue_for_fn(function)
    lanes = dict(made._queue.event_queue_per_concurrency_id)
    assert len(lanes) > 10
    for name, lane in lanes.items():
        if lane.concurrency_limit == 1 and name == "weights":
            continue
        function = next(each for each in made.fns.values() if each.concurrency_id == name)
        made._queue.active_jobs = [None] * 60
        for index in range(32):
            waiting = Event(f"a{index}", function, Request({"type": "http", "client": (A, 1), "headers": []}), None)
            lane.queue.append(waiting)
        assert 1 <= len(ran(made)) <= lane.concurrency_limit // 2, name
        lane.queue.clear()
        lane.current_concurrency = 0
