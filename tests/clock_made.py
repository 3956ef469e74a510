"""A clock that tests set by hand."""

from __future__ import annotations


class Clock:
    """Seconds that pass only when ``now`` is changed."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
