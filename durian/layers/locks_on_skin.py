"""Finds single locks before skin that a mask of hair missed."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.head import Head
from durian.geometry.mesh import BROWS, FACE_OVAL
from durian.layers.fill import fill
from durian.layers.skin import colour_distance, polygon
from durian.masks import HALF

WIDTH = 0.16
"""The widest lock that is found, in outer-eye distances; what is wider is a shadow."""
DIFFERENT = 9.0
"""Colour distance (CIE Lab) from the skin around it from which on something may be a lock."""
APART = 20.0
"""The same distance between skin and hair from which on locks can be told."""
SHARE = 0.25
"""Share of the way from the skin's colour to the hair's from which on a pixel may be one."""
GAP = 0.05
"""Length, in outer-eye distances, over which a lock may be interrupted: a strand is thinner than a pixel."""
EDGE = 0.025
"""Growth of what is found, in outer-eye distances: a strand's edges are half skin."""
CLEAR = 0.05
"""Skin around brows, in outer-eye distances, that has lines of its own."""


def locks_on_skin(image: np.ndarray, hair: np.ndarray, skin: np.ndarray, unit: float) -> np.ndarray:
    """Thin locks that hang from hair before skin, beyond its mask.

    Lines of the skin that run up to the hair are taken along, and a chain half of which hair hides, which does little
    harm, since skin takes their place.

    Args:
        image: ``(S, S, 3) uint8``.
        hair: ``(S, S) uint8``.
        skin: ``(S, S) bool``, where they are looked for, as :func:`forehead` says.
        unit: outer-eye distance, pixels.

    Returns:
        ``(S, S) bool``.
    """
    inside, free = hair > 230, (hair <= HALF) & skin
    if not inside.any() or not free.any():
        return np.zeros(hair.shape, bool)
    plain = _plain(image, free, unit)
    image = image.astype(np.float32)
    of_hair = fill(image, inside.astype(np.float32))
    way = of_hair - plain
    share = ((image - plain) * way).sum(-1) / np.maximum((way**2).sum(-1), 1)
    found = free & (share > SHARE) & (colour_distance(image, plain) > DIFFERENT)
    found &= colour_distance(of_hair, plain) > APART
    grown = cv2.dilate((found | (hair > HALF)).astype(np.uint8), _disc(GAP * unit))
    # A lock hangs on the hair; what is found apart from it is something else.
    _, parts = cv2.connectedComponents(grown)
    held = np.isin(parts, np.unique(parts[hair > HALF])) & (parts > 0)
    return (cv2.dilate((found & held).astype(np.uint8), _disc(EDGE * unit)) > 0) & (hair <= HALF)


def forehead(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The face above the middle of the brows, without those, ``(H, W) bool``; ``landmarks`` are ``(478, 3)`` pixels."""
    brows = np.concatenate([landmarks[brow, :2] for brow in BROWS])
    above = _level(landmarks, shape) < (brows @ _down(landmarks)).mean()
    skin = (polygon(landmarks[FACE_OVAL], shape) > 0) & above
    for brow in BROWS:
        skin &= ~_around(polygon(landmarks[brow], shape), CLEAR * eye_distance(landmarks))
    return skin


def _level(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How far down the head's own axis each pixel is, pixels ``(H, W) float32``."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    down = _down(landmarks)
    return x * down[0] + y * down[1]


def _down(landmarks: np.ndarray) -> np.ndarray:
    down = Head(landmarks).axes[:2, 1]
    return (down / np.linalg.norm(down)).astype(np.float32)


def _around(part: np.ndarray, reach: float) -> np.ndarray:
    return cv2.dilate(part, np.ones((2 * max(1, round(reach)) + 1,) * 2)) > 0


def _plain(image: np.ndarray, skin: np.ndarray, unit: float) -> np.ndarray:
    """The skin's colours around each pixel, ``(S, S, 3) float32``, without lines thinner than :data:`WIDTH`."""
    side = 2 * max(1, round(WIDTH * unit)) + 1
    # Beside hair there is less skin than hair within that: the skin's colours go on there.
    around = fill(image.astype(np.float32), skin.astype(np.float32))
    on = np.where(skin[..., None], image, np.clip(around, 0, 255)).astype(np.uint8)
    return cv2.medianBlur(on, side).astype(np.float32)


def _disc(radius: float) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(radius)) + 1,) * 2)
