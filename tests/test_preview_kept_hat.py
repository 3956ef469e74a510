"""The portrait's own hat where new hair goes on, on values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faces_made import SIDE, UNIT, made_face, made_landmarks

from durian.geometry.mesh import FACE_OVAL
from durian.layers.skin import polygon
from durian.layers.wearing import within_sides
from durian.preview.renderer import PreviewRenderer, animate
from durian.request import AnimationRequest, Attribute, Crop, Portrait, RenderOptions
from durian.scene import prepare_scene

HAT, OLD, NEW, WALL = (250, 220, 40), (90, 60, 30), (30, 60, 230), (90, 110, 160)
NOBODY = np.zeros((SIDE, SIDE), np.uint8)
OPTIONS = RenderOptions(size=256, frames=2, light=0.0)
LANDMARKS = made_landmarks()
Y, X = np.mgrid[:SIDE, :SIDE]
ACROSS, DOWN = (X - LANDMARKS[168, 0]) / UNIT, (Y - LANDMARKS[168, 1]) / UNIT
CAP = (np.abs(ACROSS) < 0.9) & (DOWN < -0.35) & (DOWN > -1.0)
FACE = polygon(LANDMARKS[FACE_OVAL], (SIDE, SIDE)) > 0.5


@pytest.fixture(scope="module", autouse=True)
def matte():
    """Nobody has weights that know a made person."""
    from durian.preview import base, kept_hat

    person = np.uint8(255 * (CAP | FACE | (np.abs(ACROSS) < 0.8) & (DOWN > -0.4) | (DOWN > 1.3)))
    with pytest.MonkeyPatch.context() as patch:
        for module in (base, kept_hat):
            patch.setattr(module, "person_mask", lambda _: person)
        yield


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    """Somebody in a cap, with hair beside the face."""
    image = made_face(LANDMARKS)
    hair = ~FACE & ~CAP & (np.abs(ACROSS) < 0.8) & (DOWN > -0.4) & (DOWN < 0.9)
    image[~FACE & (np.abs(ACROSS) > 0.8) & (DOWN < 1.3)] = WALL
    image[hair], image[CAP] = OLD, HAT
    image[~CAP & (DOWN < -0.35)] = WALL
    worn = {"hair": np.uint8(255 * hair), "hat": np.uint8(255 * CAP)}
    nothing = dict.fromkeys(("glasses", "beard"), NOBODY)
    return Portrait(image, LANDMARKS, Crop((SIDE - 1) / 2, (SIDE - 1) / 2, float(SIDE)), {**nothing, **worn})


@pytest.fixture(scope="module")
def new_hair() -> Attribute:
    """A mane of another colour that stands above a cap's place and beside it."""
    mane = ~FACE & (np.abs(ACROSS) < 1.2) & (DOWN > -1.3) & (DOWN < 1.2)
    image = made_face(LANDMARKS)
    image[mane] = NEW
    return Attribute(image, np.uint8(255 * mane), LANDMARKS, "hair")


def like(picture: np.ndarray, colour: tuple[int, int, int], within: float = 60) -> np.ndarray:
    return np.abs(picture.astype(int) - colour).max(-1) < within


def blue(picture: np.ndarray) -> np.ndarray:
    """Where new hair is seen, be it in a shadow."""
    red, green, third = np.moveaxis(picture.astype(int), -1, 0)
    return (third - red > 80) & (third - green > 80)


def test_new_hair_goes_on_under_the_hat_and_nowhere_beyond_it(portrait, new_hair):
    shown = PreviewRenderer().still(AnimationRequest(portrait, (new_hair,), options=OPTIONS))
    inside = CAP & (np.abs(ACROSS) < 0.87) & (DOWN < -0.38) & (DOWN > -0.97)
    assert np.abs(shown.astype(int) - portrait.image)[inside].max() < 6
    assert not blue(shown)[DOWN < -0.42].any()
    beside = ~FACE & (np.abs(ACROSS) < 0.75) & (DOWN > -0.2) & (DOWN < 1.0)
    assert blue(shown)[beside].mean() > 0.9
    # Where it comes out it is as wide as the cap, not as the mane was; lower down it is.
    comes_out, hangs = (np.flatnonzero(blue(shown)[np.abs(DOWN - down).argmin(0)[0]]) for down in (-0.28, 0.8))
    assert np.allclose(np.abs(ACROSS[0, comes_out[[0, -1]]]), 0.9, atol=0.15)
    assert np.allclose(np.abs(ACROSS[0, hangs[[0, -1]]]), 1.2, atol=0.1)


def test_in_motion_the_hat_stays_before_the_hair(portrait, new_hair):
    turned = made_landmarks(yaw=14.0)
    driving = np.stack([LANDMARKS, turned])
    request = AnimationRequest(portrait, (new_hair,), options=OPTIONS)
    *_, frame = animate(prepare_scene(request, driving))
    *_, bare = animate(prepare_scene(replace(request, attributes=(), erase=("hair",)), driving))
    hat = like(bare, HAT)
    assert hat.sum() > 0.9 * CAP.sum()
    assert (like(frame, HAT) & hat).sum() > 0.97 * hat.sum()
    assert blue(frame).sum() > 1000


def test_a_hat_that_goes_too_is_not_kept(portrait, new_hair):
    request = AnimationRequest(portrait, (new_hair,), options=OPTIONS, erase=("hat",))
    assert not prepare_scene(request).kept_hat.any()
    assert not like(PreviewRenderer().still(request), HAT)[CAP].any()
    assert not prepare_scene(AnimationRequest(portrait, options=OPTIONS, erase=("beard",))).kept_hat.any()


def test_under_a_scarf_that_goes_round_the_neck_no_new_hair_is_seen(portrait, new_hair):
    scarf = ~FACE & (np.abs(ACROSS) < 1.0) & (DOWN > -1.0)
    image = portrait.image.copy()
    image[scarf] = HAT
    covered = replace(portrait, image=image, worn={**portrait.worn, "hair": NOBODY, "hat": np.uint8(255 * scarf)})
    shown = PreviewRenderer().still(AnimationRequest(covered, (new_hair,), options=OPTIONS))
    assert not blue(shown).any()


def test_a_brim_is_beside_what_it_reaches_down_to():
    brim = ((np.hypot(ACROSS, DOWN) < 1.2) & (np.hypot(ACROSS, DOWN) > 0.9) & (DOWN < 0.3)).astype(np.float32)
    found = within_sides(brim, LANDMARKS)
    at = {
        place: found[np.abs(DOWN - place[1]).argmin(0)[0], np.abs(ACROSS - place[0]).argmin(1)[0]]
        for place in ((-0.7, 0.0), (0.7, 0.0), (0.0, -0.6), (-0.7, 0.6), (-1.3, 0.0))
    }
    assert [round(float(share)) for share in at.values()] == [1, 1, 1, 0, 0]
