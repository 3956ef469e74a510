"""Glasses taken apart into frame and lenses, and fitted on another head."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from durian.geometry.alignment import aligned_mask, item_mesh
from durian.geometry.glasses import GlassesItem, GlassesSurface
from durian.geometry.raster import Canvas
from durian.layers.face_light import FaceLight
from durian.layers.glasses import SIDE_BROADER, GlassesTexture, frame_evidence, take_apart
from durian.layers.glasses_view import front_view
from durian.layers.lens_outlines import STEP, find_rims
from durian.preview.base import build_base
from durian.preview.layers import STILL, Layer, build_layer
from durian.request import AnimationRequest, Attribute, RenderOptions
from durian.scene import AlignedAttribute, prepare_scene
from tests.faces_made import SIDE, SKIN, UNIT, made_portrait
from tests.glasses_made import FRAME, LENS, MIDDLE, RIM, bare_face, turned_face, wearing

MADE = {
    "dark": ((0.08, 0.08, 0.08), (10, 12, 14)),
    "mirrored": ((0.0, 0.0, 0.0), (60, 120, 200)),
    "tinted": ((0.55, 0.4, 0.25), (0, 0, 0)),
    "clear": ((1.0, 1.0, 1.0), (0, 0, 0)),
}
SHADED = (0.46, 0.42, 0.4), (0, 0, 0)
"""A clear lens in the shadow of its frame."""
OTHER_SKIN = (90, 60, 45)


def apart(make: str, yaw: float = 0.0) -> GlassesTexture:
    attribute = wearing(turned_face(yaw), *MADE[make])
    return take_apart(attribute, GlassesSurface.of_mask(attribute.landmarks, attribute.mask), 120)


def over(taken: GlassesTexture, colour: tuple[int, int, int]) -> np.ndarray:
    texture = taken.texture.astype(np.float32)
    return np.array(colour) * (1 - texture[..., 3:] / 255) + texture[..., :3]


def radius(taken: GlassesTexture) -> np.ndarray:
    """Distance from the middle of the nearer lens, units."""
    view = taken.view
    down = view.low + np.arange(view.mask.shape[0])[:, None] / view.scale
    return np.hypot(np.abs(view.across)[None] - MIDDLE[0], down - MIDDLE[1])


@pytest.mark.parametrize("yaw", [0.0, 30.0])
@pytest.mark.parametrize("make", MADE)
def test_a_known_lens_looks_on_its_own_and_on_another_skin_as_it_would(make, yaw):
    taken = apart(make, yaw)
    lens = (radius(taken) < LENS - RIM - 0.04) & (np.maximum(taken.view.eyes, taken.view.brows) < 0.05)
    through, added = MADE[make]
    for skin, tolerance in ((SKIN, 8), (OTHER_SKIN, 16)):
        expected = np.array(skin) * through + added
        assert np.abs(np.median(over(taken, skin)[lens], 0) - expected).max() < tolerance


@pytest.mark.parametrize("yaw", [0.0, 30.0])
def test_clear_lenses_carry_nothing_of_the_reference_eyes(yaw):
    taken = apart("clear", yaw)
    inside = radius(taken) < LENS - RIM - 0.03
    assert taken.view.eyes[inside].max() == 1
    assert taken.texture[inside].max() <= 2


@pytest.mark.parametrize("make", ["clear", "dark"])
def test_a_rim_is_whole_and_of_its_own_colour(make):
    taken = apart(make)
    distance = radius(taken)
    rim = (distance > LENS - 0.7 * RIM) & (distance < LENS - 0.3 * RIM)
    assert np.quantile(taken.texture[rim][:, 3:], 0.02) > 230
    assert np.abs(np.median(taken.texture[rim][:, :3], 0) - FRAME).max() < 12
    below = np.arange(len(distance))[:, None] > (MIDDLE[1] - taken.view.low) * taken.view.scale
    front = np.abs(taken.view.across)[None] < MIDDLE[0] + LENS
    assert taken.texture[(distance > LENS + 0.03) & below & front][:, 3:].mean() < 5


def without_rim_below(scraps: bool = False) -> Attribute:
    """Glasses whose rims end below the eyes' height; of ``scraps`` a dark crease at each lens's lower edge."""
    worn = wearing(turned_face(), *MADE["clear"])
    rows = np.arange(SIDE)[:, None]
    rim = np.abs(worn.image.astype(int) - FRAME).max(-1) < 60
    below = cv2.dilate((rim & (rows > worn.landmarks[33, 1] + 8)).astype(np.uint8), np.ones((3, 3))) > 0
    image = worn.image.copy()
    image[below] = SKIN
    if scraps:
        lowest = np.flatnonzero((worn.mask > 127).any(1))[-1]
        middle = worn.landmarks[168, 0]
        for column in np.flatnonzero(worn.mask[lowest - 1] > 127):
            if abs(abs(column - middle) - MIDDLE[0] * UNIT) < 3:
                image[lowest - 3 : lowest, column] = FRAME
    return replace(worn, image=image)


@pytest.mark.parametrize("scraps", [False, True])
def test_a_lens_without_a_rim_below_ends_in_one_faint_even_line(scraps: bool):
    attribute = without_rim_below(scraps)
    taken = take_apart(attribute, GlassesSurface.of_mask(attribute.landmarks, attribute.mask), 120)
    view = taken.view
    down = view.low + np.arange(view.mask.shape[0])[:, None] / view.scale - MIDDLE[1]
    edge = np.abs(radius(taken) - LENS) < 0.04
    away = np.abs(view.across)[None] - MIDDLE[0]
    turns = np.degrees(np.arctan2(down, away))
    strongest = [taken.frame[edge & (np.abs(turns - turn) < 4)].max() for turn in range(45, 140, 10)]
    assert min(strongest) > 0.15
    assert max(strongest) < 0.45
    assert taken.frame[edge & (np.abs(turns + 90) < 30)].max() > 0.9


def test_the_shade_of_a_brow_makes_no_rim_thicker():
    """More than half of each lens is as dark as it gets under a brow, the frame is black."""
    worn = wearing(turned_face(), *MADE["clear"], rim=0.04)
    frame = np.abs(worn.image.astype(int) - FRAME).max(-1) < 60
    image = worn.image.copy()
    image[frame] = (10, 10, 12)
    shade = (worn.mask > 127) & ~frame & (np.arange(SIDE)[:, None] < worn.landmarks[33, 1] + 12)
    image[shade] = (np.float32(0.4) * image[shade]).astype(np.uint8)
    attribute = replace(worn, image=cv2.GaussianBlur(image, (0, 0), 1))
    view = front_view(attribute, GlassesSurface.of_mask(attribute.landmarks, attribute.mask), 120)
    for rim in find_rims(view, frame_evidence(view)):
        assert np.median(rim.thickness) * STEP < 0.055


@pytest.mark.parametrize("thickness", [0.012, 0.018, RIM])
def test_a_thin_rim_has_its_own_colour_and_not_its_owner_s_skin_s(thickness):
    """A photograph's blur mixes both; of a rim of one pixel half of what is seen is skin."""
    attribute = wearing(turned_face(), *MADE["clear"], rim=thickness)
    blurred = replace(attribute, image=cv2.GaussianBlur(attribute.image, (0, 0), 0.8))
    taken = take_apart(blurred, GlassesSurface.of_mask(attribute.landmarks, attribute.mask), 120)
    rim = (np.abs(radius(taken) - LENS + thickness / 2) < 0.006) & (np.abs(taken.view.across) < 0.5)
    colour = np.median(taken.texture[rim][:, :3], 0)
    of_skin = (colour - FRAME)[:2] / np.subtract(SKIN, FRAME)[:2]
    assert of_skin.max() < (0.48 if thickness < 0.015 else 0.33)
    assert of_skin.min() > -0.1


