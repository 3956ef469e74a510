"""Lips that close over a mouth that was open in the photo."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import INNER_LIPS, MESH_POINTS, OUTER_LIPS, face_triangles, smoothstep
from durian.geometry.raster import Canvas
from durian.layers.fill import fill
from durian.motion.features import LOWER_LIPS, UPPER_LIPS
from durian.preview.mouth import OPEN, mouth_opening
from durian.preview.opening import box_around, inside_of, opaque

CLOSING = (0.25, 0.75)
"""Shares of the opening at rest between which lips take on their clean colours."""
LIP_RIM, SHADED_RIM = 0.015, 0.12
"""Around the landmarks' inner contour, in mouth widths: what shows of the mouth's inside beyond it, and how far what is
much darker than the lips is still its shadow (taste, on shouting and laughing portraits)."""
SHADOW = 0.5
"""Brightness relative to the lips' own below which a pixel beside the opening is shadow."""


CORNER = (0.03, 0.12)
"""Distances from a corner in mouth widths between which lips come to be cleaned: the dark in it is its own."""
MEETING = (0.0, 0.05)
"""Openings in mouth widths between which that shadow is lost in the dark of the mouth."""
LINE_LIGHT, LINE_WIDTH = 0.72, 0.012
"""Light left between lips that have met, and half the width of that line in mouth widths."""


class Lips:
    """The lips of one portrait without the dark and the teeth that the photo shows along their edges.

    Args:
        image: ``(S, S, 3) float32`` the portrait.
        landmarks: ``(478, 3) float32`` in its pixels.
    """

    def __init__(self, image: np.ndarray, landmarks: np.ndarray):
        self.opening = mouth_opening(landmarks)
        if self.opening <= OPEN:
            return
        rows = np.concatenate([[78, 308], *UPPER_LIPS[:3], *LOWER_LIPS[:3]])
        triangles = face_triangles()
        self.triangles = np.ascontiguousarray(triangles[np.isin(triangles, rows).any(1)])
        around = landmarks[np.unique(self.triangles), :2]
        x0, y0, x1, y1 = box_around(around, 4, image.shape[:2])
        self.texture = np.clip(opaque(_clean_lips(image[y0:y1, x0:x1], landmarks[:, :2] - [x0, y0])) + 0.5, 0, 255)
        self.texture = self.texture.astype(np.uint8)
        self.rest = np.ascontiguousarray(landmarks[:MESH_POINTS, :2] - [x0, y0], np.float32)
        self.facing = np.ones(len(self.triangles), np.float32)

    def draw(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray) -> None:
        """Over the face, as far as the mouth is less open in ``driving`` ``(478, 3)`` than at rest."""
        if self.opening <= OPEN:
            return
        closed = float(1 - smoothstep(mouth_opening(driving) / self.opening, *CLOSING))
        if closed < 0.02:
            return
        face = np.ascontiguousarray(driving[:MESH_POINTS], np.float32)
        box = box_around(face[np.unique(self.triangles), :2], 1, frame.shape[:2])
        canvas.draw(frame, self.texture, face, self.rest, self.triangles, self.facing, closed, box)

    def draw_line(self, frame: np.ndarray, driving: np.ndarray) -> None:
        """The soft shadow between lips that meet, which the photo did not show; over the smoothed edge."""
        if self.opening <= OPEN:
            return
        met = float(1 - smoothstep(mouth_opening(driving), *MEETING))
        if met < 0.02:
            return
        upper, lower = (driving[[78, *row[0], 308], :2] for row in (UPPER_LIPS, LOWER_LIPS))
        seam = (upper + lower) / 2
        width = float(np.linalg.norm(seam[-1] - seam[0]))
        x0, y0, x1, y1 = box_around(seam, 0.1 * width, frame.shape[:2])
        shadow = np.zeros((y1 - y0, x1 - x0), np.uint8)
        points = np.round((seam - [x0, y0]) * 16).astype(np.int32)
        cv2.polylines(shadow, [points], False, 255, max(1, round(LINE_WIDTH * width)), cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(shadow, (0, 0), max(0.5, LINE_WIDTH * width))[..., None] / 255
        part = frame[y0:y1, x0:x1]
        part[:] = (part * (1 - soft * met * (1 - LINE_LIGHT)) + 0.5).astype(np.uint8)


def _clean_lips(part: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The lips' colours continued over what shows of the mouth's inside, ``(h, w, 3) float32``."""
    width = float(np.linalg.norm(landmarks[308] - landmarks[78]))
    inner = inside_of(landmarks, INNER_LIPS, part.shape[:2], 0)
    outer = inside_of(landmarks, OUTER_LIPS, part.shape[:2], 0)
    rim, shaded = (cv2.dilate(inner, _disc(reach * width)) for reach in (LIP_RIM, SHADED_RIM))
    brightness = cv2.GaussianBlur(part.mean(-1), (0, 0), 0.01 * width + 0.3)
    lips = (outer > 0.5) & (rim < 0.02)
    if lips.sum() < 10:
        return part
    shadow = (brightness < SHADOW * np.median(brightness[lips])) & (shaded > 0.5)
    hidden = cv2.dilate(np.maximum(rim, (shadow & (outer > 0.5)).astype(np.float32)), _disc(0.01 * width))
    hidden = cv2.GaussianBlur(hidden, (0, 0), 0.01 * width + 0.3)
    y, x = np.mgrid[: part.shape[0], : part.shape[1]].astype(np.float32)
    for corner in landmarks[[78, 308]]:
        hidden *= smoothstep(np.hypot(x - corner[0], y - corner[1]) / width, *CORNER)
    clean = fill(part, (hidden < 0.02).astype(np.float32))
    return part + hidden[..., None] * (clean - part)


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
