"""Turns the picture of hair to where its new wearer looks.

Hair has a hole for a face, whose outline moves otherwise than the hair's own when a head turns. So in each row of the
head's upright frame three places of the picture come to those of the turned head, and what lies between them goes
along: the face's middle, its edge and the hair's outline. Beside the face a side that the picture hardly shows is the
mirror image of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import cv2
import numpy as np

from durian.geometry.mesh import CHIN, FACE_OVAL, smoothstep
from durian.geometry.mirror import yaw
from durian.layers.turned import LEAST_TURN, SIDE_VIEW, Turn, about, half_width
from durian.masks import HALF
from durian.request import Attribute

MIDDLE = [10, 151, 9, 168, CHIN]
"""Landmarks of a face's middle that do not stand out, from the forehead to the chin."""
ROWS = 96
"""Rows, from the skull's top to below the chin, in which a face's edge is known; between them it is a line."""
BELOW = 0.5
"""How far below the chin that goes, in face widths."""
NEIGHBOURS = 0.06
"""Half the height of the landmarks that a face's edge in a row is the outermost of, in face widths."""
SMOOTH = 0.03
"""Standard deviation over which that edge and the hair's outline are smoothed, in face widths."""
LEAST_HAIR = 0.04
"""Least width of hair beside a face's edge, in face widths: no place may come to two."""
CROWN = (0.05, 0.3)
"""Height above a face, in face widths, over which hair comes to be each side's own."""
NECK = 0.3
"""Distance from a face's middle to the edge of a neck, in face widths."""


def hair_turn_of(attribute: Attribute, portrait: np.ndarray) -> HairTurn | None:
    """How the picture of hair is turned to show a head that is turned as the portrait's is.

    ``None`` for other items, hair without a face, and heads that are turned much the same.

    Args:
        attribute: the reference.
        portrait: ``(478, 3)`` landmarks of the wearer, pixels.
    """
    if attribute.name != "hair" or attribute.landmarks is None or not (attribute.mask > HALF).any():
        return None
    given, wanted = yaw(attribute.landmarks), yaw(portrait)
    return HairTurn(attribute, given, wanted) if abs(given - wanted) >= LEAST_TURN else None


