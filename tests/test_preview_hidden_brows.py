"""A face whose brows were under hair that comes off has brows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faces_made import SIDE, made_face, made_landmarks, made_portrait

from durian.geometry.mesh import BROWS, CHIN
from durian.layers.skin import polygon
from durian.preview.hidden_brows import lost_brows, new_brows
from durian.preview.taken_off import taken_off
from durian.preview.underneath import underneath
from durian.request import AnimationRequest, Attribute, RenderOptions
from durian.scene import Scene, prepare_scene

HAIR = (40, 28, 20)
EVERYBODY = np.ones((SIDE, SIDE), np.float32)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return made_landmarks()


def with_brows(landmarks: np.ndarray, share: float = 0.4) -> np.ndarray:
    brows = np.maximum(*(polygon(landmarks[brow], (SIDE, SIDE)) for brow in BROWS))
    return (made_face(landmarks) * (1 - share * brows[..., None])).astype(np.uint8)


def fringed(landmarks: np.ndarray, down_to: tuple[float, float], item: Attribute | None = None) -> Scene:
    """A face with a fringe that on either side of the picture reaches down to a share of the brow's height, and comes
    off; 0 is the brows' upper edge."""
    hair, middle = np.zeros((SIDE, SIDE), np.uint8), int(landmarks[CHIN, 0])
    for brow, share, columns in zip(BROWS, down_to, (slice(30, middle), slice(middle, SIDE - 30)), strict=True):
        top, bottom = landmarks[brow, 1].min(), landmarks[brow, 1].max()
        hair[4 : int(top + share * (bottom - top)), columns] = 255
    image = with_brows(landmarks)
    image[hair > 0] = HAIR
    portrait = made_portrait(image, landmarks)
    portrait = replace(portrait, worn={**portrait.worn, "hair": hair})
    items = () if item is None else (item,)
    options = RenderOptions(size=SIDE, frames=1)
    return prepare_scene(AnimationRequest(portrait, items, options=options, erase=("hair",)))


def darkness(scene: Scene, brow: int) -> float:
    """How much darker a brow is than the skin above it once the hair is off, a logarithm."""
    removed, hidden = taken_off(scene, EVERYBODY)
    under = underneath(scene, EVERYBODY, hidden)[1]
    picture = np.log(scene.image + removed[..., None] * (under - scene.image) + 1).mean(-1)
    place = polygon(scene.landmarks[BROWS[brow]], (SIDE, SIDE)) > 0.9
    above = np.roll(place, -int(0.2 * scene.eye_distance), 0)
    return float(np.median(picture[place]) - np.median(picture[above]))


def test_brows_that_a_fringe_hid_are_drawn(landmarks):
    scene = fringed(landmarks, (2.0, 2.0))
    assert lost_brows(scene).max() > 0.99
    for brow in (0, 1):
        assert -1.3 < darkness(scene, brow) < -0.2


def test_scraps_of_a_brow_go_with_the_hair(landmarks):
    scene = fringed(landmarks, (0.6, 0.6))
    removed, hidden = taken_off(scene, EVERYBODY)
    place = np.maximum(*(polygon(landmarks[brow], (SIDE, SIDE)) for brow in BROWS)) > 0.99
    assert removed[place].min() > 0.99
    assert hidden[place].all()


def test_a_reference_lends_brows_as_dark_as_the_own_ones(landmarks):
    hair = np.zeros((SIDE, SIDE), np.uint8)
    hair[2:30, 60:200] = 255
    reference = Attribute(with_brows(landmarks, share=0.7), hair, landmarks, "hair")
    scene, drawn = (fringed(landmarks, (2.0, 2.0), item) for item in (reference, None))
    lent = new_brows(scene)
    assert np.abs(lent - new_brows(drawn)).max() > 0.1
    for brow in (0, 1):
        place = polygon(landmarks[BROWS[brow]], (SIDE, SIDE)) > 0.99
        assert lent[place].std() < 0.15, "as even as the reference's"
        assert lent[place].mean() < -0.3


def test_a_hidden_brow_is_the_mirror_image_of_one_that_is_seen(landmarks):
    scene = fringed(landmarks, (2.0, -2.0))
    assert not lost_brows(scene).any()
    assert new_brows(scene) is None
    assert darkness(scene, 0) == pytest.approx(np.log(0.6), abs=0.15)


def test_brows_that_are_seen_stay(landmarks):
    scene = fringed(landmarks, (-2.0, -2.0))
    assert new_brows(scene) is None
    removed, _ = taken_off(scene, EVERYBODY)
    assert removed[np.maximum(*(polygon(landmarks[brow], (SIDE, SIDE)) for brow in BROWS)) > 0.5].max() == 0


@pytest.mark.parametrize("share", [-0.1, 0.0])
def test_a_brow_of_which_most_is_seen_gets_no_other_ones_tail(landmarks, share):
    scene = fringed(landmarks, (share, share))
    assert not lost_brows(scene).any()
    assert new_brows(scene) is None
