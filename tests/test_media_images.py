"""Every picture format and every bad file, made on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from pictures_made import QUARTERS, exif_of, held
from PIL import Image

from durian.errors import InvalidRequest, LimitExceeded, OutputFailed, UnreadableMedia
from durian.media import DIGITAL_SOURCE_TYPE, TITLE, encode_png, read_image, read_metadata, write_image


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """48×64."""
    return QUARTERS.copy()


def close(actual: np.ndarray, expected: np.ndarray, tolerance: float = 2.0) -> bool:
    """Equal in the middle of the quarters; lossy formats blur their borders."""
    assert actual.shape == expected.shape
    assert actual.dtype == np.uint8
    h, w = expected.shape[:2]
    points = [(h // 4, w // 4), (h // 4, 3 * w // 4), (3 * h // 4, w // 4), (3 * h // 4, 3 * w // 4)]
    return all(np.abs(actual[p].astype(int) - expected[p].astype(int)).max() <= tolerance for p in points)


@pytest.mark.parametrize(
    ("ending", "options", "tolerance"),
    [
        ("png", {}, 0),
        ("bmp", {}, 0),
        ("tiff", {}, 0),
        ("tiff", {"compression": "tiff_lzw"}, 0),
        ("webp", {"lossless": True}, 0),
        ("webp", {"quality": 90}, 6),
        ("jpeg", {"quality": 95, "subsampling": 0}, 4),
        ("gif", {}, 6),
    ],
)
def test_formats_from_path_and_bytes(picture, tmp_path, ending, options, tolerance):
    path = tmp_path / f"picture.{ending}"
    Image.fromarray(picture).save(path, **options)
    assert close(read_image(path), picture, tolerance)
    assert np.array_equal(read_image(path.read_bytes()), read_image(str(path)))


def test_gif_gives_its_first_frame(picture, tmp_path):
    path = tmp_path / "two.gif"
    second = Image.fromarray(255 - picture)
    Image.fromarray(picture).save(path, save_all=True, append_images=[second])
    assert close(read_image(path), picture, 6)


@pytest.mark.parametrize("ending", ["jpg", "png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(picture, tmp_path, ending, orientation):
    stored = held(picture, orientation)
    path = tmp_path / f"turned.{ending}"
    Image.fromarray(np.ascontiguousarray(stored)).save(
        path, exif=exif_of(orientation), **({"quality": 95} if ending != "png" else {})
    )
    assert close(read_image(path), picture, 12)


def test_alpha_is_laid_on_white(picture, tmp_path):
    alpha = np.full(picture.shape[:2], 255, np.uint8)
    alpha[:24, :32], alpha[:24, 32:] = 0, 128
    Image.fromarray(np.dstack([picture, alpha])).save(tmp_path / "alpha.png")
    image = read_image(tmp_path / "alpha.png")
    assert image[5, 5].tolist() == [255, 255, 255]
    assert np.abs(image[5, 50].astype(int) - (picture[5, 50].astype(int) + 255) / 2).max() <= 1
    assert np.array_equal(image[24:], picture[24:])


def test_palette_with_a_transparent_colour(tmp_path):
    indexed = Image.new("P", (40, 40), 0)
    indexed.putpalette([255, 0, 0, 0, 0, 255])
    indexed.paste(1, (20, 0, 40, 40))
    indexed.save(tmp_path / "palette.png", transparency=0)
    image = read_image(tmp_path / "palette.png")
    assert image[10, 10].tolist() == [255, 255, 255]
    assert image[10, 30].tolist() == [0, 0, 255]


def test_grey_and_16_bit(tmp_path):
    ramp = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None], 40, axis=0)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    Image.fromarray(ramp).save(tmp_path / "deep.tiff")
    Image.fromarray((ramp // 257).astype(np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray((ramp / 65535).astype(np.float32)).save(tmp_path / "float.tiff")
    Image.fromarray(ramp[:, :] > 30000).save(tmp_path / "bits.png")
    expected = np.repeat(np.round(ramp / 257.0)[..., None], 3, axis=2)
    for name in ("deep.png", "deep.tiff", "grey.png", "float.tiff"):
        image = read_image(tmp_path / name)
        assert image.shape == (40, 64, 3)
        assert np.abs(image - expected).max() <= 1, name
    assert set(np.unique(read_image(tmp_path / "bits.png"))) == {0, 255}


def test_16_bit_colour_png():
    # Pillow cannot write one, so this is the format by hand: colour type 2, 16 bits, no filter.
    pixels = np.zeros((32, 32, 3), ">u2")
    pixels[..., 0], pixels[..., 1] = 65535, 32896
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    assert read_image(_png(32, 32, rows, depth=16))[7, 9].tolist() == [255, 128, 0]


def test_cmyk_jpeg_and_tiff(tmp_path):
    cmyk = Image.new("CMYK", (40, 40), (0, 255, 255, 0))
    cmyk.save(tmp_path / "print.jpg", quality=95)
    cmyk.save(tmp_path / "print.tiff")
    for name in ("print.jpg", "print.tiff"):
        red, green, blue = read_image(tmp_path / name)[20, 20].tolist()
        assert red > 240
        assert max(green, blue) < 15


def test_an_embedded_profile_is_converted(tmp_path):
    from PIL import ImageCms

    # Lab as a stand-in for a wide profile is not RGB, so: an sRGB profile must change nothing, a broken one neither.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGB", (40, 40), (200, 100, 50))
    image.save(tmp_path / "srgb.png", icc_profile=profile)
    image.save(tmp_path / "broken.png", icc_profile=b"not a profile")
    for name in ("srgb.png", "broken.png"):
        assert read_image(tmp_path / name)[3, 3].tolist() == [200, 100, 50]


def test_a_wrong_name_does_not_matter(picture, tmp_path):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encode_png(picture))
    assert np.array_equal(read_image(path), picture)


def _png(width: int, height: int, rows: bytes, depth: int = 8) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _one_sentence(error: pytest.ExceptionInfo, *words: str) -> None:
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert "Traceback" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "tiff", "gif"])
def test_truncated(collins, tmp_path, ending):
    buffer = io.BytesIO()
    Image.fromarray(collins[:200, :200]).save(buffer, {"jpg": "JPEG"}.get(ending, ending.upper()))
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(UnreadableMedia) as error:
        read_image(path)
    _one_sentence(error, path.name, "cut off or damaged")


def test_damaged_checksum(picture, tmp_path):
    data = bytearray(encode_png(picture))
    data[20] ^= 0x10  # inside the header, whose checksum then no longer fits
    with pytest.raises(UnreadableMedia) as error:
        read_image(bytes(data))
    _one_sentence(error, "damaged")


def test_empty(tmp_path):
    (tmp_path / "nothing.png").touch()
    with pytest.raises(UnreadableMedia) as error:
        read_image(tmp_path / "nothing.png")
    _one_sentence(error, "nothing.png is empty", "JPEG, PNG")
    with pytest.raises(UnreadableMedia, match="is empty"):
        read_image(b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Grüße, this is no picture.\n".encode() * 40, "holds text"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04\0\0", "ZIP"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "is a video"),
        (b"OggS\0\0", "sound"),
        (bytes(range(200, 256)) + b"\0", "unknown kind"),
    ],
)
def test_something_else_with_a_picture_name(tmp_path, content, words):
    path = tmp_path / "portrait.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableMedia) as error:
        read_image(path)
    _one_sentence(error, "portrait.png", words, "choose a JPEG")


def test_missing_and_folder(tmp_path):
    with pytest.raises(UnreadableMedia, match=r"gone\.png does not exist"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(UnreadableMedia, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize(("width", "height"), [(30_000, 100), (100, 30_000), (9_000, 9_000), (30_000, 30_000)])
def test_too_many_pixels_are_refused_before_unpacking(tmp_path, width, height):
    path = tmp_path / "bomb.png"
    # The header alone promises the size; if it were unpacked, the missing rows would be the complaint.
    path.write_bytes(_png(width, height, b"\0" * 100))
    with pytest.raises(LimitExceeded) as error:
        read_image(path)
    _one_sentence(error, "bomb.png", "50 megapixels", "16384")


def test_a_compressed_text_bomb(tmp_path):
    text = b"Comment\0\0" + zlib.compress(b"a" * 80_000_000)
    data = _png(40, 40, (b"\0" + b"\x80" * 120) * 40)
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    with pytest.raises(UnreadableMedia) as error:
        read_image(data[:33] + chunk + data[33:])
    _one_sentence(error, "damaged")


def test_too_small_and_too_many_bytes(tmp_path, settings_environment):
    Image.new("RGB", (31, 400)).save(tmp_path / "tiny.png")
    with pytest.raises(LimitExceeded, match="only 31×400 pixels: give a picture of at least 32"):
        read_image(tmp_path / "tiny.png")
    settings_environment(max_file_mb=1)
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1_500_000))
    with pytest.raises(LimitExceeded, match=r"huge\.png has 2 MB: at most 1 MB"):
        read_image(tmp_path / "huge.png")
    with pytest.raises(LimitExceeded, match="at most 1 MB"):
        read_image(bytes(1_500_000))


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_written_pictures_carry_the_mark_and_settings(picture, no_leftovers, ending):
    path = write_image(picture, no_leftovers / f"result.{ending}", {"seed": 7, "name": 'a <b> & "ü"'})
    found = read_metadata(path)
    assert found["seed"] == 7
    assert found["name"] == 'a <b> & "ü"'
    assert found["title"] == TITLE
    assert found["digital_source_type"] == DIGITAL_SOURCE_TYPE
    assert close(read_image(path), picture, {"png": 0, "jpg": 6, "webp": 8}[ending])


def test_metadata_of_foreign_files(picture, tmp_path):
    Image.fromarray(picture).save(tmp_path / "plain.png")
    assert read_metadata(tmp_path / "plain.png") == {}
    (tmp_path / "note.txt").write_text("hello")
    with pytest.raises(UnreadableMedia, match="neither a picture nor a video"):
        read_metadata(tmp_path / "note.txt")


def test_writing_refuses_what_it_cannot(picture, no_leftovers):
    with pytest.raises(InvalidRequest, match=r"\.png, \.jpg or \.webp"):
        write_image(picture, no_leftovers / "result.xyz")
    with pytest.raises(InvalidRequest, match="uint8 RGB"):
        write_image(picture[..., 0], no_leftovers / "result.png")
    with pytest.raises(OutputFailed, match="does not exist"):
        write_image(picture, no_leftovers / "absent" / "result.png")


def test_writing_never_replaces_a_good_file_with_half_a_one(picture, no_leftovers, monkeypatch):
    path = write_image(picture, no_leftovers / "result.png")
    before = path.read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputFailed) as error:
        write_image(255 - picture, path)
    _one_sentence(error, "result.png", "disk is full")
    assert path.read_bytes() == before


@pytest.mark.parametrize("ending", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_random_damage_is_read_or_refused_but_never_crashes(collins, ending):
    """Two dozen copies with random bytes changed: a picture or one sentence, whatever a decoder raises."""
    buffer = io.BytesIO()
    Image.fromarray(collins[:96, :96]).save(buffer, ending)
    random = np.random.default_rng(0)
    refused = 0
    for round_ in range(24):
        data = bytearray(buffer.getvalue())
        # Every second round hits the headers, where the sizes and offsets are.
        reach = min(len(data), 64) if round_ % 2 else len(data)
        for place in random.integers(0, reach, 4):
            data[place] = random.integers(0, 256)
        try:
            image = read_image(bytes(data))
        except (UnreadableMedia, LimitExceeded):
            refused += 1
        else:
            assert image.dtype == np.uint8
            assert image.shape[2] == 3
    assert 0 < refused <= 24


def test_broken_exif_does_not_spoil_a_good_picture(picture):
    for exif in (b"Exif\0\0garbage!", b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03\0\0\0\x01\xff"):
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=95, subsampling=0, exif=exif)
        assert close(read_image(buffer.getvalue()), picture, 6)