def test_a_bridge_that_the_mask_leaves_out_is_drawn_as_it_is_seen():
    attribute = wearing(turned_face(), *MADE["clear"])
    mask = attribute.mask.copy()
    surface = GlassesSurface.of_mask(attribute.landmarks, mask)
    ends = [surface.pixels(np.array([side * (MIDDLE[0] - LENS), 0.0]))[0] for side in (-1, 1)]
    mask[:, round(ends[0]) : round(ends[1]) + 1] = 0
    taken = take_apart(replace(attribute, mask=mask), surface, 120)
    view = taken.view
    row, column = round(-view.low * view.scale), view.mask.shape[1] // 2
    assert view.mask[:, column].max() < 0.1
    assert taken.texture[row, column, 3:].min() > 200
    assert np.abs(taken.texture[row, column, :3].astype(float) - FRAME).max() < 40
    assert taken.texture[round((0.12 - view.low) * view.scale), column, 3:].max() < 20


def test_what_a_mask_adds_at_one_lens_changes_neither():
    attribute = wearing(turned_face(), *MADE["clear"])
    surface = GlassesSurface.of_mask(attribute.landmarks, attribute.mask)
    mask = attribute.mask.copy()
    corner = surface.pixels(np.array([MIDDLE[0] + 0.12, MIDDLE[1] + LENS]))[:2]
    cv2.circle(mask, tuple(int(c) for c in np.rint(corner)), round(0.1 * UNIT), 255, cv2.FILLED)
    taken = take_apart(replace(attribute, mask=mask), surface, 120)
    opacity = taken.texture[..., 3].astype(float)
    front = np.abs(taken.view.across) < MIDDLE[0] + LENS
    assert np.abs(opacity - opacity[:, ::-1])[:, front].mean() < 6
    below = radius(taken) > LENS + 0.04
    rows = np.arange(len(opacity))[:, None] > (MIDDLE[1] - taken.view.low) * taken.view.scale
    assert opacity[below & rows & front].mean() < 5


