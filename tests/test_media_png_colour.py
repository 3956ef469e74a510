"""PNGs that tell their colours in numbers, without a profile."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from pictures_made import PRIMARIES, QUARTERS, icc_profile, png_by_hand, saved, srgb_of_linear, srgb_profile, with_chunk
from PIL import Image

from durian.media import read_image

LEVELS = np.array([0, 13, 55, 128, 200, 255], np.uint8)
LINEAR = struct.pack(">I", 100_000)
SRGB_GAMMA = struct.pack(">I", 45_455)
P3_CHROMATICITIES = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
P3, BT_709 = bytes([12, 13, 0, 1]), bytes([1, 13, 0, 1])


def greys(mode: str) -> bytes:
    row = np.repeat(LEVELS, 8)[None].repeat(40, axis=0)
    picture = Image.fromarray(row.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(row).convert(mode)
    return saved(picture, "PNG")


def srgb_of_p3(colour: tuple[int, int, int]) -> list[float]:
    """By the two spaces' matrices; P3 and sRGB share their curve."""
    level = np.array(colour) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    to_srgb = np.linalg.inv(np.array(PRIMARIES["sRGB"]).T) @ np.array(PRIMARIES["Display P3"]).T
    return [srgb_of_linear(value) for value in to_srgb @ light]


def flat(colour: tuple[int, int, int] = (128, 77, 77)) -> bytes:
    return saved(np.full((40, 40, 3), colour, np.uint8), "PNG")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "I;16"])
def test_a_linear_gamma_is_honoured_in_every_mode(mode):
    seen = read_image(with_chunk(greys(mode), b"gAMA", LINEAR))[20, 4::8].astype(int)
    assert np.abs(seen - [[srgb_of_linear(level / 255)] * 3 for level in LEVELS]).max() <= 1


def test_the_gamma_of_srgb_changes_nothing():
    png = saved(QUARTERS, "PNG")
    assert np.array_equal(read_image(with_chunk(png, b"gAMA", SRGB_GAMMA)), QUARTERS)


@pytest.mark.parametrize(
    ("kind", "body"), [(b"sRGB", b"\0"), (b"cICP", BT_709)], ids=["sRGB's own chunk", "sRGB by numbers"]
)
def test_what_says_srgb_goes_before_a_gamma(kind, body):
    png = with_chunk(with_chunk(saved(QUARTERS, "PNG"), b"gAMA", LINEAR), kind, body)
    assert np.array_equal(read_image(png), QUARTERS)


def test_a_profile_goes_before_a_gamma():
    png = with_chunk(saved(QUARTERS, "PNG", icc_profile=srgb_profile()), b"gAMA", LINEAR)
    assert np.array_equal(read_image(png), QUARTERS)


def test_display_p3_by_numbers():
    assert np.abs(read_image(with_chunk(flat(), b"cICP", P3))[5, 5] - srgb_of_p3((128, 77, 77))).max() <= 1
    by_points = with_chunk(with_chunk(flat(), b"cHRM", P3_CHROMATICITIES), b"gAMA", SRGB_GAMMA)
    assert np.abs(read_image(by_points)[5, 5] - srgb_of_p3((128, 77, 77))).max() <= 1


def test_numbers_go_before_a_profile():
    png = saved(np.full((40, 40, 3), 128, np.uint8), "PNG", icc_profile=icc_profile("Linear", gamma=1.0))
    assert read_image(png)[5, 5].tolist() == [188] * 3
    assert np.abs(read_image(with_chunk(png, b"cICP", P3))[5, 5].astype(int) - 128).max() <= 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"cICP", bytes([9, 16, 0, 1])),
        (b"cICP", b"\x0c"),
        (b"gAMA", bytes(4)),
        (b"cHRM", bytes(32)),
        (b"cHRM", struct.pack(">8I", 31270, 32900, *(30000, 30000) * 3)),
    ],
    ids=["PQ", "cut off", "no gamma", "no points", "no three colours"],
)
def test_numbers_that_mean_nothing_are_left_alone(kind, body):
    assert np.array_equal(read_image(with_chunk(saved(QUARTERS, "PNG"), kind, body)), QUARTERS)


def test_a_see_through_level_of_16_bits():
    levels = np.full((40, 40), 10_000, np.uint16)
    # One level beside it, which 8 bits would not tell from it.
    levels[:, :20], levels[:, 20:30] = 30_000, 30_001
    seen = read_image(with_chunk(saved(Image.fromarray(levels), "PNG"), b"tRNS", struct.pack(">H", 30_000)))
    assert seen[5, [5, 25, 35], 0].tolist() == [255, 117, 39]


@pytest.mark.parametrize(
    ("depth", "colour_type", "row", "clear", "other"),
    [
        (1, 0, b"\xff" * 2 + b"\xf0" + b"\0" * 2, (1,), [0] * 3),
        (2, 0, b"\x55" * 5 + b"\xaa" * 5, (1,), [170] * 3),
        (4, 0, b"\x55" * 10 + b"\xaa" * 10, (5,), [170] * 3),
        (8, 0, b"\x55" * 20 + b"\xaa" * 20, (85,), [170] * 3),
        (8, 2, bytes([30, 100, 60]) * 20 + bytes([10, 100, 60]) * 20, (30, 100, 60), [10, 100, 60]),
        (16, 2, struct.pack(">3H", 30_000, 9, 8) * 20 + struct.pack(">3H", 257, 9, 8) * 20, (30_000, 9, 8), [1, 0, 0]),
    ],
    ids=["1 bit", "2 bits", "4 bits", "8 bits", "colour", "deep colour"],
)
def test_a_see_through_colour_of_any_depth(depth, colour_type, row, clear, other):
    png = with_chunk(png_by_hand(40, 40, depth, colour_type, row), b"tRNS", struct.pack(f">{len(clear)}H", *clear))
    assert read_image(png)[5, 5].tolist() == [255] * 3
    assert read_image(png)[5, 30].tolist() == other
