"""Ears that come along with new hair, of a reference that shows them, onto a portrait whose own were hidden by hair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from durian.geometry.alignment import aligned_mask, item_mesh
from durian.geometry.mesh import FACE_OVAL
from durian.geometry.raster import Canvas
from durian.layers.face_light import FaceLight
from durian.layers.skin import polygon
from durian.prepare import AttributeSource, PortraitSource, build_request
from durian.preview.borrowed_ears import (
    MOST_SHADED,
    NOSE_BRIDGE,
    OVERLAP,
    ROOT,
    _across,
    _area,
    _at_the_cheek,
    _Ear,
    _ears_of,
    _ears_to_lend,
    borrowed_ears,
)
from durian.request import AnimationRequest, RenderOptions
from durian.scene import prepare_scene

SIZE = 256


@pytest.fixture(scope="module")
def wearing(project_root: Path):
    """``wearing(portrait, reference)``: the request for the reference's hair, of pictures in ``assets``."""

    def made(portrait: str, reference: str) -> AnimationRequest:
        assets = project_root / "assets"
        item = AttributeSource(assets / f"{reference}.webp", "hair")
        return build_request(
            PortraitSource(assets / f"{portrait}.webp"), [item], options=RenderOptions(size=SIZE)
        ).request

    return made


def ears_of(request: AnimationRequest):
    scene = prepare_scene(replace(request, motion=None))
    colour = scene.image.astype(np.float32)
    return scene, borrowed_ears(scene, colour, FaceLight.of(colour, scene.landmarks))


def test_a_hidden_ear_comes_from_the_reference_in_the_wearers_colours(wearing):
    scene, layers = ears_of(wearing("hair-bob", "portrait-mateo"))
    (layer,) = layers
    drawn = layer.at_rest(Canvas(SIZE, SIZE), scene.landmarks, SIZE)
    covered = drawn[..., 3] / 255
    across = _across(scene.landmarks, covered.shape)
    assert 0.02 < _area(covered, scene.landmarks) < 0.12
    assert np.abs(across[covered > 0.5]).min() > 0.3, "beside the face"
    assert np.ptp(np.sign(across[covered > 0.5])) == 0, "on one side"
    reference = scene.items[0].attribute
    picture = reference.image.astype(np.float32)
    before = np.log(picture[_ears_of(reference) > 0.95].mean(0))
    change = np.log(drawn[..., :3][covered > 0.95].mean(0)) - before
    of_skin = FaceLight.of(scene.image.astype(np.float32), scene.landmarks).mean
    of_skin = of_skin - FaceLight.of(picture, reference.face_landmarks).mean
    # As the two faces' skin differs, but for one cheek's shade.
    assert np.ptp(change - of_skin) < 0.06 < np.ptp(change)
    assert np.abs(change - of_skin).max() < MOST_SHADED + 0.06


def test_own_ears_stay_alone(wearing):
    """The portrait shows the ear that the reference shows, mirrored if need be."""
    assert ears_of(wearing("portrait-finn", "portrait-ines"))[1] == ()


def test_hair_over_the_ears_brings_none(wearing):
    assert ears_of(wearing("hair-bob", "hair-long-wavy"))[1] == ()


def test_hair_of_no_strength_brings_none(wearing):
    request = wearing("hair-bob", "portrait-mateo")
    none = replace(request, attributes=(replace(request.attributes[0], strength=0.0),))
    assert ears_of(none)[1] == ()


def test_the_ear_is_as_faint_as_its_hair(wearing):
    """Also after it was drawn in full."""
    request = wearing("hair-bob", "portrait-mateo")
    faint = replace(request, attributes=(replace(request.attributes[0], strength=0.5),))
    assert [ears_of(each)[1][0].strength for each in (request, faint)] == [1.0, 0.5]


def test_an_ear_grows_from_a_narrower_cheek(wearing):
    scene, _ = ears_of(wearing("hair-bob", "portrait-mateo"))
    landmarks, oval = scene.landmarks.copy(), list(FACE_OVAL)
    landmarks[oval, 0] += 0.25 * (landmarks[NOSE_BRIDGE, 0] - landmarks[oval, 0])
    shape = scene.image.shape[:2]
    face = polygon(landmarks[oval], shape) > 0.5

    def gap(ear: _Ear) -> float:
        """Between the cheek and where the ear is nearest to it, in face widths."""
        mesh = item_mesh(ear.attribute, landmarks)
        there = aligned_mask(replace(ear.attribute, mask=ear.mask), mesh, landmarks, SIZE) > 127
        across = side * _across(landmarks, shape)
        rows = there.any(1) & face.any(1)
        return np.percentile((np.where(there, across, 9).min(1) - np.where(face, across, -9).max(1))[rows], ROOT)

    ((side, ear),) = _ears_to_lend(scene.items[0].attribute, 1.0).items()
    moved = _at_the_cheek(ear, side, landmarks, shape)
    assert gap(ear) > 0.03
    assert gap(moved) == pytest.approx(-OVERLAP, abs=0.02)
    # Of its owner's cheek nothing comes onto the portrait's.
    assert moved.sample is ear.alone
    assert ear.alone.alpha.sum() < ear.sample.alpha.sum()
    # Moved to the side alone, and one that grows from the cheek stays as it is.
    placement = moved.attribute.placement
    assert abs(placement.dy) < 0.3 * abs(placement.dx)
    assert _at_the_cheek(moved, side, landmarks, shape).attribute.placement.dx == pytest.approx(placement.dx, abs=0.02)
    landmarks[oval, 0] -= 0.6 * (landmarks[NOSE_BRIDGE, 0] - landmarks[oval, 0])
    assert _at_the_cheek(ear, side, landmarks, shape) is ear
