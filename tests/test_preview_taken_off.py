"""Removal of items from a portrait and completion of what lies under them, on values."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from faces_made import made_face, made_landmarks, made_portrait

from durian import masks
from durian.face import Crop, require_face
from durian.geometry.head import Head
from durian.geometry.mesh import BROWS, EYES, FACE_OVAL, INNER_LIPS
from durian.layers.body import neck
from durian.layers.scalp import CORNER
from durian.layers.skin import polygon
from durian.preview.base import (
    SURELY_BACKGROUND,
    _before_new_hair,
    _gone_on_with,
    _person,
    _without_islands,
    build_base,
)
from durian.preview.taken_off import _kept, shadowed, taken_off
from durian.preview.underneath import _jaw_outline, _notches, underneath
from durian.request import AnimationRequest, Portrait, RenderOptions
from durian.scene import Scene, prepare_scene

SIZE = 256


@pytest.fixture(scope="module")
def fringed(collins) -> Portrait:
    """Her photograph with a slab of hair over one half of the forehead, down to the brow, and beside the face."""
    landmarks = require_face(collins).landmarks
    hair = np.zeros(collins.shape[:2], np.uint8)
    top, side = landmarks[10, :2], landmarks[234, :2]
    hair[int(top[1] - 40) : int(landmarks[105, 1] - 3), int(side[0] - 20) : int(top[0])] = 255
    hair[int(top[1] - 40) : int(landmarks[152, 1]), int(side[0] - 20) : int(side[0] + 12)] = 255
    image = collins.copy()
    image[hair > 0] = (40, 25, 15)
    nothing = dict.fromkeys(("hat", "glasses", "beard", "lips"), np.zeros_like(hair))
    return Portrait(image, landmarks, Crop(225.0, 140.0, 270.0), {**nothing, "hair": hair})


def scene(portrait: Portrait, expansion: float = 0.1) -> Scene:
    options = RenderOptions(size=SIZE, frames=1, expansion=expansion)
    return prepare_scene(AnimationRequest(portrait, options=options, erase=("hair",)))


def test_an_ear_beside_hair_stays(fringed):
    hair, ear = fringed.worn["hair"].copy(), np.zeros(fringed.image.shape[:2], np.uint8)
    x, y = fringed.landmarks[234, :2].round().astype(int)
    cv2.circle(ear, (int(x) - 9, int(y) + 10), 9, 255, -1)
    hair[ear > 0] = 0
    portrait = replace(fringed, worn={**fringed.worn, "hair": hair})
    parts = np.zeros((SIZE, SIZE, 4), np.uint8)
    bare = {}
    for name, skin in (("none", np.zeros_like(parts[..., 0])), ("ear", portrait.crop.apply(ear, SIZE))):
        gone = scene(portrait)
        gone.__dict__["body_parts"] = np.dstack([skin, parts[..., 1:]])
        bare[name] = taken_off(gone, np.ones((SIZE, SIZE), np.float32))[0]
    seen = (skin == 255) & (gone.hair == 0) & (polygon(gone.landmarks[FACE_OVAL], (SIZE, SIZE)) == 0)
    assert seen.sum() > 50
    assert bare["none"][seen].mean() > 0.5
    assert bare["ear"][seen].mean() < 0.1
    np.testing.assert_array_equal(bare["ear"][gone.hair == 255], bare["none"][gone.hair == 255])


def test_a_larger_expansion_takes_more_off_and_never_eyes_mouth_or_free_brows(fringed):
    person = np.ones((SIZE, SIZE), np.float32)
    off = [taken_off(scene(fringed, expansion), person)[0] for expansion in (0.0, 0.1, 0.4)]
    assert off[0].sum() < off[1].sum() < off[2].sum()
    landmarks = scene(fringed).landmarks
    for part in (*EYES, INNER_LIPS, BROWS[1]):
        assert off[2][polygon(landmarks[part], (SIZE, SIZE)) > 0.9].max() < 0.1


@pytest.mark.parametrize("both", [False, True])
def test_a_lock_over_an_eye_goes_where_the_other_eye_is_seen(fringed, both: bool):
    """Over both eyes it stays: nobody knows what lies under it."""
    locks = fringed.worn["hair"].copy()
    for lids in EYES[: 1 + both]:
        left, right = np.sort(fringed.landmarks[lids[[0, 8]], 0])
        locks[50 : int(fringed.landmarks[lids, 1].max() + 8), int(left - 4) : int((left + right) / 2)] = 255
    covered = replace(fringed, worn={**fringed.worn, "hair": locks})
    removed, _ = taken_off(scene(covered), np.ones((SIZE, SIZE), np.float32))
    crop = covered.crop.apply(locks, SIZE)
    for number, lids in enumerate(EYES):
        eye = polygon(scene(covered).landmarks[lids], (SIZE, SIZE)) > 0.9
        under = removed[eye & (crop > 200)]
        if number == 0 or both:
            assert len(under) > 20
            assert under.min() > 0.9 if not both else under.max() < 0.1
        assert removed[eye & (masks.signed_distance(crop) > 0.07 * scene(covered).eye_distance)].max() < 0.1


def test_skin_in_the_shadow_of_hair_fades_into_what_lies_under_it(fringed):
    asked = scene(fringed, 0.0)
    removed, _ = taken_off(asked, np.ones((SIZE, SIZE), np.float32))
    away = masks.signed_distance(asked.worn["hair"]) / asked.eye_distance
    cheek = polygon(asked.landmarks[FACE_OVAL], (SIZE, SIZE)) > 0.99
    cheek[: int(asked.landmarks[105, 1])] = False  # above the brows her own fringe hangs beside the slab
    for part in (*EYES, *BROWS):
        cheek &= cv2.dilate(polygon(asked.landmarks[part], (SIZE, SIZE)), np.ones((15, 15))) == 0
    means = [removed[cheek & (away > low) & (away < low + 0.03)].mean() for low in (0.0, 0.04, 0.08, 0.13)]
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.8
    assert means[-1] < 0.01


def test_skin_of_a_neck_fades_into_what_lies_under_hair(collins):
    """A lock beside a bare neck: no dark edge of it stays there, and the other side stays the photo's own."""
    landmarks = require_face(collins).landmarks
    hair = np.zeros(collins.shape[:2], np.uint8)
    image = collins.copy()
    image[(neck(landmarks, hair.shape) > 0) & (polygon(landmarks[FACE_OVAL], hair.shape) <= 0)] = (205, 160, 135)
    chin, width = landmarks[152, :2], Head(landmarks).width
    rows = slice(int(chin[1] + 0.02 * width), int(chin[1] + 0.3 * width))
    hair[rows, int(chin[0] - 0.5 * width) : int(chin[0] - 0.1 * width)] = 255
    image[hair > 0] = (40, 25, 15)
    nothing = dict.fromkeys(("hat", "glasses", "beard", "lips"), np.zeros_like(hair))
    asked = scene(Portrait(image, landmarks, Crop(225.0, 140.0, 270.0), {**nothing, "hair": hair}), 0.0)
    removed, _ = taken_off(asked, np.ones((SIZE, SIZE), np.float32))
    away = masks.signed_distance(asked.worn["hair"]) / asked.eye_distance
    beside = (neck(asked.landmarks, (SIZE, SIZE)) > 0.99) & (polygon(asked.landmarks[FACE_OVAL], (SIZE, SIZE)) == 0)
    beside = cv2.erode(beside.astype(np.uint8), np.ones((5, 5))) > 0  # beyond its edge is her suit
    means = [removed[beside & (away > low) & (away < low + 0.03)].mean() for low in (0.0, 0.04, 0.08, 0.13)]
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.8
    assert means[-1] < 0.01


