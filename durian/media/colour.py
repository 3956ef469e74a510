"""Conversion of any picture's pixels to 8-bit sRGB on white."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image, ImageCms

SAME = 1
"""Levels by which a profile may differ from sRGB and still count as it: rounding in its tables moves that much."""
SWATCH_STEPS = 17
"""Levels of each channel at which a profile is compared with sRGB; makes 4,913 colours."""
ROWS = 512
"""Rows that are computed at once, so that wider numbers than 8 bits never take a whole picture's memory."""
MOST_PROFILE_BYTES = 8_000_000
"""Of a profile; printers' largest have four million. Whatever is in it, so many take a second."""

_TAG_TABLE, _TAG_BYTES, _MOST_TAGS = 132, 12, 100
"""Where a profile lists its parts and how long each is there (ICC.1, 7.3), and how many the colour engine reads."""
_OF_PROCESSING_ELEMENTS = (b"D2B", b"B2D")
_BITS, _PHOTOMETRIC, _SIGN = 258, 262, 339
"""TIFF's tags."""
_WHITE_IS_ZERO = 0


def in_8_bits(image: Image.Image) -> Image.Image:
    """The picture in a mode of 8 bits a channel that can be resized: L, LA, RGB, RGBA, CMYK or LAB."""
    from PIL import Image

    if is_deep(image):
        values = deep_values(image)
        grey = Image.fromarray(in_8_bits_of(values, image))
        grey.info = {key: value for key, value in image.info.items() if key != "transparency"}
        clear = image.info.get("transparency")
        if isinstance(clear, int):
            grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
        return grey
    if "transparency" in image.info or image.mode in ("PA", "RGBa"):
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB") else image.convert("RGB")


def is_deep(image: Image.Image) -> bool:
    """Whether a picture is of one channel with more than 8 bits."""
    return image.mode.startswith("I") or image.mode == "F"


