"""Beards taken apart, on faces whose skin and hair are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import JAW, SIDE, SKIN, made_beard, made_face, made_landmarks

from durian.geometry.alignment import aligned_mask, item_mesh
from durian.geometry.mesh import OUTER_LIPS
from durian.layers.bare_skin import bare_skin
from durian.layers.beard import beard_layer
from durian.layers.skin import polygon
from durian.request import Attribute

DARK_SKIN = np.array([78, 50, 38], np.float32)
FAIR_SKIN = np.array([232, 190, 170], np.float32)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return made_landmarks()


@pytest.fixture(scope="module")
def matte(landmarks) -> np.ndarray:
    """A beard from jaw to lower lip."""
    return made_beard(landmarks)


def inside(matte: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Pixels well within the beard and clear of the lips."""
    lips = cv2.dilate(polygon(landmarks[OUTER_LIPS], matte.shape), np.ones((11, 11)))
    return (cv2.erode(matte, np.ones((9, 9))) > 0.95) & (lips == 0)


def worn_on(layer: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The beard over plain skin of a colour, as it is drawn."""
    return skin * (1 - layer[..., 3:] / 255) + layer[..., :3]


def bearded(matte: np.ndarray, landmarks: np.ndarray, skin=SKIN, **beard) -> np.ndarray:
    """A made face, ``(256, 256, 3) float32``: ``ratio`` darkens its skin, ``colour`` covers it."""
    face = made_face(landmarks).astype(np.float32)
    face *= np.array(skin, np.float32) / SKIN
    own = face * beard["ratio"] if "ratio" in beard else np.float32(beard["colour"])
    return face + matte[..., None] * (own - face)


def test_the_skin_under_a_beard_goes_on_as_beside_it(matte, landmarks):
    x = np.arange(SIDE, dtype=np.float32)[None, :, None]
    lit = np.exp(0.4 * (x / SIDE - 0.5))
    bare = np.float32(SKIN) * lit
    image = bearded(matte, landmarks, colour=(30, 22, 18)) * np.where(matte[..., None] > 0.02, 1, lit)
    found = bare_skin(image, matte, landmarks)
    where = inside(matte, landmarks)
    assert np.abs(found - np.broadcast_to(bare, found.shape))[where].mean() < 8


@pytest.mark.parametrize("ratio", [0.85, 0.7])
@pytest.mark.parametrize("wearer", [DARK_SKIN, FAIR_SKIN], ids=["dark", "fair"])
def test_stubble_darkens_its_wearer_as_it_did_its_owner(matte, landmarks, ratio, wearer):
    layer = beard_layer(bearded(matte, landmarks, ratio=ratio), matte, landmarks)
    drawn = worn_on(layer, wearer)[inside(matte, landmarks)]
    assert np.abs(drawn - ratio * wearer).mean() < 3


def test_a_white_beard_stays_white_on_dark_skin(matte, landmarks):
    white = (225, 222, 218)
    layer = beard_layer(bearded(matte, landmarks, colour=white), matte, landmarks)
    assert np.abs(worn_on(layer, DARK_SKIN)[inside(matte, landmarks)] - white).mean() < 4


def test_a_black_beard_stays_black_on_fair_skin(matte, landmarks):
    black = (22, 18, 16)
    layer = beard_layer(bearded(matte, landmarks, DARK_SKIN, colour=black), matte, landmarks)
    assert np.abs(worn_on(layer, FAIR_SKIN)[inside(matte, landmarks)] - black).mean() < 6


def test_on_its_owner_a_beard_is_the_photograph(matte, landmarks):
    rng = np.random.default_rng(3)
    noise = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE, 1)).astype(np.float32), (0, 0), 1)[..., None] * 60
    image = np.clip(bearded(matte, landmarks, colour=(70, 52, 40)) + matte[..., None] * noise, 0, 255)
    where = inside(matte, landmarks)
    error = (worn_on(beard_layer(image, matte, landmarks), np.float32(SKIN)) - image)[where]
    assert 10 * np.log10(255**2 / (error**2).mean()) > 35


def test_beside_lips_a_beard_goes_on_over_their_owners(matte, landmarks):
    """What is lips on its owner may be skin on a wearer whose lips are thinner."""
    lips = polygon(landmarks[OUTER_LIPS], (SIDE, SIDE)) > 0
    black = (22, 18, 16)
    around = np.maximum(matte, cv2.dilate(lips.astype(np.float32), np.ones((21, 21))))
    image = bearded(around, landmarks, colour=black)
    image[lips] = (200, 40, 50)
    layer = beard_layer(image, around * ~lips, landmarks)
    assert np.abs(worn_on(layer, FAIR_SKIN)[lips] - black).mean() < 8


def test_black_hair_lets_no_blue_through(matte, landmarks):
    """A dark skin has so little blue that its share under hair is noise."""
    layer = beard_layer(bearded(matte, landmarks, DARK_SKIN, colour=(12, 14, 20)), matte, landmarks)
    red, _, blue = worn_on(layer, FAIR_SKIN)[inside(matte, landmarks)].mean(0)
    assert blue <= red + 1


def test_dyed_hair_keeps_its_colour(matte, landmarks):
    dyed = (30, 60, 200)
    layer = beard_layer(bearded(matte, landmarks, colour=dyed), matte, landmarks)
    assert np.abs(worn_on(layer, FAIR_SKIN)[inside(matte, landmarks)] - dyed).mean() < 10


def test_a_grey_beard_hides_the_skin(matte, landmarks):
    """Hair as bright as its owner's skin is no veil on one that is redder."""
    grey, red = (165, 160, 152), np.array([200, 120, 105], np.float32)
    layer = beard_layer(bearded(matte, landmarks, colour=grey), matte, landmarks)
    assert np.abs(worn_on(layer, red)[inside(matte, landmarks)] - grey).mean() < 8


@pytest.mark.parametrize("ratio", [1.0, 0.7])
def test_a_sheen_on_skin_stays_with_its_owner(matte, landmarks, ratio):
    """A gleam has less hue than skin, as grey hair has, but there is little of it."""
    where = inside(matte, landmarks)
    columns = np.nonzero(where)[1]
    x = np.broadcast_to(np.arange(SIDE), matte.shape)
    moist = cv2.GaussianBlur((where & (x < np.percentile(columns, 15))).astype(np.float32), (0, 0), 2)
    image = bearded(matte, landmarks, ratio=ratio) + 45 * moist[..., None]
    drawn = worn_on(beard_layer(image, matte, landmarks), DARK_SKIN)
    assert (drawn - DARK_SKIN)[where].max() < 10


def test_no_skin_comes_along(landmarks):
    """A mask that takes in bare skin puts none of it on another."""
    mask = made_beard(landmarks)
    layer = beard_layer(made_face(landmarks).astype(np.float32), mask, landmarks)
    assert np.abs(worn_on(layer, DARK_SKIN) - DARK_SKIN)[inside(mask, landmarks)].max() < 3


@pytest.mark.parametrize("yaw", [-35.0, 35.0])
def test_a_turned_head_s_beard_is_on_both_sides_of_a_face_from_the_front(landmarks, yaw):
    turned = made_landmarks(yaw=yaw)
    # Of the jaw only the side towards the camera is seen to be bearded.
    middle = turned[152, 0]
    right = abs(turned[397, 0] - middle) > abs(turned[172, 0] - middle)
    seen = polygon(turned[JAW], (SIDE, SIDE)) * ((np.arange(SIDE)[None] > middle) == right)
    worn = Attribute(made_face(turned), np.uint8(255 * seen), turned, "beard")
    mask = aligned_mask(worn, item_mesh(worn, landmarks), landmarks, SIDE).astype(float)
    halves = mask[:, : SIDE // 2].sum(), mask[:, SIDE // 2 :].sum()
    whole = polygon(landmarks[JAW], (SIDE, SIDE)).sum() * 255
    assert min(halves) > 0.9 * max(halves)
    assert sum(halves) > 0.8 * whole


def test_a_beard_of_no_colour_at_all_is_black(matte, landmarks):
    layer = beard_layer(bearded(matte, landmarks, colour=(0, 0, 0)), matte, landmarks)
    assert np.isfinite(layer).all()
    assert worn_on(layer, FAIR_SKIN)[inside(matte, landmarks)].max() < 6
