"""Fitting and retargeting of motions: the driver's face shape has no influence."""

from __future__ import annotations

import numpy as np
import pytest

from durian.errors import InvalidRequest, NoFaceFound
from durian.face import detect_faces, eye_distance
from durian.motion import PRESETS, RIGID_POINTS, drive, fit_rigid, from_landmarks, from_video, preset
from durian.motion.canonical import LEFT_IRIS, RIGHT_IRIS, canonical_face, expression, gaze
from durian.motion.features import (
    EYE_CORNERS,
    IRIS_RANGE,
    LOWER_LIDS,
    LOWER_LIPS,
    MAX_EYE_OPENING,
    UPPER_LIDS,
    UPPER_LIPS,
    lid_openings,
    local_sizes,
)
from durian.motion.fitting import bridge_gaps, find_neutral, head_pose
from durian.motion.motion import Motion
from durian.motion.rotations import euler

NOSE_TIP = 1


def face(
    width: float = 1.0, height: float = 1.0, chin: float = 1.0, eyes: float = 90.0, angles=(0.0, 0.0, 0.0), **strengths
) -> np.ndarray:
    """A face of its own shape, pose and expression in a 512 px picture, ``(478, 3) float32``."""
    points = canonical_face().astype(np.float64)
    if strengths:
        points = points + expression(**{name: np.array([value]) for name, value in strengths.items()})[0]
    points = points * [width, height, 1.0]
    lower = points[:, 1] > 0.5
    points[lower, 1] = 0.5 + (points[lower, 1] - 0.5) * chin
    return (eyes * points @ euler(*angles).T + [256, 220, 0]).astype(np.float32)


SHAPES = {
    "average": {},
    "long": {"width": 0.9, "height": 1.1, "chin": 1.15},
    "round": {"width": 1.12, "height": 0.95, "chin": 0.9},
    "turned": {"angles": (25.0, 5.0, 8.0)},
    "open mouth": {"jaw_open": 0.3},
    "sleepy": {"blink_left": 0.6, "blink_right": 0.7},
    "smiling": {"smile_left": 1.0, "smile_right": 1.0, "upper_lip_up": 0.4},
}


@pytest.fixture(params=SHAPES)
def portrait(request) -> np.ndarray:
    return face(**SHAPES[request.param])


def acted(fps: float = 24.0, frames: int = 1, angles=(0, 0, 0), gazes=(0, 0), **strengths) -> Motion:
    """Neutral, then ``frames`` of one expression and pose."""
    curve = np.array([0.0] + [1.0] * frames)
    moved = expression(**{name: value * curve for name, value in strengths.items()}) if strengths else 0
    moved = moved + gaze(gazes[0] * curve, gazes[1] * curve)
    turned = euler(*(angle * curve for angle in angles))
    return Motion("acted", fps, 0, turned, np.zeros((frames + 1, 3)), np.ones(frames + 1), moved)


def test_fit_rigid_recovers_a_similarity():
    random = np.random.default_rng(0)
    source = random.normal(size=(30, 3))
    rotation = euler(20, -10, 35)
    target = 2.7 * source @ rotation.T + [5, -3, 11]
    scale, found, shift = fit_rigid(source, target)
    assert scale == pytest.approx(2.7)
    assert np.allclose(found, rotation)
    assert np.allclose(shift, [5, -3, 11])
    assert np.linalg.det(found) == pytest.approx(1)


def test_fit_rigid_never_mirrors():
    source = np.random.default_rng(1).normal(size=(20, 3))
    _, rotation, _ = fit_rigid(source, source * [-1, 1, 1])
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_fit_rigid_respects_weights():
    source = np.random.default_rng(2).normal(size=(12, 3))
    target = source + 1.0
    target[0] += 50
    weights = np.ones(12)
    weights[0] = 0
    scale, rotation, shift = fit_rigid(source, target, weights)
    assert scale == pytest.approx(1)
    assert np.allclose(rotation, np.eye(3))
    assert np.allclose(shift, 1)


def test_head_pose_withstands_a_few_wrong_points():
    points = face(angles=(12.0, -6.0, 4.0)).astype(np.float64)
    points[RIGID_POINTS[:4]] += 30
    scale, rotation, _ = head_pose(points)
    assert scale == pytest.approx(90, rel=0.02)
    assert np.degrees(np.arccos((np.trace(rotation.T @ euler(12, -6, 4)) - 1) / 2)) < 1.5