def test_a_brow_ends_where_hair_is_near(fringed):
    """The slab ends three pixels above one brow: nothing of it stays that near to the hair, and all far from it."""
    asked = scene(fringed)
    removed, _ = taken_off(asked, np.ones((SIZE, SIZE), np.float32))
    away = masks.signed_distance(asked.worn["hair"]) / asked.eye_distance
    brow = np.maximum(*(polygon(asked.landmarks[brow], (SIZE, SIZE)) for brow in BROWS)) > 0.9
    assert removed[brow & (away < 0.03)].min() > 0.9
    assert removed[brow & (away > 0.15)].max() < 0.1


def test_a_lock_over_a_free_brow_takes_the_brow_under_it_along(fringed):
    asked = scene(fringed)
    lock = np.zeros((SIZE, SIZE), np.uint8)
    lock[:, round(float(asked.landmarks[BROWS[1], 0].mean())) :] = 255
    away = masks.signed_distance(lock) / asked.eye_distance
    under_all, kept, free = (_kept(asked, locks) for locks in (np.full_like(lock, 255), lock, None))
    brow = free - under_all > 0.3
    for clear, expected in ((away < 0, under_all), (away > 0.04, free)):
        assert (brow & clear).sum() > 20
        np.testing.assert_array_equal(kept[clear], expected[clear])


