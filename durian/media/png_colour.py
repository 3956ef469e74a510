"""Colours of a PNG without an embedded profile, from its chunks cICP, sRGB, gAMA and cHRM.

PNG specification, third edition, 4.3: cICP goes before an embedded profile, that before sRGB, and that before gAMA and
cHRM. They become an ICC profile, so that all colours are converted at one place (:mod:`durian.media.colour`).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from durian.media.metered import ByteSource

if TYPE_CHECKING:
    from PIL import Image, ImageFile

SRGB_GAMMA, ALIKE = 0.45455, 0.05
"""What files in sRGB write as their gamma, and the part by which others may differ and count as it (as libpng's)."""
SRGB_PRIMARIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""``x`` and ``y`` of red, green and blue."""
D65: tuple[float, ...] = (0.3127, 0.3290)
D50 = (0.9642, 1.0, 0.8249)
"""The white of screens as ``x`` and ``y``, and that of ICC profiles as XYZ."""
SAME_POINT = 0.002
"""Difference of ``x`` or ``y`` that counts for nothing."""

CURVE = tuple[float, float, float, float, float]
"""``g, a, b, c, d`` of ICC.1, 10.18, function 3: light is ``(a·v + b)^g`` from ``d`` on, below it ``c·v``."""
SRGB_CURVE: CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: SRGB_PRIMARIES,
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
"""By ITU-T H.273's number: BT.709, BT.2020 and Display P3, all with white D65."""
# Video's curves count as sRGB's, as on every screen: they describe a camera.
_CURVES: dict[int, CURVE] = dict.fromkeys((1, 6, 13, 14, 15), SRGB_CURVE)
_CURVES |= {4: (2.2, 1, 0, 0, 0), 5: (2.8, 1, 0, 0, 0), 8: (1, 1, 0, 0, 0)}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def read_coding(stream: ByteSource) -> tuple[int, int] | None:
    """Numbers of the primaries and the curve (ITU-T H.273) in a PNG's cICP; ``None`` without one. Rewinds."""
    stream.seek(8)
    found = None
    while len(head := stream.read(8)) == 8 and head[4:] not in (b"IDAT", b"IEND"):
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"cICP" and length == 4:
            primaries, curve = stream.read(2)
            found = primaries, curve
            break
        stream.seek(length + 4, 1)
    stream.seek(0)
    return found


def add_profile(image: Image.Image, coding: tuple[int, int] | None) -> None:
    """Give an opened PNG the profile that its numbers amount to, where there is something to convert.

    Args:
        image: its header read; ``info["icc_profile"]`` is set.
        coding: of :func:`read_coding`. Curves for high dynamic range are left alone.
    """
    is_grey = image.mode in ("1", "L", "LA") or image.mode.startswith("I")
    if coding is not None and coding[0] in _PRIMARIES and coding[1] in _CURVES:
        curve, primaries, white = _CURVES[coding[1]], _PRIMARIES[coding[0]], D65
        image.info.pop("icc_profile", None)
    elif "icc_profile" in image.info or "srgb" in image.info:
        return
    else:
        curve, (primaries, white) = _gamma_curve(image.info.get("gamma")), _chromaticities(image)
    if curve == SRGB_CURVE and (is_grey or np.allclose(primaries, SRGB_PRIMARIES, atol=SAME_POINT)):
        return
    colorants = None if is_grey else _colorants(primaries, white)
    if is_grey or colorants is not None:
        image.info["icc_profile"] = make_profile(curve, colorants)


def scale_transparency(image: ImageFile.ImageFile) -> None:
    """Bring the see-through colour of an opened PNG to 8 bits, where Pillow does so with the pixels only."""
    clear, stored = image.info.get("transparency"), image.tile[0].args if image.tile else None
    if stored == "RGB;16B" and isinstance(clear, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    elif stored in ("L;2", "L;4") and isinstance(clear, int):
        image.info["transparency"] = clear * (85 if stored == "L;2" else 17)


def _gamma_curve(gamma: float | None) -> CURVE:
    if not gamma or abs(gamma / SRGB_GAMMA - 1) <= ALIKE:
        return SRGB_CURVE
    return (1 / gamma, 1, 0, 0, 0)


def _chromaticities(image: Image.Image) -> tuple[tuple[float, ...], tuple[float, ...]]:
    given = image.info.get("chromaticity", ())
    return (given[2:], given[:2]) if len(given) == 8 else (SRGB_PRIMARIES, D65)


def _colorants(primaries: tuple[float, ...], white: tuple[float, ...]) -> np.ndarray | None:
    """``(3, 3)`` XYZ under D50 of red, green and blue, in rows; ``None`` where the points are no three colours."""
    points = np.array([*primaries, *white]).reshape(4, 2)
    if points[:, 1].min() <= 0:
        return None
    red, green, blue, seen = np.column_stack([points[:, 0], points[:, 1], 1 - points.sum(1)]) / points[:, 1:]
    primary = np.column_stack([red, green, blue])
    if abs(np.linalg.det(primary)) < 1e-6:
        return None
    scaled = primary * np.linalg.solve(primary, seen)
    adapted = np.linalg.solve(_BRADFORD, np.diag(_BRADFORD @ D50 / (_BRADFORD @ seen)) @ _BRADFORD @ scaled)
    return adapted.T


def make_profile(curve: CURVE, colorants: np.ndarray | None) -> bytes:
    """A minimal ICC profile (version 4.2): of grey, or of RGB with ``colorants`` ``(3, 3)`` as XYZ under D50."""
    tone = b"para\0\0\0\0\0\x03\0\0" + b"".join(map(_number, curve))
    parts = {b"wtpt": _xyz(D50)}
    if colorants is None:
        parts[b"kTRC"] = tone
    else:
        for letter, colour in zip((b"r", b"g", b"b"), colorants, strict=True):
            parts[letter + b"XYZ"], parts[letter + b"TRC"] = _xyz(colour), tone
    table, body, start = b"", b"", 128 + 4 + 12 * len(parts)
    for tag, part in parts.items():
        table += tag + struct.pack(">II", start + len(body), len(part))
        body += part
    header = bytearray(128)
    header[:4] = struct.pack(">I", start + len(body))
    header[8:24] = b"\x04\x20\0\0mntr" + (b"GRAY" if colorants is None else b"RGB ") + b"XYZ "
    header[36:40] = b"acsp"
    header[68:80] = b"".join(map(_number, D50))
    return bytes(header) + struct.pack(">I", len(parts)) + table + body


def _number(value: float) -> bytes:
    return struct.pack(">i", round(float(np.clip(value, -32767, 32767)) * 65536))


def _xyz(values: tuple[float, ...] | np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_number, values))
