"""Shots of a video: where one picture gives way to another all at once.

A cut changes most of the pixels or the colours as a whole, and much more than happens around it. A needless cut only
makes two clips of one, a missed one mixes two people, so doubt means a cut. Slow dissolves are not found; a face that
jumps ends a clip anyway (:mod:`durian.training.preparation.framing`).
"""

from __future__ import annotations

from collections.abc import Iterable
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
    changes, count, before = [], 0, None
    for frame in frames:
        thumbnail = cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA)
        after = thumbnail.astype(np.float32), _histogram(thumbnail)
        if before is not None:
            pixels = np.abs(after[0] - before[0]).mean() / CHANGED_PIXELS
            changes.append(max(pixels, np.abs(after[1] - before[1]).sum() / 2 / CHANGED_COLOURS))
        before, count = after, count + 1
    starts = [0, *(int(number) + 1 for number in np.flatnonzero(_is_cut(np.array(changes)))), count]
    return [range(start, stop) for start, stop in pairwise(starts) if stop > start]


def _histogram(thumbnail: np.ndarray) -> np.ndarray:
    soft = cv2.GaussianBlur(thumbnail, (0, 0), 1)
    counts = cv2.calcHist([soft], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3).ravel()
    return counts / counts.sum()


def _is_cut(changes: np.ndarray) -> np.ndarray:
    """``(N,) bool`` of ``(N,)`` changes, 1 being the least of a cut."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(changes, AROUND), 2 * AROUND + 1)
    beside = np.delete(windows, AROUND, axis=1)
    # The second largest, so that a cut does not hide another one near it.
    around = np.sort(beside, axis=1)[:, -2]
    return (changes > SURE) | ((changes > 1) & (changes > SUDDEN * around))
