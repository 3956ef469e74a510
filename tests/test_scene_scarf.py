"""A new hat on somebody in a scarf that goes around the neck."""

from __future__ import annotations

import numpy as np
import pytest
from faces_made import SIDE, made_face, made_landmarks

from durian.geometry.mesh import CHIN, FACE_OVAL
from durian.layers.skin import polygon
from durian.request import AnimationRequest, Attribute, Crop, Portrait, RenderOptions
from durian.scene import prepare_scene

LANDMARKS = made_landmarks()
LEFT, RIGHT = int(LANDMARKS[234, 0]), int(LANDMARKS[454, 0])


def scarf() -> np.ndarray:
    """Around the face, and all of the neck."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[20:, LEFT - 15 : RIGHT + 15] = 255
    mask[polygon(LANDMARKS[FACE_OVAL], mask.shape) > 0.5] = 0
    return mask


def hat(mask: np.ndarray | None = None) -> Attribute:
    cap = np.zeros((SIDE, SIDE), np.uint8)
    cap[15 : int(LANDMARKS[10, 1]) + 10, LEFT - 5 : RIGHT + 5] = 255
    return Attribute(made_face(LANDMARKS), cap if mask is None else mask, LANDMARKS, "hat")


def scene(*attributes: Attribute, erase: tuple = ()):
    nothing = dict.fromkeys(("hair", "glasses", "beard"), np.zeros((SIDE, SIDE), np.uint8))
    crop = Crop((SIDE - 1) / 2, (SIDE - 1) / 2, float(SIDE))
    portrait = Portrait(made_face(LANDMARKS), LANDMARKS, crop, {**nothing, "hat": scarf()})
    options = RenderOptions(size=256, frames=1)
    return prepare_scene(AnimationRequest(portrait, attributes, options=options, erase=erase))


def test_a_hat_goes_over_a_scarf_and_leaves_it_at_the_neck():
    made = scene(hat())
    assert "hat" not in made.worn
    below = int(LANDMARKS[CHIN, 1]) + 5
    assert made.worn["hair"][below:].max() == 0
    assert made.kept_hair[below:, (LEFT + RIGHT) // 2].min() == 255


@pytest.mark.parametrize("case", ["another scarf", "erased"])
def test_a_scarf_goes_for_another_one_and_where_it_is_erased(case):
    made = scene(hat(scarf())) if case == "another scarf" else scene(hat(), erase=("hat",))
    assert np.array_equal(made.worn["hat"] > 127, scarf() > 127)
