"""Work that calls begin in threads: one of each address at once, also where the call has gone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import SimpleNamespace

import asynchronous
import gradio as gr
import pytest
from gradio.context import LocalContext

from durian.errors import Cancelled
from durian.long_work import between_steps, check_wanted
from durian.settings import Settings
from durian.ui import calls
from durian.ui.calls import aside
from durian.ui.handlers import common
from durian.ui.session import Session
from durian.ui.visitors import SECONDS_TO_LISTEN, Visitor, Visitors


def visitor(address: str) -> Visitor:
    return Visitor(owner=address, key="", address=address, seen=0.0, is_call=True)


class Work:
    """Counts how many have begun, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Event()

    def __call__(self, name: str) -> str:
        self.begun.append(name)
        assert self.may_end.wait(20)
        return name


async def until(condition) -> None:
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")


async def cancelled(task: asyncio.Task) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_what_a_cancelled_call_left_behind_holds_up_its_own_address_alone():
    async def scene() -> None:
        work = Work()
        first = asyncio.create_task(aside(visitor("10.0.0.1"), None, work, "first"))
        await until(lambda: work.begun == ["first"])
        await cancelled(first)
        others = [asyncio.create_task(aside(visitor("10.0.0.1"), None, work, f"next {n}")) for n in range(20)]
        stranger = asyncio.create_task(aside(visitor("10.0.0.2"), None, work, "stranger"))
        await until(lambda: "stranger" in work.begun)
        assert work.begun == ["first", "stranger"]
        for other in others[1:]:
            await cancelled(other)
        work.may_end.set()
        assert await others[0] == "next 0"
        assert await stranger == "stranger"
        assert work.begun == ["first", "stranger", "next 0"], "what was cancelled while it waited never began"

    asynchronous.run(scene())


def test_nothing_is_begun_for_who_never_asks_for_the_answer(monkeypatch: pytest.MonkeyPatch):
    """The call waits behind its address's first longer than a caller may take to ask."""
    monkeypatch.setattr(calls, "SECONDS_TO_LISTEN", 0.3)
    visitors = Visitors(Settings())
    visitors.listen("page")
    monkeypatch.setattr(calls, "get_visitors", lambda: visitors)
    asked = SimpleNamespace(session_hash="page")

    async def scene() -> None:
        LocalContext.event_id.set("event")
        work = Work()
        first = asyncio.create_task(aside(visitor("10.0.0.1"), None, work, "first"))
        await until(lambda: work.begun == ["first"])
        unheard = SimpleNamespace(session_hash="call")
        others = [asyncio.create_task(aside(visitor("10.0.0.1"), who, work, "next")) for who in (unheard, asked)]
        await asyncio.sleep(0.4)
        work.may_end.set()
        await first
        with pytest.raises(Cancelled, match="The caller has gone"):
            await others[0]
        assert await others[1] == "next"
        assert work.begun == ["first", "next"]

    asynchronous.run(scene())


def test_what_a_cancelled_call_left_behind_gives_up_at_its_next_step():
    begun, goes_on, ended = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        assert goes_on.wait(20)
        try:
            between_steps()
        except Cancelled as error:
            ended.append(str(error))
            raise

    async def scene() -> None:
        first = asyncio.create_task(aside(visitor("10.0.0.3"), None, work))
        await until(begun.is_set)
        await cancelled(first)
        goes_on.set()
        assert await aside(visitor("10.0.0.3"), None, lambda: "next") == "next"

    asynchronous.run(scene())
    assert ended == [calls.GONE]


def test_what_nobody_asks_for_gives_up_at_its_next_step(monkeypatch: pytest.MonkeyPatch):
    gone = threading.Event()
    monkeypatch.setattr(calls, "_has_gone", lambda *_: gone.is_set())

    def work() -> None:
        between_steps()
        gone.set()
        between_steps()
        raise AssertionError("it went on")

    with pytest.raises(Cancelled, match="The caller has gone"):
        asynchronous.run(aside(visitor("10.0.0.4"), None, work))