@pytest.mark.parametrize("name", PRESETS)
def test_neutral_frames_are_the_portrait_exactly(name, portrait):
    driven = drive(preset(name), portrait)
    assert driven.dtype == np.float32
    assert np.array_equal(driven[0], portrait)
    assert np.array_equal(driven[-1], portrait)


def test_no_strength_is_no_motion(portrait):
    driven = drive(preset("mix", 12), portrait, pose_strength=0, expression_strength=0)
    assert np.array_equal(driven, np.broadcast_to(portrait, driven.shape))


def test_nearly_neutral_is_nearly_the_portrait(portrait):
    motion = acted(angles=(0.01, 0, 0))
    assert np.abs(drive(motion, portrait)[1] - portrait)[:, :2].max() < 0.1


@pytest.mark.parametrize("angle", [10.0, -10.0])
def test_yaw_moves_the_nose_to_its_side_and_leaves_the_skull(angle, portrait):
    turned = drive(acted(angles=(angle, 0, 0)), portrait)[1]
    _, frame, _ = head_pose(portrait)
    right = frame[:2, 0]
    shift = (turned - portrait)[:, :2] @ right * np.sign(angle)
    assert shift[NOSE_TIP] > 0.1 * eye_distance(portrait)
    # The nose is farther from the skull's centre than the ears: it moves most.
    assert shift[NOSE_TIP] > 1.5 * max(abs(shift[234]), abs(shift[454]))


def test_pose_strength_scales_the_turn():
    portrait = face()
    motion = acted(angles=(10.0, 0, 0))
    for strength in (0.5, 1.0, 2.0):
        _, rotation, _ = head_pose(drive(motion, portrait, pose_strength=strength)[1])
        assert np.degrees(np.arcsin(-rotation[0, 2])) == pytest.approx(10 * strength, abs=0.1)


def test_expression_strength_scales_the_smile():
    portrait = face()
    corner = [
        drive(acted(smile_left=0.6, smile_right=0.6), portrait, expression_strength=strength)[1, 291, 0]
        for strength in (0.0, 0.5, 1.0, 1.5)
    ]
    assert np.allclose(np.diff(corner), np.diff(corner)[0], rtol=0.02)
    assert corner[1] > corner[0] + 1


def test_a_smile_is_right_on_a_turned_portrait():
    motion = acted(smile_left=0.8, smile_right=0.8)
    straight = drive(motion, face())[1] - face()
    rotation = euler(25, 5, 30)
    turned = drive(motion, face(angles=(25, 5, 30)))[1] - face(angles=(25, 5, 30))
    assert np.abs(turned - straight @ rotation.T).max() < 0.5


def test_blink_shuts_any_portraits_eyes(portrait):
    shut = drive(acted(blink_left=1.0, blink_right=1.0), portrait)[1]
    gap = np.linalg.norm((shut[UPPER_LIDS] - shut[LOWER_LIDS])[:, :2], axis=1)
    assert gap.max() < 1.0


def test_blink_shuts_real_eyes(collins, hopper):
    for image in (collins, hopper):
        points = detect_faces(image)[0].landmarks
        # As in a 512 px crop of the face.
        points = points * np.float32(150 / eye_distance(points))
        open_gap = np.linalg.norm((points[UPPER_LIDS] - points[LOWER_LIDS])[:, :2], axis=1).max()
        shut = drive(acted(blink_left=1.0, blink_right=1.0), points)[1]
        gap = np.linalg.norm((shut[UPPER_LIDS] - shut[LOWER_LIDS])[:, :2], axis=1)
        assert gap.max() < 1.0 < open_gap


@pytest.mark.parametrize("name", PRESETS)
def test_lids_and_lips_never_cross_and_irises_stay_in(name, portrait):
    driven = drive(preset(name, 24, 12.0), portrait, expression_strength=1.5)
    _, frame, _ = head_pose(portrait)
    heads = drive(preset(name, 24, 12.0), portrait, pose_strength=0, expression_strength=1.5) @ frame
    for upper, lower in ((UPPER_LIDS, LOWER_LIDS), (UPPER_LIPS[0], LOWER_LIPS[0])):
        before = ((portrait @ frame)[lower] - (portrait @ frame)[upper])[:, 1]
        gap = (heads[:, lower] - heads[:, upper])[..., 1]
        assert (gap >= np.minimum(before, 0) - 0.01).all()
    for iris, (first, second) in zip((RIGHT_IRIS, LEFT_IRIS), EYE_CORNERS, strict=True):
        place = (heads[:, iris.start, 0] - heads[:, first, 0]) / (heads[:, second, 0] - heads[:, first, 0])
        assert place.min() > 0.2
        assert place.max() < 0.8
    assert np.isfinite(driven).all()


