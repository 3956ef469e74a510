"""The portrait's own glasses where its hair comes off and other hair goes on."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from faces_made import SIDE, made_landmarks
from glasses_made import FRAME, bare_face, wearing

from durian.geometry.mesh import BROWS, EYES, FACE_OVAL
from durian.layers.skin import polygon
from durian.preview.base import build_base
from durian.preview.taken_off import taken_off
from durian.preview.underneath import _behind_frames, underneath
from durian.request import AnimationRequest, Crop, Portrait, RenderOptions
from durian.scene import Scene, prepare_scene

HAIR = (200, 120, 40)


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    """Somebody in glasses whose hair hangs over the face's sides, behind the ends of the frame."""
    landmarks = made_landmarks()
    worn = wearing(landmarks, (1.0, 1.0, 1.0), (0, 0, 0))
    face = polygon(landmarks[FACE_OVAL], (SIDE, SIDE)) > 0.5
    frame = np.abs(worn.image.astype(int) - FRAME).max(-1) < 40
    beside = np.abs(np.arange(SIDE) - landmarks[168, 0]) > 46
    hair = (~face | beside) & (np.arange(SIDE)[:, None] < landmarks[152, 1])
    image = worn.image.copy()
    image[hair & ~frame] = HAIR
    image[~face & ~hair] = (90, 110, 160)
    masks = {"hair": np.uint8(255 * hair), "glasses": worn.mask}
    nothing = dict.fromkeys(("hat", "beard"), np.zeros((SIDE, SIDE), np.uint8))
    return Portrait(image, landmarks, Crop(SIDE / 2, SIDE / 2, float(SIDE)), {**nothing, **masks})


def bare(portrait: Portrait, *erase: str) -> Scene:
    return prepare_scene(AnimationRequest(portrait, options=RenderOptions(size=256, frames=1), erase=erase))


def frame_before_hair(portrait: Portrait) -> np.ndarray:
    frame = np.abs(portrait.image.astype(int) - FRAME).max(-1) < 40
    return frame & (cv2.erode(portrait.worn["hair"], np.ones((5, 5))) > 0)


def test_hair_that_comes_off_leaves_the_frame_before_it(portrait):
    person = np.ones((SIDE, SIDE), np.float32)
    frame = frame_before_hair(portrait)
    assert frame.sum() > 20
    assert np.median(taken_off(bare(portrait, "hair"), person)[0][frame]) < 0.15
    without = replace(portrait, worn={**portrait.worn, "glasses": np.zeros((SIDE, SIDE), np.uint8)})
    assert np.median(taken_off(bare(without, "hair"), person)[0][frame]) > 0.5


def test_glasses_that_come_off_too_are_not_kept(portrait):
    removed, _ = taken_off(bare(portrait, "hair", "glasses"), np.ones((SIDE, SIDE), np.float32))
    assert np.median(removed[frame_before_hair(portrait)]) > 0.5


def test_new_hair_is_not_filled_in_over_them(portrait):
    scene = bare(portrait, "hair")
    y, x = np.mgrid[:SIDE, :SIDE]
    far = np.hypot(x - SIDE / 2, y - SIDE / 2) > 100
    new_hair = np.dstack([np.float32([250, 250, 250]) * far[..., None], 255 * far]).astype(np.float32)
    shown = build_base(scene, new_hair).foreground
    frame = frame_before_hair(portrait) & (shown[..., 3] > 200)
    assert frame.sum() > 10
    assert np.abs(np.median(shown[frame][:, :3].astype(int), 0) - FRAME).max() < 40


def test_what_a_frame_hid_has_the_light_of_what_is_beside_it():
    """A face half of which lies in deep shade: what is made up for a whole face would shine there."""
    landmarks = made_landmarks()
    worn = wearing(landmarks, (1.0, 1.0, 1.0), (0, 0, 0))
    light = np.where(np.arange(SIDE) < landmarks[168, 0] - 8, 0.4, 1.0)[None, :, None]
    image, bare_image = (np.uint8(part * light) for part in (worn.image, bare_face(landmarks)))
    nothing = dict.fromkeys(("hat", "beard", "hair"), np.zeros((SIDE, SIDE), np.uint8))
    portrait = Portrait(image, landmarks, Crop(SIDE / 2, SIDE / 2, float(SIDE)), {**nothing, "glasses": worn.mask})
    asked, person = bare(portrait, "glasses"), np.ones((SIDE, SIDE), np.float32)
    removed, hidden = taken_off(asked, person)
    under = underneath(asked, person, hidden)[1]
    features = np.maximum.reduce([polygon(landmarks[part], (SIDE, SIDE)) for part in (*EYES, *BROWS)])
    frame = (np.abs(worn.image.astype(int) - FRAME).max(-1) < 30) & (cv2.dilate(features, np.ones((5, 5))) <= 0)
    assert frame.sum() > 300
    assert removed[frame].mean() > 0.9
    assert np.abs(under[frame] - bare_image[frame]).mean() < 25


def test_a_frame_that_goes_with_a_beard_is_made_up_beside_glasses_alone(portrait):
    chin = np.zeros((SIDE, SIDE), np.uint8)
    low = int(portrait.landmarks[13, 1])
    chin[low + 8 : low + 30, 100:156] = 255
    image = np.where(chin[..., None] > 0, np.uint8(30), portrait.image)
    bearded = replace(portrait, image=image, worn={**portrait.worn, "hair": np.zeros_like(chin), "beard": chin})
    both = bare(bearded, "glasses", "beard")
    person = np.ones((SIDE, SIDE), np.float32)
    _, hidden = taken_off(both, person)
    colours = both.image.astype(np.float32)
    frames, *_ = _behind_frames(both, colours, person, hidden, colours)
    assert (hidden & (chin > 127)).sum() > 300
    assert not (frames & (chin > 127)).any()
    assert (frames & (both.worn["glasses"] > 127)).sum() > 300