def test_what_is_hidden_holds_what_is_taken_off_and_waits_for_the_slider(fringed):
    person = np.ones((SIZE, SIZE), np.float32)
    near = [taken_off(scene(fringed, expansion), person)[1] for expansion in (0.0, 0.06, 0.12)]
    assert (near[0] == near[1]).all()
    assert (near[1] == near[2]).all()
    for expansion in (0.1, 0.5, 1.5):
        removed, hidden = taken_off(scene(fringed, expansion), person)
        assert hidden[removed > 0.05].all()


def test_under_a_fringe_lies_the_forehead_and_not_the_hairs_colour(fringed, collins):
    asked = scene(fringed)
    person = np.ones((SIZE, SIZE), np.float32)
    _, hidden = taken_off(asked, person)
    alpha, colour, _ = underneath(asked, person, hidden)
    seen = asked.landmarks[[8, 168, 50, 280], :2]
    truth = fringed.crop.apply(collins, SIZE).astype(float)
    inside = hidden & (polygon(asked.landmarks[FACE_OVAL], (SIZE, SIZE)) > 0.9)
    inside &= np.indices((SIZE, SIZE))[0] < asked.landmarks[105, 1]
    assert inside.sum() > 200
    assert alpha[inside].min() > 0.99
    # Her own hair hides part of that forehead: the bridge of the nose and the cheeks show her skin.
    skin = np.mean([truth[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].mean((0, 1)) for x, y in seen], axis=0)
    assert np.abs(np.median(colour[inside], axis=0) - skin).max() < 30
    assert np.array_equal(colour[~hidden], asked.image.astype(np.float32)[~hidden])


@pytest.mark.parametrize("yaw", [0.0, 20.0])
def test_a_face_without_its_beard_ends_where_faces_do(yaw: float):
    """The beard and its loose hair reach far beyond the face, whose ears are seen."""
    landmarks = made_landmarks(yaw=yaw)
    head, size = Head(landmarks), len(made_face(landmarks))
    rows = np.repeat(np.arange(size, dtype=np.float32)[:, None], size, 1)
    below = (rows - landmarks[152, 1]) / head.width
    lip, ear = (float((landmarks[place, 1] - landmarks[152, 1]) / head.width) for place in (17, 234))
    away = masks.signed_distance(np.uint8(255) * (polygon(landmarks[FACE_OVAL], rows.shape) > 0.5)) / head.width
    bearded = (below > ear + 0.1) & (away < 0.3)
    seen = (below <= ear + 0.1) & (away < 0.12)
    person = (bearded | seen).astype(np.float32)
    jaw = _jaw_outline(landmarks, head, below, bearded, seen, person)
    low = bearded & (below > lip)
    assert jaw[away < 0].min() > 0.9
    assert jaw[low & (away > 0.07)].max() < 0.05
    beside_ear = bearded & (below < ear + 0.13) & (away < 0.03)
    assert jaw[beside_ear].min() > 0.75, "a cheek reaches up to what is seen beside it"


