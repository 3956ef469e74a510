"""Turns the picture of a hat to where its new wearer looks.

A hat is as round as the head in it: seen from another side its outline stays as it is, and other parts of it come to
the front. So each row of it, in the head's upright frame, is wound around the head's axis and turned. Parts that the
picture does not show are the mirror image of those on its other side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.head import SKULL_RADII, Head
from durian.geometry.mesh import smoothstep
from durian.geometry.mirror import yaw
from durian.layers.round_the_neck import goes_round_the_neck
from durian.masks import HALF
from durian.request import Attribute

LEAST_TURN = 15.0
"""Degrees between the two heads from which on a hat is turned; below, the head's own depth serves."""
SIDE_VIEW = 12.0
"""Degrees from which on a picture shows a hat from its side, and more of that than of the other one."""
WIDEST = 1.75
"""Half the width of a hat, in the skull's radii, from which on it has a brim: a disc looks alike from all sides."""
SEAM = 6.0
"""Degrees on both sides of a hat's middle over which its seen side gives way to that side's mirror image: anywhere
else the two do not meet, for hats sit askew."""
CROWN, FOREHEAD = 0.5, 0.6
"""Share of the rows above the forehead that are surely a crown's, and where the forehead is above the skull's centre,
in its radii."""
SMOOTH = 0.04
"""Standard deviation over which the outline is smoothed, in face widths."""

WHOLE = np.eye(2, 3)

_cache = ContentCache(entries=8)


def turn_of(attribute: Attribute, portrait: np.ndarray) -> Turn | None:
    """How the picture of a hat is turned to show a head that is turned as the portrait's is.

    ``None`` for other items, hats without a face, scarves that go around the neck, and those that are turned much the
    same.

    Args:
        attribute: the reference.
        portrait: ``(478, 3)`` landmarks of the wearer, pixels.
    """
    if attribute.name != "hat" or attribute.landmarks is None or not (attribute.mask > HALF).any():
        return None
    given, wanted = yaw(attribute.landmarks), yaw(portrait)
    if abs(given) < SIDE_VIEW or abs(given - wanted) < LEAST_TURN:
        return None
    if goes_round_the_neck(attribute.mask, attribute.landmarks):
        return None
    turn = Turn(attribute, given, wanted)
    return turn if turn.outline is not None else None


