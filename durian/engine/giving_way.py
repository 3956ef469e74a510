"""Pauses of animations while a still is rendered, since stills follow a visitor's sliders and must be quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from durian.engine.stills import StillsLane

LONGEST_PAUSE = 0.25
"""Seconds before each frame; a still takes about as long. However many stills come, a clip of 48 frames loses no more
than twelve seconds to them."""


def giving_way(
    frames: Iterator[np.ndarray], stills: StillsLane, check_cancelled: Callable[[], None]
) -> Iterator[np.ndarray]:
    """``frames``, each asked for when no still is under way or waits, or after :data:`LONGEST_PAUSE`.

    Args:
        frames: work when they are asked for; the first one also prepares the clip.
        stills: who goes first.
        check_cancelled: called after each pause; what it raises goes on to the caller.
    """
    while True:
        stills.let_pass(LONGEST_PAUSE)
        check_cancelled()
        try:
            frame = next(frames)
        except StopIteration:
            return
        yield frame
