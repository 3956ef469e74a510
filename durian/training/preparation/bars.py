"""Removal of black bars around a video's picture, so that a network does not learn to make them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

BLACK = 14.0
"""Mean level of 255 that no row or column of a bar reaches in any frame; video's own black is at 0 to 4."""
RIM = 2
"""Pixels that are trimmed besides: a codec smears the picture's edge over the bar's."""
LEAST_LEFT = 0.4
"""Share of the width and of the height that must be left: less is a dark video, and stays whole."""

Area = tuple[slice, slice]
"""Rows and columns."""


class Bars:
    """Looks at every frame that passes, and then knows the area that was not always black."""

    def __init__(self) -> None:
        self._rows: np.ndarray | None = None
        self._columns: np.ndarray | None = None

    def watch(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The frames ``(H, W, 3) uint8``, all of one size, as they are."""
        for frame in frames:
            grey = frame[..., 1]  # most of what is seen is green
            rows, columns = grey.mean(axis=1), grey.mean(axis=0)
            self._rows = rows if self._rows is None else np.maximum(self._rows, rows)
            self._columns = columns if self._columns is None else np.maximum(self._columns, columns)
            yield frame

    def area(self) -> Area:
        """The area within the bars; everything where there are none."""
        return _within(self._rows), _within(self._columns)


def _within(brightest: np.ndarray | None) -> slice:
    if brightest is None:
        return slice(0, 0)
    lit, whole = np.flatnonzero(brightest > BLACK), len(brightest)
    if not len(lit):
        return slice(0, whole)
    first, stop = int(lit[0]), int(lit[-1]) + 1
    first, stop = (first + RIM if first else 0), (stop - RIM if stop < whole else whole)
    return slice(first, stop) if stop - first >= LEAST_LEFT * whole else slice(0, whole)
