"""Stills beside the animations: only the newest of a visitor counts, and none waits behind a job."""

from __future__ import annotations

import threading

import pytest
from gated import PATIENCE, GatedRenderer, gated_request, wait_until
from requests_made import attribute

from durian.engine import Engine, giving_way
from durian.engine.stills import CLIENTS_KEPT, StillsLane
from durian.errors import Cancelled, InvalidRequest


class Gate:
    """A piece of work that tells when it began and ends when it is let."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        return "done"


def in_thread(call) -> tuple[threading.Thread, list]:
    outcome: list = []

    def run() -> None:
        try:
            outcome.append(call())
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def test_clients_take_turns_however_many_lanes_one_has():
    lane, gate, worked = StillsLane(), Gate(), []
    threads = [in_thread(lambda: lane.run("first", [gate], "many"))[0]]
    assert gate.begun.wait(PATIENCE)
    waiting = [("many", 1), ("many", 2), ("many", 3), ("few", 4), ("few", 5), ("one", 6)]
    for client, number in waiting:

        def piece(client: str = client, number: int = number) -> None:
            worked.append((client, number))

        threads.append(in_thread(lambda n=number, c=client, p=piece: lane.run(f"lane{n}", [p], c))[0])
        wait_until(lambda n=number: len(lane._waiting) == n)
    gate.go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert worked == [("few", 4), ("one", 6), ("many", 1), ("few", 5), ("many", 2), ("many", 3)]


def test_clients_of_long_ago_are_forgotten():
    lane = StillsLane()
    for number in range(CLIENTS_KEPT + 10):
        lane.run(f"lane{number}", [lambda: None])
    assert len(lane._last_turn) == CLIENTS_KEPT


def test_only_the_newest_still_of_a_lane_counts():
    lane, gate = StillsLane(), Gate()
    working, worked = in_thread(lambda: lane.run("busy", [gate]))
    assert gate.begun.wait(PATIENCE)
    calls, last = [], -1
    for value in ("old", "older than the last", "new"):
        calls.append(in_thread(lambda value=value: lane.run("visitor", [lambda: value])))
        wait_until(lambda last=last: "visitor" in lane._waiting and lane._waiting["visitor"].number > last)
        last = lane._waiting["visitor"].number
    other, others = in_thread(lambda: lane.run("neighbour", [lambda: "theirs"]))
    wait_until(lambda: len(lane._waiting) == 2)
    for thread, outcome in calls[:2]:
        thread.join(PATIENCE)
        assert isinstance(outcome[0], Cancelled)
    gate.go.set()
    for thread in (working, calls[2][0], other):
        thread.join(PATIENCE)
    assert (worked, calls[2][1], others) == ([["done"]], [["new"]], [["theirs"]])
    assert not lane._waiting
    assert not lane._newest


def test_a_strip_stops_when_a_newer_one_is_asked_for():
    lane, gate = StillsLane(), Gate()
    made = []
    old, old_outcome = in_thread(lambda: lane.run("visitor", [gate, lambda: made.append("late")]))
    assert gate.begun.wait(PATIENCE)
    new, new_outcome = in_thread(lambda: lane.run("visitor", [lambda: "fresh"]))
    wait_until(lambda: "visitor" in lane._waiting)
    gate.go.set()
    old.join(PATIENCE)
    new.join(PATIENCE)
    assert isinstance(old_outcome[0], Cancelled)
    assert new_outcome == [["fresh"]]
    assert made == []


def test_a_failing_still_frees_the_lane():
    lane = StillsLane()
    with pytest.raises(ZeroDivisionError):
        lane.run("visitor", [lambda: 1 // 0])
    assert lane.run("visitor", [lambda: "fine"]) == ["fine"]


def test_a_still_does_not_wait_behind_an_animation(engine: Engine, gated: GatedRenderer):
    job = engine.submit(gated_request(frames=1))
    assert gated.begun.acquire(timeout=PATIENCE)
    assert (engine.still(gated_request(), frame=3) == 13).all()
    assert (engine.still(gated_request()) == 10).all()
    assert job.state == "running"
    gated.let(1)
    job.result(PATIENCE)


def test_strip_and_look_book(engine: Engine, gated: GatedRenderer):
    both = gated_request(attributes=(attribute(1), attribute(2)))
    assert len(engine.blend_strip(both, count=5)) == 5
    assert gated.stills == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert len(engine.look_book(gated_request(attributes=()), [attribute(seed) for seed in range(3)])) == 3
    assert set(engine.overlays(both)) == {"hole"}
    with pytest.raises(InvalidRequest, match="exactly two"):
        engine.blend_strip(gated_request())


def test_each_look_wears_its_own_item_alone_and_at_rest(engine: Engine, gated: GatedRenderer):
    asked = gated_request(attributes=(attribute(7), attribute(8)), mode="blend")
    looks = [attribute(seed) for seed in range(3)]
    engine.look_book(asked, looks)
    assert [shown.attributes for shown in gated.shown] == [(look,) for look in looks]
    assert all(shown.mode == "wear" and shown.motion is None for shown in gated.shown)
    assert all(shown.portrait is asked.portrait for shown in gated.shown)


# Animations give way


def test_an_animation_waits_until_the_stills_are_done(engine: Engine, gated: GatedRenderer, monkeypatch):
    monkeypatch.setattr(giving_way, "LONGEST_PAUSE", PATIENCE)
    order, stills = [], [Gate(), Gate()]
    gated.let(2)
    threads = [in_thread(lambda n=n, s=s: engine._stills.run(f"visitor {n}", [s]))[0] for n, s in enumerate(stills)]
    wait_until(lambda: any(still.begun.is_set() for still in stills) and len(engine._stills._newest) == 2)
    job = engine.submit(gated_request(frames=2), on_progress=lambda status: order.append(status.frame))
    wait_until(lambda: engine._stills._giving_way == 1)
    for still in stills:
        order.append("still")
        still.go.set()
    for thread in threads:
        thread.join(PATIENCE)
    job.result(PATIENCE)
    assert [what for what in order if what] == ["still", "still", 1, 2, 2]


def test_stills_without_end_cannot_stop_an_animation(engine: Engine, gated: GatedRenderer, monkeypatch):
    monkeypatch.setattr(giving_way, "LONGEST_PAUSE", 0.01)
    still = Gate()
    thread, _ = in_thread(lambda: engine._stills.run("visitor", [still]))
    assert still.begun.wait(PATIENCE)
    gated.let(3)
    assert engine.submit(gated_request(frames=3)).result(PATIENCE).frames == 3
    assert thread.is_alive()
    still.go.set()
    thread.join(PATIENCE)


def test_a_cancelled_animation_that_gives_way_renders_nothing(engine: Engine, gated: GatedRenderer, monkeypatch):
    monkeypatch.setattr(giving_way, "LONGEST_PAUSE", PATIENCE)
    still = Gate()
    thread, _ = in_thread(lambda: engine._stills.run("visitor", [still]))
    assert still.begun.wait(PATIENCE)
    gated.let(3)
    job = engine.submit(gated_request(frames=3))
    wait_until(lambda: engine._stills._giving_way == 1)
    job.cancel()
    still.go.set()
    thread.join(PATIENCE)
    with pytest.raises(Cancelled):
        job.result(PATIENCE)
    assert gated.rendered == 0


def test_a_still_that_fails_or_is_cancelled_leaves_the_way_free():
    lane, gate = StillsLane(), Gate()
    with pytest.raises(ZeroDivisionError):
        lane.run("visitor", [lambda: 1 // 0])
    assert lane.let_pass(0)
    thread, _ = in_thread(lambda: lane.run("visitor", [gate]))
    assert gate.begun.wait(PATIENCE)
    lane.cancel("visitor")
    assert not lane.let_pass(0)
    gate.go.set()
    thread.join(PATIENCE)
    assert lane.let_pass(0)
