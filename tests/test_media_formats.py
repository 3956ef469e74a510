"""HEIC, AVIF, deep TIFFs and colour profiles: each read with the right values."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pictures_made import PRIMARIES, QUARTERS, exif_of, heic, held, icc_profile, saved, srgb_of_linear, srgb_profile
from PIL import Image

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media import deep_tiff as deep
from durian.media import pixel_count, read_image

PLACES = ((12, 16), (12, 48), (36, 16), (36, 48))
"""The middles of the quarters."""


def near(image: np.ndarray, expected: np.ndarray, tolerance: int = 3) -> bool:
    assert image.shape == expected.shape
    return all(np.abs(image[place].astype(int) - expected[place].astype(int)).max() <= tolerance for place in PLACES)


@pytest.fixture(params=["bytes", "path"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bytes], np.ndarray]:
    """Reads a picture's bytes, as they are or from a file of no telling name."""
    if request.param == "bytes":
        return read_image

    def from_path(data: bytes) -> np.ndarray:
        (tmp_path / "given").write_bytes(data)
        return read_image(tmp_path / "given")

    return from_path


# HEIC and AVIF


@pytest.mark.parametrize("make", [heic, lambda picture: saved(picture, "AVIF", quality=100, subsampling="4:4:4")])
def test_heic_and_avif_from_path_and_bytes(tmp_path, make):
    data = make(QUARTERS)
    # The ending does not matter.
    (tmp_path / "photo.jpg").write_bytes(data)
    assert near(read_image(tmp_path / "photo.jpg"), QUARTERS)
    assert np.array_equal(read_image(data), read_image(tmp_path / "photo.jpg"))
    assert pixel_count(data) == 48 * 64


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_is_turned_once(read, orientation):
    from pillow_heif import HeifFile

    stored = np.ascontiguousarray(held(QUARTERS, orientation))
    file = HeifFile()
    file.add_frombytes("RGB", (stored.shape[1], stored.shape[0]), stored.tobytes())
    file[0].info["exif"] = exif_of(orientation).tobytes()
    buffer = io.BytesIO()
    file.save(buffer, quality=-1, chroma="444")
    # As a phone writes it: the container's own turn, and the EXIF's, which tells the same once more.
    assert (b"irot" in buffer.getvalue() or b"imir" in buffer.getvalue()) == (orientation > 1)
    assert exif_of(orientation).tobytes()[6:] in buffer.getvalue()
    assert near(read(buffer.getvalue()), QUARTERS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_avif_is_turned_once(read, orientation):
    stored = held(QUARTERS, orientation)
    data = saved(stored, "AVIF", quality=100, subsampling="4:4:4", exif=exif_of(orientation))
    assert near(read(data), QUARTERS)


@pytest.mark.parametrize("make", [heic, lambda picture: saved(picture, "AVIF", quality=100, subsampling="4:4:4")])
def test_their_alpha_is_laid_on_white(read, make):
    half = np.dstack([QUARTERS, np.full(QUARTERS.shape[:2], 128, np.uint8)])
    assert near(read(make(half)), np.rint((QUARTERS.astype(float) * 128 + 255 * 127) / 255).astype(np.uint8))


def test_a_heic_of_ten_bits(read):
    data = heic(QUARTERS.astype(np.uint16) * 257)
    from pi_heif import open_heif

    assert open_heif(data, convert_hdr_to_8bit=False).info["bit_depth"] == 10
    assert near(read(data), QUARTERS)


def test_a_heic_of_several_pictures_gives_its_primary_one(read):
    assert near(read(heic(255 - QUARTERS, QUARTERS, primary=1)), QUARTERS)


def test_an_avif_sequence_gives_its_first_picture(read):
    frames = [Image.fromarray(255 - QUARTERS)]
    data = saved(QUARTERS, "AVIF", quality=100, subsampling="4:4:4", save_all=True, append_images=frames)
    assert data[8:12] == b"avis"
    assert near(read(data), QUARTERS)


@pytest.mark.parametrize("form", ["HEIC", "AVIF"])
def test_a_cut_off_one_is_refused_in_one_sentence(tmp_path, form):
    data = heic(QUARTERS) if form == "HEIC" else saved(QUARTERS, "AVIF")
    path = tmp_path / "cut.heic"
    for part in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(UnreadableMedia, match=r"cut\.heic is cut off or damaged"):
            read_image(path)


def test_both_heif_packages_live_together(read):
    import pillow_heif

    pillow_heif.register_heif_opener()
    data = heic(QUARTERS)
    with Image.open(io.BytesIO(data)) as theirs:
        assert near(np.asarray(theirs.convert("RGB")), QUARTERS)
    assert near(read(data), QUARTERS)


@pytest.mark.parametrize("name", ["avif.avif", "stub_heif_heim.heic"])
def test_reported_files(shared_data, name):
    path = shared_data / "bugs" / name
    if not path.is_file():
        pytest.skip("the reported files are not beside this checkout")
    if name == "avif.avif":
        assert read_image(path).shape == (512, 512, 3)
    else:
        with pytest.raises(UnreadableMedia, match="cut off or damaged"):
            read_image(path)


# Profiles

LINEAR = [0, 13, 55, 128, 200, 255]


def greys(levels: list[int]) -> np.ndarray:
    return np.repeat(np.repeat(np.array(levels, np.uint8), 8)[None, :, None], 40, axis=0).repeat(3, axis=2)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_a_linear_profile_is_applied_whatever_it_is_called(read, form):
    options = {"lossless": True} if form == "WEBP" else {}
    data = saved(greys(LINEAR), form, icc_profile=icc_profile("sRGB linear", gamma=1.0), **options)
    seen = read(data)[20, 4::8, 1]
    expected = [srgb_of_linear(level / 255) for level in LINEAR]
    assert np.abs(seen - expected).max() <= 1


def test_a_wide_profile_that_is_called_srgb(read):
    # Display P3's red is outside sRGB, its darker neighbour is not: (0.5, 0.3, 0.3) by the two spaces' matrices.
    p3 = icc_profile("sRGB IEC61966-2.1", "Display P3", gamma=2.2)
    seen = read(saved(np.full((40, 40, 3), (128, 77, 77), np.uint8), "PNG", icc_profile=p3))[5, 5].astype(int)
    to_srgb = np.linalg.inv(np.array(PRIMARIES["sRGB"]).T) @ np.array(PRIMARIES["Display P3"]).T
    light = to_srgb @ (np.array([128, 77, 77]) / 255) ** 2.2
    assert np.abs(seen - [srgb_of_linear(value) for value in light]).max() <= 1
    assert seen[0] > 131


def test_true_srgb_is_left_exactly_as_it_is(read, collins):
    data = saved(collins[:128, :128], "PNG", icc_profile=srgb_profile())
    assert np.array_equal(read(data), collins[:128, :128])


@pytest.mark.parametrize("mode", ["L", "LA", "16"])
def test_a_grey_profile_is_applied(read, mode):
    levels = np.repeat(np.repeat(np.array(LINEAR, np.uint8), 8)[None], 40, axis=0)
    if mode == "16":
        picture = Image.fromarray(levels.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(levels)
    if mode == "LA":
        picture.putalpha(255)
    data = saved(picture, "PNG", icc_profile=icc_profile("Grey", gamma=1.0, grey=True))
    seen = read(data)[20, 4::8]
    assert np.abs(seen[:, 0] - [srgb_of_linear(level / 255) for level in LINEAR]).max() <= 1
    assert np.ptp(seen.astype(int), axis=1).max() == 0


def test_a_heic_with_a_profile(read):
    profile = icc_profile("sRGB", "Display P3", gamma=2.2)
    flat = np.full((64, 64, 3), (128, 77, 77), np.uint8)
    expected = read(saved(flat, "PNG", icc_profile=profile))[5, 5].astype(int)
    from pillow_heif import HeifFile

    file = HeifFile()
    file.add_frombytes("RGB", (64, 64), flat.tobytes())
    file[0].info["icc_profile"], file[0].info["icc_profile_type"] = profile, "prof"
    buffer = io.BytesIO()
    file.save(buffer, quality=-1, chroma="444")
    assert np.abs(read(buffer.getvalue())[30, 30].astype(int) - expected).max() <= 3


def test_a_lab_tiff(read):
    from PIL import ImageCms

    grey = Image.fromarray(np.full((40, 40, 3), 128, np.uint8))
    change = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    data = saved(ImageCms.applyTransform(grey, change), "TIFF")
    assert np.abs(read(data)[9, 9].astype(int) - 128).max() <= 2


# TIFFs that Pillow does not read


def tiff(picture: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, picture, **options)
    return buffer.getvalue()


SCALED = QUARTERS / np.float32(255)
PLANES = np.ascontiguousarray(np.moveaxis(QUARTERS, -1, 0))


@pytest.mark.parametrize(
    ("picture", "options"),
    [
        (SCALED, {}),
        (SCALED.astype(np.float16), {}),
        (SCALED.astype(np.float64), {}),
        (QUARTERS.astype(np.float32), {}),
        (SCALED, {"byteorder": ">"}),
        (SCALED, {"bigtiff": True}),
        (SCALED, {"tile": (16, 16)}),
        (np.moveaxis(SCALED, -1, 0), {"planarconfig": "separate"}),
        (QUARTERS.astype(np.uint32) * 257, {}),
        (QUARTERS.astype(np.int32), {}),
        (PLANES.astype(np.uint16) * 257, {"planarconfig": "separate"}),
        (np.dstack([SCALED, np.ones((48, 64), np.float32)]), {"extrasamples": ["unassalpha"]}),
    ],
)
def test_floats_and_wide_numbers(read, picture, options):
    data = tiff(picture, photometric="rgb", **options)
    assert np.abs(read(data).astype(int) - QUARTERS).max() <= 1
    assert pixel_count(data) == 48 * 64


def test_a_half_grey_tiff(read):
    seen = read(tiff(SCALED[..., 0].astype(np.float16), photometric="minisblack"))
    assert np.abs(seen.astype(int) - QUARTERS[..., :1]).max() <= 1


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_float_tiff_is_turned_and_its_profile_applied(read, orientation):
    profile = icc_profile("Linear", gamma=1.0)
    tags = [(274, "H", 1, orientation, True), (34675, 7, len(profile), profile, True)]
    seen = read(tiff(np.ascontiguousarray(held(SCALED, orientation)), photometric="rgb", extratags=tags))
    expected = np.vectorize(srgb_of_linear)(SCALED)
    assert seen.shape == QUARTERS.shape
    # The profile is applied to 8 bits: half a level of linear light is up to 7 levels of sRGB in the darkest tones.
    assert np.abs(seen - expected).max() <= 7


def test_white_may_be_zero_in_any_tiff(read):
    grey = QUARTERS[..., 0]
    for picture in (grey, grey.astype(np.uint16) * 257, grey.astype(np.float16)):
        for options in ({}, {"compression": "zlib"}) if picture.dtype != np.float16 else ({},):
            most = np.array(65535 if picture.dtype == np.uint16 else 255, picture.dtype)
            data = tiff(most - picture, photometric="miniswhite", **options)
            assert np.abs(read(data).astype(int) - grey[..., None]).max() <= 1


def test_grey_of_32_bits_uses_all_of_them(read):
    ramp = np.linspace(0, 2**32 - 1, 64).astype(np.uint32)[None].repeat(40, axis=0)
    for options in ({}, {"compression": "zlib"}):
        seen = read(tiff(ramp, photometric="minisblack", **options))
        assert np.abs(seen[..., 0] - ramp / (2**32 - 1) * 255).max() <= 1


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_tiff_of_brightness_and_colour_differences(read, compression):
    data = saved(Image.fromarray(QUARTERS).convert("YCbCr"), "TIFF", compression=compression)
    assert np.abs(read(data).astype(int) - QUARTERS).max() <= 2


def test_kinds_that_are_not_read_are_named(read, monkeypatch):
    cases = {
        "packed with ADOBE DEFLATE": tiff(SCALED, photometric="rgb", compression="zlib"),
        "complex64": tiff(SCALED.astype(np.complex64), photometric="rgb"),
        "5 channels of float32": tiff(np.zeros((40, 40, 5), np.float32), photometric="minisblack", planarconfig=1),
    }
    for words, data in cases.items():
        with pytest.raises(UnreadableMedia, match=f"{words}.*save it with 8 or 16 bits a channel"):
            read(data)
    with pytest.raises(UnreadableMedia, match="cut off or damaged"):
        read(tiff(SCALED, photometric="rgb")[:-2000])
    monkeypatch.setattr(deep, "MAX_BYTES", 30_000)
    with pytest.raises(LimitExceeded, match="at most 0 MB are read of a TIFF with 32 bits"):
        read(tiff(SCALED, photometric="rgb"))


def test_a_float_tiff_beyond_the_limits_is_refused_by_its_header(read):
    data = bytearray(tiff(SCALED, photometric="rgb"))
    for tag in (256, 257):
        place = tifffile.TiffFile(io.BytesIO(data)).pages[0].tags[tag].valueoffset
        data[place : place + 4] = np.array([9000], "<u4").tobytes()
    with pytest.raises(LimitExceeded, match="9000×9000 pixels"):
        read(bytes(data))


def test_random_damage_of_the_new_kinds_never_crashes():
    random, refused = np.random.default_rng(0), 0
    for good in (heic(QUARTERS), saved(QUARTERS, "AVIF"), tiff(SCALED, photometric="rgb")):
        for round_ in range(24):
            data = bytearray(good)
            reach = min(len(data), 400) if round_ % 2 else len(data)
            for place in random.integers(0, reach, 4):
                data[place] = random.integers(0, 256)
            try:
                assert read_image(bytes(data)).dtype == np.uint8
            except (UnreadableMedia, LimitExceeded):
                refused += 1
    assert 0 < refused < 72


def test_a_picture_of_one_bit(tmp_path, shared_data):
    path = shared_data / "bugs" / "onebit.png"
    if not path.is_file():
        pytest.skip("the reported files are not beside this checkout")
    with Image.open(path) as given:
        expected = np.asarray(given.convert("L"))
    assert np.array_equal(read_image(path), np.repeat(expected[..., None], 3, axis=2))