def test_who_begins_several_quick_calls_may_ask_for_them_one_after_another(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(calls, "SECONDS_TO_LISTEN", -1)
    monkeypatch.setattr(calls, "get_visitors", lambda: Visitors(Settings()))
    unheard = SimpleNamespace(session_hash="call")

    async def scene() -> None:
        LocalContext.event_id.set("event")
        with pytest.raises(Cancelled):
            await aside(visitor("10.0.0.5"), unheard, lambda: "slow")
        assert await aside(visitor("10.0.0.5"), unheard, lambda: "quick", patience=60) == "quick"

    asynchronous.run(scene())


def test_an_error_ends_a_turn_as_well():
    def fail() -> None:
        raise ValueError("no")

    async def scene() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await aside(visitor("10.0.0.1"), None, fail)
        assert await aside(visitor("10.0.0.1"), None, lambda: "done") == "done"

    asynchronous.run(scene())


def test_a_call_that_waits_for_another_of_its_address_ends_with_its_caller(monkeypatch: pytest.MonkeyPatch):
    gone: list[object] = []
    monkeypatch.setattr(calls, "_has_gone", lambda request, *_: request in gone)

    async def scene() -> None:
        work = Work()
        first = asyncio.create_task(aside(visitor("10.0.0.1"), None, work, "first"))
        await until(lambda: work.begun == ["first"])
        second = asyncio.create_task(aside(visitor("10.0.0.1"), "second", work, "second"))
        third = asyncio.create_task(aside(visitor("10.0.0.1"), "third", work, "third"))
        await asyncio.sleep(0.2)
        gone.append("second")
        with pytest.raises(Cancelled):
            await second
        assert work.begun == ["first"]
        work.may_end.set()
        assert [await first, await third] == ["first", "third"]

    asynchronous.run(scene())


@pytest.mark.parametrize("way", ["at once", "in steps"])
def test_a_handler_s_work_ends_where_its_page_is_closed(monkeypatch: pytest.MonkeyPatch, way: str):
    clock = [0.0]
    visitors = Visitors(Settings(), lambda: clock[0])
    monkeypatch.setattr(common, "get_visitors", lambda: visitors)
    page, other = (visitors.admit(name, "", "10.0.0.1") for name in ("page", "other"))
    session, done = Session(owner=page.owner), []

    def work(session: Session) -> str:
        between_steps()
        check_wanted()
        done.append("before")
        assert visitors.leave("page") is page
        check_wanted()
        done.append("after")
        return "never"

    def in_steps(session: Session):
        yield work(session)

    if way == "at once":
        assert common.guarded(work)(session) == gr.skip()
    else:
        with pytest.raises(gr.Error, match=r"The page was closed\."):
            next(common.guarded(in_steps)(session))
    assert done == ["before"]
    assert visitors.has_left(page.owner)
    assert not visitors.has_left(other.owner)
    # A phone that was put away comes back.
    visitors.admit("page", "", "10.0.0.1")
    assert not visitors.has_left(page.owner)
    assert not visitors.has_left("nobody")
    # Nor is anybody there who shows no sign that a page is open.
    visitors.beat("other")
    clock[0] += SECONDS_TO_LISTEN + 1
    assert visitors.has_left(page.owner)
    assert not visitors.has_left(other.owner)


@pytest.mark.parametrize("way", ["hung up", "cancelled", "neither"])
def test_a_handler_s_work_ends_where_its_event_does(way: str):
    event = SimpleNamespace(_id="1", alive=True)
    queue = SimpleNamespace(event_ids_to_events={"1": event}, active_jobs=[None, [event]])
    tokens = LocalContext.blocks.set(SimpleNamespace(_queue=queue)), LocalContext.event_id.set("1")

    def work(session: Session) -> str:
        check_wanted()
        if way == "hung up":
            event.alive = False
        elif way == "cancelled":
            # As Gradio does at once, though it keeps the event until all of its work has ended.
            queue.active_jobs[1] = None
        check_wanted()
        return "done"

    try:
        assert common.guarded(work)(Session()) == ("done" if way == "neither" else gr.skip())
    finally:
        LocalContext.blocks.reset(tokens[0])
        LocalContext.event_id.reset(tokens[1])
    # What does not come through the queue is nobody's event.
    assert not calls.when_called_off()()