def test_what_lies_under_a_hat_follows_the_hair_that_shows_beside_it(fringed):
    """The hat hides the same, but the visitor has painted the hair anew."""
    hat = np.zeros(fringed.image.shape[:2], np.uint8)
    forehead = fringed.landmarks[10, :2].astype(int)
    hat[: forehead[1] - 5, forehead[0] - 60 : forehead[0] + 60] = 255
    under = []
    for hair in (fringed.worn["hair"], np.zeros_like(hat)):
        portrait = replace(fringed, worn={**fringed.worn, "hat": hat, "hair": hair})
        asked = prepare_scene(AnimationRequest(portrait, options=RenderOptions(size=SIZE, frames=1), erase=("hat",)))
        # Without a new hat nothing is pressed, so the hair's own mask is all that differs.
        asked = replace(asked, hair=portrait.crop.apply(hair, SIZE), pressed=None, worn={"hat": asked.worn["hat"]})
        person = np.ones((SIZE, SIZE), np.float32)
        _, hidden = taken_off(asked, person)
        under.append(underneath(asked, person, hidden)[1])
    assert np.abs(under[0] - under[1]).max() > 40


def test_what_a_frame_hides_beside_the_face_is_hair_as_far_as_hair_is_around_it(fringed):
    bar = np.zeros(fringed.image.shape[:2], np.uint8)
    columns = np.flatnonzero(fringed.worn["hair"][int(fringed.landmarks[61, 1])])
    bar[int(fringed.landmarks[61, 1]) - 3 : int(fringed.landmarks[61, 1]) + 3, columns[0] - 30 : columns[-1] - 6] = 255
    wearing = replace(fringed, worn={**fringed.worn, "glasses": bar})
    asked = prepare_scene(AnimationRequest(wearing, options=RenderOptions(size=SIZE, frames=1), erase=("glasses",)))
    hair = fringed.crop.apply(fringed.worn["hair"], SIZE) > 127
    person = np.maximum(hair, polygon(asked.landmarks[FACE_OVAL], hair.shape)).astype(np.float32)
    hidden = asked.worn["glasses"] > 8
    alpha, colour, _ = underneath(asked, person, hidden)
    away = masks.signed_distance(np.uint8(255 * hair))
    assert alpha[hidden & (away < -3)].min() > 0.9
    assert np.abs(colour[hidden & (away < -6)] - (40, 25, 15)).mean() < 8
    assert alpha[hidden & (away > 8)].max() < 0.1


@pytest.mark.parametrize("tilt", [-25.0, 0.0, 25.0])
def test_below_a_tilted_chin_neck_is_made_up_and_beside_the_eyes_none(tilt):
    upright, turn = made_landmarks(), np.radians(tilt)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], np.float32)
    centre = upright[:, :2].mean(0)
    landmarks = upright.copy()
    landmarks[:, :2] = (upright[:, :2] - centre) @ turned.T + centre
    asked = scene(made_portrait(made_face(landmarks), landmarks))
    chin, middle = landmarks[152, :2], landmarks[168, :2]
    away = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1)
    near_neck = np.linalg.norm(away - (chin + 0.14 * (chin - middle)), axis=-1) < 8
    temples = [middle + 1.04 * (landmarks[side, :2] - middle) for side in (127, 356)]
    near_temples = np.min([np.linalg.norm(away - place, axis=-1) for place in temples], axis=0) < 5
    _, _, made_up = underneath(asked, np.ones((SIZE, SIZE), np.float32), near_neck | near_temples)
    assert made_up[near_neck].min() > 0.5
    assert made_up[near_temples].max() < 0.1