def test_gaze_moves_the_irises_only():
    portrait = face()
    moved = drive(acted(gazes=(10.0, 0.0)), portrait)[1] - portrait
    assert moved[468, 0] == pytest.approx(moved[473, 0], abs=0.01)
    assert moved[468, 0] > 1
    assert np.abs(moved[:468]).max() < 1e-3


@pytest.mark.parametrize("degrees", [-60.0, 60.0])
def test_no_gaze_turns_an_iris_out_of_its_eye(degrees):
    turned = drive(acted(gazes=(degrees, 0.0)), face())[1]
    for iris, (first, second) in zip((RIGHT_IRIS, LEFT_IRIS), EYE_CORNERS, strict=True):
        place = (turned[iris.start, 0] - turned[first, 0]) / (turned[second, 0] - turned[first, 0])
        assert place == pytest.approx(
            IRIS_RANGE[int((degrees > 0) == (turned[second, 0] > turned[first, 0]))], abs=0.01
        )


def driving_clip(shape: dict, motion: Motion) -> np.ndarray:
    """Landmarks of a driver of that shape who performs a motion in their own proportions."""
    return drive(motion, face(**shape))


def test_the_drivers_face_shape_never_leaks():
    motion = preset("talk", 24, 12.0)
    portrait = face(width=1.05, chin=1.05, eyes=100)
    results = []
    for name in ("average", "long", "round"):
        clip = driving_clip(SHAPES[name], motion)
        clip = clip * 0.7 + np.array([60, -20, 0])  # another distance and place in the picture
        results.append(drive(from_landmarks(clip, 12.0, neutral=0), portrait))
    movement = np.abs(results[0] - portrait)[..., :2].mean()
    for other in results[1:]:
        assert np.abs(other - results[0])[..., :2].mean() < 0.12 * movement
        assert np.array_equal(other[0], portrait)


def test_motion_of_a_clip_drives_its_own_first_frame_back():
    clip = driving_clip(SHAPES["long"], preset("laugh", 24, 12.0))
    again = drive(from_landmarks(clip, 12.0, neutral=0), clip[0])
    assert np.abs(again - clip)[..., :2].mean() < 0.004 * eye_distance(clip[0])


def test_a_turned_drivers_nod_is_a_nod():
    straight = from_landmarks(driving_clip({}, acted(angles=(0, 8, 0))), 24.0, neutral=0)
    turned = from_landmarks(driving_clip({"angles": (20.0, 0.0, 0.0)}, acted(angles=(0, 8, 0))), 24.0, neutral=0)
    assert np.abs(turned.rotations - straight.rotations).max() < 0.01


def test_rotation_scale_and_shift_of_a_driver_are_found():
    still = face().astype(np.float64)
    moved = 1.2 * (still - still.mean(0)) @ euler(8, 0, 0).T + still.mean(0) + [18, 0, 0]
    motion = from_landmarks(np.stack([still, moved]), 24.0, neutral=0)
    assert motion.scales[1] == pytest.approx(1.2, abs=1e-3)
    assert np.allclose(motion.rotations[1], euler(8, 0, 0), atol=1e-4)
    assert np.abs(motion.expressions).max() < 1e-3


def test_neutral_frame_is_found():
    calm = face()
    clip = [
        face(jaw_open=0.4),
        face(angles=(30.0, 0, 0)),
        face(blink_left=1.0, blink_right=1.0),
        calm,
        calm,
        calm,
        face(smile_left=1.0, smile_right=1.0, jaw_open=0.1),
        face(jaw_open=0.2),
    ]
    assert find_neutral(np.stack(clip)) == 4
    assert from_landmarks(np.stack(clip), 24.0).neutral == 4
    assert from_landmarks(np.stack(clip), 24.0, neutral=6).neutral == 6


def test_neutral_outside_the_clip_is_refused():
    with pytest.raises(InvalidRequest, match="frames 0 to 1"):
        from_landmarks(np.stack([face(), face()]), 24.0, neutral=2)
    with pytest.raises(InvalidRequest, match="make no motion"):
        from_landmarks(np.zeros((3, 68, 2)), 24.0)


