"""The preview renderer on a real photograph, on values."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from durian.face import Crop, detect_faces, require_face
from durian.geometry.mesh import HeadPose
from durian.geometry.raster import Canvas
from durian.layers.face_light import FaceLight
from durian.layers.fill import fill
from durian.layers.lining import SHADE
from durian.motion import preset
from durian.preview import layers
from durian.preview.base import NewHat, base_of, build_base
from durian.preview.mouth import mouth_patch
from durian.preview.renderer import PreviewRenderer, _new_hat
from durian.request import AnimationRequest, Attribute, Placement, Portrait, RenderOptions
from durian.scene import prepare_scene
from durian.synthetic.scenes.scene_reading import read_scene

SIZE = 256


def psnr(first, second):
    return 10 * np.log10(255**2 / max(np.mean((first.astype(float) - second) ** 2), 1e-9))


@pytest.fixture(scope="module")
def portrait(collins):
    nothing = np.zeros((512, 512), np.uint8)
    worn = dict.fromkeys(("hat", "glasses", "beard", "lips"), nothing)
    # Her hair, roughly: what lies above the brows, within reach of the head, and is darker than the backdrop.
    face = require_face(collins).landmarks
    hair = ((collins.mean(-1) < 150) & (np.mgrid[:512, :512][0] < face[10, 1] + 10)).astype(np.uint8) * 255
    hair[:, :130] = hair[:, 330:] = 0
    return Portrait(collins, face, Crop(225.0, 140.0, 270.0), {**worn, "hair": hair})


@pytest.fixture(scope="module")
def renderer():
    return PreviewRenderer()


def band(portrait, name="hat", colour=(20, 90, 200), **changes):
    """A cap of one colour: the part of a head above the brows."""
    image = np.full_like(portrait.image, 255)
    mask = np.zeros(image.shape[:2], np.uint8)
    brow, forehead = portrait.landmarks[105, :2], portrait.landmarks[10, :2]
    x0, x1 = portrait.landmarks[127, 0], portrait.landmarks[356, 0]
    cv2.rectangle(mask, (int(x0), int(forehead[1] - 70)), (int(x1), int(brow[1] - 8)), 255, -1)
    image[mask > 0] = colour
    return Attribute(image, mask, portrait.landmarks, name, **changes)


def request(portrait, *attributes, motion=None, **changes):
    frames = changes.pop("frames", 8)
    options = {"size": SIZE, "frames": frames, "light": 0.0, **changes.pop("options", {})}
    return AnimationRequest(portrait, attributes, motion, RenderOptions(**options), **changes)


def test_without_motion_or_attribute_the_portrait_comes_back(portrait, renderer):
    shown = renderer.still(request(portrait))
    assert psnr(shown, portrait.crop.apply(portrait.image, SIZE)) > 40


def test_the_neutral_frame_of_a_motion_is_the_portrait_through_the_moving_path(portrait, renderer):
    frames = list(renderer.render(request(portrait, motion=preset("nod", 8))))
    own = portrait.crop.apply(portrait.image, SIZE)
    assert len(frames) == 8
    assert psnr(frames[0], own) > 40
    assert psnr(frames[3], own) < 35


def test_the_background_stays_still_while_the_head_moves(portrait, renderer):
    frames = list(renderer.render(request(portrait, motion=preset("shake", 8))))
    corner = (slice(0, 60), slice(0, 40))
    assert all(np.abs(frame[corner].astype(int) - frames[0][corner]).max() <= 2 for frame in frames)


def test_a_nod_moves_the_face_where_its_landmarks_go(portrait, renderer):
    asked = request(portrait, motion=preset("nod", 8), options={"size": 512})
    driving = prepare_scene(asked).driving
    worst = max(range(8), key=lambda i: abs(driving[i, 1, 1] - driving[0, 1, 1]))
    found = detect_faces(renderer.still(asked, worst))[0].landmarks
    eyes = np.linalg.norm(driving[0, 33, :2] - driving[0, 263, :2])
    error = np.linalg.norm(found[:468, :2] - driving[worst, :468, :2], axis=1).mean() / eyes
    still = np.linalg.norm(found[:468, :2] - driving[0, :468, :2], axis=1).mean() / eyes
    assert error < 0.04 < still


def test_a_blink_hides_the_iris_behind_skin(portrait, renderer):
    asked = request(portrait, motion=preset("blink", 24), frames=24, options={"size": 512})
    driving = prepare_scene(asked).driving
    opening = np.linalg.norm(driving[:, 159, :2] - driving[:, 145, :2], axis=1)
    closed = renderer.still(asked, int(opening.argmin()))
    opened = renderer.still(asked, 0)
    x, y = driving[0, 468, :2].astype(int)
    skin = opened[y + 40 : y + 46, x - 4 : x + 4].mean()
    darkness = [np.abs(f[y - 2 : y + 3, x - 2 : x + 3].mean() - skin) for f in (opened, closed)]
    assert darkness[1] < 0.75 * darkness[0]


def test_a_hat_lies_on_the_head_and_moves_with_it(portrait, renderer):
    asked = request(portrait, band(portrait), motion=preset("shake", 8))
    scene = prepare_scene(asked)
    frames = list(renderer.render(asked))
    blue = [(f[..., 2].astype(int) - f[..., 0] > 120) for f in frames]
    inside = scene.items[0].mask > 200
    assert (blue[0] & inside).sum() > 0.9 * inside.sum()
    centre = np.array([np.mean(np.nonzero(b)[1]) for b in blue])
    nose = scene.driving[:, 168, 0] - scene.driving[0, 168, 0]
    assert np.corrcoef(centre - centre[0], nose)[0, 1] > 0.95


def test_one_looks_into_a_hat_that_a_head_does_not_fill(portrait):
    scene = prepare_scene(request(portrait, erase=("hair",)))
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    away = np.hypot(x - scene.landmarks[168, 0], y - scene.landmarks[168, 1]) / scene.eye_distance
    brim = (away > 1.5) & (y < scene.landmarks[168, 1])
    item = np.zeros((SIZE, SIZE, 4), np.float32)
    item[brim] = (100, 60, 200, 255)
    plain, lined = (
        build_base(scene, new_hat=NewHat(item, np.full((SIZE, SIZE), filled, np.float32))) for filled in (0, 1)
    )
    empty = (plain.foreground[..., 3] == 0) & (away < 1.4) & (away > 1.2) & (y < scene.landmarks[168, 1] - 10)
    assert empty.any()
    expected = SHADE * np.array([100, 60, 200]) * lined.foreground[empty][:, 3:] / 255
    assert lined.foreground[empty][:, 3].mean() > 240
    assert np.abs(lined.foreground[empty][:, :3] - expected).max() < 4


def test_strength_zero_is_no_item_at_all(portrait, renderer):
    plain = renderer.still(request(portrait))
    assert np.array_equal(renderer.still(request(portrait, band(portrait, strength=0.0))), plain)


def test_half_strength_lies_between(portrait, renderer):
    none, half, whole = (
        renderer.still(request(portrait, band(portrait, strength=s))).astype(float) for s in (0, 0.5, 1)
    )
    mask = prepare_scene(request(portrait, band(portrait))).items[0].mask == 255
    core = cv2.erode(mask.astype(np.uint8), np.ones((9, 9))) > 0
    share = np.abs(half - none)[core].sum() / np.abs(whole - none)[core].sum()
    assert 0.4 < share < 0.75


def test_the_order_in_which_attributes_are_given_does_not_matter(portrait, renderer):
    hat = band(portrait)
    glasses = replace(band(portrait, "glasses", (200, 30, 30)), name="glasses")
    assert np.array_equal(
        renderer.still(request(portrait, hat, glasses)), renderer.still(request(portrait, glasses, hat))
    )


def test_layers_decide_what_lies_on_top(portrait, renderer):
    blue, red = band(portrait, layer=1), band(portrait, "other", (200, 30, 30), layer=2)
    core = cv2.erode(prepare_scene(request(portrait, blue)).items[0].mask, np.ones((9, 9))) > 250
    over = renderer.still(request(portrait, blue, red))[core].mean(0)
    under = renderer.still(request(portrait, blue, replace(red, layer=0)))[core].mean(0)
    assert over[0] > over[2]
    assert under[2] > under[0]


@pytest.mark.parametrize("name", ["hat", "glasses"])
def test_blending_at_its_ends_is_wearing_one(portrait, renderer, name):
    first, second = band(portrait, name), band(portrait, name, (220, 40, 40))
    for alpha, alone in ((0.0, first), (1.0, second)):
        blended = request(portrait, first, second, mode="blend", blend_start=alpha, blend_end=alpha)
        assert psnr(renderer.still(blended), renderer.still(request(portrait, alone))) > 38


def test_blending_changes_steadily_over_the_clip(portrait, renderer):
    first, second = band(portrait), band(portrait, "hat", (220, 40, 40))
    asked = request(portrait, first, second, mode="blend", blend_start=0, blend_end=1, motion=preset("blink", 8))
    core = cv2.erode(prepare_scene(asked).items[0].mask, np.ones((9, 9))) > 250
    red = [frame[core][:, 0].mean() for frame in renderer.render(asked)]
    assert np.all(np.diff(red) > 5)


def test_two_outlines_blend_through_one_solid_shape(portrait, renderer):
    tall = band(portrait)
    low = tall.mask.copy()
    top = np.flatnonzero(low.any(1))[0]
    low[: top + 40] = 0
    short = replace(tall, mask=low)
    asked = request(portrait, tall, short, mode="blend")
    shown = renderer.still(asked).astype(int)
    column = shown[:, int(prepare_scene(asked).landmarks[10, 0])]
    blueness = column[:, 2] - column[:, 0]
    between = ((blueness > 40) & (blueness < 110)).sum()
    assert between <= 6  # an edge of a few pixels, not a translucent ghost between both outlines


def test_erasing_hair_removes_it_and_leaves_the_face(portrait, renderer):
    plain, erased = renderer.still(request(portrait)), renderer.still(request(portrait, erase=("hair",)))
    scene = prepare_scene(request(portrait, erase=("hair",)))
    change = np.abs(plain.astype(int) - erased).mean(-1)
    assert change[scene.worn["hair"] > 200].mean() > 15
    x, y = scene.landmarks[4, :2].astype(int)
    assert change[y - 10 : y + 10, x - 10 : x + 10].max() <= 2


def test_expansion_widens_the_hole_and_what_is_swallowed(portrait, renderer):
    holes = [prepare_scene(request(portrait, erase=("hair",), options={"expansion": e})).hole for e in (0, 0.1, 0.4)]
    areas = [(hole > 127).sum() for hole in holes]
    assert areas[0] < areas[1] < areas[2]
    removed = [
        build_base(prepare_scene(request(portrait, erase=("hair",), options={"expansion": e}))).filled.sum()
        for e in (0, 0.4)
    ]
    assert removed[0] < removed[1]


def test_a_larger_expansion_swallows_hair_beside_a_hat(portrait, renderer):
    shown = [renderer.still(request(portrait, band(portrait), options={"expansion": e})) for e in (0.1, 0.6)]
    scene = prepare_scene(request(portrait, band(portrait)))
    hair = (scene.hair > 200) & (scene.items[0].mask < 8)
    change = np.abs(shown[0].astype(int) - shown[1]).max(-1)
    assert (change[hair] > 15).sum() > 100


def test_light_moves_the_item_towards_its_wearer_only_when_asked(portrait, renderer):
    dark = np.clip(portrait.image.astype(float) * 0.4, 0, 255).astype(np.uint8)
    mask = band(portrait).mask
    item = Attribute(dark, mask, portrait.landmarks, "hat")
    core = cv2.erode(prepare_scene(request(portrait, item)).items[0].mask, np.ones((9, 9))) > 250
    kept, lit = (renderer.still(request(portrait, item, options={"light": v}))[core].mean() for v in (0.0, 1.0))
    assert kept == pytest.approx(portrait.crop.apply(dark, SIZE)[core].mean(), rel=0.1)
    assert lit > 1.1 * kept


def test_an_item_is_cut_out_once_while_sliders_beside_it_move(portrait, renderer, monkeypatch):
    cut, cut_out = [], layers.cut_out
    monkeypatch.setattr(layers, "cut_out", lambda *given: cut.append(given) or cut_out(*given))
    cap = band(portrait, colour=(60, 20, 120))
    fresh = renderer.still(request(portrait, cap))
    renderer.still(request(portrait, cap, options={"expansion": 0.3}))
    renderer.still(request(portrait, replace(cap, strength=0.4, placement=Placement(dx=0.2))))
    assert len(cut) == 1
    assert np.array_equal(renderer.still(request(portrait, band(portrait, colour=(60, 20, 120)))), fresh)
    assert len(cut) == 1
    changed = [
        request(portrait, band(portrait, colour=(61, 20, 120))),
        request(portrait, replace(cap, mask=np.roll(cap.mask, 3, 1))),
        request(portrait, replace(cap, trim=0.1)),
        request(portrait, replace(cap, name="other")),
        request(portrait, replace(cap, landmarks=None)),
        request(portrait, replace(cap, placement=Placement(scale=1.3))),
        request(portrait, cap, options={"size": SIZE // 2}),
    ]
    for number, asked in enumerate(changed, start=2):
        renderer.still(asked)
        assert len(cut) == number
    # Light falls on what is cut out already, and on each wearer another.
    bright = renderer.still(request(portrait, cap, options={"light": 1.0}))
    dark = renderer.still(request(replace(portrait, image=portrait.image // 2), cap, options={"light": 1.0}))
    assert len(cut) == number
    core = cv2.erode(prepare_scene(request(portrait, cap)).items[0].mask, np.ones((9, 9))) > 250
    assert dark[core].mean() < 0.95 * bright[core].mean()


def test_a_reference_without_a_face_hangs_on_its_usual_place(portrait, renderer):
    picture = np.full((200, 300, 3), 255, np.uint8)
    mask = np.zeros((200, 300), np.uint8)
    cv2.ellipse(mask, (150, 100), (120, 60), 0, 0, 360, 255, -1)
    picture[mask > 0] = (20, 90, 200)
    scene = prepare_scene(request(portrait, Attribute(picture, mask, None, "hat")))
    y, x = np.nonzero(scene.items[0].mask > 127)
    assert abs(x.mean() - scene.landmarks[168, 0]) < 0.25 * scene.eye_distance
    assert y.max() < scene.landmarks[168, 1]
    assert np.ptp(x) == pytest.approx(2.3 * scene.eye_distance, rel=0.1)


def test_overlays_are_pictures_of_the_asked_size(portrait, renderer):
    shown = renderer.overlays(request(portrait, band(portrait)))
    assert set(shown) == {"landmarks", "keypoints", "hole", "aligned"}
    own = portrait.crop.apply(portrait.image, SIZE)
    for picture in shown.values():
        assert picture.shape == (SIZE, SIZE, 3)
        assert np.abs(picture.astype(int) - own).max() > 30


def test_frames_do_not_depend_on_those_before_them(portrait, renderer):
    asked = request(portrait, band(portrait), motion=preset("mix", 8))
    frames = list(renderer.render(asked))
    assert np.array_equal(renderer.still(asked, 5), frames[5])


def test_a_bigger_picture_is_the_same_picture(portrait, renderer):
    small, large = (renderer.still(request(portrait, band(portrait), options={"size": s})) for s in (SIZE, 2 * SIZE))
    shrunk = cv2.resize(large, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    assert psnr(shrunk, small) > 27


def test_an_opening_mouth_shows_its_inside_and_not_stretched_lips(portrait):
    image = portrait.image.astype(np.float32)
    closed = portrait.landmarks.copy()
    closed[14] = closed[13] + [0, 1, 0]
    for upper, lower in ((81, 178), (82, 87), (312, 317), (311, 402), (80, 88), (310, 318), (191, 95), (415, 324)):
        closed[lower] = closed[upper] + [0, 1, 0]
    patch = mouth_patch(image, closed).texture.astype(int)
    assert patch[..., :3].min(-1).min() < 60  # the dark of a mouth
    assert patch[..., :3].mean(-1).max() > 150  # and teeth


def test_eyes_turn_with_the_irises(portrait, renderer):
    landmarks = portrait.crop.points(portrait.landmarks, 512)
    driving = np.stack([landmarks, landmarks])
    driving[1, 468:478, 0] += 5
    asked = request(portrait, options={"size": 512})
    rest, turned = renderer.render_landmarks(asked, driving)
    x, y = landmarks[468, :2].astype(int)
    eye = (slice(y - 4, y + 5), slice(x - 14, x + 15))

    def dark_centre(frame):
        darkness = 255 - frame[eye].mean(-1)
        darkness = np.clip(darkness - np.percentile(darkness, 60), 0, None)
        return (darkness * np.arange(29)).sum() / darkness.sum()

    assert 1.5 < dark_centre(turned) - dark_centre(rest) < 7


def test_fill_keeps_the_known_and_continues_it():
    ramp = np.linspace(0, 200, 64, dtype=np.float32)[None, :, None].repeat(64, 0).repeat(3, 2)
    known = np.ones((64, 64), np.float32)
    known[20:40, 20:40] = 0
    filled = fill(np.where(known[..., None] > 0, ramp, 999), known)
    assert np.allclose(filled[known > 0], ramp[known > 0])
    assert np.abs(filled - ramp).max() < 40


def test_a_large_hole_has_the_colours_of_its_rim_and_not_the_mean_of_the_picture():
    """A light wall above, a dark floor far below the hole."""
    picture = np.full((128, 128, 3), 200, np.float32)
    picture[96:] = 20
    known = np.ones((128, 128), np.float32)
    known[10:70, 30:98] = 0
    assert np.abs(fill(picture, known)[10:50, 30:98] - 200).max() < 6


def test_a_pose_between_equal_landmarks_is_no_movement(portrait):
    pose = HeadPose.between(portrait.landmarks, portrait.landmarks)
    assert pose.scale == pytest.approx(1)
    assert np.allclose(pose.rotation, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("is_flipped", [False, True])
def test_under_a_beard_the_jaw_of_a_turned_head_goes_on_to_the_neck(shared_data, is_flipped):
    scene = read_scene(shared_data / "triplets" / "00378.json")
    picture = scene.tiles[scene.shots("portrait")[0]]
    picture = np.ascontiguousarray(picture[:, ::-1]) if is_flipped else picture
    side = len(picture)
    portrait = Portrait(picture, require_face(picture).landmarks, Crop((side - 1) / 2, (side - 1) / 2, side))
    base = build_base(prepare_scene(request(portrait, erase=("beard",))))
    removed = base.filled > 0.9
    assert removed.sum() > 3000
    # Only what stood out from the jaw, with its loose hair, is background now.
    assert (base.foreground[..., 3][removed] < 128).mean() < 0.22


def test_what_is_taken_off_is_worked_out_again_only_when_something_about_it_changes(portrait):
    def base(**changes):
        return base_of(prepare_scene(request(portrait, band(portrait), **changes)))

    first = base()
    assert base(options={"light": 1.0, "pose_strength": 0.5}) is first
    changed = [
        base(options={"expansion": 0.6}),
        base(erase=("hair",)),
        base_of(prepare_scene(request(portrait, band(portrait, strength=0.5)))),
        base_of(prepare_scene(request(portrait, band(portrait, placement=Placement(dy=-0.2))))),
    ]
    for other in changed:
        assert other is not first
        assert not np.array_equal(other.foreground, first.foreground)


def test_a_hats_inside_is_of_its_colour_at_any_strength(portrait):
    """And lies where the hat does, however the hat presses the hair beside it."""
    hat, filled = np.zeros((SIZE, SIZE, 4), np.float32), np.ones((SIZE, SIZE), np.float32)
    hat[10:60, 40:200] = (40, 80, 160, 255)
    hat[10:200, 40:60] = hat[10:200, 180:200] = (40, 80, 160, 255)
    half = prepare_scene(request(portrait, band(portrait, strength=0.5)))
    base = build_base(half, new_hat=NewHat(hat, filled, 0.5))
    whole = build_base(half, new_hat=NewHat(hat, filled, 1.0))
    inside = (whole.foreground[..., 3] == 255) & (base.foreground[..., 3] < 200) & (hat[..., 3] == 0)
    assert inside.sum() > 20
    seen = whole.foreground[inside][:, :3].astype(float) / SHADE
    assert np.abs(np.median(seen, 0) - (40, 80, 160)).max() < 12


def test_hair_that_goes_hides_no_beard(portrait):
    beard = band(portrait, name="beard")
    assert prepare_scene(request(portrait, beard)).kept_hair.any()
    assert not prepare_scene(request(portrait, beard, erase=("hair",))).kept_hair.any()
    assert not prepare_scene(request(portrait, beard, band(portrait, name="hair"))).kept_hair.any()
    halved = prepare_scene(request(portrait, beard, band(portrait, name="hair", strength=0.5))).kept_hair
    assert 120 < halved.max() < 136


def test_an_item_of_no_strength_changes_nothing_about_others(portrait):
    beard = band(portrait, name="beard")
    alone = prepare_scene(request(portrait, beard))
    beside = prepare_scene(request(portrait, beard, band(portrait, name="hair", strength=0.0)))
    assert np.array_equal(alone.base_hole, beside.base_hole)
    assert np.array_equal(alone.kept_hair, beside.kept_hair)


def test_one_looks_into_a_hat_whatever_hats_of_no_strength_there_are(portrait):
    found, hat = [], replace(band(portrait), image=portrait.image)
    for others in ((), (replace(hat, strength=0.0),)):
        made = prepare_scene(request(portrait, hat, *others))
        wearer = FaceLight.of(made.image.astype(np.float32), made.landmarks)
        worn = tuple(layers.build_layer(item, made.landmarks, 0.0, wearer) for item in made.items)
        found.append(_new_hat(made, worn, Canvas(SIZE, SIZE)))
    alone, beside = found
    assert np.array_equal(alone.item, beside.item)
    assert np.array_equal(alone.filled, beside.filled)
    assert alone.item[..., 3].max() == 255
