"""Glasses seen straight from the front, whatever the reference's turn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from durian.geometry.alignment import mask_box, trimmed_mask
from durian.geometry.glasses import SIDE_LENGTH, GlassesSurface, as_seen, vertical_extent
from durian.geometry.mesh import BROWS, EYES
from durian.layers.fill import fill
from durian.layers.skin import polygon, skin_pixels
from durian.request import Attribute

EYE_MARGIN, BROW_MARGIN = 0.05, 0.03
"""How far around its landmarks an eye or a brow may go on, units."""

FACE_GAP = 0.06
"""Half the width of gaps between skin, eyes and brows, units."""


@dataclass(frozen=True)
class FrontView:
    """The front view of a reference's glasses, ``(h, w)`` pixels of ``scale`` a unit, the bridge in the middle column.

    ``image`` ``(h, w, 3) float32``; ``mask``, ``skin`` (bare skin), ``eyes`` and ``brows`` ``(h, w) float32`` in
    [0, 1]; ``low`` is the top row's place down, units. Beyond the hinges are the sides.
    """

    surface: GlassesSurface
    scale: float
    low: float
    image: np.ndarray
    mask: np.ndarray
    skin: np.ndarray
    eyes: np.ndarray
    brows: np.ndarray

    @cached_property
    def across(self) -> np.ndarray:
        """``(w,)`` units."""
        count = self.mask.shape[1]
        return (np.arange(count) - (count - 1) / 2) / self.scale

    @cached_property
    def behind(self) -> np.ndarray:
        """The bare skin around continued behind the glasses, ``(h, w, 3) float32``."""
        return fill(self.image, self.skin * (cv2.dilate(self.mask, np.ones((3, 3))) < 0.05))

    @cached_property
    def face(self) -> np.ndarray:
        """Where the wearer's face is, and not what is behind it, ``(h, w) float32``."""
        parts = np.maximum(np.maximum(self.skin, self.eyes), self.brows)
        reach = 2 * max(1, round(FACE_GAP * self.scale)) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        return cv2.morphologyEx(parts, cv2.MORPH_CLOSE, disc)

    def points(self, places: np.ndarray) -> np.ndarray:
        """Places on the glasses ``(N, 2)`` as pixels of this view, ``(N, 2)``."""
        middle = (self.mask.shape[1] - 1) / 2
        return np.stack([places[:, 0] * self.scale + middle, (places[:, 1] - self.low) * self.scale], 1)


def front_view(attribute: Attribute, surface: GlassesSurface, scale: float) -> FrontView:
    """Look at an attribute's glasses from the front, at ``scale`` pixels a unit."""
    mask = trimmed_mask(attribute)
    low, high = vertical_extent(attribute.mask, surface)
    half = round((surface.hinge + SIDE_LENGTH) * scale)
    rows = max(4, round((high - low) * scale) + 1)
    places = np.stack(np.meshgrid(np.arange(-half, half + 1) / scale, low + np.arange(rows) / scale), -1)
    pixels = surface.pixels(as_seen(places, surface))[..., :2]

    x0, y0, x1, y1 = _box(mask, surface)
    # Averaged before it is sampled: a large reference's noise is not the frame's.
    factor = min(1.0, scale / surface.unit)
    size = max(2, round((x1 - x0) * factor)), max(2, round((y1 - y0) * factor))
    stretch = np.array(size) / [x1 - x0, y1 - y0]
    x, y = np.moveaxis(((pixels - [x0, y0] + 0.5) * stretch - 0.5).astype(np.float32), -1, 0)

    def seen(part: np.ndarray) -> np.ndarray:
        return cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    image = cv2.resize(attribute.image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small = cv2.resize(mask[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    landmarks = (attribute.face_landmarks[:, :2] - [x0, y0] + 0.5) * stretch - 0.5
    unit = surface.unit * float(stretch.mean())
    eyes, brows = (
        _grown(landmarks, contours, small.shape, margin * unit)
        for contours, margin in ((EYES, EYE_MARGIN), (BROWS, BROW_MARGIN))
    )
    skin = skin_pixels(landmarks.astype(np.float32), small.shape)
    return FrontView(surface, scale, low, seen(image), seen(small), seen(skin), seen(eyes), seen(brows))


def _box(mask: np.ndarray, surface: GlassesSurface) -> tuple[int, int, int, int]:
    """The part of the picture around a mask, with skin beside it."""
    margin = int(0.4 * surface.unit) + 2
    x0, y0, x1, y1 = mask_box(mask)
    height, width = mask.shape
    return max(0, x0 - margin), max(0, y0 - margin), min(width, x1 + margin), min(height, y1 + margin)


def _grown(landmarks: np.ndarray, contours, shape: tuple[int, int], margin: float) -> np.ndarray:
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(margin)) + 1,) * 2)
    return cv2.dilate(np.maximum(*(polygon(landmarks[contour], shape) for contour in contours)), reach)
