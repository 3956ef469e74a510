"""Scenes and clips over several processes, each with models of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from durian.processes import process_pool

Source = TypeVar("Source")
Result = TypeVar("Result")


def score_all(score: Callable[[Source], Result], sources: Sequence[Source], workers: int, unit: str) -> list[Result]:
    """``score`` of each source, in order, with a progress bar where stderr is a terminal.

    Args:
        score: a module's function or a partial of one, so that it can be sent to another process.
        sources: what to score.
        workers: processes; 1 stays in this one.
        unit: what the progress bar counts.
    """
    from tqdm import tqdm

    silent = not sys.stderr.isatty()
    return list(tqdm(_results(score, sources, workers), total=len(sources), unit=unit, file=sys.stderr, disable=silent))


def _results(score: Callable[[Source], Result], sources: Sequence[Source], workers: int) -> Iterator[Result]:
    if workers <= 1:
        yield from map(score, sources)
        return
    with process_pool(workers) as pool:
        yield from pool.map(score, sources)
