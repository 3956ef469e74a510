"""Functions that run in processes of their own, for test_media_apart.py; those processes import this file."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np

from durian.errors import OutputFailed, UnreadableMedia
from durian.long_work import Turns
from durian.media import results
from durian.media.apart import Work, called_apart, iterated_apart

QUICK = Work("a picture", "make it smaller", 300_000_000, 1, Turns(2))
"""One second of processor time."""
TIGHT = Work("a video", "trim it", 60_000_000, 30, Turns(2))


def as_it_came(value: object) -> object:
    return value


KINDS = ("RLIMIT_CPU", "RLIMIT_CORE", "RLIMIT_FSIZE")


@called_apart(QUICK, as_it_came)
def run(source: str, program: str) -> object:
    """What a program leaves in ``result``."""
    names: dict[str, object] = {"source": source}
    exec(program, globals(), names)
    return names.get("result")


@called_apart(QUICK, results.picture)
def pretend(source: str, value: str) -> object:
    """What a program says, as if it were a picture."""
    return eval(value)


@iterated_apart(lambda source, value: QUICK, results.picture)
def pretend_again(source: str, value: str) -> Generator[object, None, None]:
    yield eval(value)


@called_apart(QUICK, as_it_came)
def decoded(source: bytes) -> np.ndarray:
    """A picture as Pillow reads it, without a look at its headers."""
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(source)).convert("RGB"))


@called_apart(QUICK, as_it_came)
def wait(source: str, *, is_cancelled: object = None) -> None:
    time.sleep(600)


@iterated_apart(lambda path: TIGHT, results.picture)
def frames(path: Path) -> Generator[np.ndarray, None, None]:
    """Those of a video, within little memory."""
    from durian.media import iter_video

    return iter_video(path)


@iterated_apart(lambda source, most: QUICK, results.mask)
def count_up(source: str, most: int) -> Generator[np.ndarray, None, None]:
    """A megabyte each, of its number; and its process's id at first."""
    if most < 0:
        raise UnreadableMedia("Nothing to count: give a number.")
    return _counting(source, most)


@iterated_apart(lambda source: QUICK, results.mask)
def count_slowly(source: str) -> Generator[np.ndarray, None, None]:
    time.sleep(600)
    yield np.zeros((1, 1), np.uint8)


def _counting(source: str, most: int) -> Generator[np.ndarray, None, None]:
    for number in range(most):
        Path(source).exists()
        yield np.full((1024, 1024), number % 256, np.uint8)
    raise OutputFailed("That is all: ask for more.")


def limits() -> list[int]:
    return [resource.getrlimit(getattr(resource, kind))[1] for kind in KINDS]


def loaded() -> list[str]:
    return sorted({name.split(".")[0] for name in sys.modules})


def own_id() -> int:
    return os.getpid()


def processes(source: object) -> list[int]:
    """Those that read files now, of :data:`durian.media.apart._source`."""
    parent = source._running.pid  # type: ignore[attr-defined]
    return [int(name) for name in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def none_left(source: object, seconds: float = 20.0) -> bool:
    """Whether none reads. A process that was killed is gone at once, but stays listed until its parent takes note."""
    until = time.monotonic() + seconds
    while processes(source) and time.monotonic() < until:
        time.sleep(0.01)
    return processes(source) == []