def test_short_gaps_are_bridged_and_long_ones_named():
    first, last = face(), face() + np.float32(8)
    bridged = bridge_gaps([first, None, None, None, last], 24.0)
    assert np.allclose(bridged[2], first + 4, atol=1e-3)
    assert np.array_equal(bridged[0], first)
    assert np.array_equal(bridge_gaps([None, first, last, None], 24.0)[[0, 3]], np.stack([first, last]))
    with pytest.raises(NoFaceFound, match=r"frame 2 of the driving video \(at 0\.20 s\) for 4 frames"):
        bridge_gaps([first, first, None, None, None, None, last], 10.0)
    with pytest.raises(NoFaceFound, match="No face was found in the driving video"):
        bridge_gaps([None, None], 24.0)


def test_video_without_a_face_names_the_frame(collins):
    small = np.ascontiguousarray(collins[20:260, 100:340])
    blank = np.full_like(small, 127)
    with pytest.raises(NoFaceFound, match=r"frame 3 of the driving video \(at 0\.30 s\)"):
        from_video([small] * 3 + [blank] * 6, 10.0)
    motion = from_video([small] * 3 + [blank] * 2 + [small] * 6, 10.0).motion
    assert len(motion) == 11
    assert np.abs(motion.translations).max() < 0.05


def test_a_large_shift_is_limited_and_a_small_one_is_kept():
    portrait = face()
    shifts = np.array([[0, 0, 0], [0.1, 0, 0], [5.0, 0, 0]])
    motion = Motion("shift", 24.0, 0, np.tile(np.eye(3), (3, 1, 1)), shifts, np.ones(3), np.zeros((3, 478, 3)))
    moved = (drive(motion, portrait) - portrait)[:, NOSE_TIP, 0] / eye_distance(portrait)
    assert moved[1] == pytest.approx(0.1, abs=0.002)
    assert 0.5 < moved[2] < 0.61


def stretched(left: int, right: int, factor: float) -> np.ndarray:
    """The canonical face with two of its landmarks farther apart, ``(478, 3) float32``."""
    points = canonical_face().copy()
    points[[left, right], 0] *= factor
    return points


def test_a_face_as_usual_has_the_usual_sizes():
    sizes = local_sizes(canonical_face())
    away_from_mouth = np.linalg.norm(canonical_face() - canonical_face()[13], axis=1) > 0.8
    assert np.abs(sizes[away_from_mouth] - 1).max() < 0.02


def test_wide_faces_move_wider_but_not_their_mouths():
    sizes = local_sizes(stretched(234, 454, 1.25))
    assert sizes[454, 0] == pytest.approx(1.25**0.5, abs=0.01)
    assert sizes[13, 0] < sizes[454, 0] - 0.05


def test_a_mouth_that_smiles_at_rest_has_less_way_to_go():
    usual, smiling = (local_sizes(points)[[13, 234]] for points in (canonical_face(), stretched(61, 291, 1.3)))
    assert smiling[0, 0] < 0.9 * usual[0, 0]
    assert smiling[0, 1] < 0.9 * usual[0, 1]
    assert smiling[1] == pytest.approx(usual[1], abs=0.02)


def test_a_mouth_narrower_than_the_face_suggests_moves_by_its_own_size():
    assert local_sizes(stretched(61, 291, 0.75))[13, 0] == pytest.approx(0.75**0.5, abs=0.01)


@pytest.mark.parametrize(("times", "opening"), [(-0.5, 0.0), (0.4, 0.4), (1.0, 1.0), (3.0, MAX_EYE_OPENING)])
def test_eyes_are_between_shut_and_wide_open_whatever_was_measured(times: float, opening: float):
    rest = canonical_face().astype(np.float64)
    face = rest.copy()
    face[UPPER_LIDS] = rest[LOWER_LIDS] + times * (rest[UPPER_LIDS] - rest[LOWER_LIDS])
    assert lid_openings(face[None], rest) == pytest.approx(np.full((1, 14), opening), abs=1e-6)


def test_a_mouth_that_is_open_at_rest_has_less_way_to_go():
    rest = canonical_face().astype(np.float64)
    shouting = rest.copy()
    shouting[14, 1] = shouting[13, 1] + 0.2
    shut = rest.copy()
    shut[14, 1] = shut[13, 1]
    assert local_sizes(shouting)[152, 1] == pytest.approx(0.5 * local_sizes(shut)[152, 1], rel=0.01)
