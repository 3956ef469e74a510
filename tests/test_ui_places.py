"""Events that are answered at once: so many of one address, the others wait, and nobody else does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import asynchronous
import httpx
import pytest

from durian.settings import Settings
from durian.ui.guard import Guard
from durian.ui.places import AT_ONCE, Places
from durian.ui.visitors import Visitors


def test_an_address_has_so_many_places_and_the_others_wait():
    async def use() -> None:
        places, go, inside = Places(), asyncio.Event(), []

        async def event(address: str) -> None:
            async with places.place(address):
                inside.append(address)
                await go.wait()

        async def settled() -> None:
            for _ in range(10):
                await asyncio.sleep(0)

        many = [asyncio.create_task(event("203.0.113.5")) for _ in range(AT_ONCE + 3)]
        await settled()
        assert inside == ["203.0.113.5"] * AT_ONCE
        other = asyncio.create_task(event("203.0.113.6"))
        await settled()
        assert inside[-1] == "203.0.113.6"
        many[-1].cancel()
        go.set()
        await asyncio.gather(*many, other, return_exceptions=True)
        assert inside.count("203.0.113.5") == AT_ONCE + 2
        assert not places._free
        assert not places._there

    asynchronous.run(use())


@pytest.mark.parametrize(("way", "most"), [("run/predict", AT_ONCE), ("api/predict/", AT_ONCE), ("info", AT_ONCE + 3)])
def test_the_door_lets_so_many_in(tmp_path: Path, way: str, most: int):
    async def ask() -> int:
        go, inside = asyncio.Event(), 0

        async def waits(scope, receive, send) -> None:
            nonlocal inside
            inside += 1
            await go.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        guard = Guard(waits, Visitors(Settings()), tmp_path)

        async def with_app(scope, receive, send) -> None:
            await guard({**scope, "app": SimpleNamespace()}, receive, send)

        transport = httpx.ASGITransport(with_app, client=("203.0.113.5", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://durian") as client:
            asked = [asyncio.create_task(client.get(f"/gradio_api/{way}")) for _ in range(AT_ONCE + 3)]
            for _ in range(50):
                await asyncio.sleep(0)
            begun = inside
            go.set()
            answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {200}
        return begun

    assert asynchronous.run(ask()) == most


def test_a_site_of_ipv6_shares_its_places():
    async def use() -> int:
        places, most = Places(), 0
        go = asyncio.Event()

        async def event(address: str) -> None:
            nonlocal most
            async with places.place(address):
                most += 1
                await go.wait()

        tasks = [asyncio.create_task(event(f"2001:db8:1:{n}::/64")) for n in range(2 * AT_ONCE)]
        for _ in range(10):
            await asyncio.sleep(0)
        begun = most
        go.set()
        await asyncio.gather(*tasks)
        return begun

    assert asynchronous.run(use()) == AT_ONCE


def test_a_place_is_free_again_after_an_error():
    async def use() -> None:
        places = Places()
        for _ in range(AT_ONCE + 1):
            try:
                async with places.place("203.0.113.5"):
                    raise KeyError("inside")
            except KeyError:
                continue
        assert not places._free

    asynchronous.run(use())
