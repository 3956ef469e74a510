"""Eyelids that slide over the eyeballs and shut, on any face.

Shapes move lids along straight lines, which cut through a round eye half way, and as far on a face with large eyes as
on one with small eyes. Here the lids are lifted to where the eyeball lets them be, and blink as far as their eyes are
open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from durian.synthetic.head.eyeballs import Eyeball

if TYPE_CHECKING:
    from durian.synthetic.head.head import HeadModel

LANDMARKS = {"R": ((37, 38), (41, 40)), "L": ((43, 44), (47, 46))}
"""Of the middle of the upper and of the lower lids' edges."""
OVERLAP = 0.05
"""cm by which edges of shut lids overlap: as much as keeps light out."""
LEAST, MOST = 0.85, 1.4
"""Of the factor of a blink."""

MOVED = 0.02
"""cm by which a blink moves a vertex that belongs to the lids."""
THICKNESS = 0.1
"""cm between the eyeball and a lid that is lifted by it."""
ANGLES = np.radians(np.arange(0, 181, 7.5))
"""Directions from an eye's axis for which its radius is kept."""


class Lids:
    """The lids of a head model's eyes."""

    def __init__(self, head: HeadModel, eyeballs: Sequence[Eyeball]) -> None:
        self._eyeballs = eyeballs
        self._landmarks = head.landmarks68
        self._blinks, self._vertices = {}, {}
        eyes = np.concatenate([eyeball.vertices for eyeball in eyeballs])
        for eyeball in eyeballs:
            blink = head.expression({f"eyeBlink_{eyeball.side}": 1.0})
            self._blinks[eyeball.side] = blink[head.landmarks68, 1]
            self._vertices[eyeball.side] = np.setdiff1d(np.flatnonzero(np.linalg.norm(blink, axis=1) > MOVED), eyes)

    def shut(
        self, face: np.ndarray, amounts: Mapping[str, float], motion: np.ndarray | None = None
    ) -> dict[str, float]:
        """The amounts of an expression with blinks that shut this face's eyes at 1.

        Args:
            face: ``(V, 3)`` without expression.
            amounts: of an expression.
            motion: ``(V, 1)`` factor of the expression's offsets; 1 if left out.
        """
        fitted = dict(amounts)
        factor = 1.0 if motion is None else motion[self._landmarks, 0]
        for side, blink in self._blinks.items():
            blink = factor * blink
            name = f"eyeBlink_{side}"
            if name in fitted:
                upper, lower = (list(edge) for edge in LANDMARKS[side])
                height = face[self._landmarks, 1]
                way = (blink[lower] - blink[upper]).mean()
                fitted[name] *= float(np.clip(((height[upper] - height[lower]).mean() + OVERLAP) / way, LEAST, MOST))
        return fitted

    def lifted(self, face: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Offsets ``(V, 3)`` of an expression, with lids nowhere inside the eyeballs.

        Args:
            face: ``(V, 3) float32`` without expression.
            offsets: ``(V, 3) float32``.
        """
        offsets = offsets.copy()
        for eyeball in self._eyeballs:
            lids, ball = self._vertices[eyeball.side], face[eyeball.vertices]
            centre = ball.mean(axis=0) - eyeball.spokes.mean(axis=0)
            front = np.argmax(eyeball.spokes[:, 2])
            radius = _profile(ball - centre, ball[front] - centre)
            clearance = _clearance(face[lids] - centre, ball[front] - centre, radius)
            spokes = face[lids] + offsets[lids] - centre
            turned = ball[front] + offsets[eyeball.vertices[front]] - centre
            missing = np.minimum(clearance, THICKNESS) - _clearance(spokes, turned, radius)
            outwards = spokes / np.linalg.norm(spokes, axis=1, keepdims=True)
            offsets[lids] += (np.maximum(missing, 0)[:, None] * outwards).astype(np.float32)
        return offsets


def _profile(spokes: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Radius of an eyeball in the directions of :data:`ANGLES` from its axis."""
    length = np.linalg.norm(spokes, axis=1)
    angle = _angles(spokes, axis)
    order = np.argsort(angle, kind="stable")
    return np.interp(ANGLES, angle[order], length[order])


def _clearance(spokes: np.ndarray, axis: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """How far points lie outside the eyeball, negative inside."""
    return np.linalg.norm(spokes, axis=1) - np.interp(_angles(spokes, axis), ANGLES, radius)


def _angles(spokes: np.ndarray, axis: np.ndarray) -> np.ndarray:
    cosines = np.einsum("nc,c->n", spokes, axis) / np.linalg.norm(spokes, axis=1) / np.linalg.norm(axis)
    return np.arccos(np.clip(cosines, -1, 1))
