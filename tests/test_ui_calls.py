"""Work that calls begin in threads: one of each address at once, also where the call has gone."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import asynchronous
import pytest

from durian.ui.calls import aside
from durian.ui.visitors import Visitor


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
        first = asyncio.create_task(aside(visitor("10.0.0.1"), work, "first"))
        await until(lambda: work.begun == ["first"])
        await cancelled(first)
        others = [asyncio.create_task(aside(visitor("10.0.0.1"), work, f"next {n}")) for n in range(20)]
        stranger = asyncio.create_task(aside(visitor("10.0.0.2"), work, "stranger"))
        await until(lambda: "stranger" in work.begun)
        assert work.begun == ["first", "stranger"]
        for other in others[1:]:
            await cancelled(other)
        work.may_end.set()
        assert await others[0] == "next 0"
        assert await stranger == "stranger"
        assert work.begun == ["first", "stranger", "next 0"], "what was cancelled while it waited never began"

    asynchronous.run(scene())


def test_an_error_ends_a_turn_as_well():
    def fail() -> None:
        raise ValueError("no")

    async def scene() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await aside(visitor("10.0.0.1"), fail)
        assert await aside(visitor("10.0.0.1"), lambda: "done") == "done"

    asynchronous.run(scene())
