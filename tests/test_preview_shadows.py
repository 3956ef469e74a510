"""Shadows of new items on what lies below them."""

from __future__ import annotations

import numpy as np
from faces_made import SIDE, UNIT, made_face, made_landmarks, made_portrait

from durian.geometry.mesh import OUTER_LIPS
from durian.layers.face_light import FaceLight
from durian.layers.skin import polygon
from durian.preview.base import Base
from durian.preview.layers import build_layer
from durian.preview.renderer import _shaded
from durian.request import AnimationRequest, Attribute, RenderOptions
from durian.scene import prepare_scene

LANDMARKS = made_landmarks()
BRIM = int(LANDMARKS[10, 1]) + 15


def item(name: str, **changes: object) -> Attribute:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    if name == "lips":
        mask = np.uint8(255 * polygon(LANDMARKS[OUTER_LIPS], mask.shape))
    else:
        mask[10:BRIM, 60:-60] = 255
    return Attribute(made_face(LANDMARKS), mask, LANDMARKS, name, **changes)


def shaded(*attributes: Attribute) -> np.ndarray:
    """The foreground ``(256, 256, 4)`` of a person of one colour, 101, that fills the picture."""
    portrait = made_portrait(made_face(LANDMARKS), LANDMARKS)
    scene = prepare_scene(AnimationRequest(portrait, attributes, options=RenderOptions(size=SIDE, frames=1)))
    wearer = FaceLight.of(scene.image.astype(np.float32), LANDMARKS)
    layers = tuple(build_layer(each, LANDMARKS, 0.0, wearer) for each in scene.items)
    person = np.dstack([np.full((SIDE, SIDE, 3), 101, np.uint8), np.full((SIDE, SIDE), 255, np.uint8)])
    nothing = np.zeros((SIDE, SIDE), np.float32)
    base = Base(person[..., :3], person, person[..., :3].astype(np.float32), nothing)
    return _shaded(base, scene, layers).foreground


def test_a_hat_darkens_what_is_below_its_brim_and_nothing_far_from_it():
    with_hat = shaded(item("hat"))
    assert with_hat[BRIM + 2, SIDE // 2, :3].max() < 90
    assert (with_hat[BRIM + round(0.5 * UNIT) :, :, :3] == 101).all()
    assert (with_hat[..., 3] == 255).all()


def test_new_lips_cast_no_shadow_and_take_none_from_a_hat():
    assert (shaded(item("lips"))[..., :3] == 101).all()
    assert np.array_equal(shaded(item("lips"), item("hat")), shaded(item("hat")))
