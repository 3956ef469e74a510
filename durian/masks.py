"""Masks: grow, unite, draw, read and write.

A mask is ``(H, W) uint8``: 255 inside, 0 outside, between on a soft edge. Everything here keeps soft edges soft;
where a yes or no is needed, a pixel is inside above :data:`HALF`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from durian.errors import InvalidRequest, UnreadableMedia
from durian.media import results
from durian.media.apart import PICTURE, called_apart

if TYPE_CHECKING:
    from PIL.Image import Image

HALF = 127
"""A soft pixel above this value counts as inside."""


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Distance in pixels to the mask's edge, ``(H, W) float32``: below 0 inside, above 0 outside.

    An empty mask is infinitely far everywhere, a full one infinitely deep.
    """
    inside = mask > HALF
    if not inside.any():
        return np.full(mask.shape, np.inf, np.float32)
    if inside.all():
        return np.full(mask.shape, -np.inf, np.float32)
    outward = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inward = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # The edge lies between two pixel centres, half a pixel from either.
    return np.where(inside, 0.5 - inward, outward - 0.5).astype(np.float32)


def expand(mask: np.ndarray, distance_px: float, away: np.ndarray | None = None) -> np.ndarray:
    """Grow (above 0) or shrink (below 0) a mask by a distance in pixels, with an anti-aliased edge.

    Growing never takes anything away and shrinking never adds, so a hairy soft edge survives. ``away`` is the mask's
    :func:`signed_distance`, if that is at hand.

    >>> dot = np.zeros((1, 7), np.uint8)
    >>> dot[0, 3] = 255
    >>> expand(dot, 1.5)
    array([[  0, 128, 255, 255, 255, 128,   0]], dtype=uint8)
    """
    if distance_px == 0:
        return mask.copy()
    away = signed_distance(mask) if away is None else away
    coverage = np.clip(0.5 + distance_px - away, 0.0, 1.0)
    moved = np.rint(coverage * 255).astype(np.uint8)
    return np.maximum(mask, moved) if distance_px > 0 else np.minimum(mask, moved)


def union(masks: Iterable[np.ndarray]) -> np.ndarray:
    """The pixelwise maximum of one or more masks of one size.

    >>> union([np.array([[0, 255]], np.uint8), np.array([[90, 90]], np.uint8)])
    array([[ 90, 255]], dtype=uint8)

    Raises:
        InvalidRequest: no mask was given, or their sizes differ.
    """
    masks = list(masks)
    if not masks:
        raise InvalidRequest("A union needs at least one mask: none was given.")
    shape = masks[0].shape
    for mask in masks[1:]:
        if mask.shape != shape:
            raise InvalidRequest(
                f"Masks of {_size(shape)} and {_size(mask.shape)} pixels cannot be united: give masks of one size."
            )
    return np.maximum.reduce(masks).copy()


def check_size(mask: np.ndarray, image: np.ndarray) -> None:
    """Refuse a mask that is not one 8-bit channel of its picture's size.

    Raises:
        InvalidRequest: with both sizes.
    """
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise InvalidRequest(f"The mask is {mask.dtype} of shape {mask.shape}: give one 8-bit channel (H, W).")
    if mask.shape != image.shape[:2]:
        raise InvalidRequest(
            f"The mask is {_size(mask.shape)} pixels but its picture is {_size(image.shape)}: "
            "give a mask of the picture's own size."
        )


def overlay(
    image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int] = (255, 64, 128), opacity: float = 0.5
) -> np.ndarray:
    """The picture with the mask tinted in ``colour`` (RGB), ``opacity`` in [0, 1]. A new ``(H, W, 3) uint8`` array."""
    check_size(mask, image)
    weight = mask.astype(np.float32)[..., None] * (opacity / 255.0)
    return np.rint(image * (1 - weight) + np.asarray(colour, np.float32) * weight).astype(np.uint8)


