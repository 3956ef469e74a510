"""Finds the round or rounded frame of an avatar: a picture cut out on a plain ground."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

WORKING_SIDE = 256
"""Longest side at which a frame's corners are looked for, pixels."""
PLAIN = 10
"""Levels by which the ground around a frame may vary."""
LEAST_ROUND, ROUNDEST, ROUNDINGS = 0.08, 0.5, 43
"""Radii of a frame's corners that are tried, as shares of its shorter side: 0.5 of a square is a circle."""
LEAST_PICTURE = 0.6
"""Share of the photograph that a frame holds at least."""
GROUND_OUTSIDE, PICTURE_INSIDE = 0.98, 0.4
"""How much of what lies outside is the plain ground, and how much of what lies just inside its corners is not, at
least: the wall in a picture may have the colour of its ground."""
JUST_INSIDE = 0.04
"""Width of what lies just inside, as a share of the frame's shorter side."""
OVERLAP = 4
"""How much worse a pixel of the picture outside a frame is than a pixel of ground inside it."""


@dataclass(frozen=True)
class PictureFrame:
    """``inside (H, W) uint8`` how much of each pixel the framed picture covers, 255 for all; ``ground (3,)`` the colour
    around it, 0-255."""

    inside: np.ndarray
    ground: np.ndarray


def find_frame(image: np.ndarray) -> PictureFrame | None:
    """The frame with round corners that a photograph ``(H, W, 3) uint8`` has, ``None`` if it is an ordinary one."""
    ground = np.median(_corners(image), axis=0)
    if np.abs(_corners(image).astype(np.float32) - ground).max() > PLAIN:
        return None
    scale = min(1.0, WORKING_SIDE / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    around = _reached_from_corners(np.abs(small - ground).max(-1) <= PLAIN)
    picture = cv2.morphologyEx((~around).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)), borderValue=0)
    left, top, width, height = cv2.boundingRect(picture)
    if width * height < LEAST_PICTURE * around.size:
        return None
    box = np.array([left, top, left + width, top + height], np.float32)
    radius = _rounding(around, box)
    if radius is None:
        return None
    distance = _distance(image.shape[:2], box / scale, radius / scale)
    return PictureFrame(np.rint(255 * np.clip(0.5 - distance, 0, 1)).astype(np.uint8), ground.astype(np.float32))


def _rounding(around: np.ndarray, box: np.ndarray) -> float | None:
    """The radius in pixels of the corners of a frame in a ``box`` that leave ``around (h, w) bool`` outside."""
    shorter = float(min(box[2] - box[0], box[3] - box[1]))
    best, most = None, 0.0
    for radius in np.linspace(LEAST_ROUND, ROUNDEST, ROUNDINGS) * shorter:
        outside = _distance(around.shape, box, radius) > 0.5
        score = float((outside & around).sum() - OVERLAP * (outside & ~around).sum())
        if score > most:
            best, most = float(radius), score
    if best is None:
        return None
    distance = _distance(around.shape, box, best)
    outside = distance > 0.5
    # Beside its straight sides a frame's inside is the picture's edge anyway: its corners are what counts.
    corner = _distance(around.shape, box, LEAST_ROUND * shorter) < distance - 0.5
    within = corner & (distance < -1.5) & (distance > -1.5 - JUST_INSIDE * shorter)
    if not within.any() or (outside & around).sum() < GROUND_OUTSIDE * outside.sum():
        return None
    return best if (~around)[within].mean() >= PICTURE_INSIDE else None


def _distance(shape: tuple[int, ...], box: np.ndarray, radius: float) -> np.ndarray:
    """Distance of each pixel from a rectangle with round corners, ``(H, W) float32`` pixels, negative inside."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    across = np.abs(x + 0.5 - middle[0]) - half[0] + radius
    down = np.abs(y + 0.5 - middle[1]) - half[1] + radius
    beyond = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    return (beyond + np.minimum(np.maximum(across, down), 0) - radius).astype(np.float32)


def _corners(image: np.ndarray) -> np.ndarray:
    return image[[1, 1, -2, -2], [1, -2, 1, -2]]


def _reached_from_corners(plain: np.ndarray) -> np.ndarray:
    """The parts of ``plain (h, w) bool`` that hold one of the picture's corners."""
    _, parts = cv2.connectedComponents(plain.astype(np.uint8), connectivity=4)
    numbers = set(parts[[0, 0, -1, -1], [0, -1, 0, -1]].tolist()) - {0}
    return np.isin(parts, list(numbers))
