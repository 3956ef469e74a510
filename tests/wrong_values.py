"""Values that no request may hold, whatever they are given for."""

from __future__ import annotations

from typing import Any


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


JSON_VALUES: tuple[Any, ...] = (
    "12",
    "",
    "\0",
    "\ud800",
    "x" * 100_000,
    float("nan"),
    float("inf"),
    float("-inf"),
    10**400,
    -(10**400),
    1e308,
    -1,
    0.5,
    3.7,
    True,
    None,
    [],
    {},
    [None],
    ["hat", 5],
    {"a": 1},
    [[[[]]]],
)
"""What JSON can say, of every kind: which of them are wrong depends on what is asked for."""

VALUES: tuple[Any, ...] = (*JSON_VALUES, nested(1000), {1: 2}, list(range(1_000_000)), b"bytes", object(), {"hat"})
"""And what only Python can."""
