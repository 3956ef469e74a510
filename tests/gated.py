"""A renderer for tests of the engine: it waits until it is let go on, so that every moment of a job can be seen."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
from requests_made import picture, request

from durian.content_cache import current_client
from durian.request import AnimationRequest

PATIENCE = 30.0
"""Seconds after which a test gives up on something that should come at once."""


class GatedRenderer:
    """Frames of one colour each; every step (of ``steps``) and frame waits for :meth:`let`.

    After step n it estimates a picture of n throughout.
    """

    name = "gated"

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.steps = 0
        self.rendered = 0
        self.closed_early = 0
        self.stills: list[float] = []
        self.shown: list[AnimationRequest] = []
        """What each still was asked to show."""
        self.clients: list[str] = []
        """For whom each rendering keeps what it works out."""
        self.fail_with: Exception | None = None
        self.closed = False

    def let(self, frames: int) -> None:
        self.gate.release(frames)

    def render(self, request, watch=None):
        self.clients.append(current_client())
        self.begun.release()
        if self.steps:
            watch.step(0, self.steps)
        for step in range(1, self.steps + 1):
            assert self.gate.acquire(timeout=PATIENCE)
            watch.step(step, self.steps)
            watch.check_cancelled()
            watch.estimate(np.full((request.options.size, request.options.size, 3), step, np.uint8))
        try:
            for index in range(request.options.frames):
                assert self.gate.acquire(timeout=PATIENCE)
                if self.fail_with is not None:
                    raise self.fail_with
                self.rendered += 1
                yield frame(index, request.options.size)
        except GeneratorExit:
            self.closed_early += 1
            raise

    def still(self, request, frame=0):
        self.stills.append(request.blend_start)
        self.shown.append(request)
        return np.full((request.options.size, request.options.size, 3), 10 + frame, np.uint8)

    def overlays(self, request):
        return {"hole": self.still(request)}

    def close(self) -> None:
        self.closed = True


def frame(index: int, size: int) -> np.ndarray:
    made = picture(index, size)
    made[: size // 2] = 20 * index % 256
    return made


def gated_request(**changes: object):
    return request(renderer="gated", **changes)


def wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
