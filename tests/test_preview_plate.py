"""What stays behind of a person who moves: nothing of their outline."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from durian.face import default_crop, require_face
from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL
from durian.layers.skin import polygon
from durian.preview import base as bases
from durian.preview.base import _background_in_matte, _least_alpha, build_base, take_apart
from durian.request import AnimationRequest, Portrait, RenderOptions
from durian.scene import prepare_scene


def test_no_line_of_the_outline_stays_behind_a_person(collins):
    face = require_face(collins)
    portrait = Portrait(collins, face.landmarks, default_crop(face, collins.shape))
    scene = prepare_scene(AnimationRequest(portrait, options=RenderOptions(size=384)))
    plate = build_base(scene).plate
    person = take_apart(scene).person
    outline = (person > 0) & (person < 0.9)
    specks = np.abs(plate.astype(int) - cv2.medianBlur(plate, 5)).max(-1) > 20
    assert specks[outline].mean() < 0.002


def test_least_alpha_is_what_some_colour_needs():
    plate = np.float32([[200, 200, 200], [200, 200, 200], [100, 100, 100], [55, 55, 55]])
    image = np.float32([[200, 200, 200], [50, 150, 200], [100, 100, 100], [155, 55, 55]])
    np.testing.assert_allclose(_least_alpha(image, plate), [0, 0.75, 0, 0.5], atol=1e-6)


@pytest.fixture(scope="module")
def scene(collins):
    face = require_face(collins)
    portrait = Portrait(collins, face.landmarks, default_crop(face, collins.shape))
    return prepare_scene(AnimationRequest(portrait, options=RenderOptions(size=384)))


def test_background_in_a_matte_is_what_parser_and_colours_call_so(scene):
    image, parts = scene.image.astype(np.float32), scene.body_parts
    face = polygon(scene.landmarks[FACE_OVAL], image.shape[:2])
    found = _background_in_matte(scene, image, image)
    beside = (parts[..., 3] > 220) & (face <= 0)
    assert beside.sum() > 2000
    assert found[beside].min() > 0.99
    assert found[(parts[..., :3].max(-1) > 200) | (face >= 1)].max() < 0.01
    unlike = _background_in_matte(scene, image, image + 60)
    assert not unlike.any()


def test_between_a_jaw_and_new_hair_is_hair_where_the_matte_took_in_background(scene, monkeypatch):
    image, size = scene.image.astype(np.float32), scene.size
    apart = take_apart(scene)
    monkeypatch.setattr(bases, "take_apart", lambda _: replace(apart, person=np.ones_like(apart.person), plate=image))
    unit = Head(scene.landmarks).width
    beside = np.abs(np.arange(size) - scene.landmarks[152, 0]) / unit
    hair = np.zeros((size, size, 4), np.float32)
    hair[:, (beside > 0.75) & (beside < 1.0)] = (0, 255, 0, 255)
    shown = build_base(scene, hair).foreground.astype(int)
    level = np.abs(np.arange(size) - scene.landmarks[[61, 152], 1].mean())[:, None] < 0.1 * unit
    gap = level & (beside < 0.7) & (polygon(scene.landmarks[FACE_OVAL], (size, size)) <= 0)
    gap &= scene.body_parts[..., 3] > 220
    assert gap.sum() > 50
    assert np.median(shown[gap][:, 1] - shown[gap][:, 0]) > 120
