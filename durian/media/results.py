"""Checks of what comes back from a process that reads a file: a file that has taken it over may send anything.

Each returns the value, or raises ``ValueError``, ``TypeError`` or ``AttributeError``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MOST_PIXELS = 2**40


def picture(value: Any) -> np.ndarray:
    """``(H, W, 3) uint8``, not empty."""
    return _array(value, "|u1", value.ndim == 3 and value.shape[2] == 3 and value.size > 0)


def mask(value: Any) -> np.ndarray:
    """``(H, W) uint8``, not empty."""
    return _array(value, "|u1", value.ndim == 2 and value.size > 0)


def sound(value: Any) -> np.ndarray | None:
    """``(2, N) float32`` without infinities, or none."""
    if value is None:
        return None
    return _array(value, "<f4", value.ndim == 2 and len(value) == 2 and bool(np.isfinite(value).all()))


def whole(value: Any) -> int:
    """A whole number of pixels from 1 on."""
    return _right(value, type(value) is int and 1 <= value <= MOST_PIXELS)


def positive(value: Any) -> float:
    """A finite number above 0."""
    return _right(value, type(value) in (int, float) and 0 < value < math.inf)


def truth(value: Any) -> bool:
    """A truth value."""
    return _right(value, type(value) is bool)


def _array(value: Any, kind: str, is_right: bool) -> np.ndarray:
    return _right(value, isinstance(value, np.ndarray) and value.dtype.str == kind and is_right)


def _right(value: Any, is_right: bool) -> Any:
    if not is_right:
        raise ValueError("Nothing that a reader gives.")
    return value
