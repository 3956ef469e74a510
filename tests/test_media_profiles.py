"""Profiles whose conversion would never end, and those of large tables, which is applied as it says."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from pictures_made import PRIMARIES, heic, icc_profile, saved, srgb_of_linear
from PIL import Image, ImageCms

from durian.media import colour, read_image

LEVELS = (128, 77, 200)
FLAT = np.full((64, 64, 3), LEVELS, np.uint8)
LINEAR = np.array([srgb_of_linear(level / 255) for level in LEVELS])
BY_ELEMENTS = [b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1"]


def elements(count: int) -> bytes:
    """``count`` times the same processing element, which stands there once: three power curves."""
    curve = b"curf\0\0\0\0\0\1\0\0parf\0\0\0\0\0\0\0\0" + struct.pack(">4f", 1.3, 1, 0, 0)
    element = b"cvst\0\0\0\0\0\3\0\3" + struct.pack(">II", 36, len(curve)) * 3 + curve
    head = b"mpet\0\0\0\0\0\3\0\3" + struct.pack(">I", count)
    return head + struct.pack(">II", 16 + 8 * count, len(element)) * count + element


MANY = elements(300)


def table(steps: int) -> bytes:
    """A table (ICC.1, 10.10) of ``steps``³ colours in which light rises evenly with each channel of sRGB."""
    levels = np.stack(np.meshgrid(*[np.linspace(0, 1, steps)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    light = np.clip(np.rint(levels @ np.array(PRIMARIES["sRGB"]) * 0x8000), 0, 0xFFFF).astype(">u2").tobytes()
    head = b"mft2\0\0\0\0" + bytes([3, 3, steps, 0]) + struct.pack(">9i", *np.eye(3, dtype=int).ravel() * 65536)
    line = struct.pack(">2H", 0, 65535) * 3
    return head + struct.pack(">2H", 2, 2) + line + light + line


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_profile_of_many_elements_is_read_without_them(form: str):
    """By its curves, which the standard has beside them."""
    profile = icc_profile("Elements", gamma=1.0, more=dict.fromkeys(BY_ELEMENTS, MANY))
    if form == "HEIF":
        data = heic(FLAT, icc_profile=profile)
    else:
        data = saved(FLAT, form, icc_profile=profile, **({} if form in ("PNG", "TIFF") else {"quality": 100}))
    assert np.abs(read_image(data)[32, 32] - LINEAR).max() <= 3


@pytest.mark.parametrize("tag", BY_ELEMENTS)
def test_no_element_reaches_the_colour_engine(tag: bytes, monkeypatch: pytest.MonkeyPatch):
    seen = []
    monkeypatch.setattr(
        ImageCms, "ImageCmsProfile", lambda stream: seen.append(stream.read()) or ImageCms.createProfile("sRGB")
    )
    profile = icc_profile("Elements", more={tag: elements(1)})
    read_image(saved(FLAT, "PNG", icc_profile=profile))
    assert tag in profile
    assert seen == [profile.replace(tag, tag.lower())]


@pytest.mark.parametrize("more", [{}, {b"D2B0": MANY, b"D2B1": MANY}], ids=["alone", "with elements"])
@pytest.mark.parametrize("steps", [2, 17, 60])
def test_a_profile_with_a_table_is_applied(steps: int, more: dict[bytes, bytes]):
    data = saved(FLAT, "TIFF", icc_profile=icc_profile("Table", more={b"A2B0": table(steps), **more}))
    assert np.abs(read_image(data)[32, 32] - LINEAR).max() <= 1


def test_a_profile_that_is_longer_than_any_is_left_out(monkeypatch: pytest.MonkeyPatch):
    profile = icc_profile("Linear", gamma=1.0)
    data = saved(FLAT, "PNG", icc_profile=profile)
    assert np.abs(read_image(data)[32, 32] - LINEAR).max() <= 1
    monkeypatch.setattr(colour, "MOST_PROFILE_BYTES", len(profile) - 1)
    monkeypatch.setattr(ImageCms, "buildTransform", None)
    assert np.array_equal(read_image(data), FLAT)


@pytest.mark.parametrize(
    "profile", [b"", b"D2B0", bytes(131), bytes(128) + b"\xff\xff\xff\xff" + b"D2B0" * 50, b"x" * 500]
)
def test_a_broken_profile_is_left_out(profile: bytes):
    picture = Image.fromarray(FLAT)
    picture.info["icc_profile"] = profile
    assert np.array_equal(colour.to_srgb_on_white(picture), FLAT)