@dataclass(frozen=True)
class Turn:
    """The turn of a ``reference`` from one direction to another, degrees to the side.

    What is measured on a picture, such as its light, is measured on the reference; :meth:`wound` turns what was found.
    """

    reference: Attribute
    given: float
    wanted: float

    @cached_property
    def head(self) -> Head:
        return Head(np.asarray(self.reference.landmarks, np.float32))

    @cached_property
    def upright(self) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """The map ``(2, 3)`` from the reference to the turned picture, whose head is upright, before anything is wound;
        that back; and the turned picture's width and height."""
        return upright_frame(self.head, self.reference.mask.shape)

    @cached_property
    def centre(self) -> np.ndarray:
        """The skull's centre in the turned picture, ``(2,)`` pixels."""
        upright, _, _ = self.upright
        return upright[:, :2] @ self.head.centre[:2] + upright[:, 2]

    @cached_property
    def outline(self) -> Outline | None:
        """The hat's, ``None`` of a pixel or two, which fell between pixels."""
        upright, _, size = self.upright
        mask = cv2.warpAffine(self.reference.mask, upright, size)
        return _outline(mask, self.head, self.centre, self.given) if (mask > HALF).any() else None

    @cached_property
    def attribute(self) -> Attribute:
        """The hat as a picture would show it whose head is turned so."""
        key = content_hash([self.reference.mask, self.reference.landmarks, round(self.wanted, 3)])
        return replace(self.reference, **_cache.get(self.reference.image, lambda _: self._parts(), key=key))

    def _parts(self) -> dict[str, Any]:
        upright, _, _ = self.upright
        landmarks = np.asarray(self.reference.landmarks, np.float64).copy()
        landmarks[:, :2] = landmarks[:, :2] @ upright[:, :2].T + upright[:, 2]
        centre = np.array([*self.centre, self.head.centre[2]])
        return {
            "image": np.clip(self.wound(self.reference.image) + 0.5, 0, 255).astype(np.uint8),
            "mask": np.rint(self.wound(self.reference.mask)).astype(np.uint8),
            "landmarks": about(landmarks, centre, self.wanted - self.given),
        }

    def wound(
        self,
        values: np.ndarray,
        to_values: np.ndarray = WHOLE,
        to_result: np.ndarray = WHOLE,
        size: tuple[int, int] | None = None,
    ) -> np.ndarray:
        """A picture or mask of the reference turned like it, ``float32``.

        Args:
            values: ``(H, W, 3)`` colours, which go on beyond their picture, or a mask ``(H, W)``, which does not; both
                ``uint8`` or ``float32``.
            to_values: ``(2, 3)`` from the reference's pixels to those of ``values``.
            to_result: ``(2, 3)`` from the turned picture's pixels to those of what is returned, without rotation.
            size: width and height of that; of the turned picture if left out.
        """
        width, height = size or self.upright[2]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        x, y = (((at - to_result[k, 2]) / to_result[k, k]).astype(np.float32) for k, at in enumerate((x, y)))
        _, back, _ = self.upright
        back = to_values[:, :2] @ back + np.array([[0, 0, 1]]) * to_values[:, 2:]
        how = (cv2.INTER_CUBIC, cv2.BORDER_REPLICATE) if values.ndim == 3 else (cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        found = np.zeros((height, width, *values.shape[2:]), np.float32)
        for source, share in self._seen(x - np.float32(self.centre[0]), y - np.float32(self.centre[1])):
            at_x, at_y = (
                (back[k, 0] * (source + self.centre[0]) + back[k, 1] * y + back[k, 2]).astype(np.float32)
                for k in (0, 1)
            )
            part = cv2.remap(values, at_x, at_y, how[0], borderMode=how[1])
            found += (share if values.ndim == 2 else share[..., None]) * part
        return found

    def _seen(self, across: np.ndarray, row: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """What comes to places that count from the skull's centre, as :func:`_wound` tells it."""
        outline = self.outline
        if outline is None or outline.radius.max() > WIDEST * self.head.radii[0]:
            return [(across, np.ones_like(across))]
        axis, radius = outline.at(row)
        narrower = half_width(self.wanted) / half_width(self.given)
        full = outline.without_dents.at(row)[1]
        return _wound(across / narrower * radius / full, radius, axis, self.given, self.wanted)


@dataclass(frozen=True)
class Outline:
    """A hat in the upright frame of its head, pixels from the skull's centre.

    ``axis`` and ``radius`` ``(N,)`` are the middle and half the width of each row from ``top`` on.
    """

    top: float
    axis: np.ndarray
    radius: np.ndarray

    def at(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Middle and half the width in rows that count from the skull's centre, ``float32`` of their shape."""
        number = np.arange(len(self.radius)) + self.top
        return tuple(np.interp(row, number, each).astype(np.float32) for each in (self.axis, self.radius))

    @property
    def without_dents(self) -> Outline:
        """The same with a crown that is round all over: where a picture shows hair before it, it is hidden."""
        return replace(self, radius=_without_dents(self.radius))


def upright_frame(head: Head, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """The map ``(2, 3)`` from a picture to one of an upright head with room for all of it, that back, and its width and
    height."""
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    turn = np.array([[down[1], -down[0]], [down[0], down[1]]])
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ turn.T
    low, high = corners.min(0), corners.max(0)
    size = int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1]))
    upright = np.concatenate([turn, -low[:, None]], 1)
    back = np.concatenate([turn.T, (turn.T @ low)[:, None]], 1)
    return upright, back, size


def _outline(mask: np.ndarray, head: Head, centre: np.ndarray, given: float) -> Outline:
    there = mask > HALF
    rows = np.flatnonzero(there.any(1))
    left = np.argmax(there[rows], 1) - centre[0]
    right = there.shape[1] - 1 - np.argmax(there[rows, ::-1], 1) - centre[0]
    # The crown is seen whole; below it a face or a visor is on one side, and the head's back on the other.
    top = rows[0] - centre[1]
    crown = rows - centre[1] < top + CROWN * max(0.0, -FOREHEAD * head.radii[1] - top)
    crown[: max(1, len(rows) // 4)] = True
    middle = (left + right) / 2
    axis = np.where(crown, middle, np.median(middle[crown]))
    radius = axis - left if given > 0 else right - axis
    known = radius >= 0
    every = np.arange(rows[-1] - rows[0] + 1)
    sigma = max(SMOOTH * head.width, 0.5)
    axis, radius = (np.interp(every, rows[known] - rows[0], each[known]) for each in (axis, radius))
    # A crown begins as a parabola: its squares go on in a line above, and its top keeps its place.
    room = min(int(np.ceil(3 * sigma)), len(every) - 1)
    squares = np.pad(np.square(radius), (room, 0), mode="reflect", reflect_type="odd")
    radius = np.sqrt(np.maximum(_smoothed(squares, sigma)[room:], 0))
    axis = _smoothed(axis, sigma)
    return Outline(float(top), axis, np.maximum(radius, 1))


def _smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(values[:, None], (0, 0), 0.1, sigmaY=sigma)[:, 0]


def _without_dents(radius: np.ndarray) -> np.ndarray:
    """The least that is nowhere narrower than ``radius`` ``(N,)`` and is not bent inwards from top to widest row."""
    widest = int(np.argmax(radius))
    if widest < 2:
        return radius
    points = np.stack([np.arange(widest + 1), radius[: widest + 1]], 1)
    corners = np.concatenate([[[0, -1], [widest, -1]], points]).astype(np.float32)
    hull = cv2.convexHull(corners)[:, 0]
    hull = hull[hull[:, 1] >= 0]
    hull = hull[np.argsort(hull[:, 0])]
    return np.concatenate([np.interp(points[:, 0], *hull.T), radius[widest + 1 :]])


def half_width(turn: float) -> float:
    """Half the width of a skull seen from a side."""
    turn = np.deg2rad(turn)
    return float(np.hypot(SKULL_RADII[0] * np.cos(turn), SKULL_RADII[2] * np.sin(turn)))


def _wound(
    across: np.ndarray, radius: np.ndarray, axis: np.ndarray, given: float, wanted: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where a picture shows what comes to each pixel, and how much that counts, ``(H, W)`` each: the side of the hat
    that is seen, its mirror image, and what lies behind the hat."""
    towards = np.sign(given)
    on_head = np.rad2deg(np.arcsin(np.clip(across / radius, -1, 1))) - wanted
    own = smoothstep(-towards * on_head, -SEAM, SEAM)
    beyond = np.abs(across) - radius
    inside = np.clip(0.5 - beyond, 0, 1)
    # What is behind the head looks as what lies before it.
    sides = [axis + radius * np.sin(np.deg2rad(side * on_head + given)) for side in (1, -1)]
    behind = axis - towards * (radius + np.maximum(beyond, 0))
    return [(sides[0], own * inside), (sides[1], (1 - own) * inside), (behind, 1 - inside)]


def about(landmarks: np.ndarray, centre: np.ndarray, degrees: float) -> np.ndarray:
    """Landmarks ``(478, 3)`` turned about the vertical axis through ``centre`` ``(3,)``, ``float32``."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    return ((landmarks - centre) @ turn.T + centre).astype(np.float32)
