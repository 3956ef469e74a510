"""The inside of a mouth that opens."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import INNER_LIPS
from durian.layers.fill import fill
from durian.preview.opening import Patch, box_around, cheek_pixels, inside_of, opaque

# The drawn mouth, in mouth widths (landmarks 78 to 308) below the upper lip's inner edge. Taste.
TEETH_LENGTH, TEETH_REACH = 0.16, 0.80
MOUTH_DARK = np.array([52, 20, 20], np.float32)
TONGUE = np.array([142, 66, 66], np.float32)
TOOTH = np.array([228, 219, 205], np.float32)
TONGUE_TOP = 0.24
OPEN = 0.06
"""Opening in mouth widths from which the photo shows the inside of a mouth."""


def mouth_patch(image: np.ndarray, landmarks: np.ndarray) -> Patch:
    """Upper teeth, tongue and dark, lit like the face; the photo's own inside where its mouth is open.

    Upper teeth belong to the skull: the patch follows the head and not the jaw.

    Args:
        image: ``(S, S, 3) float32`` the portrait.
        landmarks: ``(478, 3) float32`` in its pixels.
    """
    left, right = landmarks[78, :2], landmarks[308, :2]
    width = float(np.linalg.norm(right - left))
    x0, y0, x1, y1 = box_around(landmarks[INNER_LIPS, :2], 0.9 * width, image.shape[:2])
    part = image[y0:y1, x0:x1]
    at = landmarks - np.array([x0, y0, 0], np.float32)

    across = (right - left) / width
    down = np.array([-across[1], across[0]])
    y, x = np.mgrid[: part.shape[0], : part.shape[1]].astype(np.float32)
    upper = at[13, :2]
    u = ((x - upper[0]) * across[0] + (y - upper[1]) * across[1]) / width
    v = ((x - upper[0]) * down[0] + (y - upper[1]) * down[1]) / width

    light = np.clip(np.median(image[cheek_pixels(landmarks, image.shape[:2])], axis=0).mean() / 190, 0.25, 1.05)
    drawn = np.broadcast_to(MOUTH_DARK, part.shape).copy()
    tongue = np.clip((v - TONGUE_TOP) / 0.12, 0, 1) * np.clip(1 - (u / 0.36) ** 4, 0, 1) * 0.75
    drawn += tongue[..., None] * (TONGUE - drawn)
    # Teeth hang from behind the lip along an arch; edges are soft and the corners fall into shadow.
    arch = TEETH_LENGTH * (1 - 0.45 * (u / 0.5) ** 2)
    teeth = np.clip((arch - v) / 0.02, 0, 1) * np.clip((TEETH_REACH / 2 - np.abs(u)) / 0.08, 0, 1)
    gaps = 1 - 0.16 * np.exp(-(((u / 0.105 - np.round(u / 0.105 - 0.5) - 0.5) / 0.07) ** 2))
    shade = (0.92 - 0.9 * u**2) * gaps * np.clip(0.88 + v, 0.7, 1.0)
    drawn += teeth[..., None] * (TOOTH * shade[..., None] - drawn)
    drawn *= light

    own = inside_of(at, INNER_LIPS, part.shape[:2], 0)
    shown = landmarks[INNER_LIPS, :2] if mouth_opening(landmarks) > OPEN else None
    if shown is not None:  # the photo shows the inside of this mouth: keep it and continue it
        seam = inside_of(at, INNER_LIPS, part.shape[:2], 0.04 * width)
        continued = fill(part, seam) if seam.max() > 0.5 else drawn
        nearby = np.clip(1.6 * cv2.GaussianBlur(own, (0, 0), 0.10 * width), 0, 1)[..., None]
        drawn = drawn + nearby * (continued - drawn)
    inside = cv2.dilate(own, np.ones((3, 3)))[..., None]
    return Patch(opaque(part * inside + drawn * (1 - inside)), (x0, y0), INNER_LIPS, shown)


def mouth_opening(landmarks: np.ndarray) -> float:
    """Distance between the lips in their middle, in mouth widths."""
    gap, width = (np.linalg.norm(landmarks[a, :2] - landmarks[b, :2]) for a, b in ((13, 14), (78, 308)))
    return float(gap / max(float(width), 1e-6))
