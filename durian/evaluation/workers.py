"""Scenes and clips over several processes, each with a renderer of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import cv2

from durian.renderer import Renderer, get_renderer

Result = TypeVar("Result")

_renderers: dict[str, Renderer] = {}


def process_renderer(name: str) -> Renderer:
    """This process's renderer of that name.

    Raises:
        InvalidRequest: none is known.
    """
    if name not in _renderers:
        _renderers[name] = get_renderer(name)
    return _renderers[name]


def score_all(score: Callable[[Path], Result], paths: Sequence[Path], workers: int, unit: str) -> list[Result]:
    """``score`` of each path, in order, with a progress bar on stderr.

    Args:
        score: a module's function or a partial of one, so that it can be sent to another process.
        paths: what to score.
        workers: processes; 1 stays in this one.
        unit: what the progress bar counts.
    """
    from tqdm import tqdm

    return list(tqdm(_results(score, paths, workers), total=len(paths), unit=unit, file=sys.stderr))


def _results(score: Callable[[Path], Result], paths: Sequence[Path], workers: int) -> Iterator[Result]:
    if workers <= 1:
        yield from map(score, paths)
        return
    # Spawned, not forked: MediaPipe's threads do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        yield from pool.map(score, paths)
