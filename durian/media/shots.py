"""Detection of a video's shots: cuts from one picture to another.

A cut changes most of the pixels or the colours as a whole, and much more than happens around it. A needless cut only
makes two clips of one, a missed one mixes two people, so doubt means a cut. Slow dissolves are not found; a face that
jumps ends a training clip anyway (:mod:`durian.training.preparation.framing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import cv2
import numpy as np

THUMBNAIL = (64, 36)
"""Width and height in pixels at which frames are compared: noise, blinks and lips vanish."""
BINS = 6
"""Of each colour, in the histogram."""
CHANGED_PIXELS, CHANGED_COLOURS = 20.0, 0.11
"""Mean difference of two thumbnails in levels of 255, and share of the pixels whose colours others have not, that make
a cut. Within eleven clips of talking heads 15 and 0.04 are the most; between 52 pictures of people 30 and 0.18 the
least."""
SUDDEN = 3.0
"""How many times as much as around it a cut changes; a pan or a turn changes its neighbours as well."""
AROUND = 4
"""Changes on either side that one is compared with."""
SURE = 2.0
"""Times the least change of a cut, from which on its surroundings do not matter."""


def find_shots(frames: Iterable[np.ndarray]) -> list[range]:
    """Numbers of the frames of each shot, in order and without gaps.

    Args:
        frames: ``(H, W, 3) uint8``, possibly a generator; one at a time is held.
    """
    shots = Shots()
    for _ in shots.watch(frames):
        pass
    starts = [0, *shots.cuts(), shots.count]
    return [range(start, stop) for start, stop in pairwise(starts) if stop > start]


class Shots:
    """Watches frames on their way to somebody else; afterwards it knows where the cuts were."""

    def __init__(self) -> None:
        self.count = 0
        """Frames seen."""
        self._changes: list[float] = []

    def watch(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The same frames ``(H, W, 3) uint8``, one at a time."""
        before = None
        for frame in frames:
            thumbnail = cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA)
            after = thumbnail.astype(np.float32), _histogram(thumbnail)
            if before is not None:
                pixels = np.abs(after[0] - before[0]).mean() / CHANGED_PIXELS
                self._changes.append(max(pixels, np.abs(after[1] - before[1]).sum() / 2 / CHANGED_COLOURS))
            before, self.count = after, self.count + 1
            yield frame

    def cuts(self) -> list[int]:
        """Numbers of the frames that begin another shot, in order."""
        changes = np.array(self._changes)
        return [int(number) + 1 for number in np.flatnonzero((changes > SURE) | ((changes > 1) & is_sudden(changes)))]


def _histogram(thumbnail: np.ndarray) -> np.ndarray:
    soft = cv2.GaussianBlur(thumbnail, (0, 0), 1)
    counts = cv2.calcHist([soft], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3).ravel()
    return counts / counts.sum()


def is_sudden(changes: np.ndarray) -> np.ndarray:
    """Which of ``(N,)`` changes between neighbours are much larger than those around them, ``(N,) bool``."""
    padded = np.pad(changes, AROUND)
    beside = [padded[AROUND + way : AROUND + way + len(changes)] for way in range(-AROUND, AROUND + 1) if way]
    # The second largest, so that a cut does not hide another one near it.
    return changes > SUDDEN * np.sort(beside, axis=0)[-2]
