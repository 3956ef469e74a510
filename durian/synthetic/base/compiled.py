"""Compilation of the renderer's loops, and their division among threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numba

from durian.jit import kept_jit

_EXACT = {"contract", "nnan", "ninf", "nsz"}
"""Nothing that lets sums be reordered or roots be estimated: a number is the same whether it is worked out alone or
eight at a time, so that pictures do not depend on how the work was shared."""

# Without _nrt, numba's own memory, functions make no arrays and need not count who holds one, which would take longer
# than to shade a pixel.
compiled = kept_jit(nogil=True, _nrt=False, fastmath=_EXACT, error_model="numpy")
"""Decorator of loops that become machine code; they are given the arrays they fill."""
inlined = kept_jit(nogil=True, _nrt=False, fastmath=_EXACT, error_model="numpy", forceinline=True)
"""Decorator of what such loops do at each step. Handing over all the arrays of a picture costs more than what is done
with them."""


def _forget_stale(folder: Path) -> None:
    """Remove loops that were kept before a function they contain, or how they are compiled, was edited: numba looks
    only at the loop's own file."""
    files = [path for path in folder.rglob("*.py") if path.samefile(__file__) or "\n@inlined\n" in path.read_text()]
    parts = [path.stat().st_mtime for path in files]
    for kept in folder.rglob("__pycache__/*.nbi"):
        with suppress(FileNotFoundError):  # just removed by another
            if kept.stat().st_mtime < max(parts, default=0):
                kept.unlink()


with suppress(OSError):  # not ours to change
    _forget_stale(Path(__file__).parent.parent)


def in_shares(loop: Callable[..., None], count: int, *arguments: Any, shares: int = 4) -> None:
    """Call ``loop(first, last, *arguments)`` for ranges that make up ``range(count)``, in as many threads as numba has.

    Args:
        loop: fills something for a range; ranges do not touch each other's.
        count: of things to fill.
        arguments: handed on.
        shares: ranges per thread, so that threads with easy ones help the others.
    """
    threads = numba.get_num_threads()
    ranges = 1 if threads == 1 else min(count, shares * threads)
    if ranges <= 1:
        loop(0, count, *arguments)
        return
    bounds = [number * count // ranges for number in range(ranges + 1)]
    done = [_pool(threads).submit(loop, first, last, *arguments) for first, last in pairwise(bounds)]
    for piece in done:
        piece.result()


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="render")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
