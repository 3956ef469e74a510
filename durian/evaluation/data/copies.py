"""Changed copies of a photograph: a reference to take its item from, and a portrait with the item in another colour.

The copy is turned, smaller, encoded once more and, where asked, under other light; the portrait's item has another
colour, so that leaving it where it is scores badly. All is exact arithmetic: what undoing it gives is known too.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.layers.fill import blurred

TURN, SHRINK, QUALITY = 4.0, 0.93, 90
"""Degrees counterclockwise as seen, factor on the size, and JPEG quality of a copy: what a second upload of one photo
goes through. With these the whole square still fits into a picture of its own size."""
GAIN, CAST, GAMMA = 0.85, (1.08, 1.0, 0.88), 1.15
"""Other light on the copy: factor on all channels and on each, below 1 so that nothing is cut off, and exponent."""
LIGHTNESS_SHIFT, COLOUR_SHIFT = 35.0, 40.0
"""CIELAB units by which an item is made lighter or darker, and moved away from its own hue."""
GREY = 4.0
"""Chroma below which an item has no hue to be moved away from."""
GREY_SHIFT = (0.5, -0.87)
"""Direction in a and b that a grey item takes: violet."""
EDGE = 0.02
"""Softness of the recoloured area's edge in outer-eye distances; it lies inside the mask."""


@dataclass(frozen=True)
class TurnedCopy:
    """A copy of a square photograph: ``image`` ``(S, S, 3) uint8``, the photo's pixels in the copy by ``matrix``
    ``(2, 3)``, and whether it is ``relit``."""

    image: np.ndarray
    matrix: np.ndarray
    relit: bool

    def undone(self) -> np.ndarray:
        """The photograph as far as the copy still holds it, ``(S, S, 3) uint8``: warped and lit back exactly."""
        picture = self.image.astype(np.float32) / 255
        if self.relit:
            picture = picture ** (1 / GAMMA) / (GAIN * np.array(CAST, np.float32))
        size = self.image.shape[:2]
        flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        back = cv2.warpAffine(picture, self.matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return _as_bytes(back * 255)


def turned_copy(image: np.ndarray, relit: bool = False) -> TurnedCopy:
    """The photograph ``(S, S, 3) uint8`` turned, shrunk, relit if asked, and encoded as JPEG once more."""
    side = image.shape[0]
    middle = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), TURN, SHRINK)
    picture = image.astype(np.float32) / 255
    copy = cv2.warpAffine(
        picture, matrix, (side, side), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
    ).clip(0, 1)
    if relit:
        copy = (copy * GAIN * np.array(CAST, np.float32)) ** GAMMA
    encoded = cv2.imencode(".jpg", _as_bytes(copy * 255)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1]
    return TurnedCopy(np.ascontiguousarray(decoded), matrix, relit)


def recoloured(image: np.ndarray, mask: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """The photograph with its item in another colour.

    Args:
        image: ``(S, S, 3) uint8``.
        mask: ``(S, S) uint8``, the item.
        unit: outer-eye distance in pixels.

    Returns:
        ``(S, S, 3) uint8``, equal to ``image`` wherever the mask is 0, and ``(S, S) bool`` where it differs.
    """
    share = mask.astype(np.float32) / 255
    share = np.minimum(share, blurred(share, EDGE * unit))[..., None]
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    lightness, *hue = (lab * share).sum((0, 1)) / max(float(share.sum()), 1e-6)
    hue = np.array(hue, np.float32)
    chroma = float(np.linalg.norm(hue))
    direction = np.array(GREY_SHIFT, np.float32) if chroma < GREY else -hue / chroma
    shift = np.array([LIGHTNESS_SHIFT if lightness < 50 else -LIGHTNESS_SHIFT, *(COLOUR_SHIFT * direction)])
    changed = lab + shift.astype(np.float32)
    changed[..., 0] = changed[..., 0].clip(0, 100)
    other = cv2.cvtColor(changed, cv2.COLOR_Lab2RGB) * 255
    mixed = _as_bytes(image + share * (other - image))
    return mixed, (mixed != image).any(2)


def _as_bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values.clip(0, 255)).astype(np.uint8)
