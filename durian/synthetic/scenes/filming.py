"""Rendering of scenes to pictures: one at a time, or a stream from several processes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from durian.synthetic.head.head import HeadModel
from durian.synthetic.scenes.scenes import TRIPLETS, Recipe, Scene, scene
from durian.synthetic.studio.studio import Picture, Studio

SAMPLES = 2
"""Square root of the samples of a pixel."""
AHEAD = 2
"""Scenes per process that are made before somebody asks for them."""
LIBRARY_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Variables that set how many threads libraries start; each process has one core."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class Film:
    """A scene's pictures: ``pictures`` of its shots, ``bare`` of the targets without the items (empty if not asked
    for)."""

    scene: Scene
    pictures: tuple[Picture, ...]
    bare: tuple[Picture, ...]


def film(studio: Studio, plot: Scene, size: int = 256, bare: bool = False, samples: int = SAMPLES) -> Film:
    """Render a scene.

    Args:
        studio: renders.
        plot: what happens.
        size: pixels along a picture's side.
        bare: also render the targets without the items; a clip has none to take off.
        samples: the square root of how many a pixel has.
    """

    def pictures(shots) -> tuple[Picture, ...]:
        return tuple(studio.render(shot.person, shot.view, size, samples) for shot in shots)

    return Film(plot, pictures(plot.shots), pictures(plot.bare) if bare and plot.items else ())


def films(
    numbers: Iterable[int],
    recipe: Recipe = TRIPLETS,
    seed: int = 0,
    size: int = 256,
    bare: bool = False,
    workers: int = 0,
) -> Iterator[Film]:
    """Scenes by their numbers, in order, whatever the number of processes.

    Args:
        numbers: which; may be endless (``itertools.count()``).
        recipe: what scenes are wanted.
        seed: of all of them: another seed gives other people.
        size: pixels along a picture's side.
        bare: also the targets without the items.
        workers: processes that render ahead; 0 renders here, when asked.

    Raises:
        WeightsMissing: there is no head model.
    """
    return in_processes(partial(_film, recipe=recipe, seed=seed, size=size, bare=bare), numbers, workers)


def in_processes(make: Callable[[int], Made], numbers: Iterable[int], workers: int) -> Iterator[Made]:
    """``make`` of each number, in order, by so many processes, which stay a little ahead; 0 makes them here.

    Args:
        make: a module's function or a partial of one, so that it can be sent to another process.
        numbers: what to call it with.
        workers: processes of one thread each.
    """
    if workers <= 0:
        yield from map(make, numbers)
        return
    HeadModel.load()  # says here, and once, that there is none
    numbers, waiting = iter(numbers), deque()
    # Spawned, not forked: threads of the renderer and of libraries do not survive a fork.
    with _single_threaded(), ProcessPoolExecutor(workers, get_context("spawn"), _one_thread) as pool:
        try:
            for number in numbers:
                waiting.append(pool.submit(make, number))
                if len(waiting) >= AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started within have libraries of one thread."""
    before = {name: os.environ.get(name) for name in LIBRARY_THREADS}
    os.environ.update(dict.fromkeys(LIBRARY_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _one_thread() -> None:
    import cv2
    import numba

    cv2.setNumThreads(1)
    numba.set_num_threads(1)


@lru_cache(maxsize=1)
def process_studio(model: Path) -> Studio:
    """This process's studio for a head model's file."""
    return Studio(HeadModel.load(model))


def _film(number: int, recipe: Recipe, seed: int, size: int, bare: bool) -> Film:
    from durian.settings import get_settings

    return film(process_studio(get_settings().head_model), scene(number, recipe, seed), size, bare)
