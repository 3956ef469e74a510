"""The part of a reference that holds an item: at the size it is drawn at, and where the maps say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE, SKIN, made_face, made_landmarks

from durian.geometry.alignment import item_mesh
from durian.layers.face_light import FaceLight
from durian.preview.layers import STILL, build_layer
from durian.preview.sample import Sample
from durian.request import Attribute, Placement
from durian.scene import AlignedAttribute

HEIGHT, WIDTH = 300, 400


def reference() -> Attribute:
    """Each pixel's colour is its place; the item lies far from the picture's first pixel."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(mask, (220, 130), (319, 189), 255, -1)
    landmarks = np.random.default_rng(0).uniform((200, 120, -40), (340, 200, 40), (478, 3)).astype(np.float32)
    return Attribute(np.dstack([x // 2, y // 2, 0 * x]).astype(np.uint8), mask, landmarks, "hair")


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0, 3.0])
def test_a_reference_is_shrunk_to_the_size_it_is_drawn_at_and_never_grown(scale):
    item = reference()
    sample = Sample.of(item, scale)
    assert np.diag(sample.to_texture) == pytest.approx(min(scale, 1.0), rel=0.02)
    assert sample.image.shape[:2] == sample.alpha.shape
    # The item and a margin around it, not the picture up to it.
    assert sample.alpha.shape == pytest.approx((min(scale, 1.0) * (60 + 38), min(scale, 1.0) * (100 + 38)), abs=4)


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0])
def test_a_pixel_of_a_sample_shows_what_its_map_says(scale):
    item = reference()
    sample = Sample.of(item, scale)
    rows, columns = np.mgrid[2 : sample.alpha.shape[0] - 2, 2 : sample.alpha.shape[1] - 2]
    inverse = np.linalg.inv(np.vstack([sample.to_texture, [0, 0, 1]]))
    x, y, _ = inverse @ np.stack([columns.ravel(), rows.ravel(), np.ones(rows.size)])
    shown = sample.image[rows.ravel(), columns.ravel()]
    assert np.abs(2 * shown[:, 0] + 0.5 - x).max() < 1.1
    assert np.abs(2 * shown[:, 1] + 0.5 - y).max() < 1.1
    moved = item.face_landmarks[:, :2] @ sample.to_texture[:, :2].T + sample.to_texture[:, 2]
    assert sample.face_landmarks[:, :2] == pytest.approx(moved, abs=1e-3)
    assert sample.face_landmarks[:, 2] == pytest.approx(scale * item.face_landmarks[:, 2], rel=0.02)


@pytest.mark.parametrize("placement", [Placement(), Placement(scale=0.5)], ids=["as it is", "made half as large"])
@pytest.mark.parametrize("with_face", [True, False])
def test_a_texture_has_one_pixel_for_each_that_it_is_drawn_over(with_face, placement):
    """Finer ones would be drawn with jagged edges, coarser ones blurred."""
    wearer = made_landmarks()
    large = 3 * wearer
    mask = np.zeros((3 * SIDE, 3 * SIDE), np.uint8)
    mask[30:210, 180:-180] = 255
    image = np.full((*mask.shape, 3), SKIN, np.uint8)
    item = Attribute(image, mask, large if with_face else None, "other", placement=placement)
    mesh = item_mesh(item, wearer)
    light = FaceLight.of(made_face(wearer).astype(np.float32), wearer)
    layer = build_layer(AlignedAttribute(item, mesh, mask), wearer, 0.0, light)
    drawn = np.ptp(mesh.positions(wearer, STILL)[:, :2], axis=0)
    assert np.ptp(layer.points, axis=0) == pytest.approx(drawn, rel=0.2)
