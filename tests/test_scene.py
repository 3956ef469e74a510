"""What both renderers are told of a request: what goes, what stays, and how it is worn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faces_made import SIDE, UNIT, made_face, made_landmarks

from durian import masks
from durian.geometry.mesh import FACE_OVAL
from durian.layers.skin import polygon
from durian.motion import preset
from durian.request import AnimationRequest, Attribute, Crop, Portrait, RenderOptions
from durian.scene import Scene, prepare_scene, scene_overlays

LANDMARKS = made_landmarks()
Y, X = np.mgrid[:SIDE, :SIDE]
ACROSS, DOWN = (X - LANDMARKS[168, 0]) / UNIT, (Y - LANDMARKS[168, 1]) / UNIT
FACE = polygon(LANDMARKS[FACE_OVAL], (SIDE, SIDE)) > 0.5
CAP = (np.abs(ACROSS) < 0.9) & (DOWN < -0.35) & (DOWN > -1.0)
HAIR = ~FACE & (np.abs(ACROSS) < 1.3) & (DOWN > -1.0) & (DOWN < 1.0)
LENSES = (np.abs(ACROSS) < 0.7) & (np.abs(DOWN) < 0.15)


def item(name: str, where: np.ndarray = CAP, **changes: object) -> Attribute:
    return Attribute(made_face(LANDMARKS), np.uint8(255 * where), LANDMARKS, name, **changes)


def scene(*attributes: Attribute, worn: dict[str, np.ndarray] | None = None, **changes: object) -> Scene:
    """At rest; the portrait wears ``worn``, else hair and glasses."""
    names = ("hat", "hair", "glasses", "beard", "lips")
    shown = {"hair": HAIR, "glasses": LENSES} if worn is None else worn
    wears = {name: np.uint8(255 * shown[name]) if name in shown else np.zeros((SIDE, SIDE), np.uint8) for name in names}
    crop = Crop((SIDE - 1) / 2, (SIDE - 1) / 2, float(SIDE))
    portrait = Portrait(made_face(LANDMARKS), LANDMARKS, crop, wears)
    options = RenderOptions(size=SIDE, frames=1, **changes.pop("options", {}))
    return prepare_scene(AnimationRequest(portrait, attributes, options=options, **changes))


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ({"erase": ("glasses",)}, {"glasses"}),
        ({"erase": ("glasses", "hair")}, {"glasses", "hair"}),
        ({"erase": ("hair",)}, {"hair"}),
        ({}, set()),
    ],
    ids=["glasses", "both", "hair", "nothing"],
)
def test_hair_that_glasses_go_under_stays_and_is_known(asked, goes):
    made = scene(**asked)
    assert set(made.worn) == goes
    if goes:
        assert np.array_equal(made.hair > 127, HAIR)


def test_a_hat_takes_of_the_hair_what_it_covers_or_presses_and_no_more():
    made = scene(item("hat"))
    off, beyond = made.worn["hair"], made.pressed.beyond
    assert (off <= made.hair).all()
    assert (off[HAIR & (beyond > 0.999)] == 255).all()
    assert not off[beyond < 1e-3].any()
    soft = HAIR & (beyond > 0.2) & (beyond < 0.8)
    assert soft.sum() > 10
    assert off[soft].max() < 210


def test_under_a_hat_both_a_scarf_and_the_hair_beside_it_are_pressed():
    """A scarf around face and neck, and hair that hangs out from under it."""
    around = (DOWN > -1.0) & (np.abs(ACROSS) < 0.95) & ~FACE
    lock = (ACROSS > 0.95) & (ACROSS < 1.2) & (DOWN > 0.3) & (DOWN < 1.0)
    made = scene(item("hat"), worn={"hat": around, "hair": lock})
    assert np.array_equal(made.hair > 127, around | lock)


def test_a_hole_holds_what_goes_and_what_comes_but_not_an_item_of_no_strength():
    for strength, where in ((1.0, CAP | LENSES), (0.0, LENSES)):
        made = scene(item("other", CAP, strength=strength), erase=("glasses",))
        assert np.array_equal(masks.expand(made.base_hole, -3) > 127, masks.expand(np.uint8(255 * where), -3) > 127)
    wider = scene(item("other"), options={"expansion": 0.2})
    away = masks.signed_distance(wider.base_hole)
    np.testing.assert_array_equal(wider.hole > 127, away < 0.2 * wider.eye_distance)


def test_in_the_picture_of_the_hole_its_first_outline_is_white_and_the_grown_one_amber():
    made = scene(erase=("glasses",), options={"expansion": 0.2})
    shown = scene_overlays(made)["hole"]
    middle = round(float(LANDMARKS[168, 0]))
    first, grown = (int(np.flatnonzero(hole[:, middle] > 127)[0]) for hole in (made.base_hole, made.hole))
    for row, colour in ((first, (255, 255, 255)), (grown, (255, 176, 32))):
        # The line is a pixel wide and lies between two rows.
        half = (made.image[row, middle] + np.float32(colour)) / 2
        assert shown[[row - 1, row], middle] == pytest.approx(np.stack([half, half]), abs=3)


@pytest.mark.parametrize(
    ("ends", "mode", "worn"), [((0, 1), "blend", [0, 1]), ((1, 1), "wear", [1]), ((0, 0), "wear", [0])]
)
def test_a_blend_that_stays_at_an_end_is_that_one_worn(ends, mode, worn):
    two = item("hat"), item("hat", CAP & (ACROSS < 0.5))
    made = scene(*two, mode="blend", blend_start=ends[0], blend_end=ends[1])
    assert made.request.mode == mode
    assert list(made.request.attributes) == [two[number] for number in worn]


def test_a_scarf_that_the_lower_edge_of_its_picture_cuts_hangs_down_below_it():
    height, middle = 240, round(float(LANDMARKS[168, 0]))
    around = (DOWN > -1.0) & (np.abs(ACROSS) < 0.9) & ~FACE
    cut = Attribute(made_face(LANDMARKS)[:height], np.uint8(255 * around)[:height], LANDMARKS, "hat")
    worn = scene(cut, worn={}).items[0]
    assert len(worn.attribute.mask) > height
    assert worn.mask[height + 4, middle] > 127


def test_hair_that_hangs_apart_from_its_head_below_the_chin_is_not_put_on():
    apart = (np.abs(ACROSS - 1.0) < 0.1) & (LANDMARKS[152, 1] + 6 < Y) & (Y < SIDE - 6)
    whole = HAIR & (DOWN < 0.3)
    worn = scene(item("hair", whole | apart), worn={}).items[0]
    assert not worn.mask[apart].any()
    assert (worn.mask[masks.expand(np.uint8(255 * whole), -3) > 127] > 127).all()


def test_smoothing_takes_the_tremor_out_of_a_motion():
    still = scene()
    nod = preset("nod", 24, 24.0)
    tremor = np.float32([[0.02, 0, 0], [-0.02, 0, 0]] * 12)
    shaking = replace(nod, translations=nod.translations + tremor - tremor[nod.neutral])
    steps = {}
    for smoothing in (0.0, 0.1):
        options = RenderOptions(size=SIDE, frames=24, fps=24.0, smoothing=smoothing)
        made = prepare_scene(replace(still.request, motion=shaking, options=options))
        assert made.driving.shape == (24, 478, 3)
        steps[smoothing] = np.abs(np.diff(made.driving[:, 168, 0])).mean()
    assert steps[0.0] > 0.03 * UNIT
    assert steps[0.1] < 0.1 * steps[0.0]


def test_a_larger_expansion_presses_hair_farther_from_the_hat():
    near, far = (scene(item("hat"), options={"expansion": expansion}) for expansion in (0.05, 0.25))
    assert far.pressed.beyond[HAIR].sum() > near.pressed.beyond[HAIR].sum() + 100
    assert far.kept_hair.sum(dtype=int) < near.kept_hair.sum(dtype=int)