@dataclass(frozen=True)
class Side:
    """One side of a head, in rows that count from the skull's centre, pixels.

    ``edge`` and ``outline`` ``(N,)`` are how far from the face's ``middle (N,)`` its edge and the hair's outline are.
    """

    rows: np.ndarray
    middle: np.ndarray
    edge: np.ndarray
    outline: np.ndarray

    def at(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Middle, edge and outline in other rows, ``float32`` of their shape."""
        return tuple(
            np.interp(row, self.rows, each).astype(np.float32) for each in (self.middle, self.edge, self.outline)
        )


@dataclass(frozen=True)
class HairTurn(Turn):
    """The turn of a ``reference``'s hair from one direction to another."""

    @cached_property
    def _points(self) -> np.ndarray:
        """The reference's landmarks in the turned picture's frame, from the skull's centre, ``(478, 3)`` pixels."""
        upright, _, _ = self.upright
        points = np.asarray(self.reference.landmarks, np.float64).copy()
        points[:, :2] = points[:, :2] @ upright[:, :2].T + upright[:, 2] - self.centre
        points[:, 2] -= self.head.centre[2]
        return points

    @cached_property
    def _reach(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows from the skull's centre in which there is hair, and how far it reaches to the left and to the right,
        ``(2, N)`` pixels."""
        upright, _, size = self.upright
        there = cv2.warpAffine(self.reference.mask, upright, size) > HALF
        rows = np.flatnonzero(there.any(1))
        if not len(rows):
            rows = np.array([int(self.centre[1])])
        left = self.centre[0] - np.argmax(there[rows], 1)
        right = there.shape[1] - 1 - np.argmax(there[rows, ::-1], 1) - self.centre[0]
        sigma = max(SMOOTH * self.head.width, 0.5)
        return rows - self.centre[1], np.stack([_smoothed(side, sigma) for side in (left, right)])

    def _seen(self, across: np.ndarray, row: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Where the picture shows what comes to places that count from the skull's centre, and how much that counts,
        ``(H, W)`` each: first the side that shows more of a head, for both of its sides, then each for its own."""
        own = self._sources((-1, 1), across, row)
        if self._shown_by == (-1, 1):
            return [(own, np.ones_like(own))]
        both, share = self._sources(self._shown_by, across, row), self._crown(row)
        # A crown is seen on both sides of its middle; beside the face one side hides the other.
        return [(both, 1 - share), (own, share)]

    def _crown(self, row: np.ndarray) -> np.ndarray:
        """How far hair in rows that count from the skull's centre is a crown's, ``float32`` in [0, 1]."""
        return smoothstep(self._forehead - row, *(part * self.head.width for part in CROWN)).astype(np.float32)

    def _sources(self, shown_by: tuple[int, int], across: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Where sides of the picture show the left and the right of the turned head, ``(H, W)`` from the skull's
        centre."""
        left, right = (self._source(side, shown, across, row) for side, shown in zip((-1, 1), shown_by, strict=True))
        return np.where(across < np.interp(row, self._rows, self._middle), left, right)

    def _source(self, side: int, shown_by: int, across: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Where a side of the picture (-1 left, 1 right) shows what comes to a ``side`` of the turned head, ``(H, W)``
        from the skull's centre."""
        given, wanted = self._sides[side, shown_by]
        at, edge, outline = wanted.at(row)
        from_at, from_edge, from_outline = given.at(row)
        beside = side * (across - at)
        on_face = beside * from_edge / edge
        in_hair = from_edge + (beside - edge) * (from_outline - from_edge) / (outline - edge)
        found = np.where(beside < edge, on_face, np.where(beside < outline, in_hair, beside + from_outline - outline))
        return (from_at + shown_by * found).astype(np.float32)

    @property
    def _shown_by(self) -> tuple[int, int]:
        """The sides of the picture that show the left and the right of the turned head beside its face."""
        if abs(self.given) < SIDE_VIEW:
            return -1, 1
        shown = -int(np.sign(self.given))
        return shown, shown

    @cached_property
    def _rows(self) -> np.ndarray:
        """Rows in which sides are known, from the skull's top to below the chin, ``(N,)`` from its centre."""
        return np.linspace(-self.head.radii[1], self._points[CHIN, 1] + BELOW * self.head.width, ROWS)

    @cached_property
    def _middle(self) -> np.ndarray:
        """The turned face's middle in these rows, ``(N,)``."""
        return self._sides[1, 1][1].middle

    @property
    def _forehead(self) -> float:
        """The row of the face's upper edge."""
        return float(self._points[FACE_OVAL, 1].min())

    @cached_property
    def _sides(self) -> dict[tuple[int, int], tuple[Side, Side]]:
        """For each side of the turned head and each of the picture how that is there, and how it comes to be."""
        turned, width = about(self._points, np.zeros(3), self.wanted - self.given), self.head.width
        rows, (known, reach) = self._rows, self._reach
        wider = half_width(self.wanted) / half_width(self.given)
        sides = {}
        for shown_by, side in product((-1, 1), (-1, 1)):
            middle, edge = _face(self._points, shown_by, rows, width)
            turned_middle, turned_edge = _face(turned, side, rows, width)
            # Of both sides the outline is as far from the skull's centre as that of the one that is better seen.
            from_centre, better_seen = (
                np.interp(rows, known, reach[(seen + 1) // 2]) for seen in (shown_by, self._shown_by[(side + 1) // 2])
            )
            outline = np.maximum(from_centre - shown_by * middle, edge + LEAST_HAIR * width)
            turned_outline = wider * better_seen - side * turned_middle
            if side * self.wanted > 0:  # turned away: hair beside the face goes behind it
                behind = turned_edge + (outline - edge) * np.cos(np.deg2rad(self.wanted))
                turned_outline = np.minimum(turned_outline, behind)
            turned_outline = np.maximum(turned_outline, turned_edge + LEAST_HAIR * width)
            given, wanted = Side(rows, middle, edge, outline), Side(rows, turned_middle, turned_edge, turned_outline)
            sides[side, shown_by] = given, wanted
        return sides


@dataclass(frozen=True)
class MirroredHair(HairTurn):
    """A ``reference``'s hair with one ``side`` (-1 left, 1 right) below its crown as the other one's mirror image."""

    side: int = 0

    def is_mirrored(self, across: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Whether places that count from the skull's centre are on that side, ``bool`` of their shape."""
        return self.side * (across - np.interp(row, self._rows, self._middle)) > 0

    def _seen(self, across: np.ndarray, row: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        mirrored = np.where(self.is_mirrored(across, row), self._source(self.side, -self.side, across, row), across)
        crown = self._crown(row)
        return [(mirrored, 1 - crown), (across, crown)]

    @property
    def _shown_by(self) -> tuple[int, int]:
        return -self.side, -self.side


def _face(points: np.ndarray, side: int, rows: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """A face's middle in ``rows (N,)`` and how far its edge on a ``side`` is from that, ``(N,)`` each."""
    x, y = points[:, 0], points[:, 1]
    top = rows[0]
    # The head of somebody who looks far down shows its top at the height of the forehead.
    heights = np.maximum.accumulate([top, *y[MIDDLE]])
    middle = np.interp(rows, heights, [0.0, *x[MIDDLE]])
    high, low = max(float(y[FACE_OVAL].min()), top), float(y[FACE_OVAL].max())
    near = np.abs(y[None] - rows[:, None]) < NEIGHBOURS * width
    within = (rows >= high) & (rows <= low) & near.any(1)
    outermost = np.where(near, side * x[None], -np.inf)[within].max(1)
    edge = np.interp(rows, rows[within], outermost - side * middle[within])
    above = rows < high
    # A forehead ends as a skull does.
    edge[above] *= np.sqrt(np.clip(1 - ((high - rows[above]) / max(high - top, 1.0)) ** 2, 0, 1))
    edge[rows > low] = np.minimum(edge[rows > low], NECK * width)
    sigma = SMOOTH * width / (rows[1] - rows[0])
    return middle, np.maximum(_smoothed(edge, max(sigma, 0.1)), LEAST_HAIR * width)


def _smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(values.astype(np.float32)[:, None], (0, 0), 0.1, sigmaY=sigma)[:, 0]
