"""Rules of wearing: how a hat presses and hides the hair under it.

A hat hides the hair it covers and presses what it does not: beyond its outline nothing sticks out, and below its brim
the hair comes out from under it and finds its own width again. Nothing is cut: hair beside a hat hangs together with
the hair under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from durian.face import OUTER_EYES
from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL, smoothstep
from durian.layers.lining import below_chin
from durian.layers.round_the_neck import goes_round_the_neck

NOSE_BRIDGE = 168
UNDER_BRIM = 0.22
"""How far above a hat's edge the hair under it still is, in outer-eye distances: a soft brim shows what lies behind."""
STRAP = 0.08
"""Half the width of a strap or a cord, in outer-eye distances."""
SPREAD = 0.9
"""Distance below a hat's side over which pressed hair finds its own width again, in outer-eye distances. Taste."""
INSET = 0.06
"""How far inside a hat's side the hair comes out from under it, in outer-eye distances."""
SIDE_ROWS = 0.5
"""Rows above a hat's lower corner that its side is looked for in, in outer-eye distances."""
LEAST_LOCK = 0.12
"""Width that hair beside the face keeps when it is pressed, in outer-eye distances."""
BEYOND_HAIR = 0.45
"""Width of what moves along with the outline of pressed hair, in outer-eye distances."""
TO_NECK = (-0.4, -0.1)
"""Distance below the chin, in face widths, over which a head becomes a neck."""
RAYS = 720
POLAR = cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS


