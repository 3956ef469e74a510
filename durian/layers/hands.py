"""Finds a portrait's own hands, and what they hold, where new items must not cover them."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import hand_landmarks
from durian.face.crop import Crop
from durian.geometry.mesh import FACE_OVAL
from durian.layers.body import neck
from durian.layers.skin import polygon

ROOM = 1.25
"""Side of the square in which hands are looked for, in sides of the crop: a hand that the crop cuts is hardly found."""
LOOKED_AT = 640
"""Pixels of that side."""
LEAST_SKIN = 0.6
"""Share of a found hand's joints within the crop that must lie on skin; clothes are taken for hands at times."""
WITHIN, REACH = 0.045, 0.2
"""Half the width of what surely is finger around its bones, and of all that may be, in palm lengths."""
FOREARM, BENT = 3.5, 0.8
"""How far from the middle finger's root a forearm is looked for, in palm lengths, and how far to the side of the line
from there through the wrist, cosine."""
HELD_REACH = 2.2
"""How far beyond a palm's middle what a hand holds may reach, in palm lengths."""
SURELY_HELD = 0.5
"""Share of a pixel from which on it is a thing."""
MAYBE_SKIN = 0.15
"""Share of a pixel from which on it may be skin: shadows on hands are taken for hair at times."""
MAYBE_HAIR = 0.05
"""Share of a pixel from which on it may be hair, and is no thing."""
THIN, CRACK = 0.08, 0.03
"""Half the width of what is no thing but a gap between parts, and of cracks in hands and things, in palm lengths."""
LARGEST_HOLE = 0.1
"""Area up to which a hole in them is none, in squares of palm lengths."""
HELD_GAP = 0.1
"""Width around a hand within which what it holds begins, in palm lengths."""
LEAST_HELD = 0.05
"""Area from which on a hand holds something, in squares of palm lengths."""
SOFT = 1.0
"""Softness of the edge, pixels."""
WRIST, KNUCKLES = 0, (5, 9, 13, 17)
MIDDLE_KNUCKLE = 9
FINGERS = ((0, 1, 2, 3, 4), (0, 5, 6, 7, 8), (0, 9, 10, 11, 12), (0, 13, 14, 15, 16), (0, 17, 18, 19, 20))
PALM = (0, 1, 5, 9, 13, 17)


def find_hands(image: np.ndarray, crop: Crop, size: int) -> list[np.ndarray]:
    """The joints of the hands in and around a portrait's crop.

    Args:
        image: ``(H, W, 3) uint8``, the photo.
        crop: of it.
        size: side of the crop, pixels.

    Returns:
        ``(21, 3) float32`` each, in pixels of the crop, in MediaPipe's order: the wrist, then each finger from its root
        to its tip, from the thumb on.
    """
    around = Crop(crop.x, crop.y, ROOM * crop.side)
    scale = ROOM * size / LOOKED_AT
    found = hand_landmarks(around.apply(image, LOOKED_AT))
    margin = (ROOM - 1) / 2 * size
    centre, corner = np.array([0.5, 0.5, 0]), np.array([margin + 0.5, margin + 0.5, 0])
    return [((hand + centre) * scale - corner).astype(np.float32) for hand in found]


def hands_mask(
    image: np.ndarray,
    hands: list[np.ndarray],
    face: np.ndarray,
    parts: np.ndarray,
    person: np.ndarray,
    worn: np.ndarray,
) -> np.ndarray:
    """Hands with their forearms and what they hold, as far as they are seen.

    Args:
        image: ``(S, S, 3) uint8``.
        hands: joints, as of :func:`find_hands`.
        face: ``(478, 3)`` landmarks.
        parts: ``(S, S, 4) uint8`` shares of skin, hair, clothes and background.
        person: ``(S, S) float32`` in [0, 1], the person with what they hold.
        worn: ``(S, S) uint8``, what is worn: glasses, hats, beards.

    Returns:
        ``(S, S) uint8``.
    """
    shape = image.shape[:2]
    found: np.ndarray = np.zeros(shape, np.uint8)
    skin, hair, background = (parts[..., part].astype(np.float32) / 255 for part in (0, 1, 3))
    oval = polygon(face[FACE_OVAL], shape) > 0.5
    head = oval | (neck(face, shape) > 0.5)
    for hand in hands:
        if not _is_skin(hand, skin):
            continue
        own = _hand(image, hand, skin, head)
        # What may be hair is rather the dark between locks, of which the parser knows little.
        things = background * (1 - worn.astype(np.float32) / 255) * person * (~oval & (hair < MAYBE_HAIR))
        found = np.maximum(found, _without_holes(np.maximum(own, _held(hand, own, things)), hand))
    if not found.any():
        return np.zeros(shape, np.uint8)
    # The edge lies within: pixels on the outline have the colours of what was behind it, too.
    inner = 2 * cv2.GaussianBlur(found.astype(np.float32), (0, 0), SOFT) - 1
    return np.rint(255 * np.clip(inner, 0, 1)).astype(np.uint8)


