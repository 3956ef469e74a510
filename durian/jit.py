"""Compilation of loops with numba, with a disk cache wherever the project is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kept_jit(**options: Any) -> Callable[[Callable], Any]:
    """``numba.njit`` with these options; the code is kept on disk where that is possible.

    Numba raises where neither the project's folder nor the user's own is writable, as in many containers. There the
    code is compiled again in each process.
    """

    def compiled(function: Callable) -> Any:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:
            return numba.njit(**options)(function)

    return compiled
