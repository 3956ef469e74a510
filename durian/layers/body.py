"""Outlines neck and shoulders where hair that is taken off hid them."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import CHIN
from durian.layers.fill import fill
from durian.layers.shoulders import NECK_TOP, SHOULDER, BodyFrame, shoulder_tops
from durian.layers.skin import polygon
from durian.masks import signed_distance

NECK_LENGTH = 0.34
"""Where clothes begin if nobody sees it, below the chin, in face widths. Taste."""
FARTHEST = 0.8
"""Distances from an outline beyond this count as this, in face widths."""
SOFTNESS = 0.012
"""Half the width of the outline's soft edge, in face widths."""
KNOWN_RING = 0.10
"""Width of the ring around what is taken off that says where the outline meets it, in face widths."""

BENT_FOR = 0.25
"""Distance from what is seen, in face widths, over which the outline is bent to meet it: a high shoulder makes no wide
neck."""


def body_outline(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Corners ``(K, 2) float32`` in pixels of neck and shoulders as most people have them, upright below the chin.

    ``shape`` is the picture's height and width: the body goes on beyond its lower edge.
    """
    frame = BodyFrame.of(landmarks)
    side = np.array([*NECK_TOP, *SHOULDER])
    left, right = (frame.pixels(side * (sign, 1)) for sign in (-1, 1))
    return np.concatenate([left, right[::-1]])


def neck(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Where most people's neck is, below the chin and above clothes, ``(H, W) float32`` in [0, 1]."""
    outline = body_outline(landmarks, shape)
    upper = np.array([along < NECK_LENGTH for _, along in (*NECK_TOP, *SHOULDER)])
    return polygon(outline[np.concatenate([upper, upper[::-1]])], shape)


def body_under(person: np.ndarray, removed: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """How much of each pixel neck and body cover once something that hid them is taken off, ``(S, S) float32``.

    The usual outline, with shoulders as high as what is seen of them, is bent until it meets the outline of what is
    seen beside the hole.

    Args:
        person: ``(S, S) float32``, the person's matte.
        removed: ``(S, S) float32``, what is taken off.
        landmarks: ``(478, 3)``, pixels.
    """
    width, hole = Head(landmarks).width, removed > 0.05
    usual = _usual(person, hole, landmarks)
    farthest = FARTHEST * width
    expected = np.clip(-signed_distance(usual), -farthest, farthest)
    seen = np.clip(-signed_distance(np.where(hole, usual, np.rint(person * 255)).astype(np.uint8)), -farthest, farthest)
    # Only what lies beside the hole and below the chin's height says where the body's outline meets it.
    ring = cv2.dilate(hole.astype(np.uint8), np.ones((2 * round(KNOWN_RING * width) + 1,) * 2)) > 0
    rows = np.arange(person.shape[0])[:, None]
    known = ring & ~hole & (rows > landmarks[CHIN, 1] - 0.15 * width)
    known &= np.abs(seen) < 0.5 * farthest
    if known.sum() > 20:
        bend = np.repeat((seen - expected)[..., None].astype(np.float32), 3, 2)
        away = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
        near = np.exp(-((away / (BENT_FOR * width)) ** 2))
        expected = expected + near * fill(bend, known.astype(np.float32))[..., 0]
    # Distances to pixels have steps; a body has none.
    expected = cv2.GaussianBlur(expected.astype(np.float32), (0, 0), SOFTNESS * width + 0.5)
    return np.clip(0.5 + expected / (2 * SOFTNESS * width), 0, 1).astype(np.float32)


def _usual(person: np.ndarray, hidden: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The outline of a body whose shoulders stand as high as what is seen of them, ``(S, S) uint8``, 0-255."""
    frame = BodyFrame.of(landmarks)
    lowest = max(down for _, down in SHOULDER)
    drawn = np.zeros(person.shape, np.uint8)
    for sign, top in zip((-1, 1), shoulder_tops(person, hidden, frame), strict=True):
        inner = np.array([(0, lowest), (0, NECK_TOP[0][1]), *NECK_TOP]) * (sign, 1)
        below = np.array([(sign * SHOULDER[-1][0], lowest)])
        side = np.concatenate([frame.pixels(inner), top, frame.pixels(below)])
        cv2.fillPoly(drawn, [np.rint(side * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return drawn
