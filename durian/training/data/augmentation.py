"""Augmentation of reference pictures, so that a network finds an item wherever it is and however it was taken.

The paper shifts, scales and turns its references, continues them over the uncovered border, and changes their colours;
its ranges are not known. A picture's masks and landmarks move with it.

The targets keep the portrait's light, so a portrait's colours are never changed. An attribute's are, a little, in the
way that light changes them: more would teach that colours do not matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from durian.clips import ClipFrame
from durian.errors import InvalidRequest
from durian.motion.canonical import mirror
from durian.training.data.expansion import whole

BORDER_BLUR, BORDER_FADE = 1 / 28, 1 / 26
"""Beyond the edge of a moved picture: standard deviation of the blur, and how far beyond it is complete, relative to
the side. Taste: of repeated, reflected and blurred edges on sheets, this is seen least."""
COARSE = 4
"""Factor by which a picture is reduced to be blurred that much, faster."""
DISPLAY_GAMMA = 2.2
"""Pixel values are light to the power of one over this, nearly (sRGB)."""
BEST_JPEG = 95


@dataclass(frozen=True)
class ReferenceChanges:
    """Ranges; a value is drawn evenly up to them, to either side where there are two.

    Attributes:
        moved: share of pictures that are shifted, scaled and turned.
        shift: right or left, and down or up, relative to the picture's side.
        scale: largest factor; as often smaller as larger.
        rotation: degrees.
        relit: share of pictures whose light is changed.
        exposure: stops.
        falloff: stops from the picture's middle to its edge, in any direction.
        warmth: stops that red gains and blue loses.
        saturation: part of the colour that is added or taken.
        blurred: share of pictures that are blurred.
        blur: largest standard deviation, relative to the side.
        compressed: share of pictures that are saved as JPEG in between.
        quality: lowest JPEG quality.
    """

    moved: float = 0.0
    shift: float = 0.0
    scale: float = 1.0
    rotation: float = 0.0
    relit: float = 0.0
    exposure: float = 0.0
    falloff: float = 0.0
    warmth: float = 0.0
    saturation: float = 0.0
    blurred: float = 0.0
    blur: float = 0.0
    compressed: float = 0.0
    quality: int = BEST_JPEG

    def __post_init__(self) -> None:
        for name in ("moved", "relit", "blurred", "compressed"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidRequest(f"{name} {getattr(self, name):g} is not a share: give a number from 0 to 1.")
        if self.scale < 1 or not 1 <= self.quality <= BEST_JPEG:
            raise InvalidRequest(
                f"A largest scale of {self.scale:g} and a lowest JPEG quality of {self.quality} are not possible: "
                f"give a factor of 1 or more and a quality from 1 to {BEST_JPEG}."
            )
        negative = [field.name for field in fields(self) if getattr(self, field.name) < 0]
        if negative:
            raise InvalidRequest(f"{', '.join(negative)} below 0 mean nothing: ranges reach to either side.")


ATTRIBUTE_CHANGES = ReferenceChanges(
    moved=0.9,
    shift=0.08,
    scale=1.25,
    rotation=12.0,
    relit=0.5,
    exposure=0.4,
    falloff=0.4,
    warmth=0.12,
    saturation=0.1,
    blurred=0.2,
    blur=0.005,
    compressed=0.3,
    quality=40,
)
"""Taste, on sheets of synthetic and real clips. Half of the pictures keep their exact colours."""
PORTRAIT_CHANGES = ReferenceChanges(
    moved=0.5, shift=0.04, scale=1.1, rotation=5.0, blurred=0.1, blur=0.003, compressed=0.3, quality=50
)
"""Taste. Half stay in place, as a portrait does whose background should stand still."""


@dataclass(frozen=True)
class Changes:
    """The changes of one picture; the fields' units are those of :class:`ReferenceChanges`.

    ``falloff_angle`` is where the light comes from, in radians; without ``quality`` nothing is compressed.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    rotation: float = 0.0
    exposure: float = 0.0
    falloff: float = 0.0
    falloff_angle: float = 0.0
    warmth: float = 0.0
    saturation: float = 0.0
    blur: float = 0.0
    quality: int | None = None

    def matrix(self, size: int) -> np.ndarray:
        """``(2, 3) float64``: pixels of the picture before to pixels after, turned about its middle."""
        middle = (size - 1) / 2
        matrix = cv2.getRotationMatrix2D((middle, middle), self.rotation, self.scale)
        matrix[:, 2] += np.array(self.shift) * size
        return matrix


