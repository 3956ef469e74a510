"""Pictures are worked on at the size that is needed; points and masks stay in pixels of the upload."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import asynchronous
import cv2
import gradio as gr
import numpy as np
import pytest
from PIL import Image

from durian import masks
from durian.cli.main import main
from durian.errors import InvalidRequest, LimitExceeded, UnreadableMedia
from durian.face import Crop
from durian.media import Picture, pixel_count, read_image, read_picture
from durian.media.decoding import working_size
from durian.prepare import (
    AttributeSource,
    Click,
    PortraitSource,
    build_request,
    find_mask,
    load_attribute,
    load_portrait,
)
from durian.request_pictures import RequestPictures, read_mask_of
from durian.ui import api, reading
from durian.ui.handlers import portrait as portrait_handlers
from durian.ui.handlers import wear
from durian.ui.session import Session

HALVED = 600 * 512 / 1e6
"""Megapixels that make the doubled photo of Hopper its own size again."""
SIZE = (1024, 1200)


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory, hopper: np.ndarray) -> Path:
    """Grace Hopper at twice the size, 1024×1200, stored on its side as phones do."""
    path = tmp_path_factory.mktemp("photos") / "hopper.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    large = np.repeat(np.repeat(hopper, 2, 0), 2, 1)
    Image.fromarray(np.ascontiguousarray(np.rot90(large))).save(path, exif=exif)
    return path


@pytest.fixture
def halved(settings_environment):
    """References and portraits are worked on at half the doubled photo's size."""
    settings_environment(reference_megapixels=HALVED, portrait_megapixels=HALVED)


# Sizes


