"""A portrait's own hands before new items, on values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faces_made import SIDE, UNIT, made_face, made_landmarks

from durian import scene as scenes
from durian.geometry.mesh import FACE_OVAL
from durian.layers import hands
from durian.layers.skin import polygon
from durian.preview.renderer import PreviewRenderer
from durian.request import AnimationRequest, Attribute, Crop, Portrait, RenderOptions

NEW, HAND, OLD = (30, 60, 230), (200, 150, 120), (90, 60, 30)
LANDMARKS = made_landmarks()
OPTIONS = RenderOptions(size=SIDE, frames=2, light=0.0)
Y, X = np.mgrid[:SIDE, :SIDE]
ACROSS, DOWN = (X - LANDMARKS[168, 0]) / UNIT, (Y - LANDMARKS[168, 1]) / UNIT
FACE = polygon(LANDMARKS[FACE_OVAL], (SIDE, SIDE)) > 0.5
PALM = 0.4
"""Outer-eye distances."""


def made_hand() -> np.ndarray:
    """Joints of an upright flat hand beside the face, its fingers together, ``(21, 3)``."""
    across = np.array([-0.45, -0.3, -0.1, 0.1, 0.3])
    joints = [(0.0, 1.0)]
    for finger, place in enumerate(across):
        root = 0.4 if finger == 0 else 0.0
        joints += [(place, root - 0.3 * joint) for joint in range(4)]
    places = np.array(joints) * PALM + [1.0, 0.5]
    pixels = places * UNIT + LANDMARKS[168, :2]
    return np.concatenate([pixels, np.zeros((21, 1))], 1).astype(np.float32)


JOINTS = made_hand()
SHOWN = (np.abs(ACROSS - 1.0) < 0.5 * PALM) & (DOWN > 0.5 - PALM) & (DOWN < 0.5 + PALM)
BOTTLE = (np.abs(ACROSS - 1.0) < 0.3 * PALM) & (DOWN > 0.5 - 2 * PALM) & (DOWN <= 0.5 - PALM)


def parts_of(skin: np.ndarray, hair: np.ndarray) -> np.ndarray:
    shares = [skin, hair & ~skin, np.zeros_like(skin), ~skin & ~hair]
    return np.stack(shares, -1).astype(np.uint8) * np.uint8(255)


def picture() -> np.ndarray:
    image = made_face(LANDMARKS)
    image[~FACE & (np.abs(ACROSS) < 1.6)] = OLD
    image[SHOWN] = HAND
    return image


def found(parts: np.ndarray, person: np.ndarray | None = None) -> np.ndarray:
    person = np.ones((SIDE, SIDE), np.float32) if person is None else person
    return hands.hands_mask(picture(), [JOINTS], LANDMARKS, parts, person, np.zeros((SIDE, SIDE), np.uint8))


def test_a_hand_is_found_as_far_as_it_is_skin_and_no_farther():
    mask = found(parts_of(FACE | SHOWN, ~FACE & ~SHOWN))
    inner = (np.abs(ACROSS - 1.0) < 0.3 * PALM) & (np.abs(DOWN - 0.5) < 0.4 * PALM)
    assert (mask[inner] > 250).all()
    assert not mask[~SHOWN].any()


def test_a_hand_on_no_skin_is_none():
    assert not found(parts_of(FACE, ~FACE)).any()


def test_what_a_hand_holds_comes_with_it_and_what_is_behind_does_not():
    beside = ~FACE & ~SHOWN & ~BOTTLE
    parts = parts_of(FACE | SHOWN, beside)
    mask = found(parts)
    inner = (np.abs(ACROSS - 1.0) < 0.2 * PALM) & (DOWN > 0.5 - 1.9 * PALM) & (DOWN < 0.5 - PALM)
    assert (mask[inner] > 250).all()
    assert not found(parts, (~BOTTLE).astype(np.float32))[inner].any()


def test_joints_lie_where_they_were_found_around_the_crop(monkeypatch):
    side, size = 200.0, 320
    crop = Crop(150.0, 130.0, side)
    photo = np.array([[150.0, 130.0], [60.0, 40.0]], np.float32)
    around = Crop(150.0, 130.0, hands.ROOM * side)
    seen = np.concatenate([around.points(photo, hands.LOOKED_AT), np.zeros((2, 1), np.float32)], 1)
    monkeypatch.setattr(hands, "hand_landmarks", lambda _: [seen])
    (joints,) = hands.find_hands(np.zeros((300, 300, 3), np.uint8), crop, size)
    assert np.allclose(joints[:, :2], crop.points(photo, size), atol=0.01)


@pytest.fixture
def portrait(monkeypatch) -> Portrait:
    """Somebody with long hair and a hand before it."""
    from durian.preview import base

    person = np.uint8(255 * ((np.abs(ACROSS) < 1.6) | FACE))
    hair = ~FACE & ~SHOWN & (np.abs(ACROSS) < 1.6) & (DOWN > -1.2) & (DOWN < 1.3)
    for module in (base, scenes):
        monkeypatch.setattr(module, "person_mask", lambda _: person)
    monkeypatch.setattr(scenes, "body_parts", lambda *_: parts_of(FACE | SHOWN, hair))
    monkeypatch.setattr(scenes, "find_hands", lambda *_: [JOINTS])
    monkeypatch.setattr(scenes, "_hands", scenes.ContentCache(entries=4))
    worn = dict.fromkeys(("glasses", "beard", "hat"), np.zeros((SIDE, SIDE), np.uint8))
    crop = Crop((SIDE - 1) / 2, (SIDE - 1) / 2, float(SIDE))
    return Portrait(picture(), LANDMARKS, crop, {**worn, "hair": np.uint8(255 * hair)})


@pytest.fixture(scope="module")
def new_hair() -> Attribute:
    mane = ~FACE & (np.abs(ACROSS) < 1.5) & (DOWN > -1.2) & (DOWN < 1.2)
    image = made_face(LANDMARKS)
    image[mane] = NEW
    return Attribute(image, np.uint8(255 * mane), LANDMARKS, "hair")


def test_new_hair_goes_on_behind_a_hand(portrait, new_hair, monkeypatch):
    request = AnimationRequest(portrait, (new_hair,), options=OPTIONS)
    inner = (np.abs(ACROSS - 1.0) < 0.3 * PALM) & (np.abs(DOWN - 0.5) < 0.4 * PALM)
    shown = PreviewRenderer().still(request).astype(int)
    assert np.abs(shown - portrait.image)[inner].max() < 6
    assert shown[(np.abs(ACROSS + 1.0) < 0.1) & (np.abs(DOWN - 0.5) < 0.2)][..., 2].min() > 130  # the other side
    # Where no hand is found, hair is drawn there.
    monkeypatch.setattr(scenes, "find_hands", lambda *_: [])
    monkeypatch.setattr(scenes, "_hands", scenes.ContentCache(entries=4))
    moved = replace(request, options=replace(OPTIONS, expansion=0.11))
    assert np.abs(PreviewRenderer().still(moved).astype(int) - portrait.image)[inner].min() > 50


def test_old_hair_that_goes_takes_no_hand_with_it(portrait):
    inner = (np.abs(ACROSS - 1.0) < 0.3 * PALM) & (np.abs(DOWN - 0.5) < 0.4 * PALM)
    shown = PreviewRenderer().still(AnimationRequest(portrait, options=OPTIONS, erase=("hair",)))
    assert np.abs(shown.astype(int) - portrait.image)[inner].max() < 6


def test_nobody_looks_for_hands_where_only_glasses_change(portrait, monkeypatch):
    def never(*_):
        raise AssertionError

    monkeypatch.setattr(scenes, "find_hands", never)
    assert not scenes.prepare_scene(AnimationRequest(portrait, options=OPTIONS, erase=("glasses",))).hands.any()
