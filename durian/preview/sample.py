"""The part of a reference that holds an item, at the size it is drawn at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.errors import InvalidRequest
from durian.geometry.alignment import mask_box, trimmed_mask
from durian.request import Attribute

MARGIN = 0.15
"""Room around an item, as a share of its longer side."""


@dataclass(frozen=True)
class Sample:
    """``image`` ``(h, w, 3) float32``, 0-255; ``alpha`` ``(h, w) float32`` in [0, 1], the item's mask; ``landmarks``
    ``(478, 3) float32`` in pixels of both, ``None`` where the reference shows no face; ``to_texture`` ``(2, 3)`` takes
    the reference's pixels to theirs."""

    image: np.ndarray
    alpha: np.ndarray
    landmarks: np.ndarray | None
    to_texture: np.ndarray

    @property
    def face_landmarks(self) -> np.ndarray:
        """``landmarks``, for what can only be done with a face.

        Raises:
            InvalidRequest: the reference shows none.
        """
        if self.landmarks is None:
            raise InvalidRequest("This reference shows no face: use a picture of a person who wears the item.")
        return self.landmarks

    @classmethod
    def of(cls, attribute: Attribute, scale: float, with_face: bool = False) -> Sample:
        """Sample a reference.

        Args:
            attribute: the reference, its mask and landmarks.
            scale: pixels to draw per pixel of the reference; large references are shrunk to it.
            with_face: take all of the face along.
        """
        mask, landmarks = trimmed_mask(attribute), attribute.landmarks
        x0, y0, x1, y1 = mask_box(mask)
        margin = int(MARGIN * max(x1 - x0, y1 - y0)) + 4
        if with_face and landmarks is not None:
            low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
            x0, y0, x1, y1 = min(x0, int(low[0])), min(y0, int(low[1])), max(x1, int(high[0])), max(y1, int(high[1]))
        height, width = mask.shape
        x0, y0 = max(0, x0 - margin), max(0, y0 - margin)
        x1, y1 = min(width, x1 + margin), min(height, y1 + margin)
        factor = min(1.0, max(scale, 1e-3))
        size = (max(2, round((x1 - x0) * factor)), max(2, round((y1 - y0) * factor)))
        fx, fy = size[0] / (x1 - x0), size[1] / (y1 - y0)
        image = cv2.resize(attribute.image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA).astype(np.float32)
        alpha = cv2.resize(mask[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        # Pixel centres are at integers: a shrink maps x to (x + 0.5) * f - 0.5.
        to_texture = np.array([[fx, 0, (0.5 - x0) * fx - 0.5], [0, fy, (0.5 - y0) * fy - 0.5]])
        if landmarks is not None:
            landmarks = np.concatenate(
                [landmarks[:, :2] @ to_texture[:, :2].T + to_texture[:, 2], landmarks[:, 2:] * (fx + fy) / 2], 1
            ).astype(np.float32)
        return cls(image, alpha, landmarks, to_texture)