def test_with_nothing_hidden_the_picture_lies_under_itself(fringed):
    asked = scene(fringed)
    person = np.full((SIZE, SIZE), 0.7, np.float32)
    alpha, colour, made_up = underneath(asked, person, np.zeros((SIZE, SIZE), bool))
    assert alpha is person
    assert not made_up.any()
    assert np.array_equal(colour, asked.image)


def test_background_beside_what_is_taken_off_is_the_photo_s_own(fringed):
    """What lies under hair is made up as far as the slider may reach; what it does not take off stays as it was."""
    asked = scene(fringed, 0.0)
    person = _person(asked, polygon(asked.landmarks[FACE_OVAL], (SIZE, SIZE)))
    removed, hidden = taken_off(asked, person)
    free = ((person < SURELY_BACKGROUND) & (removed <= 0)).astype(np.uint8)
    free = cv2.erode(free, np.ones((3, 3))) > 0
    assert (free & hidden).sum() > 100
    assert np.array_equal(build_base(asked).plate[free], asked.image[free])


@pytest.mark.parametrize("texture", [0, 60])
def test_a_background_with_a_texture_is_kept_as_near_as_it_is_seen(fringed, texture: int):
    """On a plain one a strand that nobody found would show, and a seam would not."""
    face = polygon(fringed.landmarks[FACE_OVAL], fringed.image.shape[:2])
    grain = np.random.default_rng(3).normal(0, texture, fringed.image.shape[:2])
    ground = np.clip(120 + cv2.GaussianBlur(grain, (0, 0), 1.0), 0, 255)[..., None]
    hair = fringed.worn["hair"]
    image = np.where(((face > 0) | (hair > 0))[..., None], fringed.image, ground).astype(np.uint8)
    asked = scene(replace(fringed, image=image), 0.0)
    away = masks.signed_distance(asked.worn["hair"]) / asked.eye_distance
    person = ((away < 0) | (polygon(asked.landmarks[FACE_OVAL], (SIZE, SIZE)) > 0)).astype(np.float32)
    removed, _ = taken_off(asked, person)
    ring = (away > 0.07) & (away < 0.11) & (masks.signed_distance((person * 255).astype(np.uint8)) > 4)
    assert ring.sum() > 100
    assert (removed[ring] > 0.5).mean() == pytest.approx(float(texture == 0), abs=0.05)


def test_a_shadow_beside_hair_goes_with_it(fringed):
    """A forehead as dark as under a brim, beside the slab of hair."""
    away = masks.signed_distance(fringed.worn["hair"]) / scene(fringed).eye_distance
    shade = 1 - 0.2 * np.exp(-np.clip(away, 0, None) / 0.1)[..., None]
    shaded = np.where((fringed.worn["hair"] > 0)[..., None], fringed.image, fringed.image * shade).astype(np.uint8)
    asked, clear = scene(replace(fringed, image=shaded)), scene(fringed)
    where = shadowed(asked)
    nobody = prepare_scene(AnimationRequest(fringed, options=RenderOptions(size=SIZE, frames=1)))
    assert not shadowed(nobody).any()
    landmarks = asked.landmarks
    x, y = ((landmarks[9] + landmarks[151]) / 2)[:2].round().astype(int)
    place = (slice(y - 4, y + 5), slice(x, x + 6))
    assert where[place].mean() > 0.5
    assert where[int(landmarks[17, 1]), int(landmarks[17, 0])] == 0
    before, after = (
        np.abs(made[place].mean((0, 1)) - clear.image[place].mean((0, 1))).max()
        for made in (asked.image, build_base(asked).colour)
    )
    assert after < 0.65 * before


