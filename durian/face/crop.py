"""The square crop of the photo that is animated, and the mapping back into the photo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from durian.errors import InvalidRequest
from durian.face.geometry import CHIN, FOREHEAD_TOP, Face, eye_distance, face_height, face_middle
from durian.schema import Checked, Real

SIDE_IN_FACE_HEIGHTS = 2.6
"""Side of the default crop: shoulder-length hair and a tall hat fit (taste, on thirty portraits)."""

RISE_IN_FACE_HEIGHTS = 0.08
"""How far above the face's centre the crop's centre sits, so that hats fit (taste)."""

FEATHER = 0.06
"""Width of the blend inside the crop's edge when pasting back, as a part of its side (taste)."""

SMALLEST_CROP = 1.0
"""Side of the smallest crop in eye distances: below it nobody would know the face."""

LARGEST_CROP = 4.0
"""Side of the largest crop in longer sides of its picture: beyond it a face is a few pixels."""

FARTHEST = 1_000_000
"""Pixels: beyond any picture, and near enough for arithmetic."""


@dataclass(frozen=True)
class Crop(Checked):
    """A square of a photo: centre ``x``, ``y`` and ``side`` in the photo's pixels (pixel centres at integers).

    The square may reach over the photo's edge; the edge pixels are repeated there.
    """

    x: Annotated[Real, Field(ge=-FARTHEST, le=FARTHEST)]
    y: Annotated[Real, Field(ge=-FARTHEST, le=FARTHEST)]
    side: Annotated[Real, Field(gt=0, le=FARTHEST)]

    def scaled(self, scale: float) -> Crop:
        """The same square in the photo made so many times as large; its corner is at -0.5 before and after."""
        return Crop((self.x + 0.5) * scale - 0.5, (self.y + 0.5) * scale - 0.5, self.side * scale)

    def matrix(self, size: int) -> np.ndarray:
        """``(2, 3) float64``: photo pixels to pixels of the ``size`` × ``size`` crop."""
        scale = size / self.side
        # The crop spans side photo pixels edge to edge, so its first pixel centre lies half a crop pixel inside.
        return np.array(
            [
                [scale, 0.0, (self.side / 2 - self.x) * scale - 0.5],
                [0.0, scale, (self.side / 2 - self.y) * scale - 0.5],
            ]
        )

    def inverse_matrix(self, size: int) -> np.ndarray:
        """``(2, 3) float64``: crop pixels to photo pixels."""
        return cv2.invertAffineTransform(self.matrix(size))

    def apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """Cut the crop out of a picture or mask.

        Args:
            image: ``(H, W, 3)`` or ``(H, W)``, uint8 or float32.
            size: side of the result in pixels.

        Returns:
            ``(size, size, 3)`` or ``(size, size)`` of the same dtype; averaged over areas when shrinking.
        """
        matrix = self.matrix(size)
        height, width = image.shape[:2]
        if size == self.side and np.allclose(matrix[:, 2], np.round(matrix[:, 2]), atol=1e-6):
            interpolation = cv2.INTER_NEAREST  # a whole-pixel shift: copied exactly
        else:
            interpolation = cv2.INTER_LINEAR if image.ndim == 2 or size <= self.side else cv2.INTER_CUBIC
        shrink = self.side / size
        if shrink <= 1:
            return cv2.warpAffine(image, matrix, (size, size), flags=interpolation, borderMode=cv2.BORDER_REPLICATE)

        # Shrinking: cut the region, average whole blocks of pixels, soften for what remains, then sample.
        factor = max(1, int(shrink))
        margin = 2 * factor + 2
        x0 = int(np.clip(math.floor(self.x - self.side / 2) - margin, 0, width - 1))
        y0 = int(np.clip(math.floor(self.y - self.side / 2) - margin, 0, height - 1))
        x1 = int(np.clip(math.ceil(self.x + self.side / 2) + margin, x0 + 1, width))
        y1 = int(np.clip(math.ceil(self.y + self.side / 2) + margin, y0 + 1, height))
        region = np.ascontiguousarray(image[y0:y1, x0:x1])
        if factor > 1:
            pad_x, pad_y = -region.shape[1] % factor, -region.shape[0] % factor
            region = cv2.copyMakeBorder(region, 0, pad_y, 0, pad_x, cv2.BORDER_REPLICATE)
            region = cv2.resize(
                region, (region.shape[1] // factor, region.shape[0] // factor), interpolation=cv2.INTER_AREA
            )
        remaining = shrink / factor
        if remaining > 1.05:
            region = cv2.GaussianBlur(region, (0, 0), 0.5 * math.sqrt(remaining**2 - 1))
        # Pixel p of the region stands for photo pixel p·factor + (factor − 1)/2 + (x0, y0).
        to_photo = np.array([[factor, 0, (factor - 1) / 2 + x0], [0, factor, (factor - 1) / 2 + y0], [0, 0, 1]])
        matrix = matrix @ to_photo
        return cv2.warpAffine(region, matrix, (size, size), flags=interpolation, borderMode=cv2.BORDER_REPLICATE)

    def points(self, points: np.ndarray, size: int) -> np.ndarray:
        """Photo pixels to crop pixels: ``(..., 2 or 3)`` to the same shape, float32; z is scaled."""
        matrix = self.matrix(size)
        moved = np.asarray(points, np.float64) * matrix[0, 0]
        moved[..., :2] += matrix[:, 2]
        return moved.astype(np.float32)


def default_crop(face: Face, image_shape: tuple[int, ...], room: float = 1.0) -> Crop:
    """A square with room for long hair and a hat, inside the photo when it can be.

    Args:
        face: the face to centre on.
        image_shape: ``image.shape`` of its photo.
        room: factor on the side; above 1 shows more around the face.
    """
    height, width = image_shape[:2]
    tall = face_height(face.landmarks)
    x0, y0, x1, y1 = face.box
    tall = max(tall, (x1 - x0) * 1.1, (y1 - y0) * 0.9)  # a head turned or tipped far is foreshortened
    side = min(SIDE_IN_FACE_HEIGHTS * room * tall, min(height, width))
    up = face.landmarks[FOREHEAD_TOP, :2] - face.landmarks[CHIN, :2]
    x = (x0 + x1) / 2
    y = (y0 + y1) / 2 + RISE_IN_FACE_HEIGHTS * tall * (-1 if up[1] <= 0 else 1)
    # Pixel centres run from 0 to W - 1, so the photo's edges lie at -0.5 and W - 0.5.
    x = float(np.clip(x, side / 2 - 0.5, width - 0.5 - side / 2))
    y = float(np.clip(y, side / 2 - 0.5, height - 0.5 - side / 2))
    return Crop(x, y, float(side))


def smallest_crop(landmarks: np.ndarray, image_shape: tuple[int, ...]) -> float:
    """Least side in pixels of a crop around a face; in a photo that is narrower than that, the photo's shorter side."""
    return min(SMALLEST_CROP * eye_distance(landmarks), *image_shape[:2])


def within_reach(crop: Crop, landmarks: np.ndarray) -> Crop:
    """The crop, moved as little as makes it hold the face's middle."""
    x, y = face_middle(landmarks)
    half = crop.side / 2
    return Crop(float(np.clip(crop.x, x - half, x + half)), float(np.clip(crop.y, y - half, y + half)), crop.side)


def check_crop(
    crop: Crop, landmarks: np.ndarray, image_shape: tuple[int, ...], scale: float = 1.0, what: str = "The crop"
) -> None:
    """Refuse a crop in which the face could not be seen: its middle is outside, or it is far too small or large.

    Args:
        crop: in pixels of the picture.
        landmarks: ``(478, 3)`` of the face.
        image_shape: ``image.shape`` of the picture.
        scale: pixels of the picture in a pixel of the file it was given as, which is what the sentence speaks of.
        what: how the sentence names the crop.

    Raises:
        InvalidRequest: with the crops that hold the face.
    """
    smallest, largest = smallest_crop(landmarks, image_shape), LARGEST_CROP * max(image_shape[:2])
    # Half a pixel of grace: the numbers may have been rounded on their way here.
    is_sized = smallest - 0.5 <= crop.side <= largest + 0.5
    held = within_reach(crop, landmarks)
    if is_sized and max(abs(held.x - crop.x), abs(held.y - crop.y)) <= 0.5:
        return
    x, y = ((place + 0.5) / scale - 0.5 for place in face_middle(landmarks))
    given = [(crop.x + 0.5) / scale - 0.5, (crop.y + 0.5) / scale - 0.5, crop.side / scale]
    raise InvalidRequest(
        f"{what} {','.join(f'{number:.6g}' for number in given)} does not hold the face: give a square with the point "
        f"{x:.0f},{y:.0f} in it and a side from {math.ceil(smallest / scale)} to {math.floor(largest / scale)} pixels."
    )


def paste_back(frame: np.ndarray, image: np.ndarray, crop: Crop) -> np.ndarray:
    """Put an animated crop back into its photo.

    Args:
        frame: ``(S, S, 3) uint8``, the animated crop.
        image: ``(H, W, 3) uint8``, the photo.
        crop: where the frame was cut.

    Returns:
        ``(H, W, 3) uint8``: the photo, exact outside the crop, blended just inside its edge.
    """
    height, width = image.shape[:2]
    half = crop.side / 2
    x0, x1 = max(0, math.ceil(crop.x - half)), min(width, math.floor(crop.x + half) + 1)
    y0, y1 = max(0, math.ceil(crop.y - half)), min(height, math.floor(crop.y + half) + 1)
    if x0 >= x1 or y0 >= y1:
        return image.copy()
    size = frame.shape[0]
    shift = np.array([[1.0, 0, -x0], [0, 1, -y0]])
    to_patch = shift @ np.vstack([crop.inverse_matrix(size), [0, 0, 1]])
    source = frame
    shrink = size / crop.side
    if shrink > 1.05:
        source = cv2.GaussianBlur(frame, (0, 0), 0.4 * math.sqrt(shrink**2 - 1))
    flags = cv2.INTER_CUBIC if shrink < 1 else cv2.INTER_LINEAR
    patch = cv2.warpAffine(source, to_patch, (x1 - x0, y1 - y0), flags=flags, borderMode=cv2.BORDER_REPLICATE)

    rows = _ramp(y0, y1, crop.y, crop.side, height)
    columns = _ramp(x0, x1, crop.x, crop.side, width)
    result = image.copy()
    result[y0:y1, x0:x1] = patch
    # Only the feathered bands need arithmetic: above, below, and beside the opaque middle.
    top, bottom = _opaque(rows)
    left, right = _opaque(columns)
    for ys, xs in (
        (slice(0, top), slice(None)),
        (slice(bottom, None), slice(None)),
        (slice(top, bottom), slice(0, left)),
        (slice(top, bottom), slice(right, None)),
    ):
        alpha = (rows[ys, None] * columns[None, xs])[..., None]
        under = image[y0:y1, x0:x1][ys, xs].astype(np.float32)
        blended = under + (patch[ys, xs] - under) * alpha
        result[y0:y1, x0:x1][ys, xs] = np.rint(blended).astype(np.uint8)
    return result


def _opaque(ramp: np.ndarray) -> tuple[int, int]:
    """First and one past the last position that is fully opaque; both the length where none is."""
    full = np.flatnonzero(ramp >= 1)
    return (int(full[0]), int(full[-1]) + 1) if len(full) else (len(ramp), len(ramp))


def _ramp(first: int, last: int, centre: float, side: float, limit: int) -> np.ndarray:
    """Opacity along one axis for pixels ``first`` to ``last - 1``: 0 at the crop's edges, 1 inside."""
    position = np.arange(first, last, dtype=np.float32)
    # Where the crop ends at the photo's own edge there is nothing to blend with.
    low = position - (centre - side / 2) if first > 0 else np.full_like(position, side)
    high = (centre + side / 2) - position if last < limit else np.full_like(position, side)
    linear = np.clip(np.minimum(low, high) / (FEATHER * side), 0, 1)
    return linear * linear * (3 - 2 * linear)
