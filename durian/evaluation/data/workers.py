"""Scenes and clips over several processes, each with models of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2

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
    # Spawned, not forked: MediaPipe's threads do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), _one_thread) as pool:
        yield from pool.map(score, sources)


def _one_thread() -> None:
    # As many threads as cores in each of several processes wait for each other most of the time.
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
