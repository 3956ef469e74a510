"""Beards that come off: what goes with them, and what stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import Crop, require_face
from durian.geometry.mesh import FACE_OVAL, OUTER_LIPS
from durian.layers.skin import polygon
from durian.preview.taken_off import _beard_worn, taken_off
from durian.request import AnimationRequest, Portrait, RenderOptions
from durian.scene import prepare_scene

SIZE = 256


@pytest.mark.parametrize(("darkening", "goes"), [(0.9, False), (0.3, True)], ids=["stubble", "beard"])
def test_a_beard_is_taken_off_and_stubble_is_not(collins, darkening, goes):
    jaw = _jaw(require_face(collins).landmarks, collins.shape[:2])
    asked = _bearded(collins, jaw, jaw, darkening)
    removed, _ = taken_off(asked, np.ones((SIZE, SIZE), np.float32))
    inside = cv2.erode(asked.worn["beard"], np.ones((9, 9))) > 250
    inside &= polygon(asked.landmarks[OUTER_LIPS], inside.shape) < 0.01
    assert (removed[inside].mean() > 0.8) == goes
    assert goes or removed[inside].mean() < 0.1


def test_a_beard_beside_which_no_skin_is_seen_goes_but_for_the_lips(collins):
    """Nobody can tell stubble there, since nothing tells what the skin is like."""
    everywhere = np.full(collins.shape[:2], 255, np.uint8)
    asked = _bearded(collins, everywhere, np.zeros_like(everywhere))
    removed, _ = taken_off(asked, np.ones((SIZE, SIZE), np.float32))
    lips = polygon(asked.landmarks[OUTER_LIPS], (SIZE, SIZE))
    assert removed[lips > 0.99].max() < 0.01
    chin = np.rint(asked.landmarks[[152, 199, 200], :2]).astype(int)
    assert removed[chin[:, 1], chin[:, 0]].min() > 0.99


def _bearded(collins, mask: np.ndarray, dark: np.ndarray, darkening: float = 0.3):
    """A scene whose beard comes off: skin is dark in ``dark``, and ``mask`` is what is known of the beard."""
    landmarks = require_face(collins).landmarks
    image = np.where(dark[..., None] > 0, collins * darkening, collins).astype(np.uint8)
    nothing = dict.fromkeys(("hat", "glasses", "hair", "lips"), np.zeros_like(mask))
    portrait = Portrait(image, landmarks, Crop(225.0, 140.0, 270.0), {**nothing, "beard": mask})
    return prepare_scene(AnimationRequest(portrait, options=RenderOptions(size=SIZE, frames=1), erase=("beard",)))


def _jaw(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    jaw = np.zeros(shape, np.uint8)
    corners = landmarks[[132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 18], :2]
    cv2.fillPoly(jaw, [np.rint(corners).astype(np.int32)], 255)
    return jaw


def test_a_patch_below_the_lip_that_the_mask_missed_goes_with_the_beard(collins):
    landmarks = require_face(collins).landmarks
    jaw = _jaw(landmarks, collins.shape[:2])
    patch = np.zeros_like(jaw)
    cv2.circle(patch, tuple(np.rint(landmarks[200, :2]).astype(int).tolist()), 7, 255, -1)
    asked = _bearded(collins, cv2.bitwise_and(jaw, ~patch), jaw)
    removed, _ = taken_off(asked, np.ones((SIZE, SIZE), np.float32))
    inside = cv2.erode(asked.request.portrait.crop.apply(patch, SIZE), np.ones((5, 5))) > 250
    assert inside.any()
    assert removed[inside].mean() > 0.9


def test_a_dark_gap_below_the_face_does_not_go_with_the_beard_around_it(collins):
    """A chin's shadow on the neck, or a collar: what lies there is no skin of a face."""
    landmarks = require_face(collins).landmarks
    jaw = _jaw(landmarks, collins.shape[:2])
    oval = polygon(landmarks[FACE_OVAL], jaw.shape) > 0
    below = np.roll(jaw, 30, axis=0)
    dark = np.maximum(jaw, below)
    gap = np.zeros_like(jaw)
    x, y = np.rint(landmarks[152, :2]).astype(int)
    gap[y + 4 : y + 11, x - 6 : x + 7] = 255
    assert not (oval & (gap > 0)).any()
    asked = _bearded(collins, cv2.bitwise_and(dark, ~gap), dark)
    grown, _ = _beard_worn(asked, asked.worn["beard"])
    inside = cv2.erode(asked.request.portrait.crop.apply(gap, SIZE), np.ones((5, 5))) > 250
    assert inside.any()
    assert not grown[inside].any()


def test_no_half_of_a_beard_stays_where_it_is_thinner(collins):
    """Its left half hides the skin, its right half is stubble: most of it is no stubble, so all of it goes."""
    landmarks = require_face(collins).landmarks
    jaw = _jaw(landmarks, collins.shape[:2])
    dense = jaw.copy()
    dense[:, round(float(landmarks[152, 0])) :] = 0
    asked = _bearded(collins, jaw, dense)
    removed, _ = taken_off(asked, np.ones((SIZE, SIZE), np.float32))
    inside = cv2.erode(asked.worn["beard"], np.ones((9, 9))) > 250
    inside &= polygon(asked.landmarks[OUTER_LIPS], inside.shape) < 0.01
    assert removed[inside].min() > 0.9
