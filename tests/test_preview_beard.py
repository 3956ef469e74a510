"""Beards on a portrait: its own lips, nose and hair lie over them, and its light falls on them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from faces_made import SIDE, SKIN, made_face, made_landmarks

from durian.geometry.alignment import item_mesh
from durian.geometry.mesh import CHIN, OUTER_LIPS
from durian.geometry.raster import Canvas
from durian.layers.face_light import FaceLight
from durian.layers.photo_tone import PhotoTone
from durian.layers.skin import polygon
from durian.preview.beard import beard_texture, over_a_beard
from durian.preview.beard_light import strand_change
from durian.preview.layers import STILL, build_layer
from durian.request import Attribute
from durian.scene import AlignedAttribute

JAW = [58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 287, 37, 57]
BLACK = (24, 20, 18)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return made_landmarks()


@pytest.fixture(scope="module")
def wearer(landmarks) -> FaceLight:
    return FaceLight.of(made_face(landmarks).astype(np.float32), landmarks)


def beard(landmarks: np.ndarray, colour=BLACK) -> Attribute:
    """A face with a beard from jaw to upper lip."""
    mask = polygon(landmarks[JAW], (SIDE, SIDE))
    image = made_face(landmarks).astype(np.float32)
    image += mask[..., None] * (np.float32(colour) - image)
    return Attribute(image.astype(np.uint8), np.uint8(255 * mask), landmarks, "beard")


def drawn(attribute: Attribute, landmarks: np.ndarray, wearer: FaceLight, hair: np.ndarray | None) -> np.ndarray:
    mesh = item_mesh(attribute, landmarks)
    layer = build_layer(AlignedAttribute(attribute, mesh, attribute.mask), landmarks, 0.5, wearer, hair)
    frame = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    layer.draw(Canvas(SIDE, SIDE), frame, landmarks, STILL)
    return frame


def test_lips_are_their_wearers_up_to_their_edge_and_no_farther(landmarks, wearer):
    frame = drawn(beard(landmarks), landmarks, wearer, None)
    lips = polygon(landmarks[OUTER_LIPS], (SIDE, SIDE))
    inner = cv2.erode(lips, np.ones((7, 7))) > 0.99
    assert (frame[inner] == np.uint8(SKIN)).all()
    below = (cv2.dilate(lips, np.ones((9, 9))) > 0) & (cv2.dilate(lips, np.ones((5, 5))) == 0)
    below[: int(landmarks[17, 1])] = False
    assert below.sum() > 10
    assert frame[below].mean() < 60


def test_hair_beside_the_face_lies_over_a_beard(landmarks, wearer):
    lock = np.zeros((SIDE, SIDE), np.uint8)
    jaw = int(landmarks[172, 0])
    lock[:, jaw - 4 : jaw + 8] = 255
    with_hair, without = (drawn(beard(landmarks), landmarks, wearer, hair) for hair in (lock, None))
    rows = slice(int(landmarks[61, 1]) - 4, int(landmarks[61, 1]) + 8)
    assert (with_hair[rows, : jaw + 6] == np.uint8(SKIN)).all()
    assert (without[rows, jaw : jaw + 6].mean()) < 120
    middle = slice(int(landmarks[CHIN, 0]) - 5, int(landmarks[CHIN, 0]) + 5)
    assert np.abs(with_hair[:, middle].astype(int) - without[:, middle]).max() <= 2


@pytest.mark.parametrize("yaw", [-35.0, 35.0])
def test_hair_on_one_side_leaves_the_other_of_a_beard_seen_from_the_side(landmarks, wearer, yaw):
    turned, lock = made_landmarks(yaw=yaw), np.zeros((SIDE, SIDE), np.uint8)
    left, right = int(landmarks[172, 0]), int(landmarks[397, 0])
    lock[:, left - 4 : left + 8] = 255
    with_hair, without = (drawn(beard(turned), landmarks, wearer, hair).astype(int) for hair in (lock, None))
    row = int(landmarks[397, 1])
    assert without[row, right - 8 : right - 4].mean() < 100
    assert np.abs(with_hair[row] - without[row])[left + 12 : right + 8].max() < 25
    assert (with_hair[row, left - 4 : left + 6] == np.uint8(SKIN)).all()


@pytest.mark.parametrize("closes", [0.04, -0.06], ids=["below the chin", "above it"])
def test_a_beard_hangs_in_front_of_hair_on_the_chest_between_the_hair_beside_the_face(landmarks, closes):
    """As wide as the opening is above the chin, where hair comes out from beside the face."""
    unit = float(np.linalg.norm(landmarks[33, :2] - landmarks[263, :2]))
    chin, middle, jaw = int(landmarks[CHIN, 1]), int(landmarks[CHIN, 0]), int(landmarks[172, 0])
    hair = np.full((SIDE, SIDE), 255, np.uint8)
    hair[: chin + round(closes * unit), jaw : 2 * middle - jaw] = 0
    cover = over_a_beard(hair, landmarks)
    above, lower = int(chin - 0.3 * unit), min(SIDE - 1, int(chin + 0.3 * unit))
    assert cover[above, middle] == 0
    assert (cover[above, [jaw - 4, 2 * middle - jaw + 4]] == 255).all()
    assert cover[lower, middle] == 0
    assert (cover[lower, [jaw - 4, 2 * middle - jaw + 4]] == 255).all()


def change_for(landmarks: np.ndarray, colour, own: FaceLight, wearer: FaceLight, light: float = 0.5) -> np.ndarray:
    attribute = beard(landmarks, colour)
    matte = attribute.mask.astype(np.float32) / 255
    return strand_change(attribute.image.astype(np.float32), matte, landmarks, own, wearer, light)


def test_dark_hair_is_darker_than_a_dark_wearer(landmarks, wearer):
    darker = FaceLight(wearer.mean - 1.0, wearer.gradient)
    brown = (90, 70, 56)
    change = change_for(landmarks, brown, wearer, darker).mean()
    brightness = np.log(brown).mean() + np.log(change)
    assert brightness < darker.mean.mean() - 0.5
    assert change_for(landmarks, (200, 198, 196), wearer, darker).mean() > 0.8
    assert change_for(landmarks, brown, wearer, darker, light=0.0).mean() == pytest.approx(1)


def test_strands_follow_the_shading_from_side_to_side(landmarks):
    level, zero = np.full(3, np.log(150.0)), np.zeros((2, 3))
    sideways = np.array([[1.0] * 3, [0.0] * 3])
    change = change_for(landmarks, BLACK, FaceLight(level, zero), FaceLight(level, sideways))
    row, left, right = int(landmarks[CHIN, 1]) - 10, int(landmarks[172, 0]), int(landmarks[397, 0])
    assert change[row, right].mean() > 1.15 > 0.87 > change[row, left].mean()
    downwards = change_for(landmarks, BLACK, FaceLight(level, zero), FaceLight(level, sideways[::-1]))
    assert np.allclose(downwards, 1, atol=1e-5)


def test_a_beard_on_a_black_and_white_photograph_is_grey(landmarks, wearer):
    grey = replace(wearer, tone=PhotoTone(np.zeros((3, 3))))
    texture, _ = beard_texture(beard(landmarks, (120, 70, 30)), 1.0, 0.5, grey)
    assert (np.ptp(texture[..., :3].astype(int), axis=-1) <= 1).all()
    assert (np.ptp(texture[..., 3:].astype(int), axis=-1) <= 1).all()
    assert np.ptp(beard_texture(beard(landmarks, (120, 70, 30)), 1.0, 0.5, wearer)[0][..., :3], axis=-1).max() > 20


def test_a_thin_beard_lets_as_much_skin_through_as_its_mask_says(landmarks, wearer):
    thin = beard(landmarks)
    thin = replace(thin, mask=thin.mask // 2)
    full, half = (drawn(attribute, landmarks, wearer, None).astype(float) for attribute in (beard(landmarks), thin))
    y, x = np.rint(landmarks[[200, 199], :2].mean(0)).astype(int)[::-1]
    around = np.s_[y - 3 : y + 4, x - 3 : x + 4]
    share = (SKIN - half[around].mean((0, 1))) / (SKIN - full[around].mean((0, 1)))
    assert share == pytest.approx([0.5] * 3, abs=0.1)