def test_a_lens_in_a_shadow_is_clear():
    attribute = wearing(turned_face(), *SHADED)
    taken = take_apart(attribute, GlassesSurface.of_mask(attribute.landmarks, attribute.mask), 120)
    inside = radius(taken) < LENS - RIM - 0.04
    assert taken.texture[inside].max() <= 8


@pytest.mark.parametrize(
    ("side", "rim", "height"), [(0.06, RIM, 0.06), (0.12, RIM, 0.12), (0.14, 0.02, SIDE_BROADER * 0.02)]
)
def test_sides_are_as_high_as_the_picture_shows_them_and_rims_allow(side, rim, height):
    attribute = wearing(turned_face(30.0), *MADE["clear"], rim=rim)
    surface = GlassesSurface.of_mask(attribute.landmarks, attribute.mask)
    near = surface.sides[0]
    corners = [
        (MIDDLE[0] + LENS - 0.03, -side / 2),
        (1.2, -side / 2),
        (1.2, side / 2),
        (MIDDLE[0] + LENS - 0.03, side / 2),
    ]
    outline = surface.pixels(np.array(corners) * [near, 1])[:, :2]
    image, mask = attribute.image.copy(), attribute.mask.copy()
    for picture, value in ((image, FRAME), (mask, 255)):
        cv2.fillPoly(picture, [np.rint(outline).astype(np.int32)], value)
    taken = take_apart(replace(attribute, image=image, mask=mask), surface, 120)
    column = np.flatnonzero(taken.view.across > surface.hinge + 0.1)[0]
    assert taken.frame[:, column].sum() / 120 == pytest.approx(height, abs=0.03)


