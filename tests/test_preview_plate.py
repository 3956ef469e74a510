"""What stays behind of a person who moves: nothing of their outline."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import default_crop, require_face
from durian.preview.base import _least_alpha, build_base, take_apart
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
