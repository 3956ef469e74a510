"""Landmarks of small pictures, along clips of them, and interpolated over the gaps of a track."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face.detection import detect_faces
from durian.face.tracking import track_faces

UPSCALE = 2
"""Tiles of 256 px are searched at 512, where MediaPipe finds more faces."""
TRACKED_SIDE = 512
"""Side to which smaller frames are enlarged for tracking, for the same reason."""


def detect_upscaled(tile: np.ndarray) -> np.ndarray | None:
    """Landmarks of the largest face in a small picture, ``(478, 3) float32`` in its own pixels."""
    height, width = tile.shape[:2]
    large = cv2.resize(tile, (width * UPSCALE, height * UPSCALE), interpolation=cv2.INTER_CUBIC)
    faces = detect_faces(large)
    if not faces:
        return None
    landmarks = faces[0].landmarks / np.float32(UPSCALE)
    # Pixel centres are at integers, so the enlarged picture's are shifted by half a pixel's growth.
    landmarks[:, :2] -= (UPSCALE - 1) / (2 * UPSCALE)
    return landmarks


def track_upscaled(frames: np.ndarray) -> list[np.ndarray | None]:
    """Landmarks of one person along a clip of small frames.

    Args:
        frames: ``(F, S, S, 3) uint8``.

    Returns:
        ``(478, 3) float32`` in the frame's own pixels, or ``None`` where no face was found, per frame.
    """
    side = frames.shape[1]
    if side >= TRACKED_SIDE:
        return track_faces(frames, "clip")
    large = (cv2.resize(frame, (TRACKED_SIDE, TRACKED_SIDE), interpolation=cv2.INTER_CUBIC) for frame in frames)
    return [_shrunk(landmarks, side / TRACKED_SIDE) for landmarks in track_faces(large, "clip")]


def fill_gaps(tracked: list[np.ndarray | None]) -> tuple[np.ndarray, int]:
    """Interpolate linearly over frames without landmarks, holding the ends.

    Args:
        tracked: one ``(478, 3)`` or ``None`` for each frame, at least one not ``None``.

    Returns:
        ``(F, 478, 3) float32`` and how many frames were filled.
    """
    known = np.array([index for index, landmarks in enumerate(tracked) if landmarks is not None])
    values = np.stack([tracked[index] for index in known]).astype(np.float32)
    after = np.clip(np.searchsorted(known, np.arange(len(tracked))), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    span = np.maximum(known[after] - known[before], 1)
    weight = np.clip((np.arange(len(tracked)) - known[before]) / span, 0, 1).astype(np.float32)[:, None, None]
    return values[before] * (1 - weight) + values[after] * weight, len(tracked) - len(known)


def _shrunk(landmarks: np.ndarray | None, scale: float) -> np.ndarray | None:
    if landmarks is None:
        return None
    landmarks = landmarks * np.float32(scale)
    landmarks[:, :2] -= (1 - scale) / 2
    return landmarks
