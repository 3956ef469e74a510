"""Long work of many clients: in turns, given back between steps, and given up where nobody waits for it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from gated import wait_until

from durian import long_work
from durian.errors import Cancelled
from durian.long_work import Turns, between_steps, check_wanted, stepping


class Worker:
    """Takes a turn for ``client`` in a thread of its own and makes a step each time it is let."""

    def __init__(self, pool: ThreadPoolExecutor, turns: Turns, client: str, look: Callable[[], None] = lambda: None):
        self._gate = threading.Semaphore(0)
        self.steps = 0
        self.over = False
        self.done: Future[None] = pool.submit(self._work, turns, client, look)

    def step(self, count: int = 1) -> None:
        self._gate.release(count)

    def end(self) -> None:
        self.over = True
        self._gate.release()

    def _work(self, turns: Turns, client: str, look: Callable[[], None]) -> None:
        with stepping(look), turns.turn(client):
            self.steps = 1
            while self._gate.acquire(timeout=20) and not self.over:
                between_steps()
                self.steps += 1


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as made:
        yield made


def ends(*workers: Worker) -> None:
    for worker in workers:
        worker.end()
    for worker in workers:
        worker.done.result(20)


def test_one_client_leaves_a_place_to_others(pool: ThreadPoolExecutor):
    turns = Turns(2)
    many = [Worker(pool, turns, "a") for _ in range(6)]
    wait_until(lambda: sum(worker.steps for worker in many) == 1)
    other = Worker(pool, turns, "b")
    wait_until(lambda: other.steps == 1)
    assert sum(worker.steps for worker in many) == 1
    ends(other, *many)
    assert [worker.steps for worker in many] == [1] * 6


def test_who_works_gives_way_between_steps_to_who_waits(pool: ThreadPoolExecutor):
    turns = Turns(1)
    long = Worker(pool, turns, "a")
    wait_until(lambda: long.steps == 1)
    long.step(3)
    wait_until(lambda: long.steps == 4)
    same, other = Worker(pool, turns, "a"), Worker(pool, turns, "b")
    wait_until(lambda: len(turns._waiting) == 2)
    long.step()
    wait_until(lambda: other.steps == 1)
    assert (long.steps, same.steps) == (4, 0)
    ends(other)
    # Of one client, what came first goes first; it does not give way to its own.
    wait_until(lambda: same.steps + long.steps == 5)
    ends(same, long)


def test_next_is_who_has_not_had_a_turn(pool: ThreadPoolExecutor):
    turns = Turns(1)
    first = Worker(pool, turns, "a")
    wait_until(lambda: first.steps == 1)
    waiting = []
    for client in ("a", "a", "b", "c"):
        waiting.append(Worker(pool, turns, client))
        wait_until(lambda: len(turns._waiting) == len(waiting))
    ends(first)
    wait_until(lambda: waiting[2].steps == 1)
    assert [worker.steps for worker in waiting] == [0, 0, 1, 0]
    ends(waiting[2])
    wait_until(lambda: waiting[3].steps == 1)
    ends(waiting[3])
    ends(*waiting[:2])


def test_a_spare_place_is_for_those_who_worked_little_of_late(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
):
    clock = [0.0]
    monkeypatch.setattr(long_work.time, "monotonic", lambda: clock[0])
    turns = Turns(1, spare=1)
    with turns.turn("a"):
        clock[0] += long_work.LITTLE + 1
    first = Worker(pool, turns, "d")
    wait_until(lambda: first.steps == 1)
    busy = Worker(pool, turns, "a")
    wait_until(lambda: len(turns._waiting) == 1)
    new, next_one = Worker(pool, turns, "b"), Worker(pool, turns, "c")
    wait_until(lambda: new.steps + next_one.steps == 1)
    assert (busy.steps, turns._working.total()) == (0, 2)
    ends(new, next_one)
    assert busy.steps == 0
    ends(first)
    wait_until(lambda: busy.steps == 1)
    ends(busy)


def test_nobody_s_work_may_have_all_places(pool: ThreadPoolExecutor):
    turns = Turns(2)
    both = [Worker(pool, turns, "") for _ in range(2)]
    wait_until(lambda: [worker.steps for worker in both] == [1, 1])
    ends(*both)


def test_work_that_nobody_waits_for_is_given_up(pool: ThreadPoolExecutor):
    """Between two steps, and while it waits for its turn; its place is free again."""
    turns, gone = Turns(1), threading.Event()

    def look() -> None:
        if gone.is_set():
            raise Cancelled("The caller has gone.")

    working = Worker(pool, turns, "a", look)
    wait_until(lambda: working.steps == 1)
    waiting = Worker(pool, turns, "b", look)
    wait_until(lambda: len(turns._waiting) == 1)
    gone.set()
    with pytest.raises(Cancelled):
        waiting.done.result(20)
    working.step()
    with pytest.raises(Cancelled):
        working.done.result(20)
    after = Worker(pool, turns, "a")
    wait_until(lambda: after.steps == 1)
    ends(after)
    assert (turns._waiting, +turns._working) == ({}, {})


def test_within_a_step_nobody_gives_way(pool: ThreadPoolExecutor):
    turns, looked = Turns(1), []
    with stepping(lambda: looked.append("a")), turns.turn("a"):
        other = Worker(pool, turns, "b")
        wait_until(lambda: len(turns._waiting) == 1)
        before = len(looked)
        check_wanted()
        assert (len(looked) - before, other.steps) == (1, 0)
        with stepping({}.popitem), pytest.raises(KeyError):
            check_wanted()
        check_wanted()
        assert other.steps == 0
    wait_until(lambda: other.steps == 1)
    ends(other)
    check_wanted()


def test_outside_of_any_context_a_step_does_nothing():
    between_steps()
    with pytest.raises(KeyError), stepping({}.popitem):
        between_steps()
    between_steps()


def test_next_is_who_worked_least_of_late(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch):
    clock = [0.0]
    monkeypatch.setattr(long_work.time, "monotonic", lambda: clock[0])
    turns = Turns(1)
    for client, seconds in (("a", 30.0), ("b", 2.0), ("c", 3.0)):
        with turns.turn(client):
            clock[0] += seconds
    first = Worker(pool, turns, "d")
    wait_until(lambda: first.steps == 1)
    waiting = {}
    for client in ("a", "c", "b"):
        waiting[client] = Worker(pool, turns, client)
        wait_until(lambda: len(turns._waiting) == len(waiting))
    order = []
    last = first
    for _ in range(3):
        ends(last)
        wait_until(lambda: any(worker.steps for name, worker in waiting.items() if name not in order))
        order.append(next(name for name, worker in waiting.items() if worker.steps and name not in order))
        last = waiting[order[-1]]
    ends(last)
    assert order == ["b", "c", "a"]
    # After a minute a third of it counts, and after ten nothing that matters.
    assert turns._worked.of("a", clock[0] + 60) == pytest.approx(30 * math.exp(-65 / 60))
    assert turns._worked.of("a", clock[0] + 600) < 0.01
    assert turns._worked.of("nobody", clock[0]) == 0


def test_of_many_clients_the_last_turns_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(long_work, "CLIENTS_KEPT", 3)
    turns = Turns(1)
    for client in ("a", "b", "c", "a", "d"):
        with turns.turn(client):
            pass
    assert list(turns._worked._worked) == ["c", "a", "d"]
