"""Finds the ears that a portrait shows beside its face."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import OUTER_EYES
from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL, smoothstep
from durian.layers.skin import polygon

TOP, BOTTOM = (-0.3, -0.2), (0.4, 0.5)
"""How far below the eyes ears begin and end at most, in face widths."""
BESIDE = 0.3
"""How far beside the face's outline ears reach at most, in face widths."""
SLIVER = 0.025
"""Half the width of what is no ear, in face widths."""
GAP = 0.06
"""Half the width of what hides the head between it and an ear, in face widths."""
SURELY_SKIN = (0.3, 0.7)
"""Share of skin between which a pixel comes to belong to an ear."""


def ears(landmarks: np.ndarray, skin: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """Where ears are seen, with the cheek beside the landmarks' outline that they grow from.

    Args:
        landmarks: ``(478, 3)`` pixels.
        skin: ``(H, W) float32`` in [0, 1], how much of each pixel is skin.
        hair: ``(H, W) float32`` in [0, 1], how much of each is hair.

    Returns:
        ``(H, W) float32`` in [0, 1].
    """
    head, oval = Head(landmarks), polygon(landmarks[FACE_OVAL], skin.shape)
    y, x = np.mgrid[: skin.shape[0], : skin.shape[1]].astype(np.float32)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    level = (np.stack([x, y], -1) - landmarks[list(OUTER_EYES), :2].mean(0)) @ down / head.width
    high = smoothstep(level, *TOP) * (1 - smoothstep(level, *BOTTOM))
    away = cv2.distanceTransform((oval < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / head.width
    beside = (1 - oval) * (away < BESIDE)
    found = beside * high * smoothstep(skin * (1 - hair), *SURELY_SKIN)
    # A sliver between strands would be a thorn on a cheek.
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(SLIVER * head.width)) + 1,) * 2)
    whole = cv2.morphologyEx(np.maximum(found, oval).astype(np.float32), cv2.MORPH_OPEN, disc)
    return np.minimum(found, whole).astype(np.float32)


def beside_ears(head: np.ndarray, seen: np.ndarray, width: float) -> np.ndarray:
    """The head between ears and what is known of it, which hair hid.

    Args:
        head: ``(H, W) float32`` in [0, 1], face and skull.
        seen: ``(H, W) float32`` in [0, 1], the ears.
        width: of the face, pixels.

    Returns:
        ``(H, W) float32`` in [0, 1].
    """
    if not seen.any():
        return np.zeros_like(head)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(GAP * width)) + 1,) * 2)
    whole, alone = (cv2.morphologyEx(part, cv2.MORPH_CLOSE, disc) for part in (np.maximum(head, seen), head))
    return (whole * (whole > alone)).astype(np.float32)