def test_a_neck_runs_into_shoulders_without_a_notch():
    """Between a made-up neck and a seen shoulder a narrow gap is filled, a wide one is the background's."""
    width, person, body = 100.0, np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[:, 60:200] = True
    body[40:, 112:144] = 1
    person[100:, :58] = person[100:, 202:] = 1
    person[:, 60:200] = 1
    near = body.copy()
    near[100:, 72:] = 1
    filled = _notches(near, person, hidden, width)
    assert filled[110:-10, 62:70].min() == 1
    assert filled[50:80, 62:100].max() == 0
    assert not filled[~hidden].any()
    assert _notches(body, person, hidden, width)[110:-10, 75:100].max() == 0


def test_what_is_half_taken_off_is_never_brighter_than_what_it_is_mixed_from(fringed):
    asked = scene(fringed)
    base = build_base(asked)
    shown = base.foreground[..., :3] + base.plate * (1 - base.foreground[..., 3:] / np.float32(255))
    removed = base.filled[..., None]
    under = asked.image + (base.colour - asked.image) / np.maximum(removed, 0.05)
    brightest = np.maximum(np.maximum(asked.image, base.plate), under)
    half = (base.filled > 0.05) & (base.filled < 0.95)
    assert half.sum() > 50
    assert (shown - brightest)[half].max() < 3


def test_a_round_picture_stays_round(collins):
    """Hair that reaches over the circle's edge comes off, and the ground around it is as plain as before."""
    landmarks = require_face(collins).landmarks
    y, x = np.mgrid[: collins.shape[0], : collins.shape[1]]
    radius = min(collins.shape[:2]) // 2 - 1
    middle = landmarks[168, 0], landmarks[168, 1]
    away = np.hypot(x - middle[0], y - middle[1])
    radius = int(min(radius, middle[0], middle[1], collins.shape[1] - middle[0], collins.shape[0] - middle[1])) - 1
    left, top = int(middle[0]) - radius, int(middle[1]) - radius
    box = (slice(top, top + 2 * radius), slice(left, left + 2 * radius))
    inside = (away < radius)[box]
    hair = ((np.abs(x - middle[0]) > 0.45 * radius) & (y < middle[1]))[box] & inside
    image = np.where(inside[..., None], collins[box], 255).astype(np.uint8)
    image[hair] = (40, 25, 15)
    nothing = dict.fromkeys(("hat", "glasses", "beard", "lips"), np.zeros(inside.shape, np.uint8))
    worn = {**nothing, "hair": np.where(hair, 255, 0).astype(np.uint8)}
    crop = Crop(radius - 0.5, radius - 0.5, 2.0 * radius)
    moved = (landmarks - [left, top, 0]).astype(np.float32)
    base = build_base(scene(Portrait(image, moved, crop, worn)))
    shown = base.foreground[..., :3] + base.plate * (1 - base.foreground[..., 3:] / np.float32(255))
    across, down = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2)[::-1]
    outside = np.hypot(across, down) > SIZE / 2 + 4
    assert shown[outside].min() > 250


