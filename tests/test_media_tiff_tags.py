"""Small files whose tags would become gigabytes of Python objects, refused before a reader takes them."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from pictures_made import QUARTERS, exif_of, heic, saved
from PIL import Image, TiffImagePlugin

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media import avif_frames, read_image
from durian.media.avif_frames import exif_of_avif

SIDE, PIXELS = 64, 64 * 64
EXIF, GPS, INTEROPERABILITY = 34_665, 34_853, 40_965
BYTE, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SRATIONAL, FLOAT, DOUBLE, LONG8 = 1, 3, 4, 5, 6, 7, 10, 11, 12, 16
BASIC = {256: SIDE, 257: SIDE, 258: 8, 259: 1, 262: 1, 273: 16, 277: 1, 278: SIDE, 279: PIXELS}
FLAT = np.full((SIDE, SIDE, 3), 128, np.uint8)
NUMBERS, BYTES = "numbers in its tags: at most 500,000 are read; save it again", "more than a picture needs beside its"

Tags = list[tuple[int, int, int, int]]
"""Each tag's number, type, count, and place or value."""


def directory(tags: Tags, order: str = "<", is_big: bool = False) -> bytes:
    packed = [struct.pack(order + ("HHQQ" if is_big else "HHII"), *tag) for tag in tags]
    return struct.pack(order + ("Q" if is_big else "H"), len(tags)) + b"".join(packed) + bytes(8 if is_big else 4)


def tiff(*directories: Tags, order: str = "<", is_big: bool = False, behind: bytes = b"") -> bytes:
    """A grey TIFF; in a tag's place, -1 stands for the next directory, and -2 for what is behind all."""
    start = 16 + PIXELS
    first = [(tag, LONG8 if is_big else LONG, 1, value) for tag, value in BASIC.items()]
    all_tags = [[*first, *directories[0]], *directories[1:]]
    lengths = [len(directory([(0, 0, 0, 0)] * len(tags), order, is_big)) for tags in all_tags]
    ends = [start + sum(lengths[: index + 1]) for index in range(len(lengths))]
    places = {-2: ends[-1]}
    data = b"".join(
        directory([(*tag[:3], {**places, -1: ends[index]}.get(tag[3], tag[3])) for tag in tags], order, is_big)
        for index, tags in enumerate(all_tags)
    )
    mark = b"II" if order == "<" else b"MM"
    if is_big:
        head = mark + struct.pack(order + "HHHQ", 43, 8, 0, start)
    else:
        head = mark + struct.pack(order + "HIQ", 42, start, 0)
    return head + b"\x80" * PIXELS + data + behind


def same_place(kind: int, count: int = 12_000, length: int = 100) -> Tags:
    """Tags that readers do not know, and that all name the same values."""
    return [(50_000 + index, kind, count, -2) for index in range(length)]


def exif(kind: int, count: int, length: int = 100) -> bytes:
    """Made as EXIF is; all its tags name the same 12 kB."""
    at = 8 + 2 + 12 * length + 4
    return (
        b"II*\0"
        + struct.pack("<I", 8)
        + directory([(*tag[:3], at) for tag in same_place(kind, count, length)])
        + (bytes(12_000))
    )


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(*inside: bytes) -> bytes:
    data = saved(QUARTERS, "JPEG")
    return data[:2] + b"".join(inside) + data[2:]


@pytest.fixture
def untaken(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: TiffImagePlugin.ImageFileDirectory_v2, file: object) -> None:
        raise AssertionError("its tags were taken")

    monkeypatch.setattr(TiffImagePlugin.ImageFileDirectory_v2, "load", never)


