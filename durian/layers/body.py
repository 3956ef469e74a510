"""Outlines neck and shoulders where hair that is taken off hid them."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import CHIN
from durian.layers.fill import fill
from durian.layers.skin import polygon
from durian.masks import signed_distance

# A body seen from the front, in face widths from the chin along the head's own axes: (across, down), from the middle
# outwards. Taste, checked against the outlines of photographs whose shoulders are seen.
NECK_AND_SHOULDER = (
    (0.30, -0.35),
    (0.33, 0.10),
    (0.41, 0.30),
    (0.64, 0.47),
    (0.95, 0.66),
    (1.22, 0.86),
    (1.38, 1.20),
    (1.48, 1.80),
    (1.55, 4.00),
)
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
    head = Head(landmarks)
    # A body stands more upright than the head that leans on it.
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1]) + np.array([0.0, 1.0])
    down /= np.linalg.norm(down)
    across = np.array([down[1], -down[0]])
    # A neck stands below the middle of the skull, and a turned head's chin beside it.
    own_across = head.axes[:2, 0] / np.linalg.norm(head.axes[:2, 0])
    aside = (head.centre[:2] - landmarks[CHIN, :2]) @ own_across
    middle = landmarks[CHIN, :2] + aside * across
    side = np.array(NECK_AND_SHOULDER) * head.width
    left, right = (middle + sign * side[:, :1] * across + side[:, 1:] * down for sign in (-1, 1))
    return np.concatenate([left, right[::-1]]).astype(np.float32)


def neck(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Where most people's neck is, below the chin and above clothes, ``(H, W) float32`` in [0, 1]."""
    outline = body_outline(landmarks, shape)
    upper = np.array([along < NECK_LENGTH for _, along in NECK_AND_SHOULDER])
    return polygon(outline[np.concatenate([upper, upper[::-1]])], shape)


def body_under(person: np.ndarray, removed: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """How much of each pixel neck and body cover once something that hid them is taken off, ``(S, S) float32``.

    The usual outline is bent until it meets the outline of what is seen beside the hole.

    Args:
        person: ``(S, S) float32``, the person's matte.
        removed: ``(S, S) float32``, what is taken off.
        landmarks: ``(478, 3)``, pixels.
    """
    width = Head(landmarks).width
    usual = np.zeros(person.shape, np.uint8)
    cv2.fillPoly(usual, [np.rint(body_outline(landmarks, person.shape) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    farthest = FARTHEST * width
    expected = np.clip(-signed_distance(usual), -farthest, farthest)
    hole = removed > 0.05
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
    return np.clip(0.5 + expected / (2 * SOFTNESS * width), 0, 1).astype(np.float32)