@pytest.mark.parametrize(
    ("given", "megapixels", "size"),
    [
        ((7000, 7000), 4, (2000, 2000)),
        ((7000, 7000), None, (7000, 7000)),
        ((16000, 1000), 16, (4096, 256)),
        ((1000, 16000), 16, (256, 4096)),
        ((800, 600), 4, (800, 600)),
        ((16384, 32), 4, (4096, 8)),
    ],
)
def test_working_sizes(given, megapixels, size):
    assert working_size(*given, megapixels) == size


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_large_picture_is_unpacked_small(tmp_path, collins, form):
    path = tmp_path / "large"
    large = cv2.resize(collins, (1500, 1100), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(large).save(path, form, **({"quality": 95} if form in ("JPEG", "WEBP") else {}))
    picture = read_picture(path, 0.25)
    assert picture.given == (1500, 1100)
    assert picture.image.shape == (428, 584, 3)
    exact = cv2.resize(large, (584, 428), interpolation=cv2.INTER_AREA)
    assert np.abs(picture.image.astype(int) - exact).mean() < 2
    assert pixel_count(path) == 1500 * 1100


def test_alpha_is_weighed_when_shrinking(tmp_path):
    # Green that nobody sees must not shine through beside what is seen.
    rgba = np.zeros((200, 200, 4), np.uint8)
    rgba[..., 1] = 255
    rgba[:, ::2] = (200, 0, 0, 255)
    Image.fromarray(rgba).save(tmp_path / "alpha.png")
    seen = read_picture(tmp_path / "alpha.png", 0.01).image[50, 50].astype(int)
    assert np.abs(seen - [228, 128, 128]).max() <= 3


def test_memory_of_a_49_megapixel_jpeg(tmp_path):
    """Whole it takes 147 MB, and twice that on the way; at 3 megapixels the growth stays below a third of that."""
    path = tmp_path / "large.jpg"
    Image.new("RGB", (7000, 7000), (90, 120, 150)).save(path, quality=80)
    code = (
        "import resource, sys; from PIL import ImageCms, JpegImagePlugin\n"
        "from durian.media.images import read_picture\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); image = read_picture(sys.argv[1], 3.0).image; print(image.shape[0], peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    side, grown = map(int, done.stdout.split())
    assert side == 1732
    assert grown < 100_000  # kB


def test_points_of_the_upload_and_back():
    picture = Picture(np.zeros((50, 100, 3), np.uint8), (400, 100))
    # Corners stay corners: pixel centres lie at integers.
    assert picture.point(-0.5, -0.5) == (-0.5, -0.5)
    assert picture.point(399.5, 99.5) == (99.5, 49.5)
    assert picture.within(100.0) is picture
    half = Picture(np.zeros((50, 200, 3), np.uint8), (400, 100))
    assert half.within(0.0025).image.shape == (25, 100, 3)


# Requests


def test_clicks_are_in_pixels_of_the_upload(doubled, hopper, halved):
    made = load_attribute(AttributeSource(doubled, clicks=(Click(500.5, 140.5), Click(500.5, 520.5, False))))
    assert made.image.shape == hopper.shape
    assert np.abs(made.image.astype(int) - hopper).mean() < 1.5
    expected = find_mask(made.image, made.landmarks, None, (Click(250.0, 70.0), Click(250.0, 260.0, False)))
    assert np.array_equal(made.mask, expected)
    with pytest.raises(InvalidRequest, match=r"click at 1024,3 is outside hopper\.png, which is 1024×1200 pixels"):
        load_attribute(AttributeSource(doubled, clicks=(Click(1024, 3),)))


def test_a_given_mask_has_the_uploads_size(doubled, tmp_path, halved):
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[60:260, 320:680] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    for given in (tmp_path / "mask.png", mask):
        made = load_attribute(AttributeSource(doubled, "hat", given))
        assert np.array_equal(made.mask, masks.resized(mask, (512, 600)))
    Image.fromarray(mask[:600, :512]).save(tmp_path / "small.png")
    with pytest.raises(InvalidRequest, match="512×600 pixels but its picture is 1024×1200"):
        load_attribute(AttributeSource(doubled, "hat", tmp_path / "small.png"))


def test_a_crop_is_in_pixels_of_the_upload(doubled, halved):
    person = load_portrait(PortraitSource(doubled, crop=Crop(511.5, 599.5, 800.0)))
    assert person.image.shape == (600, 512, 3)
    assert (person.crop.x, person.crop.y, person.crop.side) == pytest.approx((255.5, 299.5, 400.0))


@pytest.mark.parametrize(
    "crop",
    [Crop(0, 0, 1), Crop(-300, -300, 100), Crop(5000, 5000, 100), Crop(512, 400, 4), Crop(512, 400, 1e6)],
    ids=["a corner", "before", "behind", "a speck", "a field"],
)
def test_a_crop_that_does_not_hold_the_face_is_refused(doubled, halved, crop):
    with pytest.raises(InvalidRequest) as caught:
        load_portrait(PortraitSource(doubled, crop=crop))
    told = re.fullmatch(
        r"The crop (\S+) does not hold the face: give a square with the point (\d+),(\d+) in it and a side from "
        r"(\d+) to (\d+) pixels\.",
        str(caught.value),
    )
    assert [float(number) for number in told[1].split(",")] == pytest.approx([crop.x, crop.y, crop.side])
    x, y, smallest, largest = (int(number) for number in told.groups()[1:])
    assert largest == 4 * 1200
    # What it advises is taken, to the last pixel.
    for side in (smallest, largest):
        for away in (-side / 2, side / 2):
            assert load_portrait(PortraitSource(doubled, crop=Crop(x + away, y, side))).crop.side == side / 2


def test_one_file_is_unpacked_once(doubled, tmp_path, settings_environment):
    settings_environment(reference_megapixels=HALVED)
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[60:260, 320:680] = 255
    link = tmp_path / "same.png"
    link.symlink_to(doubled)
    items = [AttributeSource(path, "hat", mask) for path in (doubled, link, str(doubled))]
    request = build_request(PortraitSource(doubled), items).request
    assert request.portrait.image.shape == (1200, 1024, 3)
    assert {each.image.shape for each in request.attributes} == {(600, 512, 3)}
    assert len({id(each.image) for each in request.attributes}) == 1
    pictures = RequestPictures(references=[doubled])
    assert pictures.reference(doubled) is pictures.reference(link)
    assert pictures.faces(pictures.reference(doubled)) is pictures.faces(pictures.reference(link))


def promise(path: Path, width: int, height: int) -> Path:
    """A PNG whose header promises a size and that holds next to nothing."""
    chunks = b""
    for kind, body in (
        (b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"),
        (b"IDAT", zlib.compress(b"\0" * 100)),
    ):
        chunks += len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def test_pixels_of_a_request_are_counted_before_anything_is_unpacked(tmp_path, settings_environment):
    settings_environment(max_request_megapixels=30)
    first, second = (promise(tmp_path / name, 4000, 4000) for name in ("a.png", "b.png"))
    with pytest.raises(LimitExceeded, match="have 32 megapixels together: at most 30 are taken; leave some out"):
        build_request(PortraitSource(first), [AttributeSource(second, "hat")])
    # One file counts once, so this is refused for what it holds.
    with pytest.raises(UnreadableMedia, match="cut off or damaged"):
        build_request(PortraitSource(first), [AttributeSource(first, "hat"), AttributeSource(first, "hair")])


# The command line and the API


def test_segment_gives_a_mask_of_the_uploads_size(doubled, tmp_path, capsys, halved):
    out = tmp_path / "mask.png"
    code = main(["segment", str(doubled), "--click", "500,140", "--click", "500,520,-", "-o", str(out), "--json"])
    assert code == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["width"], report["height"]) == SIZE
    mask = np.asarray(Image.open(out))
    assert mask.shape == SIZE[::-1]
    assert mask[140, 500] > 127 > mask[520, 500]


def test_the_api_segments_in_pixels_of_the_upload(doubled, halved):
    folder = Path(gr.utils.get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    upload = folder / "upright-upload.png"
    upload.write_bytes(doubled.read_bytes())
    try:
        answer = asynchronous.run(api.segment({"path": str(upload)}, [[500, 140, 1], [500, 520, 0]]))
    finally:
        upload.unlink()
    mask = np.asarray(Image.open(answer.path))
    Path(answer.path).unlink()
    assert mask.shape == SIZE[::-1]
    assert mask[140, 500] > 127 > mask[520, 500]


# The page


def test_the_page_takes_and_gives_masks_of_the_uploads_size(doubled, tmp_path, halved):
    session = Session(owner="page-of-a-test")
    item = session.add_item()
    reading.reference_into(item, doubled)
    assert item.image.shape == (600, 512, 3)
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[60:260, 320:680] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    take = reading.import_mask(item, str(tmp_path / "mask.png"))
    assert not np.array_equal(item.history.mask, mask[::2, ::2])
    take()
    assert np.array_equal(item.history.mask, mask[::2, ::2])
    exported = Path(wear.export_mask(session))
    back = read_image(exported)[..., 0]
    exported.unlink()
    assert back.shape == mask.shape
    assert (np.abs(back.astype(int) - mask) > 127).sum() == 0
    # Clicks come in pixels of what the page shows, which is what the session holds.
    reading.click(item, 250.0, 500.0, True)
    assert item.history.mask[500, 250] > 127


def test_a_table_has_room_for_so_many_pixels(doubled, hopper, tmp_path, settings_environment):
    settings_environment(max_request_megapixels=2)
    session = Session(owner="full-table")
    portrait_handlers.put(session, doubled)
    assert session.portrait.given == SIZE
    with pytest.raises(LimitExceeded, match=r"The portrait and the items have 2 megapixels together.*remove an item"):
        wear.put(session, str(doubled))
    assert session.items == []
    Image.fromarray(hopper).save(tmp_path / "small.png")
    wear.put(session, str(tmp_path / "small.png"))
    # What is replaced makes room.
    portrait_handlers.put(session, doubled)
    wear.put(session, str(tmp_path / "small.png"))
    assert len(session.items) == 1


def test_a_missing_mask_is_said_to_be(tmp_path):
    with pytest.raises(InvalidRequest, match=r"The mask gone\.png does not exist"):
        read_mask_of(tmp_path / "gone.png", Picture.whole(np.zeros((40, 40, 3), np.uint8)))