def test_new_hair_lies_behind_a_neck_that_is_made_up(collins):
    """Hair hid her neck; the new hair stands off beside it, and what lies between is the neck first, but for the
    corners below her jaw."""
    landmarks = require_face(collins).landmarks
    y, x = np.mgrid[: collins.shape[0], : collins.shape[1]]
    chin, width = landmarks[152, :2], Head(landmarks).width
    aside, down = np.abs(x - chin[0]) / width, (y - chin[1]) / width
    hair = np.where((aside < 0.7) & (aside > 0.1) & (np.abs(down) < 0.4), np.uint8(255), np.uint8(0))
    hair[polygon(landmarks[FACE_OVAL], hair.shape) > 0] = 0
    nothing = dict.fromkeys(("hat", "glasses", "beard", "lips"), np.zeros_like(hair))
    asked = scene(Portrait(collins, landmarks, Crop(225.0, 140.0, 270.0), {**nothing, "hair": hair}))
    new = np.zeros((SIZE, SIZE, 4), np.float32)
    unit = Head(asked.landmarks).width
    beside = np.abs(np.arange(SIZE) - asked.landmarks[152, 0]) / unit
    new[:, (beside > 0.75) & (beside < 0.95)] = (0, 255, 0, 255)
    person = _person(asked, polygon(asked.landmarks[FACE_OVAL], (SIZE, SIZE)))
    _, hidden = taken_off(asked, person)
    made_up = underneath(asked, person, hidden)[2] > 0.95
    assert made_up.sum() > 300
    colour = build_base(asked, new).colour
    around = np.ones((2 * round(2 * CORNER * unit) + 1,) * 2)
    corners = cv2.dilate(polygon(asked.landmarks[FACE_OVAL], (SIZE, SIZE)), around) > 0
    made_up &= ~corners & (cv2.dilate(new[..., 3], np.ones((13, 13))) == 0)
    made_up = cv2.erode(made_up.astype(np.uint8), np.ones((5, 5))) > 0
    assert made_up.sum() > 300
    assert (colour[made_up, 1] - colour[made_up, 0]).max() < 30
    between = (
        (beside > 0.5) & (beside < 0.7) & (np.abs(np.arange(SIZE)[:, None] - asked.landmarks[152, 1]) < 0.1 * unit)
    )
    between &= hidden & ~made_up
    assert between.sum() > 100
    assert np.median(colour[between, 1] - colour[between, 0]) > 100


@pytest.mark.parametrize(("held", "stays"), [(False, False), (True, True)], ids=["lock", "hand"])
def test_what_only_hair_held_goes_with_it(held: bool, stays: bool):
    """A part of the person with nothing but removed hair around it; a hand comes in from the picture's edge."""
    alpha, removed = np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.float32)
    alpha[100:, 120:] = 1
    alpha[150:175, 0 if held else 40 : 70] = 1
    removed[120:200, 0 if held else 20 : 100] = 1
    removed[alpha > 0] = 0
    kept = _without_islands(alpha, removed)
    assert kept[165, 55] == stays
    assert (kept[100:, 120:] == 1).all()


def test_what_goes_on_over_everything_are_the_colours_of_an_item_s_core():
    """Not those of its soft edge, in which there is some of its reference's background, even where little is solid."""
    alpha = np.full((64, 64), 60, np.float32)
    alpha[20:30, 20:30] = 200
    alpha[:8] = 0
    straight = np.where((alpha == 200)[..., None], np.float32((180, 90, 30)), np.float32((40, 40, 250)))
    gone_on = _gone_on_with(np.dstack([straight * (alpha / 255)[..., None], alpha]))
    assert np.abs(gone_on - (180, 90, 30)).max() < 0.5


def test_no_background_is_left_between_a_cheek_and_new_hair_behind_it():
    skin, sky, hair = (np.array(colour, np.float32) for colour in ((150, 100, 80), (250, 220, 40), (40, 25, 20)))
    cheek = np.clip((20 - np.arange(40, dtype=np.float32)) / 4 + 0.5, 0, 1)[None].repeat(12, 0)
    image = cheek[..., None] * skin + (1 - cheek[..., None]) * sky
    # The matte takes a little of the sky for the cheek.
    person = np.clip((22 - np.arange(40, dtype=np.float32)) / 4 + 0.5, 0, 1)[None].repeat(12, 0)
    everywhere, nothing = np.ones_like(person), np.zeros_like(person)
    behind = np.broadcast_to(hair, image.shape)
    colour, alpha = _before_new_hair(image, person, image * person[..., None], person, nothing, everywhere, behind)
    np.testing.assert_allclose(alpha, 1, atol=1e-6)
    np.testing.assert_allclose(colour, person[..., None] * skin + (1 - person[..., None]) * hair, atol=2)
    before, share = _before_new_hair(image, person, image * person[..., None], person, nothing, nothing, behind)
    np.testing.assert_array_equal(before, image * person[..., None])
    np.testing.assert_array_equal(share, person)