@pytest.mark.parametrize("forward", [0.0, 0.06])
@pytest.mark.parametrize("yaw", [-30.0, 0.0, 30.0])
def test_glasses_from_any_side_lie_before_both_eyes(yaw, forward):
    attribute = wearing(turned_face(yaw), *MADE["dark"], forward=forward)
    portrait = turned_face()
    mask = aligned_mask(attribute, item_mesh(attribute, portrait), portrait, SIDE) > 127
    middle = GlassesSurface(portrait.astype(np.float64)).origin
    for side in (-1, 1):
        half = mask & (side * (np.arange(SIDE) - middle[0]) > 0.1 * UNIT)
        rows, columns = np.nonzero(half)
        found = np.array([(columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2])
        wanted = GlassesSurface(portrait.astype(np.float64)).pixels(np.array([side * MIDDLE[0], MIDDLE[1]]))[:2]
        assert np.linalg.norm(found - wanted) < 4
        assert np.ptp(rows) == pytest.approx(2 * LENS * UNIT, rel=0.12)


def layer_on(portrait: np.ndarray, hair: np.ndarray | None = None) -> Layer:
    attribute = wearing(turned_face(), *MADE["clear"])
    item = AlignedAttribute(attribute, GlassesItem(attribute, portrait), attribute.mask)
    return build_layer(item, portrait, 0.0, FaceLight.of(bare_face(portrait).astype(np.float32), portrait), hair)


def test_the_side_turned_away_is_not_drawn_and_the_other_runs_to_the_ear():
    portrait = turned_face(30.0)
    shown = layer_on(portrait).coverage(Canvas(SIDE, SIDE), portrait, SIDE) > 0.5
    surface = replace(GlassesSurface(portrait.astype(np.float64)), hinge=MIDDLE[0] + LENS)
    columns = np.flatnonzero(shown.any(0))
    near = -1 if surface.yaw > 0 else 1
    far_edge = surface.pixels(np.array([-near * (surface.hinge + 0.06), 0.0]))[0]
    assert (near * (columns - far_edge) > -3).all()
    ear = surface.pixels(np.array([near * (surface.hinge + 0.7), 0.0]))[0]
    assert (near * (columns - ear)).max() > 0


def test_sides_run_under_the_hair():
    portrait = turned_face(30.0)
    everywhere = np.full((SIDE, SIDE), 255, np.uint8)
    bare, under = layer_on(portrait), layer_on(portrait, everywhere)
    width = bare.texture.shape[1]
    side = slice(0, width // 5)
    assert bare.texture[:, side, 3:].max() == 255
    assert under.texture[:, side, 3:].max() <= 1
    middle = slice(2 * width // 5, 3 * width // 5)
    assert np.array_equal(bare.texture[:, middle], under.texture[:, middle])


def test_glasses_on_their_own_face_are_that_picture_again():
    portrait = turned_face()
    attribute = wearing(portrait, *MADE["tinted"])
    item = AlignedAttribute(attribute, GlassesItem(attribute, portrait), attribute.mask)
    layer = build_layer(item, portrait, 0.0, FaceLight.of(bare_face(portrait).astype(np.float32), portrait))
    frame = bare_face(portrait)
    layer.draw(Canvas(SIDE, SIDE), frame, portrait, STILL)
    inside = cv2.erode(attribute.mask, np.ones((3, 3))) > 250
    assert np.abs(frame[inside].astype(float) - attribute.image[inside]).mean() < 8


def test_what_is_taken_off_is_the_frame_and_not_the_brow_or_the_eye_behind_the_lens():
    landmarks = turned_face()
    attribute = wearing(landmarks, *MADE["clear"])
    portrait = made_portrait(attribute.image, landmarks)
    portrait = replace(portrait, worn={**portrait.worn, "glasses": attribute.mask})
    scene = prepare_scene(AnimationRequest(portrait, options=RenderOptions(size=SIDE), erase=("glasses",)))
    shown, bare = build_base(scene).colour, bare_face(landmarks).astype(np.float32)
    frame = (np.abs(attribute.image.astype(float) - FRAME).max(-1) < 5) & (attribute.mask > 250)
    on_skin = frame & (bare == SKIN).all(-1)
    # Close to the lids the frame stays: eyes are never touched.
    assert np.median(np.abs(shown[on_skin] - SKIN).max(-1)) < 8
    seen_through = (cv2.erode(attribute.mask, np.ones((25, 25))) > 250) & (bare != SKIN).any(-1)
    assert seen_through.sum() > 50
    assert np.abs(shown[seen_through] - bare[seen_through]).mean() < 4
