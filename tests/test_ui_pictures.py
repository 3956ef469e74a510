"""Pictures sent to the page: outlines that match their masks, and small pictures."""

from __future__ import annotations

import base64
import io
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from durian.ui.pictures import (
    DISPLAY_SIDE,
    MOST_OUTLINE_POINTS,
    data_url,
    difference,
    image_id,
    item_square,
    mask_path,
    shrink,
    with_inset,
)


def drawn(path: str, shape: tuple[int, int]) -> np.ndarray:
    """Fill an SVG path of ``M…L…Z`` parts by the even-odd rule."""
    polygons = [
        np.array([[float(v) for v in point.split()] for point in part.split("L")], np.float64)
        for part in re.findall(r"M([^Z]*)Z", path)
    ]
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [np.rint(polygon).astype(np.int32) for polygon in polygons], 255)
    return canvas


@pytest.mark.parametrize("scale", [1, 4])
def test_the_outline_is_the_mask(scale):
    mask = np.zeros((200 * scale, 300 * scale), np.uint8)
    cv2.circle(mask, (120 * scale, 100 * scale), 60 * scale, 255, -1)
    cv2.circle(mask, (120 * scale, 100 * scale), 25 * scale, 0, -1)
    mask[: 30 * scale, 250 * scale :] = 255
    again = drawn(mask_path(mask), mask.shape)
    both = (again > 127) & (mask > 127)
    either = (again > 127) | (mask > 127)
    assert both.sum() / either.sum() > 0.97


def test_an_outline_has_so_many_points():
    """That of noise is drawn coarser, and that of a shape with specks around it is still the shape's."""
    generator = np.random.default_rng(0)
    for cell in (1, 2, 3):
        noise = np.kron(generator.integers(0, 2, (768 // cell, 600 // cell)), np.ones((cell, cell))) * 255
        path = mask_path(noise.astype(np.uint8))
        assert 0 < path.count("L") + path.count("M") <= MOST_OUTLINE_POINTS
        assert len(path) < 20 * MOST_OUTLINE_POINTS
    mask_path((np.indices((768, 768)).sum(0) % 2 * 255).astype(np.uint8))  # whose holes would be looked for in seconds
    mask = (generator.random((768, 600)) < 0.05).astype(np.uint8) * 255
    cv2.circle(mask, (300, 400), 150, 255, -1)
    path = mask_path(mask)
    assert path.count("L") <= MOST_OUTLINE_POINTS
    disc = cv2.circle(np.zeros_like(mask), (300, 400), 150, 255, -1)
    again = drawn(path, mask.shape)
    assert ((again > 127) & (disc > 127)).sum() / ((again > 127) | (disc > 127)).sum() > 0.95


def test_an_empty_mask_has_no_outline():
    assert mask_path(np.zeros((20, 20), np.uint8)) == ""
    assert mask_path(None) == ""


def test_pictures_are_small_jpegs(collins):
    large = np.repeat(np.repeat(collins, 3, 0), 3, 1)
    url = data_url(large)
    assert url.startswith("data:image/jpeg;base64,")
    with Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))) as image:
        assert max(image.size) == DISPLAY_SIDE
        seen = np.asarray(image.convert("RGB"), int)
    expected = cv2.resize(collins, (DISPLAY_SIDE, DISPLAY_SIDE), interpolation=cv2.INTER_LINEAR)
    assert np.abs(seen - expected).mean() < 6


def test_small_pictures_are_not_enlarged(collins):
    assert shrink(collins, 600) is collins


def test_an_id_is_of_the_content(collins):
    changed = collins.copy()
    changed[5, 5] ^= 1
    assert image_id(collins) == image_id(collins.copy()) != image_id(changed)


def test_an_item_is_cut_out_around_its_mask(hopper):
    mask = np.zeros(hopper.shape[:2], np.uint8)
    mask[50:150, 150:350] = 255
    square = item_square(hopper, mask)
    assert square.shape[0] == square.shape[1] <= 144
    middle, corner = square[70:74, 60:84].astype(int), square[2:6, 60:84].astype(int)
    np.testing.assert_allclose(middle.mean((0, 1)), hopper[97:103, 230:270].mean((0, 1)), atol=25)
    assert corner.min() > 150


def test_an_inset_leaves_the_rest_alone():
    picture, inset = np.full((100, 100, 3), 40, np.uint8), np.full((50, 50, 3), 200, np.uint8)
    result = with_inset(picture, inset)
    assert (result[:50] == 40).all()
    assert (result[:, :50] == 40).all()
    assert (result[77, 77] == 200).all()


def test_difference_is_dark_where_nothing_changed():
    first = np.full((20, 20, 3), 90, np.uint8)
    second = first.copy()
    second[:, 10:] = 200
    shown = difference(first, second)
    assert shown[:, :10].max() < 10 < 150 < shown[:, 10:].max()
