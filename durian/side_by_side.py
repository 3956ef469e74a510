"""Parts of one piece of work that need nothing of each other, each in a thread of its own."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


def side_by_side(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """What two functions return, of which the second works in a thread of its own, in a copy of this context.

    It pays where both spend their time in OpenCV, torch or compiled loops, which let other threads work; a visitor's
    still then waits for the longer of the two and not for both. Both are over when this returns or raises.

    Raises:
        Exception: what ``first`` raised, or else ``second``.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="durian-side") as pool:
        beside = pool.submit(contextvars.copy_context().run, second)
        own = first()
        return own, beside.result()