def deep_values(image: Image.Image) -> np.ndarray:
    """``(H, W)`` values of a picture that :func:`is_deep`, as they lie in the file."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    # Pillow has no unsigned 32 bits and takes the same ones for signed.
    return (
        values.view(np.uint32)
        if image.mode == "I" and tags.get(_BITS) == (32,) and tags.get(_SIGN, (1,)) == (1,)
        else values
    )


def in_8_bits_of(values: np.ndarray, image: Image.Image) -> np.ndarray:
    """``(H, W) uint8`` of the :func:`deep_values` of ``image``, black as 0 whatever the file calls black."""
    levels = deep_to_8_bit(values)
    return 255 - levels if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO else levels


def to_srgb_on_white(image: Image.Image) -> np.ndarray:
    """``(H, W, 3) uint8`` of a picture from :func:`in_8_bits`, its embedded profile applied, laid on white."""
    image = _to_srgb(image)
    if image.mode in ("RGBA", "LA"):
        return flatten_on_white(np.asarray(image.convert("RGBA")))
    return np.ascontiguousarray(np.asarray(image if image.mode == "RGB" else image.convert("RGB")))


def flatten_on_white(rgba: np.ndarray) -> np.ndarray:
    """Lay ``(H, W, 4) uint8`` on white; returns ``(H, W, 3) uint8``."""
    result = np.empty((*rgba.shape[:2], 3), np.uint8)
    for start in range(0, len(rgba), ROWS):
        part = rgba[start : start + ROWS]
        alpha = part[..., 3:].astype(np.uint16)
        mixed = part[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha)
        result[start : start + ROWS] = (mixed + 127) // 255
    return result


def deep_to_8_bit(values: np.ndarray) -> np.ndarray:
    """Scale whole numbers or floats, ``(H, W, ...)``, to ``uint8`` of the same shape.

    Sixteen bits by their full range. Floats in [0, 1] and in [0, 255] are read as such, and 32-bit numbers up to
    255 or 65,535 too; anything wider by its own range.
    """
    result = np.empty(values.shape, np.uint8)
    low, high = _range(values)
    for start in range(0, len(values), ROWS):
        part = values[start : start + ROWS]
        if _is_16_bit(values):
            result[start : start + ROWS] = (part.astype(np.uint32) * 255 + 32767) // 65535
        else:
            part = np.nan_to_num(part.astype(np.float64), posinf=0.0, neginf=0.0)
            scaled = (part - low) * (255.0 / max(high - low, 1e-12)) + 0.5
            result[start : start + ROWS] = np.clip(scaled, 0, 255)
    return result


def _is_16_bit(values: np.ndarray) -> bool:
    return values.dtype.kind == "u" and values.dtype.itemsize == 2


def _range(values: np.ndarray) -> tuple[float, float]:
    """The values that become 0 and 255."""
    if _is_16_bit(values):
        return 0.0, 65535.0
    lows, highs = [], []
    for start in range(0, len(values), ROWS):
        part = np.nan_to_num(values[start : start + ROWS].astype(np.float64), posinf=0.0, neginf=0.0)
        lows.append(float(part.min()))
        highs.append(float(part.max()))
    low, high = min(lows), max(highs)
    if low < 0:
        return low, high
    whole = np.issubdtype(values.dtype, np.integer)
    for full in (255.0, 65535.0) if whole else (1.0, 255.0):
        if high <= full:
            return 0.0, full
    return low, high


def _to_srgb(image: Image.Image) -> Image.Image:
    """Apply an embedded profile (phones save Display P3, printers' files CMYK); a broken profile is ignored."""
    profile = image.info.get("icc_profile")
    if image.mode == "LAB":
        return _converted(image, "RGB", None)
    if not profile:
        return image
    if image.mode == "LA":
        # The colour engine takes grey with alpha for nothing it knows.
        colours = _converted(image.getchannel("L"), "RGB", profile).convert("RGB")
        colours.putalpha(image.getchannel("A"))
        return colours
    return _converted(image, "RGBA" if image.mode == "RGBA" else "RGB", profile)


def _converted(image: Image.Image, mode: str, profile: bytes | None) -> Image.Image:
    """``image`` in sRGB; as it is where its profile is sRGB, broken, or of another kind of picture."""
    from PIL import ImageCms

    try:
        source = ImageCms.createProfile("LAB") if profile is None else ImageCms.ImageCmsProfile(_plain(profile))
        # Relative, with the black point kept: what painting programs do, and it leaves sRGB's own variants alone.
        change = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            image.mode,
            mode,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if image.mode == mode and _changes_nothing(change, mode):
            return image
        return change.apply(image)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _plain(profile: bytes) -> io.BytesIO:
    """A profile without conversions by processing elements: of those, a hundred bytes may tell of any number, one after
    the other. The standard has another conversion beside each, which is what most programs go by.

    Raises:
        ValueError: it is longer than any profile.
    """
    if len(profile) > MOST_PROFILE_BYTES:
        raise ValueError("The profile is too long.")
    plain = bytearray(profile)
    for index in range(min(int.from_bytes(plain[_TAG_TABLE - 4 : _TAG_TABLE], "big"), _MOST_TAGS)):
        at = _TAG_TABLE + _TAG_BYTES * index
        if plain[at : at + 3] in _OF_PROCESSING_ELEMENTS:
            # A name that stands for nothing.
            plain[at : at + 4] = plain[at : at + 4].lower()
    return io.BytesIO(plain)


def _changes_nothing(change: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a transform is sRGB to sRGB. Its curves tell; names are given to profiles that are anything."""
    swatches = _swatches(mode)
    moved = np.asarray(change.apply(swatches), np.int16)
    return bool(np.abs(moved - np.asarray(swatches, np.int16)).max() <= SAME)


@lru_cache(maxsize=2)
def _swatches(mode: str) -> Image.Image:
    """Colours over the whole cube, as a picture of ``mode``."""
    from PIL import Image

    levels = np.linspace(0, 255, SWATCH_STEPS).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    return Image.fromarray(cube).convert(mode)
