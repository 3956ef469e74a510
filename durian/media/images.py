"""Reading of pictures: any usual file becomes ``(H, W, 3) uint8`` RGB, upright, in sRGB, on white."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from durian.errors import InvalidRequest
from durian.media import results
from durian.media.apart import PICTURE, called_apart
from durian.media.colour import to_srgb_on_white
from durian.media.decoding import open_picture_file, unpack, working_size
from durian.media.files import atomic_output
from durian.media.metadata import COMMENT, mark_png, xmp_packet

JPEG_QUALITY = 95
"""Taste: no visible blocks at 512 px."""


@dataclass(frozen=True)
class Picture:
    """A picture as it is worked on, and the size it was given in.

    ``image`` is ``(H, W, 3) uint8`` RGB; ``given`` the width and height of the upright original in pixels, which is
    what points and masks from outside refer to (pixel centres at integers).
    """

    image: np.ndarray
    given: tuple[int, int]

    @classmethod
    def checked(cls, value: Any) -> Picture:
        """A picture of the fields' values, as another process sends them; raises as :mod:`durian.media.results`."""
        image, (width, height) = value
        return cls(results.picture(image), (results.whole(width), results.whole(height)))

    @classmethod
    def whole(cls, image: np.ndarray) -> Picture:
        """A picture that is worked on at the size it was given in."""
        return cls(image, (image.shape[1], image.shape[0]))

    @property
    def scale(self) -> tuple[float, float]:
        """Working pixels in a pixel of the original, across and down."""
        return self.image.shape[1] / self.given[0], self.image.shape[0] / self.given[1]

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the original, in working pixels."""
        across, down = self.scale
        return (x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5

    def within(self, megapixels: float) -> Picture:
        """The same picture, no larger than ``megapixels``."""
        size = working_size(*self.given, megapixels)
        if size[0] >= self.image.shape[1]:
            return self
        return Picture(cv2.resize(self.image, size, interpolation=cv2.INTER_AREA), self.given)


@called_apart(PICTURE, results.picture)
def read_image(source: str | os.PathLike[str] | bytes) -> np.ndarray:
    """Read a JPEG, PNG, WebP, HEIC, AVIF, BMP, TIFF or GIF (its first picture) whole.

    The EXIF rotation is applied, transparency is laid on white, CMYK, palettes, grey, 16 bits and floats become 8-bit
    RGB, and an embedded colour profile is converted to sRGB. The content decides the format, not the name.

    Args:
        source: a path, or the file's bytes.

    Returns:
        ``(H, W, 3) uint8`` RGB.

    Raises:
        UnreadableMedia: missing, empty, cut off, damaged, not a regular file, or not a picture.
        LimitExceeded: too many bytes or pixels (refused before unpacking), or too few pixels.
    """
    return read_picture(source).image


@called_apart(PICTURE, Picture.checked)
def read_picture(source: str | os.PathLike[str] | bytes, megapixels: float | None = None) -> Picture:
    """As :func:`read_image`, but unpacked to at most ``megapixels`` and ``working_side`` pixels a side.

    ``None`` reads the picture whole.
    """
    with open_picture_file(source) as file:
        return Picture(*unpack(file, to_srgb_on_white, megapixels))


def encode_png(image: np.ndarray, metadata: Mapping[str, object] | None = None, compression: int = 1) -> bytes:
    """Encode ``(H, W, 3) uint8`` RGB as a PNG with the AI-generated mark.

    Compression 1 is four times as fast as 6 and 9 % larger, measured on rendered frames of 512 px.
    """
    _check_frame(image)
    done, data = cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, compression])
    if not done:
        raise InvalidRequest(f"A picture of {image.shape[1]}×{image.shape[0]} pixels cannot be encoded as PNG.")
    return mark_png(data.tobytes(), metadata)


def write_image(image: np.ndarray, path: str | os.PathLike[str], metadata: Mapping[str, object] | None = None) -> Path:
    """Write ``(H, W, 3) uint8`` RGB as PNG, JPEG or WebP (by the name) with the AI-generated mark, atomically.

    Raises:
        OutputFailed: the file could not be written.
        InvalidRequest: the name's ending is none of these, or the array is no picture.
    """
    path = Path(path)
    _check_frame(image)
    ending = path.suffix.lower()
    if ending == ".png":
        data = encode_png(image, metadata)
    elif ending in (".jpg", ".jpeg", ".webp"):
        from PIL import Image

        buffer = io.BytesIO()
        options = {"xmp": xmp_packet(metadata).encode("utf-8"), "quality": JPEG_QUALITY}
        if ending == ".webp":
            Image.fromarray(image).save(buffer, "WEBP", **options)
        else:
            Image.fromarray(image).save(buffer, "JPEG", comment=COMMENT.encode(), subsampling=0, **options)
        data = buffer.getvalue()
    else:
        raise InvalidRequest(f"{path.name} cannot be written as a picture: end its name in .png, .jpg or .webp.")
    with atomic_output(path) as temporary:
        temporary.write_bytes(data)
    return path


def _check_frame(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise InvalidRequest(f"A picture of {image.dtype} {image.shape} cannot be written: give uint8 RGB (H, W, 3).")