WAYS: dict[str, list[Tags]] = {
    "its own": [],
    "EXIF": [[(EXIF, LONG, 1, -1)]],
    "EXIF as its type": [[(EXIF, 13, 1, -1)]],
    "GPS": [[(GPS, LONG, 1, -1)]],
    "interoperability": [[(EXIF, LONG, 1, -1)], [(INTEROPERABILITY, LONG, 1, -1)]],
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", [SHORT, LONG, SBYTE, FLOAT])
def test_far_too_many_numbers(untaken: None, way: list[Tags], kind: int):
    data = tiff(*way, same_place(kind, 6000), behind=bytes(24_000))
    with pytest.raises(LimitExceeded, match=r"^The picture holds 600,0\d\d " + NUMBERS):
        read_image(data)


@pytest.mark.parametrize("kind", [RATIONAL, SRATIONAL])
def test_fractions_count_for_more(untaken: None, kind: int):
    with pytest.raises(LimitExceeded, match=NUMBERS):
        read_image(tiff(WAYS["EXIF"][0], same_place(kind, 1000, 60), behind=bytes(8000)))


@pytest.mark.parametrize("tag", [258, 274, 282, 338, 339, 530, 700, 34_665])
def test_a_tag_of_a_million_numbers(untaken: None, tag: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(BASIC, tag, raising=False)
    with pytest.raises(LimitExceeded, match=NUMBERS):
        read_image(tiff([(tag, SHORT, 1_000_000, -2)], behind=bytes(2_000_000)))


@pytest.mark.parametrize("kind", [SHORT, LONG8, DOUBLE])
@pytest.mark.parametrize("order", ["<", ">"])
def test_large_tiffs_too(untaken: None, kind: int, order: str):
    way = [(EXIF, LONG8, 1, -1)]
    with pytest.raises(LimitExceeded, match=NUMBERS):
        read_image(tiff(way, same_place(kind, 6000), order=order, is_big=True, behind=bytes(48_000)))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", [BYTE, 2, UNDEFINED])
def test_tags_over_each_other(untaken: None, way: list[Tags], kind: int):
    with pytest.raises(LimitExceeded, match=BYTES):
        read_image(tiff(*way, same_place(kind), behind=bytes(12_000)))


def test_far_too_many_tags(untaken: None):
    for ways in WAYS.values():
        with pytest.raises(LimitExceeded, match=BYTES):
            read_image(tiff(*ways, [(50_000 + index, SHORT, 1, 1) for index in range(6000)]))


def test_where_its_exif_lies_is_told_once(untaken: None):
    with pytest.raises(UnreadableMedia, match="tells twice where its metadata is: save it again without metadata"):
        read_image(tiff([(EXIF, LONG, 1, 16), (EXIF, LONG, 1, 32)]))


def test_another_directory_where_one_reader_looks(untaken: None):
    """What is 8 as the first place's size is a place to a reader that does not know of it."""
    large = tiff([], order=">", is_big=True)
    assert np.array_equal(read_image(large), FLAT)
    other = directory([(50_000 + index, UNDEFINED, 12_000, 16) for index in range(100)], ">")
    assert np.array_equal(read_image(large.ljust(0x80000, b"\0") + other), FLAT)


HARMLESS = b"Exif\0\0" + exif(UNDEFINED, 10, 1)
JPEGS = {
    "EXIF": (segment(0xE1, b"Exif\0\0" + exif(UNDEFINED, 12_000)),),
    "numbers in EXIF": (segment(0xE1, b"Exif\0\0" + exif(SHORT, 6000)),),
    "EXIF in two parts": (
        segment(0xE1, b"Exif\0\0" + exif(UNDEFINED, 12_000)[:6000]),
        segment(0xE1, b"Exif\0\0" + exif(UNDEFINED, 12_000)[6000:]),
    ),
    "letters repeated": (segment(0xE1, b"Exif\0\0" * 2 + exif(UNDEFINED, 12_000)),),
    "a comment that begins so": (segment(0xFE, HARMLESS), segment(0xE1, b"Exif\0\0" + exif(UNDEFINED, 12_000))),
    "further pictures": (segment(0xE2, b"MPF\0" + exif(RATIONAL, 1500)),),
    "further pictures in many parts": tuple([segment(0xE2, b"MPF\0a")] * 20),
    "EXIF in many parts": (segment(0xE1, HARMLESS), *[segment(0xE1, b"Exif\0\0a")] * 20),
}


@pytest.mark.parametrize("inside", JPEGS.values(), ids=JPEGS)
def test_a_jpeg(untaken: None, inside: tuple[bytes, ...]):
    with pytest.raises(LimitExceeded, match=f"{BYTES}|{NUMBERS}"):
        read_image(jpeg(*inside))


LONG_EXIF = {
    "bytes": exif(UNDEFINED, 12_000),
    "numbers": exif(SHORT, 6000),
    "letters": b"Exif\0\0" * 10 + exif(BYTE, 1, 1),
}


@pytest.mark.parametrize("content", LONG_EXIF.values(), ids=LONG_EXIF)
@pytest.mark.parametrize("more", [{}, {"save_all": True, "append_images": [Image.fromarray(QUARTERS[::-1])]}])
def test_an_avif(content: bytes, more: dict[str, object], request: pytest.FixtureRequest):
    data = saved(QUARTERS, "AVIF", exif=content, **more)
    request.getfixturevalue("untaken")
    with pytest.raises(LimitExceeded, match=f"{BYTES}|{NUMBERS}"):
        read_image(data)


def test_exif_of_an_avifs_tracks_is_looked_at_too():
    """A sequence has what is told twice, as a picture and as a track."""
    content = LONG_EXIF["bytes"]
    data = saved(QUARTERS, "AVIF", exif=content, save_all=True, append_images=[Image.fromarray(QUARTERS[::-1])])
    assert list(exif_of_avif(io.BytesIO(data))) == [content] * 2


def test_exif_told_again_and_again(monkeypatch: pytest.MonkeyPatch):
    flipped = Image.fromarray(QUARTERS[::-1])
    data = saved(QUARTERS, "AVIF", exif=exif(BYTE, 4, 1), save_all=True, append_images=[flipped])
    assert read_image(data).shape == QUARTERS.shape
    monkeypatch.setattr(avif_frames, "MOST_TOLD", 1)
    with pytest.raises(UnreadableMedia, match="is cut off or damaged"):
        read_image(data)


@pytest.mark.parametrize(
    ("form", "name"),
    # A HEIF's reader passes the letters over.
    [(form, name) for form in ("PNG", "WEBP", "HEIC") for name in LONG_EXIF if (form, name) != ("HEIC", "letters")],
)
def test_others_are_read_without_it(form: str, name: str, request: pytest.FixtureRequest):
    content = LONG_EXIF[name]
    options = {"lossless": True} if form == "WEBP" else {}
    data = heic(QUARTERS, exif=content) if form == "HEIC" else saved(QUARTERS, form, exif=content, **options)
    request.getfixturevalue("untaken")
    assert np.abs(read_image(data).astype(int) - QUARTERS).max() <= (10 if form == "HEIC" else 0)


def test_long_tags_of_programs_are_read():
    """A palette's and a curve's 16 bits, notes that are told as numbers, layers, and profiles of a raw picture."""
    curve = 3 * 65_536
    data = tiff(
        [
            (301, SHORT, curve, -2),
            (320, SHORT, curve, -2),
            (33_723, LONG, 16_000, -2),
            (37_724, UNDEFINED, 2 * curve, -2),
            (50_938, FLOAT, 24_300, -2),
            (50_982, FLOAT, 13_824, -2),
        ],
        behind=bytes(1_000_000),
    )
    assert np.array_equal(read_image(data), FLAT)


def with_much_exif() -> Image.Exif:
    notes = exif_of(6)
    notes.get_ifd(EXIF).update({0x9000: b"0232", 0x927C: b"a" * 20_000, 0xA432: (4.0, 7.0, 1.5, 2.8)})
    notes.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.5)})
    return notes


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_exif_of_cameras_is_read(form: str):
    assert read_image(saved(QUARTERS, form, exif=with_much_exif())).shape == (QUARTERS.shape[1], QUARTERS.shape[0], 3)


def test_exif_that_a_program_left_behind_is_passed_over():
    """It copied the place from another file."""
    random = np.random.default_rng(0).integers(0, 255, 4000, np.uint8).tobytes()
    for place in (-2, 10**9, 17):
        assert np.array_equal(read_image(tiff([(EXIF, LONG, 1, place)], behind=random)), FLAT)


def test_a_jpeg_of_several_pictures_is_read():
    first, second = Image.fromarray(QUARTERS), Image.fromarray(QUARTERS[::-1])
    buffer = io.BytesIO()
    first.save(buffer, "MPO", save_all=True, append_images=[second], quality=95, subsampling=0)
    assert np.abs(read_image(buffer.getvalue()).astype(int) - QUARTERS).max() <= 8


def test_large_tiffs_of_programs_are_read():
    for order in "<>":
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, QUARTERS, bigtiff=True, byteorder=order, photometric="rgb", description="a" * 9000)
        assert np.array_equal(read_image(buffer.getvalue()), QUARTERS)
