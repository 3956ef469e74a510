"""Masks: cleaning, growing, uniting, the complementary pair, drawing, PNG in and out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from durian import masks
from durian.errors import InvalidRequest, LimitExceeded, UnreadableMedia


def disc(size: int = 101, radius: float = 30, centre: tuple[float, float] | None = None) -> np.ndarray:
    """A soft disc, ``(size, size) uint8``."""
    x0, y0 = centre or (size // 2, size // 2)
    y, x = np.mgrid[:size, :size]
    return np.rint(np.clip(radius + 0.5 - np.hypot(x - x0, y - y0), 0, 1) * 255).astype(np.uint8)


@pytest.mark.parametrize("distance", [7.0, 3.5, 0.4, -0.4, -3.5, -7.0])
def test_expand_moves_a_discs_edge_by_the_distance(distance):
    grown = masks.expand(disc(), distance).astype(float).sum() / 255
    assert grown == pytest.approx(np.pi * (30 + distance) ** 2, rel=0.03)


def test_expand_by_fractions_is_anti_aliased_and_monotone():
    areas = [masks.expand(disc(), d).astype(int).sum() for d in (-1, -0.75, -0.5, 0, 0.5, 0.75, 1)]
    assert areas == sorted(areas)
    assert len(set(areas)) == len(areas)
    edge = masks.expand(disc(), 0.5)
    assert ((edge > 20) & (edge < 235)).sum() > 20


def test_growing_never_takes_away_and_shrinking_never_adds():
    hairy = np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)
    assert (masks.expand(hairy, 2) >= hairy).all()
    assert (masks.expand(hairy, -2) <= hairy).all()
    assert np.array_equal(masks.expand(hairy, 0), hairy)


def test_expand_of_empty_and_full_masks():
    empty, full = np.zeros((9, 9), np.uint8), np.full((9, 9), 255, np.uint8)
    assert not masks.expand(empty, 3).any()
    assert not masks.expand(empty, -3).any()
    assert (masks.expand(full, 3) == 255).all()
    assert (masks.expand(full, -3) == 255).all()


def test_union_is_the_maximum_and_a_copy():
    a, b = np.array([[0, 200]], np.uint8), np.array([[100, 50]], np.uint8)
    united = masks.union(m for m in (a, b))
    assert united.tolist() == [[100, 200]]
    only = masks.union([a])
    only[:] = 7
    assert a.tolist() == [[0, 200]]


def test_union_refuses_nothing_and_different_sizes():
    with pytest.raises(InvalidRequest, match="at least one"):
        masks.union([])
    with pytest.raises(InvalidRequest, match="4×3 and 3×4"):
        masks.union([np.zeros((3, 4), np.uint8), np.zeros((4, 3), np.uint8)])


def test_check_size_names_both_sizes():
    with pytest.raises(InvalidRequest, match="5×4 pixels but its picture is 7×6"):
        masks.check_size(np.zeros((4, 5), np.uint8), np.zeros((6, 7, 3), np.uint8))
    with pytest.raises(InvalidRequest, match="8-bit"):
        masks.check_size(np.zeros((4, 5), bool), np.zeros((4, 5, 3), np.uint8))


@pytest.mark.parametrize("draw", [masks.overlay, masks.outline])
def test_a_mask_of_another_picture_is_not_drawn(draw):
    with pytest.raises(InvalidRequest, match="40×1 pixels but its picture is 40×30"):
        draw(np.zeros((30, 40, 3), np.uint8), np.zeros((1, 40), np.uint8))


def test_overlay_tints_inside_only_and_outline_draws_the_edge_only():
    image, mask = np.full((101, 101, 3), 100, np.uint8), disc()
    tinted = masks.overlay(image, mask, (255, 0, 0), 0.5)
    assert tinted[50, 50].tolist() == [178, 50, 50]
    assert tinted[0, 0].tolist() == [100, 100, 100]
    assert masks.overlay(image, mask, opacity=1.0)[50, 50].tolist() == [255, 64, 128]
    drawn = masks.outline(image, mask, (0, 255, 0))
    assert drawn[50, 80, 1] > 170
    assert drawn[50, 50].tolist() == [100, 100, 100] == drawn[0, 0].tolist()
    assert np.array_equal(masks.outline(image, np.zeros((101, 101), np.uint8)), image)
    assert np.array_equal(masks.outline(image, np.full((101, 101), 255, np.uint8)), image)


def test_png_is_exact(tmp_path):
    mask = np.random.default_rng(3).integers(0, 255, (31, 17), dtype=np.uint8)
    path = tmp_path / "mask.png"
    path.write_bytes(masks.png_bytes(mask))
    for source in (path, str(path), path.read_bytes()):
        assert np.array_equal(masks.read_mask(source, (31, 17, 3)), mask)


def encoded(array: np.ndarray, mode: str | None = None, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(array) if mode is None else Image.fromarray(array).convert(mode)
    picture.save(buffer, kind)
    return buffer.getvalue()


def test_masks_from_other_programs():
    shape = (6, 5)
    truth = np.zeros(shape, np.uint8)
    truth[2:4, 1:4] = 255
    transparent = np.dstack([np.full((*shape, 3), 40, np.uint8), truth])
    opaque = np.dstack([np.repeat(truth[..., None], 3, -1), np.full(shape, 255, np.uint8)])
    deep = truth.astype(np.uint16) * 257
    for data in (
        encoded(transparent),
        encoded(opaque),
        encoded(np.repeat(truth[..., None], 3, -1)),
        encoded(truth // 255),
        encoded(truth, "1"),
        encoded(deep),
        encoded(truth, kind="BMP"),
    ):
        assert np.array_equal(masks.read_mask(data, shape), truth)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "AVIF"])
def test_masks_in_any_format_that_pictures_have(kind):
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 8:40] = 255
    assert np.abs(masks.read_mask(encoded(mask, kind=kind), mask.shape).astype(int) - mask).max() <= 2


@pytest.mark.parametrize("kind", ["PPM", "ICO", "PCX", "TGA", "SGI"])
def test_masks_in_no_other_format(kind):
    with pytest.raises(UnreadableMedia, match="not a picture that can be read"):
        masks.read_mask(encoded(disc(32, 8), kind=kind), (32, 32, 3))


def test_a_mask_turned_by_exif_is_turned_back():
    mask = np.zeros((40, 50), np.uint8)
    mask[:10, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(np.rot90(mask))).save(buffer, "PNG", exif=exif)
    assert np.array_equal(masks.read_mask(buffer.getvalue(), mask.shape), mask)


def test_a_mask_at_the_size_that_its_picture_is_worked_on():
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 20:] = 255
    small = masks.read_mask(masks.png_bytes(mask), mask.shape, (30, 20))
    assert small.shape == (20, 30)
    assert small[:, :10].max() == 0
    assert small[:, 10:].min() == 255
    assert np.array_equal(masks.resized(small, (30, 20)), small)
    # Back at its own size the edge lies where it lay, half a pixel soft.
    back = masks.resized(small, (60, 40))
    assert np.abs(np.abs(back.astype(int) - mask).max(0)).argmax() in (19, 20)
    assert back[:, :19].max() == 0
    assert back[:, 21:].min() == 255


def test_unusable_mask_files(tmp_path, settings_environment):
    good = masks.png_bytes(disc(32, 8))
    with pytest.raises(InvalidRequest, match="32×32 pixels but its picture is 64×32"):
        masks.read_mask(good, (32, 64, 3))
    for bad in (b"", b"just text", good[: len(good) // 2]):
        with pytest.raises(UnreadableMedia, match="not a picture"):
            masks.read_mask(bad, (32, 32, 3))
    with pytest.raises(UnreadableMedia):
        masks.read_mask(tmp_path / "nowhere.png", (32, 32, 3))
    settings_environment(max_file_mb=1)
    big = tmp_path / "big.png"
    big.write_bytes(b"\0" * (2**20 + 1))
    with pytest.raises(LimitExceeded, match="1 MB"):
        masks.read_mask(big, (32, 32, 3))


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 0, 255), (128, 0, 0), (255, 0, 255), (40, 90, 20)])
@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_a_mask_drawn_in_one_colour_is_as_good_as_white(colour, mode):
    drawn = np.zeros((40, 40, 3), np.uint8)
    drawn[10:30, 5:20] = colour
    buffer = io.BytesIO()
    Image.fromarray(drawn).convert(mode, dither=Image.Dither.NONE).save(buffer, "PNG")
    assert np.array_equal(masks.read_mask(buffer.getvalue(), (40, 40)), drawn.any(axis=2) * np.uint8(255))


def test_a_soft_edge_in_a_colour_is_kept():
    edge = np.linspace(0, 255, 40).astype(np.uint8)[None].repeat(40, axis=0)
    drawn = np.dstack([edge, np.zeros_like(edge), edge // 3])
    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, "PNG")
    assert np.array_equal(masks.read_mask(buffer.getvalue(), (40, 40)), edge)


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16", "F"])
def test_grey_is_taken_exactly_even_of_two_values(mode):
    grey = np.zeros((40, 40), np.uint8)
    grey[10:30] = 100
    given = {"I;16": grey.astype(np.uint16) * 257, "F": grey / np.float32(255)}.get(mode)
    picture = Image.fromarray(grey).convert(mode) if given is None else Image.fromarray(given)
    buffer = io.BytesIO()
    picture.save(buffer, "TIFF")
    assert np.array_equal(masks.read_mask(buffer.getvalue(), (40, 40)), grey)


@pytest.mark.parametrize("distance", [6.5, -2.0])
def test_expand_by_a_distance_at_hand_is_the_same(distance: float):
    mask = disc()
    expected = masks.expand(mask, distance)
    # OpenCV's distances are the same up to the last bit only, which may round to another level.
    assert np.abs(masks.expand(mask, distance, masks.signed_distance(mask)).astype(int) - expected).max() <= 1
