"""The light on faces, on values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from durian.face import require_face
from durian.layers.face_light import EXPOSED, FaceLight
from durian.layers.photo_tone import PhotoTone
from durian.preview.light import EXPOSURE_LIMIT, in_colours_of, mean_change


@pytest.fixture(scope="module")
def light(collins) -> FaceLight:
    return FaceLight.of(collins.astype(np.float32), require_face(collins).landmarks)


def at(level: float) -> FaceLight:
    return FaceLight(np.full(3, np.log(level)), np.zeros((2, 3)))


def test_a_well_exposed_face_has_no_exposure_whatever_its_skin(light):
    assert light.exposure == 0
    assert at(EXPOSED[0] + 5).exposure == 0
    assert at(EXPOSED[1] - 5).exposure == 0


def test_what_is_too_dark_is_followed_in_full_from_the_default_on():
    own, wearer = at(130.0), at(EXPOSED[0] / 2)
    skin = 0.2 * (np.log(EXPOSED[0] / 2) - np.log(130.0))
    assert mean_change(own, wearer, 0.5) == pytest.approx(np.full(3, 0.5 * skin - np.log(2)), abs=1e-6)
    assert mean_change(own, wearer, 1.0) == pytest.approx(np.full(3, skin - np.log(2)), abs=1e-6)
    assert mean_change(own, wearer, 0.0) == pytest.approx(np.zeros(3))
    assert mean_change(wearer, own, 0.5) == pytest.approx(-mean_change(own, wearer, 0.5))


def test_a_black_picture_does_not_make_everything_black():
    change = mean_change(at(130.0), at(2.0), 0.5)
    assert change.min() > -EXPOSURE_LIMIT - 0.4


@pytest.mark.parametrize("hidden", [255.0, 127.5])
def test_what_is_half_seen_through_has_the_tone_of_its_own_brightness(hidden: float):
    """As a lens on an old photograph, whose bright parts are yellower than its dark ones."""
    tone = PhotoTone(np.array([[0, 0, 0], [1, 0, -1], [0, 0, 0]], float))
    wearer = replace(at(130.0), tone=tone)
    own = np.full((1, 1, 3), 100.0, np.float32)
    lens = np.concatenate([own * hidden / 255, np.full((1, 1, 3), hidden, np.float32)], -1)
    made = in_colours_of(wearer, lens, 0.5)
    assert made[0, 0, :3] == pytest.approx(100 * hidden / 255 * np.exp([100 / 255, 0, -100 / 255]), rel=1e-4)
    assert made[0, 0, 3:] == pytest.approx(hidden)
