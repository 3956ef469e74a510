"""An opening in the face mesh and what is seen through it.

Behind eyes and lips lie textures that at rest show the photo's own pixels, so that nothing changes; only when an
opening is wider, or what is behind it turns, is there anything that the photo did not hold.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import HeadPose
from durian.geometry.raster import Canvas

STILL = np.zeros(2, np.float32)
OVERLAP = 1.5
"""Pixels that a patch reaches under the edge of its opening, against hairline gaps."""


class Patch:
    """A texture behind one opening, seen through the opening's contour.

    Args:
        texture: ``(h, w, 4) float32``, premultiplied, 0-255; its first pixel lies at ``corner`` ``(x, y)`` of the
            picture at rest.
        corner: see above.
        contour: indices of the landmarks around the opening, in order.
        shown: ``(K, 2)`` where the photo shows the inside, the contour's place in it: a wider opening then stretches
            what was shown, edge to edge, instead of showing what nobody knows.
    """

    def __init__(
        self, texture: np.ndarray, corner: tuple[int, int], contour: np.ndarray, shown: np.ndarray | None = None
    ):
        self.texture = np.clip(texture + 0.5, 0, 255).astype(np.uint8)
        self.corner = np.array(corner, np.float32)
        self.contour = contour
        # Around the centre a fan to the contour, and beyond it a strip that lies under the opening's edge.
        count = len(contour)
        here = np.arange(count)
        following = (here + 1) % count
        fan = np.stack([np.full(count, 2 * count), here, following], 1)
        strip = (
            np.stack([here, count + here, following], 1),
            np.stack([following, count + here, count + following], 1),
        )
        self.triangles = np.concatenate([fan, *strip]).astype(np.int32)
        self.facing = np.zeros(len(self.triangles), np.float32)
        self.shown = None if shown is None else (shown - self.corner).astype(np.float32)

    def draw(
        self,
        canvas: Canvas,
        frame: np.ndarray,
        driving: np.ndarray,
        pose: HeadPose,
        shift: np.ndarray = STILL,
        light: float = 1.0,
    ) -> None:
        """Draw what the opening shows over ``frame`` in place.

        ``driving`` ``(478, 3)`` are the frame's landmarks; the texture rides on the head's ``pose``, is moved on by
        ``shift`` ``(2,)`` pixels and darkened to ``light``, 0 to 1.
        """
        rim = driving[self.contour].astype(np.float32)
        rim[:, 2] = rim[:, 2].mean()
        centre = rim.mean(0, keepdims=True)
        outward = rim - centre
        edge = rim + outward / np.maximum(np.linalg.norm(outward[:, :2], axis=1, keepdims=True), 1e-3) * OVERLAP
        vertices = np.concatenate([rim, edge, centre])
        seen = vertices - np.array([shift[0], shift[1], 0], np.float32)
        at_rest = (seen - pose.shift) @ pose.rotation / pose.scale
        points = (at_rest[:, :2] - self.corner).astype(np.float32)
        if self.shown is not None:
            points = self._held(points, self.shown)
        # What the texture does not reach is its edge continued.
        points = np.clip(points, 0, np.array(self.texture.shape[1::-1], np.float32) - 1)
        low, high = np.floor(edge[:, :2].min(0)).astype(int), np.ceil(edge[:, :2].max(0)).astype(int) + 1
        box = (max(low[0], 0), max(low[1], 0), min(high[0], frame.shape[1]), min(high[1], frame.shape[0]))
        texture = self.texture
        if light < 1:
            texture = texture.copy()
            texture[..., :3] = texture[..., :3] * light
        canvas.draw(frame, texture, vertices, points, self.triangles, self.facing, box=box)

    def _held(self, points: np.ndarray, shown: np.ndarray) -> np.ndarray:
        """Texture points ``(2K + 1, 2)`` of contour, edge and centre, none of them beyond what the photo showed."""
        count = len(self.contour)
        rim = _held_in(points[:count], shown)
        edge = rim + points[count:-1] - points[:count]
        # What is shown stretches with the opening, but half as much as it could: teeth keep their place.
        centre = (_held_in(points[-1:], shown) + rim.mean(0)) / 2
        return np.concatenate([rim, edge, centre]).astype(np.float32)


def _held_in(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Points ``(N, 2) float32``, those outside a polygon ``(K, 2)`` moved to the nearest place on it."""
    contour = np.ascontiguousarray(polygon, np.float32)
    outside = np.array([cv2.pointPolygonTest(contour, (float(x), float(y)), False) < 0 for x, y in points])
    sides = np.roll(polygon, -1, axis=0) - polygon
    offset = points[:, None] - polygon
    along = (offset * sides).sum(-1) / np.maximum((sides**2).sum(-1), 1e-6)
    places = polygon + np.clip(along, 0, 1)[..., None] * sides
    nearest = np.linalg.norm(places - points[:, None], axis=-1).argmin(1)
    return np.where(outside[:, None], places[np.arange(len(points)), nearest], points).astype(np.float32)


def inside_of(landmarks: np.ndarray, contour: np.ndarray, shape: tuple[int, int], shrink: float) -> np.ndarray:
    """Anti-aliased inside of a contour, ``(H, W) float32``, pulled in by ``shrink`` pixels."""
    mask: np.ndarray = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(landmarks[contour, :2] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = mask.astype(np.float32) / 255
    if shrink > 0:
        mask = np.clip(cv2.GaussianBlur(mask, (0, 0), shrink) * 2 - 1, 0, 1)
    return mask


def box_around(points: np.ndarray, margin: float, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """``(x0, y0, x1, y1)`` around points ``(N, 2)`` with a margin in pixels, within a picture of ``shape``.

    Two pixels at its edge where the points lie outside: a crop may leave out an eye or the mouth.
    """
    low, high = points.min(0) - margin, points.max(0) + margin
    x0, y0 = (int(np.clip(np.floor(v), 0, side - 2)) for v, side in zip(low, shape[1::-1], strict=True))
    x1, y1 = int(min(shape[1], np.ceil(high[0]) + 1)), int(min(shape[0], np.ceil(high[1]) + 1))
    return x0, y0, max(x1, x0 + 2), max(y1, y0 + 2)


def opaque(texture: np.ndarray) -> np.ndarray:
    """``(h, w, 3) float32`` with full alpha, ``(h, w, 4)``."""
    return np.concatenate([texture, np.full((*texture.shape[:2], 1), 255.0, np.float32)], -1)


def cheek_pixels(landmarks: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Index of pixels at landmarks on cheeks and forehead, for the face's light."""
    points = landmarks[[50, 280, 101, 330, 36, 266, 151, 9]][:, :2]
    x = np.clip(np.round(points[:, 0]).astype(int), 0, shape[1] - 1)
    y = np.clip(np.round(points[:, 1]).astype(int), 0, shape[0] - 1)
    return y, x