def outline(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int] = (255, 255, 255)) -> np.ndarray:
    """The picture with the mask's edge drawn in ``colour`` (RGB), anti-aliased, its width relative to the size."""
    check_size(mask, image)
    # 1/400 of the longer side reads well from phone to desktop (taste).
    half_width = max(1.0, max(mask.shape) / 400) / 2
    distance = np.abs(signed_distance(mask))
    weight = np.clip(half_width + 0.5 - distance, 0.0, 1.0)[..., None]
    return np.rint(image * (1 - weight) + np.asarray(colour, np.float32) * weight).astype(np.uint8)


@called_apart(PICTURE, results.mask)
def read_mask(source: str | Path | bytes, shape: tuple[int, ...], size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a mask picture, in any format that pictures may have.

    A see-through picture (as painting programs export) is read by its alpha. Grey is taken exactly as it is, soft edges
    and half tones too; only where all values are 0 or 1 do they become 0 and 255. A mask drawn in a colour is read by
    its brightest channel, so pure red is as much as white; one of black and a single other colour, however dark, has
    255 for it.

    Args:
        source: a path or the file's bytes.
        shape: ``(H, W, ...)`` of the picture it belongs to, which is the size it must have.
        size: ``(width, height)`` of the result where the picture is worked on at another size.

    Raises:
        UnreadableMedia: not a picture.
        LimitExceeded: the file is too large.
        InvalidRequest: the size differs from ``shape``.
    """
    from durian.media.decoding import loaded, open_header, open_picture_file, orientation_of, upright

    expected = (shape[1], shape[0])
    try:
        with open_picture_file(source) as file, open_header(file) as picture:
            # Checked on the header, before anything is decoded: a decompression bomb ends here.
            if expected not in (picture.size, picture.size[::-1]):
                raise _wrong_size(picture.size, shape)
            picture = loaded(file, picture, picture.size)
            turned = upright(picture, orientation_of(picture))
            if turned.size != expected:
                raise _wrong_size(turned.size, shape)
            mask = mask_of_picture(turned)
            return mask if size is None else resized(mask, size)
    except UnreadableMedia as error:
        raise UnreadableMedia("The mask is not a picture that can be read: give a PNG with the item white.") from error


def resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The mask at another ``(width, height)``: averaged over areas when it shrinks, soft edges when it grows."""
    if mask.shape == size[::-1]:
        return mask
    shrinks = size[0] < mask.shape[1]
    return cv2.resize(mask, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def png_bytes(mask: np.ndarray) -> bytes:
    """The mask as an 8-bit grey PNG, exact."""
    return cv2.imencode(".png", mask)[1].tobytes()


def mask_of_picture(picture: Image) -> np.ndarray:
    """The mask ``(H, W) uint8`` that an upright picture of any mode shows, as :func:`read_mask` reads it."""
    from durian.media.colour import deep_values, in_8_bits_of, is_deep

    if is_deep(picture):
        values = deep_values(picture)
        # Masks are also saved with 16 bits of which only the lower 8 are used.
        is_8_bit = values.dtype.kind in "iu" and values.max() <= 255
        levels = values.clip(0).astype(np.uint8) if is_8_bit else in_8_bits_of(values, picture)
    elif picture.has_transparency_data and (alpha := np.asarray(picture.convert("RGBA"))[..., 3]).min() < 255:
        return alpha.copy()
    # A palette of labels 0 and 1 means the labels, whatever colours a viewer would show.
    elif picture.mode in ("P", "L"):
        levels = np.asarray(picture)
        if picture.mode == "P" and levels.max(initial=0) > 1:
            levels = _brightest(picture)
    else:
        levels = _brightest(picture)
    return levels * np.uint8(255) if levels.max(initial=0) <= 1 else levels.copy()


def _brightest(picture) -> np.ndarray:
    """``(H, W) uint8``: each pixel's brightest channel."""
    colours = np.asarray(picture.convert("RGB"))
    levels = colours.max(axis=2)
    is_coloured = (colours.min(axis=2) != levels).any()
    if is_coloured and len(np.unique(levels[levels > 0])) == 1:
        return (levels > 0).astype(np.uint8) * 255
    return levels


def _wrong_size(size: tuple[int, int], shape: tuple[int, ...]) -> InvalidRequest:
    return InvalidRequest(
        f"The mask is {size[0]}×{size[1]} pixels but its picture is {_size(shape)}: "
        "give a mask of the picture's own size."
    )


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"
