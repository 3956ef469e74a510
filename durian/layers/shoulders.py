"""Finds how high shoulders stand behind what hides them, from as much of their upper edge as is seen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import CHIN

# A body seen from the front, in face widths from the chin along the head's own axes: (across, down), from the neck
# outwards. Taste, checked against the outlines of photographs whose shoulders are seen.
NECK_HALF = 0.345
"""Half the width of a neck, in face widths: some .85 of the jaw's."""
NECK_BACK = 0.15
"""How far behind the skull's middle a neck stands, in face widths. Taste."""
NECK_TOP = ((0.26, -0.35), (0.33, -0.12))
"""Where a neck begins behind the jaw, (across, down) below the chin, in face widths."""
SHOULDER = (
    (NECK_HALF, 0.10),
    (0.41, 0.30),
    (0.64, 0.47),
    (0.95, 0.66),
    (1.22, 0.86),
    (1.38, 1.20),
    (1.48, 1.80),
    (1.55, 4.00),
)
HIGHER, LOWER, HIGHEST = 0.8, 0.5, 0.02
"""How much higher and lower than usual an edge may be and still be a shoulder's, and how far below the chin it is at
least, in face widths: a raised arm is none. Who looks up into the camera has shoulders beside the chin."""
NOBODY = 0.1
"""Share of a person below which a pixel is background."""
SEEN_FROM = 0.55
"""Distance from the middle, in face widths, from which on what is seen is a shoulder's edge and no neck's."""
EXACT = 0.1
"""Width of the gap between background and body, in face widths, up to which the edge in it is taken as seen."""
ARM = 1.38
"""How far from the middle shoulders end and arms hang down, in face widths."""
STEP = 0.02
"""Distance between the places at which an edge is looked for, in face widths."""
LEVELS, STEEPNESSES = np.arange(-0.3, 0.31, 0.03), np.arange(0.2, 1.21, 0.1)
"""By how much a neck may be longer than usual, in face widths, and how steeply shoulders may fall beside the usual."""
LEVEL_PRICE, STEEPNESS_PRICE = 0.01, 0.003
"""What the squares of a longer neck and of another steepness cost beside that of an edge that misses what is seen."""


