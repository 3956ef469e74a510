"""One person's landmarks through a video."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from durian.face.crop import Crop
from durian.face.detection import detect_faces
from durian.face.geometry import Face
from durian.face.models import LOCK, mesh_landmarks, new_video_mesh, restart

WINDOW = 2.6
"""Side of the window that the tracker sees, in face sizes: it holds one person and lets the head move."""

WINDOW_SIDE = 512
"""Largest side of the window in pixels; the mesh's own input is 192 px of face."""

DRIFT = 0.45
"""Distance from the window's centre, in face sizes, after which the window is moved."""

JUMP = 0.6
"""Distance between frames, in face sizes, beyond which the tracker is thought to have taken another face."""

EAGER, REDETECT_EVERY = 4, 3
"""A face that is lost is searched for in the whole picture: in the first frames always, then in every third only,
because a search costs ten times a tracked frame."""

JITTER = 0.012
"""Size of MediaPipe's jitter in outer-eye distances; larger movements are left alone (measured on still heads)."""


def track_faces(
    frames: Iterable[np.ndarray], what: str = "driving video", most_lost: int | None = None
) -> list[np.ndarray | None]:
    """Landmarks of one person in every frame: the largest at first, then whoever is nearest to where they were.

    Args:
        frames: ``(H, W, 3) uint8`` pictures, possibly a generator.
        what: how an error names the video.
        most_lost: after so many frames in a row without the face no more are taken.

    Returns:
        One ``(478, 3) float32`` in the frame's pixels, or ``None`` where the face was lost, per frame.
    """
    tracker = _Tracker()
    tracked = []
    try:
        for frame in frames:
            tracked.append(tracker.next(frame))
            if tracker.lost == most_lost:
                break
    finally:
        tracker.close()
    return _without_jitter(tracked)


class _Tracker:
    """Feeds a fixed window around the person to a video mesh; moves the window or searches again when needed."""

    def __init__(self) -> None:
        self.mesh = new_video_mesh()
        self.window: Crop | None = None
        self.last: np.ndarray | None = None
        self.lost = 0

    def close(self) -> None:
        with LOCK:
            self.mesh.close()

    def next(self, frame: np.ndarray) -> np.ndarray | None:
        found = None if self.window is None else self._in_window(frame, self.window)
        if found is not None and self._jumped(found):
            found = None
        if found is None and (self.lost < EAGER or self.lost % REDETECT_EVERY == 0):
            found = self._search(frame)
        if found is None:
            self.lost += 1
            return None
        self.lost = 0
        self.last = found
        centre, size = _place(found)
        if self.window is None or _has_drifted(self.window, centre, size):
            self._open_window(centre, size)
        return found

    def _search(self, frame: np.ndarray) -> np.ndarray | None:
        faces = detect_faces(frame)
        if not faces:
            return None
        face = faces[0] if self.last is None else _nearest(faces, self.last)
        window = self._open_window(*_place(face.landmarks))
        found = self._in_window(frame, window)
        return face.landmarks if found is None else found

    def _jumped(self, found: np.ndarray) -> bool:
        if self.last is None:
            return False
        (centre, size), (old_centre, old_size) = _place(found), _place(self.last)
        return bool(np.hypot(*(centre - old_centre)) > JUMP * old_size or not 0.6 < size / old_size < 1.6)

    def _open_window(self, centre: np.ndarray, size: float) -> Crop:
        if self.window is not None:
            restart(self.mesh)
        self.window = Crop(float(round(centre[0])), float(round(centre[1])), float(max(8, round(WINDOW * size))))
        return self.window

    def _in_window(self, frame: np.ndarray, window: Crop) -> np.ndarray | None:
        side = int(min(WINDOW_SIDE, max(192, window.side)))
        landmarks = mesh_landmarks(window.apply(frame, side), self.mesh)
        if landmarks is None:
            return None
        matrix = window.inverse_matrix(side)
        landmarks = landmarks * np.float32(matrix[0, 0])
        landmarks[:, :2] += matrix[:, 2].astype(np.float32)
        return landmarks


def _has_drifted(window: Crop, centre: np.ndarray, size: float) -> bool:
    off = np.hypot(window.x - centre[0], window.y - centre[1])
    return bool(off > DRIFT * size or not 0.6 < window.side / (WINDOW * size) < 1.6)


def _nearest(faces: list[Face], landmarks: np.ndarray) -> Face:
    there, _ = _place(landmarks)
    return min(faces, key=lambda face: float(np.hypot(*(_place(face.landmarks)[0] - there))))


def _place(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    return (low + high) / 2, float((high - low).max())


def _without_jitter(tracked: list[np.ndarray | None]) -> list[np.ndarray | None]:
    """Average each point with its neighbours in time, as far as they are within the jitter (a bilateral filter)."""
    result = list(tracked)
    for index, current in enumerate(tracked):
        if current is None:
            continue
        sigma = JITTER * np.linalg.norm(current[33] - current[263])
        total, weights = current.copy(), np.ones((len(current), 1), np.float32)
        for offset, closeness in ((1, 0.8), (2, 0.4)):
            before = tracked[index - offset] if index >= offset else None
            after = tracked[index + offset] if index + offset < len(tracked) else None
            if before is None or after is None:
                break
            # Pairs around the frame keep a steady movement where it is: only their mean's offset is judged.
            middle = (before + after) / 2
            move = np.linalg.norm((middle - current)[:, :2], axis=1, keepdims=True)
            spread = np.linalg.norm((after - before)[:, :2], axis=1, keepdims=True) / 2
            weight = 2 * closeness * np.exp(-0.5 * (move**2 + (0.5 * spread) ** 2) / sigma**2)
            total += weight * middle
            weights += weight
        result[index] = (total / weights).astype(np.float32)
    return result