def palm_length(hand: np.ndarray) -> float:
    """From the wrist to the middle finger's root, or as long as its width tells where that points at the viewer."""
    length = float(np.linalg.norm(hand[MIDDLE_KNUCKLE, :2] - hand[WRIST, :2]))
    width = float(np.linalg.norm(hand[KNUCKLES[-1], :2] - hand[KNUCKLES[0], :2]))
    return max(length, 1.2 * width, 1.0)


def _is_skin(hand: np.ndarray, skin: np.ndarray) -> bool:
    at = np.rint(hand[:, :2]).astype(int)
    at = at[((at >= 0) & (at < len(skin))).all(1)]
    return len(at) > 0 and float((skin[at[:, 1], at[:, 0]] > 0.5).mean()) >= LEAST_SKIN


def _limbs(hand: np.ndarray, half_width: float, shape: tuple[int, int]) -> np.ndarray:
    """Fingers as wide as that, pixels, and the palm, ``(S, S) bool``."""
    drawn = np.zeros(shape, np.uint8)
    thick = max(1, round(2 * half_width))
    points = np.rint(hand[:, :2]).astype(np.int32)
    palm = points[list(PALM)]
    cv2.fillPoly(drawn, [palm], 1)
    if half_width > WITHIN * palm_length(hand):
        cv2.polylines(drawn, [palm], True, 1, thick)
    for finger in FINGERS:
        cv2.polylines(drawn, [points[list(finger)]], False, 1, thick)
    return drawn > 0


def _hand(image: np.ndarray, hand: np.ndarray, skin: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Where of the skin a hand and its forearm are, ``(S, S) uint8`` in {0, 1}: it ends at the picture's edges."""
    palm, shape = palm_length(hand), skin.shape
    wrist = hand[WRIST, :2]
    sure = _limbs(hand, WITHIN * palm, shape) & (skin > 0.5)
    # What lies between the fingers and is taken for skin is held, such as a phone.
    between = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(between, cv2.convexHull(np.rint(hand[:, :2]).astype(np.int32)), 1)
    possible = _limbs(hand, REACH * palm, shape) | ((between > 0) & ~head)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    knuckle = hand[MIDDLE_KNUCKLE, :2]
    away = np.stack([x, y], -1) - knuckle
    distance = np.linalg.norm(away, axis=-1)
    along = away @ ((wrist - knuckle) / max(np.linalg.norm(wrist - knuckle), 1e-6))
    forearm = (along > palm) & (distance < FOREARM * palm) & (along > BENT * distance) & ~head
    markers = np.zeros(shape, np.int32)
    markers[(skin < MAYBE_SKIN) | ~(possible | forearm)] = 1
    markers[sure] = 2
    # A watershed leaves a line of one pixel between its regions.
    line_too = cv2.dilate((cv2.watershed(image, markers) == 2).astype(np.uint8), np.ones((3, 3), np.uint8))
    return line_too * (skin > MAYBE_SKIN)


def _without_holes(mask: np.ndarray, hand: np.ndarray) -> np.ndarray:
    """A mask ``(S, S) uint8`` in {0, 1} without cracks and small holes."""
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(CRACK, hand))
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    return closed | (stats[:, cv2.CC_STAT_AREA] < LARGEST_HOLE * palm_length(hand) ** 2)[pieces]


def _held(hand: np.ndarray, own: np.ndarray, things: np.ndarray) -> np.ndarray:
    """What a hand holds, ``(S, S) uint8`` in {0, 1}: of the ``things (S, S) float32`` those that touch it."""
    palm, shape = palm_length(hand), own.shape
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    middle = hand[list(PALM), :2].mean(0)
    near = (things > SURELY_HELD) & (np.hypot(x - middle[0], y - middle[1]) < HELD_REACH * palm)
    solid = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_OPEN, _disc(THIN, hand))
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(solid)
    touching = np.unique(pieces[(cv2.dilate(own, _disc(HELD_GAP, hand)) > 0) & (pieces > 0)])
    large = [piece for piece in touching if stats[piece, cv2.CC_STAT_AREA] >= LEAST_HELD * palm**2]
    return np.isin(pieces, large).astype(np.uint8)


def _disc(radius: float, hand: np.ndarray) -> np.ndarray:
    """Of a radius in palm lengths."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(radius * palm_length(hand))) + 1,) * 2)
