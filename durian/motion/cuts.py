"""Detection of cuts in a driving video to another shot or person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from durian.media.shots import Shots, is_sudden
from durian.motion.fitting import MAX_GAP

SMALL_SIDE = 192
"""Longest side in pixels of the grey pictures that are kept of every frame: 60 s take 40 MB."""
FACE_SIDE, FACE_WINDOW = 32, 1.3
"""Side in pixels at which the surroundings of the face are compared, and how large they are in face sizes."""
FACE_CHANGED, FACE_ANOTHER = 0.3, 0.6
"""One minus the correlation of the face's surroundings in two neighbouring frames, from which a cut of the picture is
one of the face too (a flash or a lamp leaves 0.2), and from which the face alone is enough. Within twenty clips of
talking heads 0.43 is the most, of a head that turns fast; at cuts from one to another of them 0.51 was the least."""
LEVELS = 2.0
"""Grey levels of noise that count for nothing in a flat picture."""


class CutWatch:
    """Watches the frames of a driving video while its face is tracked."""

    def __init__(self) -> None:
        self._shots = Shots()
        self._small: list[np.ndarray] = []
        self._scale = 1.0

    def watch(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The same frames ``(H, W, 3) uint8``, one at a time."""
        for frame in self._shots.watch(frames):
            self._scale = min(1.0, SMALL_SIDE / max(frame.shape[:2]))
            grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
            self._small.append(cv2.resize(grey, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA))
            yield frame

    def first_cut(self, tracked: list[np.ndarray | None]) -> int | None:
        """Number of the first frame after a cut, ``None`` without one.

        Args:
            tracked: ``(478, 3)`` in the frames' pixels or ``None``, per frame.
        """
        changes = np.array([self._face_change(tracked, number, number + 1) for number in range(len(tracked) - 1)])
        alone = np.flatnonzero((changes > FACE_ANOTHER) & is_sudden(changes)) + 1
        both = [number for number in self._shots.cuts() if changes[number - 1] > FACE_CHANGED]
        return next((number for number in sorted({*alone.tolist(), *both}) if self._lasts(tracked, number)), None)

    def _lasts(self, tracked: list[np.ndarray | None], cut: int) -> bool:
        """Whether there is a face on both sides of a cut, and none of the other side's shows up again soon: a flash or
        a frame that was lost passes."""
        before = range(max(0, cut - MAX_GAP - 1), cut)
        after = range(cut, min(len(tracked), cut + MAX_GAP + 1))
        if not all(any(tracked[number] is not None for number in side) for side in (before, after)):
            return False
        near = [(first, second) for first in before for second in after if second - first <= MAX_GAP + 1]
        return all(self._face_change(tracked, first, second) > FACE_CHANGED for first, second in near)

    def _face_change(self, tracked: list[np.ndarray | None], first: int, second: int) -> float:
        """One minus the correlation of where the face was last, up to the frame ``first``, there and in ``second``."""
        known = next((tracked[number] for number in range(first, -1, -1) if tracked[number] is not None), None)
        if known is None:
            return 0.0
        return 1 - float((self._around(known, self._small[first]) * self._around(known, self._small[second])).mean())

    def _around(self, landmarks: np.ndarray, small: np.ndarray) -> np.ndarray:
        """``(32, 32) float32`` around a face, its mean 0 and its variance 1: light does not count."""
        points = (landmarks[:, :2] + 0.5) * self._scale - 0.5
        low, high = points.min(0), points.max(0)
        centre, side = (low + high) / 2, float((high - low).max()) * FACE_WINDOW
        zoom = FACE_SIDE / max(side, 1.0)
        matrix = np.array([[zoom, 0, FACE_SIDE / 2 - zoom * centre[0]], [0, zoom, FACE_SIDE / 2 - zoom * centre[1]]])
        if zoom < 1:
            small = cv2.blur(small, (max(1, round(1 / zoom)),) * 2)
        window = cv2.warpAffine(small, matrix, (FACE_SIDE, FACE_SIDE), borderMode=cv2.BORDER_REPLICATE)
        window = window.astype(np.float32) - window.mean()
        return window / np.hypot(window.std(), LEVELS)
