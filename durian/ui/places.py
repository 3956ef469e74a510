"""Events that are answered at once, without Gradio's queue: those of one address wait for each other.

Each holds one of the threads that all visitors share while it works or waits for its still; their number is Gradio's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from durian.ui.shares import site_of

AT_ONCE = 8
"""Of one address, or one site of IPv6: a fifth of the threads."""


class Places:
    """Used in the server's thread alone."""

    def __init__(self) -> None:
        self._free: dict[str, asyncio.Semaphore] = {}
        self._there: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, address: str) -> AsyncIterator[None]:
        """A context in which an event may be answered; waits until the address has a place."""
        site = site_of(address)
        free = self._free.setdefault(site, asyncio.Semaphore(AT_ONCE))
        self._there[site] += 1
        try:
            async with free:
                yield
        finally:
            self._there[site] -= 1
            if not self._there[site]:
                del self._there[site], self._free[site]