@dataclass(frozen=True)
class BodyFrame:
    """A body's own axes on a picture: ``middle (2,)`` in pixels below the chin, ``across`` and ``down`` ``(2,)`` unit
    vectors, ``width`` of the face in pixels."""

    middle: np.ndarray
    across: np.ndarray
    down: np.ndarray
    width: float

    @classmethod
    def of(cls, landmarks: np.ndarray) -> BodyFrame:
        """The frame of the body below a face with ``landmarks`` ``(478, 3)`` pixels."""
        head = Head(landmarks)
        # A body stands more upright than the head that leans on it.
        down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1]) + np.array([0.0, 1.0])
        down /= np.linalg.norm(down)
        across = np.array([down[1], -down[0]])
        # A neck stands below the back of the skull, and a turned head's chin beside it.
        own_across = head.axes[:2, 0] / np.linalg.norm(head.axes[:2, 0])
        back = head.centre[:2] + NECK_BACK * head.width * head.axes[:2, 2]
        aside = (back - landmarks[CHIN, :2]) @ own_across
        return cls(landmarks[CHIN, :2] + aside * across, across, down, head.width)

    def pixels(self, places: np.ndarray) -> np.ndarray:
        """Pixels of places ``(..., 2)`` across and down in face widths, ``(..., 2) float32``."""
        offset = places[..., :1] * self.across + places[..., 1:] * self.down
        return (self.middle + self.width * offset).astype(np.float32)

    def places(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """How far across and down each pixel of a picture of that shape is, in face widths, ``(H, W) float32`` each."""
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        offset = (np.stack([x, y], -1) - self.middle.astype(np.float32)) / np.float32(self.width)
        return offset @ self.across.astype(np.float32), offset @ self.down.astype(np.float32)


def shoulder_tops(person: np.ndarray, hidden: np.ndarray, frame: BodyFrame) -> tuple[np.ndarray, np.ndarray]:
    """The upper edge of both shoulders, ``(K, 2) float32`` pixels each, from the neck outwards.

    Where the edge is seen it is that; from there it goes on as shoulders do, and it never falls towards the neck. A
    side of which nothing is seen is as high as the other.

    Args:
        person: ``(S, S) float32``, the person's matte.
        hidden: ``(S, S) bool``, where that says nothing of the body.
        frame: the body's.
    """
    usual = np.array(SHOULDER)
    across = np.append(np.arange(NECK_HALF, ARM, STEP), ARM)
    expected = np.interp(across, *usual.T)
    sides = [_seen_edge(person, hidden, frame, sign * across, expected) for sign in (-1, 1)]
    fitted = [_fitted(*side, expected) for side in sides]
    tops = []
    for sign, (low, high), own, other in zip((-1, 1), sides, fitted, reversed(fitted), strict=True):
        top = expected if own is None and other is None else other if own is None else own
        top = _as_seen(low, high, top, across)
        top = np.minimum.accumulate(top[::-1])[::-1]
        tops.append(frame.pixels(np.stack([sign * across, top], -1)))
    return tops[0], tops[1]


def _seen_edge(person, hidden, frame, across, expected) -> tuple[np.ndarray, np.ndarray]:
    """How far down the body's edge is at least and at most, ``(K,)`` each; infinite where nothing tells.

    It is looked for ``across (K,)`` around where it is ``expected (K,)``, all in face widths.
    """
    down = expected + np.arange(-HIGHER, LOWER, STEP)[:, None]
    places = frame.pixels(np.stack(np.broadcast_arrays(across, down), -1))
    x, y = np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])
    possible = (np.abs(across) >= SEEN_FROM) & (down >= HIGHEST)
    told = cv2.remap((~hidden).astype(np.uint8), x, y, cv2.INTER_NEAREST, borderValue=0) > 0
    share = cv2.remap(person, x, y, cv2.INTER_NEAREST, borderValue=1)
    # Where there is nobody there is no shoulder either, whatever is taken off beside it.
    body, bare = possible & told & (share > 0.5), possible & (share < NOBODY)
    first = np.where(body.any(0), body.argmax(0), len(down))
    above = bare & (np.arange(len(down))[:, None] < first)
    last = np.where(above.any(0), len(down) - 1 - above[::-1].argmax(0), -1)
    column = np.arange(len(across))
    low = np.where(last >= 0, down[np.maximum(last, 0), column], -np.inf)
    high = np.where(first < len(down), down[np.minimum(first, len(down) - 1), column], np.inf)
    # What begins at the upper end of where shoulders may be is an arm, a hand or somebody else.
    high[first == possible.argmax(0)] = np.inf
    low[last == len(down) - 1] = -np.inf
    return low, high


def _fitted(low: np.ndarray, high: np.ndarray, expected: np.ndarray) -> np.ndarray | None:
    """How far down one shoulder's edge is ``(K,)``, least off what is seen; ``None`` if nothing is."""
    if not (np.isfinite(high) | np.isfinite(low)).any():
        return None
    found, least = expected, np.inf
    for level in LEVELS:
        for steepness in STEEPNESSES:
            edge = expected[0] + level + steepness * (expected - expected[0])
            miss = np.maximum(edge - high, 0) + np.maximum(low - edge, 0)
            cost = (miss**2).mean() + LEVEL_PRICE * level**2 + STEEPNESS_PRICE * (steepness - 1) ** 2
            if cost < least:
                found, least = edge, cost
    return found


def _as_seen(low: np.ndarray, high: np.ndarray, edge: np.ndarray, across: np.ndarray) -> np.ndarray:
    """The edge ``(K,)`` where it is seen as that, and between as fitted, ``(K,)``."""
    settled, exact = np.isfinite(high) | np.isfinite(low), high - low < EXACT
    if not settled.any():
        return edge
    seen = np.clip(edge, low, high)
    seen[exact] = (low[exact] + high[exact]) / 2
    return edge + np.interp(across, across[settled], (seen - edge)[settled])
