"""Two items mixed by α, on values."""

from __future__ import annotations

import numpy as np
import pytest
from faces_made import SIDE, made_landmarks

from durian.geometry.alignment import item_mesh
from durian.geometry.raster import Canvas
from durian.preview.layers import STILL, Blend, Layer
from durian.request import Attribute

LANDMARKS = made_landmarks()
RED, BLUE = (220, 30, 30), (30, 30, 220)


def slab(top: int, colour: tuple[int, int, int]) -> Layer:
    """A hat of one colour from ``top`` down to the forehead."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[top : int(LANDMARKS[10, 1]), 70:186] = 255
    mesh = item_mesh(Attribute(np.zeros((SIDE, SIDE, 3), np.uint8), mask, LANDMARKS, "hat"), LANDMARKS)
    texture = np.dstack([np.where(mask[..., None] > 0, np.uint8(colour), np.uint8(0)), mask])
    return Layer("hat", texture, mesh.texture_points, mesh, 1.0)


@pytest.fixture(scope="module")
def blend() -> Blend:
    return Blend(slab(2, RED), slab(22, BLUE), LANDMARKS, SIDE)


def at_rest(blend: Blend, alpha: float) -> np.ndarray:
    return blend.at_rest(Canvas(SIDE, SIDE), LANDMARKS, SIDE, alpha)


def test_at_its_ends_it_is_one_item_and_between_them_a_mixed_outline_in_mixed_colours(blend):
    first, half, second = (at_rest(blend, alpha) for alpha in (0.0, 0.5, 1.0))
    for end, layer in ((first, blend.ends[0]), (second, blend.ends[1])):
        np.testing.assert_array_equal(end, layer.at_rest(Canvas(SIDE, SIDE), LANDMARKS, SIDE))
    middle = SIDE // 2
    tops = [int(np.argmax(part[:, middle, 3] > 127)) for part in (first, half, second)]
    assert tops[1] == pytest.approx((tops[0] + tops[2]) / 2, abs=1.5)
    assert tops[2] > tops[0] + 15
    inside = half[int(LANDMARKS[10, 1]) - 8, middle]
    assert inside[:3] == pytest.approx(np.mean([RED, BLUE], axis=0), abs=4)
    assert inside[3] == 255


def test_drawn_at_a_half_it_is_what_lies_at_rest(blend):
    frame = np.zeros((SIDE, SIDE, 3), np.uint8)
    blend.draw(Canvas(SIDE, SIDE), frame, LANDMARKS, STILL, 0.5)
    assert np.abs(frame - at_rest(blend, 0.5)[..., :3]).max() < 3
