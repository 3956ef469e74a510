"""The working view of a head for named starts: a crop, its coordinates, its skin and its person matte."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from durian.face import FACE_OVAL
from durian.segmentation.classic.colour import SkinModel, bin_index, to_lab
from durian.segmentation.person import person_mask, refine_edge

WORKING_SIDE = 320
"""Longest side of the crop in which hair and hats are cut."""

HEAD_ROOM = (5.0, 4.0, 7.0)
"""Outer-eye distances to either side, above and below the eyes: an afro, hair to the waist."""

LEFT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
RIGHT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
CHEEKS_AND_NOSE = ((50, 101, 36, 205), (280, 330, 266, 425), (195, 45, 4, 275))
"""Polygons that are skin on nearly every face; a fringe may cover the forehead and sunglasses the
upper cheeks, so those are left out."""


@dataclass(frozen=True)
class Window:
    """A rectangle of the picture, resampled: picture = origin + working / scale."""

    x: int
    y: int
    width: int
    height: int
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """Working (width, height)."""
        return max(1, round(self.width * self.scale)), max(1, round(self.height * self.scale))

    def take(self, image: np.ndarray) -> np.ndarray:
        """The rectangle of a picture or mask at working size."""
        part = image[self.y : self.y + self.height, self.x : self.x + self.width]
        if part.shape[1::-1] == self.size:
            return np.ascontiguousarray(part)
        mode = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
        return cv2.resize(part, self.size, interpolation=mode)

    def to_working(self, points: np.ndarray) -> np.ndarray:
        """Picture pixels to working pixels, ``(N, 2)``, pixel centres at integers in both."""
        ratio = np.array([self.size[0] / self.width, self.size[1] / self.height])
        return (np.asarray(points, np.float64)[:, :2] - (self.x, self.y) + 0.5) * ratio - 0.5

    def put(self, image: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Working values in [0, 1] as a soft mask of the whole picture, its edge refined there.

        Args:
            image: the whole picture.
            values: ``(h, w) float32`` at working size.
        """
        mask = np.zeros(image.shape[:2], np.uint8)
        area = (slice(self.y, self.y + self.height), slice(self.x, self.x + self.width))
        values = cv2.resize(values, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        mask[area] = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
        return mask


def window_around(shape: tuple[int, ...], left: float, top: float, right: float, bottom: float, side: int) -> Window:
    """The window of a box cut to the picture, at most ``side`` pixels long, enlarged at most twofold."""
    x0, y0 = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
    x1, y1 = min(shape[1], int(np.ceil(right))), min(shape[0], int(np.ceil(bottom)))
    x0, y0 = min(x0, shape[1] - 1), min(y0, shape[0] - 1)
    width, height = max(1, x1 - x0), max(1, y1 - y0)
    return Window(x0, y0, width, height, min(2.0, side / max(width, height)))


class HeadCrop:
    """One face of one picture, in a window that holds what a start needs.

    HeadCrop coordinates ``u`` (to the picture's right) and ``v`` (down the face) are zero between the eyes and in units
    of the outer-eye distance, corrected for a turned head. Frontal faces: brows at v = -0.3, hairline near -0.9,
    mouth 0.95, chin 1.4; ears at u = ±0.85.
    """

    def __init__(
        self,
        image: np.ndarray,
        landmarks: np.ndarray,
        room: tuple[float, float, float] = HEAD_ROOM,
        side: int = WORKING_SIDE,
    ):
        """Prepare; everything else is computed when first asked for.

        Args:
            image: ``(H, W, 3) uint8``.
            landmarks: ``(478, 3)`` pixels of it.
            room: outer-eye distances kept to either side, above and below the eyes.
            side: longest side of the working window in pixels.
        """
        self.image = image
        self.landmarks = np.asarray(landmarks, np.float32)
        left, right = self.landmarks[33], self.landmarks[263]
        self.unit = max(1.0, float(np.linalg.norm(left - right)))
        middle = (left + right)[:2] / 2
        beside, above, below = (r * self.unit for r in room)
        box = (middle[0] - beside, middle[1] - above, middle[0] + beside, middle[1] + below)
        self.window = window_around(image.shape, *box, side)
        self.axes = head_axes(self.landmarks)
        self.middle = middle

    @cached_property
    def small(self) -> np.ndarray:
        return self.window.take(self.image)

    @cached_property
    def lab(self) -> np.ndarray:
        return to_lab(self.small)

    @cached_property
    def bins(self) -> np.ndarray:
        return bin_index(self.lab)

    @cached_property
    def points(self) -> np.ndarray:
        """Landmarks in working pixels, ``(478, 2)``."""
        return self.window.to_working(self.landmarks)

    @cached_property
    def working_unit(self) -> float:
        """The outer-eye distance in working pixels."""
        return self.unit * self.window.size[0] / self.window.width

    @cached_property
    def person(self) -> np.ndarray:
        """The person matte, ``(h, w) float32`` in [0, 1]."""
        return self.window.take(person_mask(self.image)).astype(np.float32) / 255.0

    @cached_property
    def coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """``u`` and ``v`` of every working pixel."""
        height, width = self.small.shape[:2]
        middle = self.window.to_working(self.middle[None])[0]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        offset_x, offset_y = (x - middle[0]) / self.working_unit, (y - middle[1]) / self.working_unit
        right, down = self.axes
        return offset_x * right[0] + offset_y * right[1], offset_x * down[0] + offset_y * down[1]

    def place(self, indices: tuple[int, ...] | list[int]) -> np.ndarray:
        """Coordinates of landmarks, ``(n, 2)``."""
        offsets = (self.landmarks[list(indices), :2] - self.middle) / self.unit
        return np.stack([offsets @ self.axes[0], offsets @ self.axes[1]], axis=1)

    def polygon(self, indices: tuple[int, ...], grow: float = 0.0) -> np.ndarray:
        """A landmark polygon as ``(h, w) bool``, grown by ``grow`` outer-eye distances."""
        return self.fill(self.points[list(indices)], grow)

    def fill(self, points: np.ndarray, grow: float = 0.0) -> np.ndarray:
        """Any polygon of working points as ``(h, w) bool``, grown by ``grow`` outer-eye distances."""
        canvas = np.zeros(self.small.shape[:2], np.uint8)
        cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 1)
        return grow_region(canvas.astype(bool), grow * self.working_unit)

    @cached_property
    def oval(self) -> np.ndarray:
        """The face inside MediaPipe's outline, ``(h, w) bool``; it ends below the hairline."""
        return self.polygon(FACE_OVAL)

    @cached_property
    def cheeks(self) -> np.ndarray:
        """Where a face is skin on nearly everybody, ``(h, w) bool``."""
        region = np.zeros(self.small.shape[:2], bool)
        for polygon in CHEEKS_AND_NOSE:
            region |= self.polygon(polygon)
        return region

    @cached_property
    def skin_model(self) -> SkinModel:
        samples = self.lab[self.cheeks]
        if len(samples) < 12:
            samples = self.lab[self.oval] if self.oval.any() else self.lab.reshape(-1, 3)
        return SkinModel(samples)

    @cached_property
    def skin_distance(self) -> np.ndarray:
        """Standard deviations from this face's skin colour, ``(h, w) float32``."""
        return self.skin_model.distance(self.lab)

    @cached_property
    def texture(self) -> np.ndarray:
        """Local contrast of fine detail in 8-bit lightness, ``(h, w) float32``: strands, not shading."""
        lightness = cv2.cvtColor(self.small, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
        fine = lightness - cv2.GaussianBlur(lightness, (0, 0), max(1.0, 0.04 * self.working_unit))
        return np.sqrt(cv2.GaussianBlur(fine**2, (0, 0), max(1.0, 0.06 * self.working_unit)))

    @cached_property
    def shadow_distance(self) -> np.ndarray:
        """Like :attr:`skin_distance`, counting skin in deep shadow (neck, ears) as skin too."""
        return self.skin_model.distance(self.lab, shadows=True)

    @cached_property
    def shaded_skin_distance(self) -> np.ndarray:
        """Standard deviations from the skin that this spot of the face should show, ``(h, w) float32``.

        The light's fall across the face is a plane fitted to the cheeks and the nose; chroma follows lightness,
        as in a shadow, so that the shaded side of a face stays skin and a beard does not.
        """
        u, v = (np.clip(c, -1.0, 1.1) for c in self.coordinates)
        region = self.cheeks & (self.skin_distance < 4)
        if region.sum() < 12:
            return self.skin_distance
        lab = self.lab.astype(np.float32)
        # Lower rows of a face lie in shade more often than the plane says: let it fall, but not rise, downwards.
        basis = np.stack([np.ones_like(u), u, np.abs(u), v], axis=-1)
        ridge = np.diag([0.0, 1.0, 2.0, 4.0]) * region.sum() * 0.02
        a = basis[region]
        weights = np.linalg.solve(a.T @ a + ridge, a.T @ lab[..., 0][region])
        expected = np.clip(basis @ weights, 0.45 * self.skin_model.centre[0], 250)
        lightness = np.maximum(lab[..., 0], 1.0)
        offset = (lab[..., 0] - expected) / np.maximum(12.0, 0.13 * expected)
        tone = self.skin_model.centre[1:] - 128
        darker = np.clip(lightness / self.skin_model.centre[0], 0.25, 1.3)[..., None]
        chroma = (lab[..., 1:] - 128 - tone * darker) / 4.5
        return np.sqrt(offset**2 + (chroma**2).sum(axis=-1))

    def matte(self, region: np.ndarray, radius: float = 0.05) -> np.ndarray:
        """A cut's result as a soft mask at working size: its edge follows strands and anti-aliasing of the picture.

        Args:
            region: ``(h, w) bool``.
            radius: reach of the softness in outer-eye distances.
        """
        return soften(self.small, region, max(2, round(radius * self.working_unit)))


def soften(image: np.ndarray, region: np.ndarray, radius: int) -> np.ndarray:
    """A hard region as a matte, ``(h, w) float32``: guided by the picture within ``radius`` of the edge only."""
    matte = refine_edge(image, region.astype(np.float32), radius, epsilon=3e-4)
    matte = np.clip((matte - 0.1) / 0.8, 0, 1)
    kernel = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    matte[cv2.erode(region.astype(np.uint8), kernel) == 1] = 1
    matte[cv2.dilate(region.astype(np.uint8), kernel) == 0] = 0
    return matte


def grow_region(region: np.ndarray, distance: float) -> np.ndarray:
    """A ``bool`` region grown (or, below 0, shrunk) by a distance in pixels."""
    if distance == 0 or not region.any() or region.all():
        return region
    if distance > 0:
        return cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5) <= distance
    return cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5) > -distance


def head_axes(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In-plane unit vectors to the face's right (as seen) and down, each ``(2,)``; ``landmarks (478, 2 or 3)``."""
    eyes = landmarks[263, :2] - landmarks[33, :2]
    down = landmarks[152, :2] - landmarks[10, :2]
    # Eyes give the roll of a frontal face, the chin that of a profile: their mean serves both.
    right = eyes / max(np.linalg.norm(eyes), 1e-6) + np.array([down[1], -down[0]]) / max(np.linalg.norm(down), 1e-6)
    norm = np.linalg.norm(right)
    right = right / norm if norm > 1e-3 else np.array([1.0, 0.0])
    return right, np.array([-right[1], right[0]])
