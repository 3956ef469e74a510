"""Pictures for the page: small data URLs, and masks as SVG outlines.

The page never gets a full photo: what it shows is at most :data:`DISPLAY_SIDE` pixels wide and travels inside the
event's answer, so it leaves no file behind that somebody else could ask for. Masks stay lossless on the server; what
travels is their outline.
"""

from __future__ import annotations

import base64
import hashlib

import cv2
import numpy as np

DISPLAY_SIDE = 768
"""Longest side of a picture on the page, in pixels."""
CARD_SIDE = 144
"""Side of a thumbnail on a card: 72 points at two pixels a point."""
JPEG_QUALITY = 88
"""No visible blocks at display size and about 90 kB (taste)."""
INSET = 0.46
"""Diameter of a card's inset as a part of its side, and below the width of its rim (taste)."""
INSET_RIM = 0.02
MOST_OUTLINE_POINTS = 10_000
"""Of a mask's outline, some 120 kB; hair has one or two thousand. One that has more, as of noise, is drawn coarser."""
MOST_OUTLINE_PIXELS = 100_000
"""Along a mask's outlines at display size."""
HALF = 127
"""Mask values above this are inside."""


def data_url(image: np.ndarray, side: int = DISPLAY_SIDE, quality: int = JPEG_QUALITY) -> str:
    """A JPEG data URL of ``(H, W, 3) uint8`` RGB, at most ``side`` pixels long."""
    small = shrink(image, side)
    encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()


def shrink(image: np.ndarray, side: int) -> np.ndarray:
    """The picture at most ``side`` pixels long, averaged over areas; smaller ones are returned as they are."""
    height, width = image.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return image
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def image_id(image: np.ndarray) -> str:
    """A short digest of a picture's content; the page keeps pictures it has seen by it."""
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=9)
    return digest.hexdigest()


def mask_path(mask: np.ndarray | None) -> str:
    """The mask's outline as an SVG path in picture pixels, holes included; ``""`` when there is nothing inside.

    It has :data:`MOST_OUTLINE_POINTS` at most, for which specks and the finest turns go where there are too many.
    """
    if mask is None or not (mask > HALF).any():
        return ""
    height, width = mask.shape
    side = min(DISPLAY_SIDE, max(height, width))
    while True:
        scale = side / max(height, width)
        outlines = _outlines(mask, (max(1, round(width * scale)), max(1, round(height * scale))))
        if outlines is not None and sum(map(len, outlines)) <= MOST_OUTLINE_POINTS:
            break
        side //= 2
    parts = []
    for outline in outlines:
        points = (outline - 1 + 0.5) / scale - 0.5
        parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z")
    return "".join(parts)


def _outlines(mask: np.ndarray, size: tuple[int, int]) -> list[np.ndarray] | None:
    """The corners of each part's outline, ``(N, 2) float64`` in pixels of the mask at ``size`` with a border of 1;
    ``None`` where they are as long as noise's, which would take seconds to find."""
    binary = (mask > HALF).astype(np.uint8)
    if size != binary.shape[::-1]:
        binary = cv2.resize(binary * 255, size, interpolation=cv2.INTER_AREA) > HALF
        binary = binary.astype(np.uint8)
    # A border of zeros closes outlines that run along the picture's edge.
    framed = cv2.copyMakeBorder(binary, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    length = sum(np.count_nonzero(np.diff(framed, axis=axis)) for axis in (0, 1))
    if length > MOST_OUTLINE_PIXELS:
        return None
    contours, _ = cv2.findContours(framed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [
        cv2.approxPolyDP(contour, 0.6, closed=True)[:, 0].astype(np.float64)
        for contour in contours
        if len(contour) >= 3
    ]


def item_thumbnail(image: np.ndarray, mask: np.ndarray | None) -> str:
    """A card picture of an item as a data URL; see :func:`item_square`."""
    return data_url(item_square(image, mask), CARD_SIDE)


def item_square(image: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """The square around an item's mask with the rest of the photo paled, at most ``CARD_SIDE`` pixels wide."""
    height, width = image.shape[:2]
    if mask is None or not (mask > HALF).any():
        side = min(height, width)
        x0, y0 = (width - side) // 2, (height - side) // 2
        return shrink(image[y0 : y0 + side, x0 : x0 + side], CARD_SIDE)
    x, y, across, down = cv2.boundingRect((mask > HALF).astype(np.uint8))
    side = int(min(max(across, down) * 1.2 + 2, height, width))
    x0 = int(np.clip(x + across / 2 - side / 2, 0, width - side))
    y0 = int(np.clip(y + down / 2 - side / 2, 0, height - side))
    cut = shrink(image[y0 : y0 + side, x0 : x0 + side], CARD_SIDE).astype(np.float32)
    weight = shrink(mask[y0 : y0 + side, x0 : x0 + side], CARD_SIDE).astype(np.float32)[..., None] / 255
    paled = 0.35 * cut + 0.65 * 246
    return np.rint(cut * weight + paled * (1 - weight)).astype(np.uint8)


def with_inset(picture: np.ndarray, inset: np.ndarray) -> np.ndarray:
    """``picture`` with ``inset`` in a white-rimmed circle in its lower right corner; both square ``uint8`` RGB."""
    side = picture.shape[0]
    diameter = round(side * INSET)
    small = cv2.resize(inset, (diameter, diameter), interpolation=cv2.INTER_AREA).astype(np.float32)
    away = np.hypot(*np.meshgrid(*[np.arange(diameter) - (diameter - 1) / 2] * 2))
    disc = np.clip(diameter / 2 - away, 0, 1)[..., None]
    inner = np.clip(diameter / 2 - INSET_RIM * side - away, 0, 1)[..., None]
    result = picture.copy()
    corner = result[side - diameter :, side - diameter :]
    corner[:] = np.rint(corner * (1 - disc) + (255 * (1 - inner) + small * inner) * disc)
    return result


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Difference of two pictures of one size: bright where they differ, ``(H, W, 3) uint8``."""
    gap = np.abs(first.astype(np.int16) - second.astype(np.int16)).max(axis=2)
    return cv2.applyColorMap(np.clip(gap * 2, 0, 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1].copy()
