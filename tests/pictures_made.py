"""Picture files for tests, made from arrays."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

QUARTERS = np.zeros((48, 64, 3), np.uint8)
"""Four flat quarters: red, green / blue, white, so that every turn shows."""
QUARTERS[:24, :32], QUARTERS[:24, 32:], QUARTERS[24:, :32], QUARTERS[24:, 32:] = (
    (220, 20, 30),
    (10, 200, 40),
    (20, 30, 210),
    255,
)


def held(picture: np.ndarray, orientation: int) -> np.ndarray:
    """What a camera held that way would have stored of an upright picture, by the EXIF standard's table."""
    return {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.transpose(1, 0, 2),
        6: np.rot90(picture, 1),
        7: picture[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(picture, -1),
    }[orientation]


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def saved(picture: np.ndarray | Image.Image, form: str, **options: object) -> bytes:
    """The picture as a file of ``form``."""
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture)) if isinstance(picture, np.ndarray) else picture
    image.save(buffer, form, **options)
    return buffer.getvalue()


def heic(*pictures: np.ndarray, primary: int = 0, mode: str | None = None, **options: object) -> bytes:
    """A HEIC of one or more pictures, ``uint8`` or (with 10 bits) ``uint16``; almost lossless."""
    import pillow_heif

    file = pillow_heif.HeifFile()
    for picture in pictures:
        height, width, channels = picture.shape
        name = mode or {3: "RGB", 4: "RGBA"}[channels] + (";16" if picture.dtype == np.uint16 else "")
        file.add_frombytes(name, (width, height), np.ascontiguousarray(picture).tobytes())
    buffer = io.BytesIO()
    file.save(buffer, quality=-1, chroma="444", primary_index=primary, save_to_12bit=False, **options)
    return buffer.getvalue()


PRIMARIES = {
    "sRGB": ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)),
    "Display P3": ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)),
}
"""Red, green and blue as XYZ under D50, as the profiles themselves hold them."""


def icc_profile(
    name: str, primaries: str = "sRGB", gamma: float = 2.2, grey: bool = False, more: dict[bytes, bytes] | None = None
) -> bytes:
    """A minimal ICC profile (version 4.2, without ``more`` parts 2.4) with a plain power curve, called ``name``
    whatever it is."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(number, values))

    words = name.encode() + b"\0"
    parts = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(words)) + words + bytes(78),
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
    }
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    if grey:
        parts[b"kTRC"] = curve
    else:
        for letter, colour in zip((b"r", b"g", b"b"), PRIMARIES[primaries], strict=True):
            parts[letter + b"XYZ"], parts[letter + b"TRC"] = xyz(colour), curve
    parts |= more or {}
    table, body, start = b"", b"", 128 + 4 + 12 * len(parts)
    for tag, part in parts.items():
        table += tag + struct.pack(">II", start + len(body), len(part))
        body += part + bytes(-len(part) % 4)
    header = bytearray(128)
    header[:4] = struct.pack(">I", start + len(body))
    header[8:24] = (b"\x04\x20" if more else b"\x02\x40") + b"\0\0mntr" + (b"GRAY" if grey else b"RGB ") + b"XYZ "
    header[36:40] = b"acsp"
    header[68:80] = b"".join(map(number, (0.9642, 1.0, 0.8249)))
    return bytes(header) + struct.pack(">I", len(parts)) + table + body


def srgb_profile() -> bytes:
    """The true sRGB profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def srgb_of_linear(value: float) -> float:
    """A light level 0 to 1 as an sRGB level 0 to 255 (IEC 61966-2-1)."""
    return 255 * (12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return png[:33] + png_chunk(kind, body) + png[33:]


def png_by_hand(width: int, height: int, depth: int, colour_type: int, row: bytes) -> bytes:
    """A PNG of any depth, which Pillow does not write, of one row repeated."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    data = zlib.compress((b"\0" + row) * height)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
