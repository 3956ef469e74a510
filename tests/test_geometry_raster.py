"""Layers over frames, on values."""

from __future__ import annotations

import numpy as np
import pytest

from durian.geometry.raster import Canvas

SIDE = 8
CORNERS = np.array([[-1, -1, 0], [SIDE, -1, 0], [SIDE, SIDE, 0], [-1, SIDE, 0]], np.float32)
SQUARE = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def drawn(texture: np.ndarray, frame: tuple[int, int, int], opacity: float = 1.0) -> np.ndarray:
    """A texture that covers a whole frame of one colour, ``(3,)`` in its middle."""
    picture = np.full((SIDE, SIDE, 3), frame, np.uint8)
    Canvas(SIDE, SIDE).draw(picture, texture, CORNERS, CORNERS[:, :2].copy(), SQUARE, np.zeros(2, np.float32), opacity)
    return picture[SIDE // 2, SIDE // 2]


@pytest.mark.parametrize(
    ("added", "hidden", "opacity", "expected"),
    [
        ((0, 0, 0), (0, 0, 0), 1.0, (200, 100, 50)),
        ((0, 0, 0), (255, 255, 255), 1.0, (0, 0, 0)),
        ((10, 0, 40), (51, 102, 204), 1.0, (170, 60, 50)),
        ((10, 0, 40), (51, 102, 204), 0.5, (185, 80, 50)),
        ((255, 255, 255), (0, 0, 0), 1.0, (255, 255, 255)),
    ],
    ids=["nothing", "black", "tinted", "half", "bright"],
)
def test_glass_hides_and_adds_by_colour(added, hidden, opacity, expected):
    texture = np.broadcast_to(np.array([*added, *hidden], np.uint8), (SIDE, SIDE, 6)).copy()
    assert np.abs(drawn(texture, (200, 100, 50), opacity).astype(int) - expected).max() <= 1


def test_equal_opacities_are_ordinary_alpha():
    rng = np.random.default_rng(5)
    alpha = rng.integers(0, 256, (SIDE, SIDE, 1), dtype=np.uint8)
    colour = (rng.random((SIDE, SIDE, 3)) * alpha).astype(np.uint8)
    plain = drawn(np.concatenate([colour, alpha], 2), (90, 120, 30)).astype(int)
    through = drawn(np.concatenate([colour, alpha, alpha, alpha], 2), (90, 120, 30)).astype(int)
    assert np.abs(plain - through).max() <= 1