@dataclass(frozen=True)
class PressedHair:
    """The effect of a hat on hair.

    ``beyond`` ``(S, S) float32`` is where no hair shows any more, for the hat takes its place or presses it down. What
    is left moves: the pixel ``(x, y)`` shows what was at ``(map_x, map_y)``, ``(S, S) float32``. If ``hides_all``,
    nothing is left: under a scarf that goes around the neck no hair is seen.
    """

    beyond: np.ndarray
    map_x: np.ndarray
    map_y: np.ndarray
    hides_all: bool = False

    @cached_property
    def moved(self) -> np.ndarray:
        """Where something is pressed, ``(S, S) bool``."""
        rows, columns = np.indices(self.map_x.shape)
        return np.abs(self.map_x - columns) + np.abs(self.map_y - rows) > 0.25

    def press(self, picture: np.ndarray) -> np.ndarray:
        """A picture or mask ``(S, S[, C])`` of the wearer with its hair pressed, of the same dtype."""
        if not self.moved.any():
            return picture
        return cv2.remap(picture, self.map_x, self.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def press_hair(hair: np.ndarray, hat: np.ndarray, landmarks: np.ndarray, unit: float) -> PressedHair:
    """Put a hat on hair.

    Args:
        hair: ``(S, S) float32`` in [0, 1], the wearer's hair.
        hat: ``(S, S) float32`` in [0, 1], where the hat lies.
        landmarks: ``(478, 3)`` of the wearer, pixels.
        unit: the outer-eye distance, pixels.
    """
    size = hair.shape[0]
    places = np.indices(hair.shape).astype(np.float32)
    rows, columns = places[0], places[1]
    if not (hat > 0.5).any():
        return PressedHair(np.zeros_like(hair), columns, rows)
    beyond = beyond_hat(hat, landmarks, unit)
    if goes_round_the_neck(hat, landmarks):
        above = 1 - smoothstep(below_chin(landmarks, size), *TO_NECK)
        # Below the chin are neck and shoulders, not only what lies behind.
        return PressedHair((beyond * above).astype(np.float32), columns, rows, hides_all=True)
    to_upright = upright(landmarks, size)
    hair_upright, hat_upright = (cv2.warpAffine(part, to_upright, (size, size)) for part in (hair, hat))
    points = landmarks[:, :2] @ to_upright[:, :2].T + to_upright[:, 2]
    shift = _pressed_shift(hair_upright, hat_upright, points, unit)
    if not shift.any():
        return PressedHair(beyond, columns, rows)
    shift = cv2.warpAffine(shift, to_upright, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    across = to_upright[0, :2] / np.linalg.norm(to_upright[0, :2])
    map_x, map_y = columns + shift * np.float32(across[0]), rows + shift * np.float32(across[1])
    return PressedHair(beyond, map_x.astype(np.float32), map_y.astype(np.float32))


def beyond_hat(hat: np.ndarray, landmarks: np.ndarray, unit: float) -> np.ndarray:
    """The region behind and beyond a hat, seen from the face outwards, ``(S, S) float32``.

    It begins a little inside the hat: along its lower edge hair goes on under it.

    Args:
        hat: ``(S, S) float32`` in [0, 1].
        landmarks: ``(478, 3)`` of its wearer, pixels.
        unit: the outer-eye distance, pixels.
    """
    size = hat.shape[0]
    centre = tuple(float(value) for value in landmarks[NOSE_BRIDGE, :2])
    polar = cv2.warpPolar(_without_straps(hat, landmarks, unit), (size, RAYS), centre, size, POLAR)
    inside = max(1, round(UNDER_BRIM * unit))
    crossed = np.maximum.accumulate(polar, axis=1)
    later = np.zeros_like(crossed)
    later[:, inside:] = crossed[:, :-inside]
    # What the hat itself ends before that is thinner than the margin: there it begins where the hat ends.
    outside = crossed * (1 - polar)
    beyond = cv2.warpPolar(np.maximum(later, outside), (size, size), centre, size, POLAR | cv2.WARP_INVERSE_MAP)
    return smoothstep(beyond, 0.2, 0.8).astype(np.float32)


def _without_straps(hat: np.ndarray, landmarks: np.ndarray, unit: float) -> np.ndarray:
    """A hat without what is thin below the eyes, which presses no hair, ``(S, S) float32``."""
    reach = 2 * max(1, round(STRAP * unit)) + 1
    wide = cv2.morphologyEx(hat, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    down = Head(landmarks).axes[:2, 1]
    y, x = np.mgrid[: hat.shape[0], : hat.shape[1]].astype(np.float32)
    below_eyes = (np.stack([x, y], -1) - landmarks[list(OUTER_EYES), :2].mean(0)) @ down > 0
    return np.where(below_eyes, wide, hat)


def within_sides(hat: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Where a hat or its brim lies beside, at the same height and farther from the middle of the face,
    ``(S, S) float32``; arguments as of :func:`beyond_hat`."""
    size, to_upright = len(hat), upright(landmarks, len(hat))
    turned = cv2.warpAffine(hat, to_upright, (size, size))
    middle = int(np.clip(landmarks[NOSE_BRIDGE, 0], 1, size - 1))
    left = np.maximum.accumulate(turned[:, :middle], axis=1)
    right = np.maximum.accumulate(turned[:, middle:][:, ::-1], axis=1)[:, ::-1]
    within = np.concatenate([left, right], 1)
    return cv2.warpAffine(within, to_upright, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def upright(landmarks: np.ndarray, size: int) -> np.ndarray:
    """``(2, 3)``: the rotation about the face that makes the head upright."""
    down = Head(landmarks).axes[:2, 1]
    angle = float(np.degrees(np.arctan2(down[0], down[1])))
    centre = tuple(float(value) for value in landmarks[NOSE_BRIDGE, :2])
    return cv2.getRotationMatrix2D(centre, -angle, 1.0).astype(np.float32)


def _pressed_shift(hair: np.ndarray, hat: np.ndarray, points: np.ndarray, unit: float) -> np.ndarray:
    """By how much each pixel's source lies to the right of it in an upright head, ``(S, S) float32``.

    Args:
        hair, hat: ``(S, S) float32``.
        points: ``(478, 2)``.
        unit: pixels.
    """
    # The left side, and the right one as its mirror image.
    size = hair.shape[1]
    mirrored = points * np.array([-1, 1]) + np.array([size - 1, 0])
    left = _shift_of_left_side(hair, hat, points, unit)
    right = _shift_of_left_side(hair[:, ::-1], hat[:, ::-1], mirrored, unit)
    return left - right[:, ::-1]


def _shift_of_left_side(hair: np.ndarray, hat: np.ndarray, points: np.ndarray, unit: float) -> np.ndarray:
    size = hair.shape[0]
    middle = float(points[NOSE_BRIDGE, 0])
    corner = _lower_left_corner(hat, middle, unit)
    shift = np.zeros_like(hair)
    if corner is None:
        return shift
    side, brim = corner[0] + INSET * unit, corner[1]
    rows = np.arange(size)
    face = _face_side(points, size)
    outline = _outer_outline(hair, hat, middle, unit)
    back = smoothstep(rows, brim, brim + SPREAD * unit)
    limit = side + back * (np.where(np.isfinite(outline), outline, side) - side)
    limit = np.minimum(limit, face - LEAST_LOCK * unit)
    pressed = (rows > brim - SIDE_ROWS * unit) & (limit > outline)
    columns = np.arange(size, dtype=np.float32)
    for row in np.flatnonzero(pressed):
        # Between the face and the outline hair becomes narrower; beyond, what is there moves along and fades out.
        edge, end = outline[row], face[row]
        stretched = end - (end - columns) * (end - edge) / (end - limit[row])
        amount = limit[row] - edge
        beyond = columns - amount * (1 - smoothstep(limit[row] - columns, 0, BEYOND_HAIR * unit + amount))
        source = np.where(columns >= limit[row], stretched, beyond)
        shift[row] = np.where(columns < end, source - columns, 0)
    return cv2.GaussianBlur(shift, (0, 0), sigmaX=0.1, sigmaY=max(0.04 * unit, 0.5))


def _lower_left_corner(hat: np.ndarray, middle: float, unit: float) -> tuple[float, float] | None:
    """Where a hat's side ends at its lower left, ``(x, y)``; ``None`` where the hat has no left side."""
    inside = hat[:, : max(1, int(middle))] > 0.5
    columns = np.flatnonzero(inside.any(0))
    if not len(columns):
        return None
    tenth = columns[: max(1, len(columns) // 8)]
    lower = hat.shape[0] - 1 - np.argmax(inside[::-1, tenth], axis=0)
    brim = float(np.median(lower))
    near = inside[max(0, int(brim - SIDE_ROWS * unit)) : int(brim) + 1]
    return float(np.flatnonzero(near.any(0))[0]), brim


def _face_side(points: np.ndarray, size: int) -> np.ndarray:
    """The left outline of a face in each row, ``(S,) float64``; above and below it that of its end."""
    oval = points[FACE_OVAL]
    left = oval[oval[:, 0] < points[NOSE_BRIDGE, 0]]
    left = left[np.argsort(left[:, 1])]
    return np.interp(np.arange(size), left[:, 1], np.minimum(left[:, 0], np.median(left[:, 0])))


def _outer_outline(hair: np.ndarray, hat: np.ndarray, middle: float, unit: float) -> np.ndarray:
    """The leftmost hair in each row, smoothed along the rows, ``(S,)``; infinite where there is none."""
    size = hair.shape[0]
    there = (hair[:, : max(1, int(middle))] > 0.5) & (hat[:, : max(1, int(middle))] < 0.5)
    found = there.any(1)
    outline = np.where(found, np.argmax(there, axis=1), np.inf)
    if found.sum() < 3:
        return np.full(size, np.inf)
    rows = np.arange(size)
    filled = np.interp(rows, rows[found], outline[found]).astype(np.float32)
    smooth = cv2.GaussianBlur(filled[:, None], (0, 0), sigmaX=0.1, sigmaY=max(0.12 * unit, 0.5))[:, 0]
    # Never inside of the outline: what is pressed is all of it.
    return np.where(found, np.minimum(smooth, outline), np.inf)