def draw_changes(ranges: ReferenceChanges, rng: np.random.Generator) -> Changes:
    """Changes within ranges. Always takes as much chance, so that one range does not move the others' values."""
    moved, relit, blurred, compressed = rng.random(4)
    x, y, scale, rotation, exposure, falloff, warmth, saturation = rng.uniform(-1, 1, 8)
    angle, blur, quality = rng.random(3)
    changes = Changes()
    if moved < ranges.moved:
        changes = replace(
            changes,
            shift=(x * ranges.shift, y * ranges.shift),
            scale=ranges.scale**scale,
            rotation=rotation * ranges.rotation,
        )
    if relit < ranges.relit:
        changes = replace(
            changes,
            exposure=exposure * ranges.exposure,
            falloff=falloff * ranges.falloff,
            falloff_angle=angle * 2 * math.pi,
            warmth=warmth * ranges.warmth,
            saturation=saturation * ranges.saturation,
        )
    if blurred < ranges.blurred:
        changes = replace(changes, blur=blur * ranges.blur)
    if compressed < ranges.compressed:
        changes = replace(changes, quality=round(ranges.quality + quality * (BEST_JPEG - ranges.quality)))
    return changes


def apply_changes(frame: ClipFrame, changes: Changes) -> ClipFrame:
    """The picture changed, its masks and landmarks moved along."""
    frame = _moved(frame, changes)
    image = _relit(frame.image, changes)
    if changes.blur:
        image = cv2.GaussianBlur(image, (0, 0), changes.blur * len(image))
    if changes.quality is not None:
        image = _compressed(image, changes.quality)
    return replace(frame, image=image)


def mirrored(frame: ClipFrame) -> ClipFrame:
    """The frame flipped left to right; landmarks keep their meaning."""
    landmarks = frame.landmarks[mirror()]
    landmarks[:, 0] = frame.image.shape[1] - 1 - landmarks[:, 0]
    masks = {name: np.ascontiguousarray(mask[:, ::-1]) for name, mask in frame.masks.items()}
    return ClipFrame(np.ascontiguousarray(frame.image[:, ::-1]), landmarks, masks)


def resized(frame: ClipFrame, size: int) -> ClipFrame:
    """The frame at another size in pixels."""
    side = len(frame.image)
    if side == size:
        return frame
    crop = whole(side)
    masks = {name: crop.apply(mask, size) for name, mask in frame.masks.items()}
    return ClipFrame(crop.apply(frame.image, size), crop.points(frame.landmarks, size), masks)


def _moved(frame: ClipFrame, changes: Changes) -> ClipFrame:
    if changes.shift == (0, 0) and changes.scale == 1 and changes.rotation == 0:
        return frame
    size = len(frame.image)
    matrix = changes.matrix(size)
    landmarks = frame.landmarks * np.float32(changes.scale)
    landmarks[:, :2] = frame.landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    masks = {name: _warped(mask, matrix) for name, mask in frame.masks.items()}
    image = _warped(frame.image, matrix)
    covered = cv2.warpAffine(np.full((size, size), 255, np.uint8), matrix, (size, size))
    return ClipFrame(_without_streaks(image, covered < 255), landmarks, masks)


def _warped(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    # The edge goes on as it is: reflected, a hat just below it would appear a second time above.
    return cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def _without_streaks(image: np.ndarray, uncovered: np.ndarray) -> np.ndarray:
    """Blur the repeated edge pixels where the picture does not reach, more the farther they are from it."""
    if not uncovered.any():
        return image
    size = len(image)
    coarse = cv2.resize(image, None, fx=1 / COARSE, fy=1 / COARSE, interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), BORDER_BLUR * size / COARSE)
    blurred = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
    distance = cv2.distanceTransform(uncovered.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    weight = np.minimum(distance / np.float32(BORDER_FADE * size), 1)[..., None]
    return np.rint(image + weight * (blurred.astype(np.float32) - image)).astype(np.uint8)


def _relit(image: np.ndarray, changes: Changes) -> np.ndarray:
    if not any((changes.exposure, changes.falloff, changes.warmth, changes.saturation)):
        return image
    picture = image.astype(np.float32)
    if changes.saturation:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
        picture = grey + (picture - grey) * np.float32(1 + changes.saturation)
    stops: np.ndarray = np.full((1, 1, 3), changes.exposure, np.float32)
    stops[..., 0] += changes.warmth
    stops[..., 2] -= changes.warmth
    if changes.falloff:
        along = np.linspace(-1, 1, len(image), dtype=np.float32)
        slope = math.cos(changes.falloff_angle) * along + math.sin(changes.falloff_angle) * along[:, None]
        stops = stops + changes.falloff * slope[..., None]
    return np.clip(np.rint(picture * np.exp2(stops / DISPLAY_GAMMA)), 0, 255).astype(np.uint8)


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
