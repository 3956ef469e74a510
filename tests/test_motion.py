"""Motions in time: resampled, trimmed, smoothed; and the presets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from durian.errors import InvalidRequest
from durian.motion import PRESETS, Motion, drive, preset
from durian.motion.canonical import actions, canonical_face, expression, mirror
from durian.motion.features import LOWER_LIDS, LOWER_LIPS, UPPER_LIDS, UPPER_LIPS, lid_openings
from durian.motion.fitting import RIGID_POINTS
from durian.motion.presets import _AUTHORS, _Score
from durian.motion.rotations import euler, nearest_rotation
from durian.motion.timeline import bump, times, window

NOSE_TIP, CHIN, FOREHEAD = 1, 152, 10


def turning(frames: int = 25, fps: float = 25.0, degrees: float = 20.0, neutral: int = 0) -> Motion:
    """A steady turn that is the identity at ``neutral``, with a jaw that opens along with it."""
    steps = (np.arange(frames) - neutral) / (frames - 1)
    shifts = np.stack([0.3 * steps, 0 * steps, 0 * steps], -1)
    return Motion(
        "turn",
        fps,
        neutral,
        euler(degrees * steps, 0, 0),
        shifts,
        1.1**steps,
        expression(jaw_open=np.abs(steps)),
    )


def yaw(motion: Motion) -> np.ndarray:
    """Degrees, positive to the picture's right."""
    nose = motion.rotations @ np.array([0.0, 0.0, -1.0])
    return np.degrees(np.arctan2(nose[:, 0], -nose[:, 2]))


def test_the_nearest_rotation_is_the_rotation_itself_or_the_mean_of_two():
    matrices = Rotation.from_rotvec(np.random.default_rng(0).normal(0, 0.8, (20, 3))).as_matrix()
    assert np.allclose(nearest_rotation(1.7 * matrices), matrices, atol=1e-9)
    assert np.allclose(nearest_rotation(euler(0, -20, 0) + euler(0, 40, 0)), euler(0, 10, 0), atol=1e-9)
    # Of opposite rotations there is no one mean, but a rotation.
    turned = nearest_rotation((euler(90, 0, 0) + euler(-90, 0, 0) + euler(180, 0, 0)) / 3)
    assert np.allclose(turned @ turned.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turned) == pytest.approx(1)


def test_angles_may_be_one_or_many():
    together = euler(np.array([[10.0, 20.0]]), 5.0, 0)
    assert together.shape == (1, 2, 3, 3)
    assert np.allclose(together[0, 1], euler(20, 5, 0), atol=1e-12)
    # Nodding first, then turning, then leaning.
    assert np.allclose(euler(10, 20, 30), euler(0, 0, 30) @ euler(10, 0, 0) @ euler(0, 20, 0), atol=1e-12)


@pytest.mark.parametrize(("angles", "axis", "sign"), [((10, 0, 0), 0, 1), ((-10, 0, 0), 0, -1), ((0, 10, 0), 1, 1)])
def test_positive_angles_turn_the_nose_right_and_down(angles, axis, sign):
    nose = euler(*angles) @ np.array([0.0, 0.0, -1.0])
    assert sign * nose[axis] == pytest.approx(np.sin(np.radians(10)))


def test_positive_roll_is_clockwise():
    assert euler(0, 0, 10) @ np.array([0.0, -1.0, 0.0]) == pytest.approx(
        [np.sin(np.radians(10)), -np.cos(np.radians(10)), 0]
    )


def test_resampling_keeps_the_speed():
    motion = turning().resampled(50, 50.0)
    assert len(motion) == 50
    assert motion.fps == 50.0
    assert motion.duration == pytest.approx(1.0)
    assert np.allclose(yaw(motion)[::2], yaw(turning()), atol=1e-4)
    assert yaw(motion)[1] == pytest.approx(20 / 24 / 2, abs=1e-3)
    assert np.allclose(motion.expressions[::2], turning().expressions, atol=1e-6)


def test_resampling_longer_holds_the_last_frame():
    motion = turning().resampled(40, 25.0)
    assert np.allclose(yaw(motion)[:25], yaw(turning()), atol=1e-4)
    assert np.allclose(yaw(motion)[25:], 20, atol=1e-3)


def test_resampling_keeps_neutral_exact():
    motion = turning(neutral=12).resampled(31, 30.0)
    assert motion.neutral == 14
    assert np.array_equal(motion.rotations[14], np.eye(3, dtype=np.float32))
    assert not motion.expressions[14].any()
    assert not motion.translations[14].any()
    assert motion.scales[14] == 1


def test_resampling_to_the_same_is_the_same():
    motion = turning()
    assert motion.resampled(25, 25.0) is motion


def test_smoothing_calms_and_keeps_neutral():
    random = np.random.default_rng(0)
    base = turning(60, 30.0, neutral=20)
    shaky = Motion(
        "shaky",
        30.0,
        20,
        Rotation.from_rotvec(random.normal(0, 0.02, (60, 3))).as_matrix() @ base.rotations,
        base.translations + random.normal(0, 0.02, (60, 3)),
        base.scales * np.exp(random.normal(0, 0.02, 60)),
        base.expressions + random.normal(0, 0.01, (60, 478, 3)),
    )
    calm = shaky.smoothed(0.1)
    shake = lambda motion: np.abs(np.diff(yaw(motion), 2)).mean()  # noqa: E731
    assert shake(calm) < 0.1 * shake(shaky)
    growth = lambda motion: np.abs(np.diff(np.log(motion.scales), 2)).mean()  # noqa: E731
    assert growth(calm) < 0.1 * growth(shaky)
    assert np.abs(yaw(calm) - yaw(base))[8:-8].mean() < 1.0
    assert np.allclose(calm.rotations @ calm.rotations.swapaxes(1, 2), np.eye(3), atol=1e-5)
    assert np.array_equal(calm.rotations[20], np.eye(3, dtype=np.float32))
    assert not calm.expressions[20].any()


def test_smoothing_is_a_gaussian_mean_that_goes_on_at_the_ends_as_they_are():
    motion = turning(9, 10.0, neutral=0)
    shifts = np.zeros((9, 3))
    shifts[4, 0] = 1.0
    calm = replace(motion, translations=shifts.astype(np.float32)).smoothed(0.15)
    weights = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    weights /= weights.sum()
    # The neutral frame, number 0, is a distance of 4 away: what it moved is taken out.
    assert np.allclose(calm.translations[:, 0], weights[1:10] - weights[1], atol=1e-6)


def test_smoothing_leaves_a_steady_turn_alone():
    motion = turning(60, 30.0, neutral=30)
    assert np.abs(yaw(motion.smoothed(0.1)) - yaw(motion))[10:-10].max() < 0.05
    assert motion.smoothed(0.0) is motion


def test_motion_refuses_what_does_not_fit():
    good = turning()
    with pytest.raises(ValueError, match="scales are"):
        Motion("x", 25.0, 0, good.rotations, good.translations, good.scales[:3], good.expressions)
    with pytest.raises(ValueError, match="not all finite"):
        Motion("x", 25.0, 0, good.rotations, good.translations * np.nan, good.scales, good.expressions)
    with pytest.raises(InvalidRequest, match="frames 0 to 24"):
        Motion("x", 25.0, 25, good.rotations, good.translations, good.scales, good.expressions)
    with pytest.raises(InvalidRequest, match="more than 0"):
        Motion("x", 0.0, 0, good.rotations, good.translations, good.scales, good.expressions)


def test_canonical_face_is_frontal_symmetric_and_in_eye_distances():
    face = canonical_face()
    assert np.linalg.norm(face[33] - face[263]) == pytest.approx(1, abs=1e-3)
    assert np.allclose(face[33], [-0.5, 0, 0], atol=1e-3)
    assert np.abs(face[mirror()] * [-1, 1, 1] - face).max() < 1e-3
    assert np.array_equal(mirror()[mirror()], np.arange(478))
    assert face[CHIN, 1] > face[13, 1] > face[NOSE_TIP, 1] > face[6, 1] > face[FOREHEAD, 1]
    assert face[NOSE_TIP, 2] == face[:, 2].min() or face[4, 2] == face[:, 2].min()


def test_jaw_moves_the_chin_and_hardly_the_upper_lip():
    jaw = actions()["jaw_open"]
    assert jaw[CHIN, 1] > 0.3
    assert jaw[14, 1] > 0.3
    assert jaw[17, 1] > 0.25
    assert abs(jaw[0, 1]) < 0.05
    assert np.abs(jaw[RIGID_POINTS]).max() < 0.02
    assert 0.02 < jaw[172, 1] < jaw[150, 1] < jaw[CHIN, 1]


def test_blink_brings_the_lids_together():
    both = expression(blink_left=np.ones(1), blink_right=np.ones(1))
    gap = np.linalg.norm((canonical_face() + both)[0, UPPER_LIDS] - (canonical_face() + both)[0, LOWER_LIDS], axis=1)
    assert gap.max() < 0.003
    left = actions()["blink_left"]
    assert np.abs(left[[159, 145]]).max() < 0.005
    assert left[386, 1] > 0.05


def test_smile_moves_the_corners_out_and_up():
    smile = actions()["smile_left"] + actions()["smile_right"]
    assert smile[291, 0] > 0.05
    assert smile[291, 1] < -0.03
    assert np.allclose(smile[61], smile[291] * [-1, 1, 1], atol=0.003)
    assert np.abs(smile[RIGID_POINTS]).max() < 0.03


def test_a_bump_rises_within_its_time_is_held_and_falls():
    t = np.linspace(0, 2, 201)
    curve = bump(t, 0.2, 0.4, 0.5, 0.6)
    assert not curve[t <= 0.2].any()
    assert curve[np.isclose(t, 0.4)] == pytest.approx(0.5)
    assert np.allclose(curve[(t > 0.605) & (t < 1.095)], 1)
    assert curve[np.isclose(t, 1.4)] == pytest.approx(0.5)
    assert np.allclose(curve[t > 1.705], 0)


@pytest.mark.parametrize(("total", "edge"), [(3.0, 0.3), (0.6, 0.2)], ids=["long", "short"])
def test_a_window_opens_fully_at_its_edge_or_within_a_third_of_a_short_clip(total, edge):
    t = np.linspace(0, total, 301)
    curve = window(t, total, 0.3)
    assert curve[0] == curve[-1] == 0
    assert np.interp([edge / 2, total - edge / 2], t, curve) == pytest.approx(0.5, abs=0.02)
    assert np.allclose(curve[(t > 1.01 * edge) & (t < total - 1.01 * edge)], 1)


def test_there_are_enough_presets_and_each_is_described():
    assert len(PRESETS) >= 9
    assert {"nod", "shake", "tilt", "smile", "talk", "blink", "surprise", "look-around", "mix"} <= set(PRESETS)
    assert all(text.endswith(".") for text in PRESETS.values())


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("frames", "fps"), [(48, 24.0), (12, 12.0), (200, 30.0)])
def test_presets_loop_and_move_smoothly(name, frames, fps):
    motion = preset(name, frames, fps)
    assert len(motion) == frames
    assert motion.neutral == 0
    for end in (0, -1):
        assert np.array_equal(motion.rotations[end], np.eye(3, dtype=np.float32))
        assert not motion.expressions[end].any()
        assert motion.scales[end] == 1
    assert motion.expression_activity().max() + motion.pose_activity().max() > 0.01
    nose = motion.rotations @ np.array([0.0, 0.0, -1.0])
    assert np.degrees(np.abs(np.arcsin(nose[:, 0]))).max() < 15.5
    assert np.degrees(np.abs(np.arcsin(nose[:, 1]))).max() < 10.5
    # No jump: the head turns slower than 130 degrees a second, lips and chin move less than four eye distances.
    turns = Rotation.from_matrix(motion.rotations[:-1].swapaxes(1, 2) @ motion.rotations[1:]).magnitude()
    assert np.degrees(turns).max() * fps < 130
    assert np.abs(np.diff(motion.expressions[:, [0, 17, CHIN, 61, 291]], axis=0)).max() * fps < 4


@pytest.mark.parametrize("name", PRESETS)
def test_presets_begin_and_end_gently(name):
    """At 60 frames a second nothing is to be seen of the first and of the last step."""
    motion = preset(name, 180, 60.0)
    for first in (1, -2):
        assert np.degrees(Rotation.from_matrix(motion.rotations[first]).magnitude()) < 0.3
        assert abs(motion.scales[first] - 1) < 0.002
        assert np.abs(motion.expressions[first]).max() < 0.01


@pytest.mark.parametrize("name", PRESETS)
def test_presets_ask_for_no_more_of_a_face_than_it_can_do(name):
    """1 is as far as a facial action goes on most faces."""
    for frames in (12, 48, 200):
        t, total = times(frames, 24.0)
        score = _Score(t, total, np.random.default_rng(0))
        _AUTHORS[name](score)
        for action, strength in score.faces.items():
            assert strength.min() > -0.01
            # Lids that are shut stay so, and a smile may be a broad one.
            assert action.startswith("blink") or strength.max() < (1.5 if action.startswith("smile") else 1.05)


@pytest.mark.parametrize("name", ["tilt", "smile", "kiss"])
def test_a_longer_preset_is_the_same_movement_made_slower(name):
    """But for blinks and small movements of the head, which keep their own speed."""
    brisk, slow = (preset(name, 49, fps).expressions[:, [61, 291, 0, 17]] for fps in (24.0, 12.0))
    np.testing.assert_allclose(slow, brisk, atol=1e-4)
    assert np.abs(brisk).max() > 0.01


def test_the_head_stresses_a_word_while_it_is_spoken():
    """And neither before nor after it."""
    follows = {lag: [] for lag in (-4, 0, 4)}
    for seed in range(12):
        motion = preset("talk", 120, 24.0, seed)
        jaw = np.convolve(motion.expressions[:, CHIN, 1], np.hanning(9) / np.hanning(9).sum(), mode="same")
        down = np.arctan2(motion.rotations[:, 1, 2], motion.rotations[:, 2, 2])
        for lag, found in follows.items():
            # What changes from frame to frame is stress: the rest of the head's movement is slow.
            found.append(np.corrcoef(np.diff(np.roll(jaw, lag))[20:-20], np.diff(-down)[20:-20])[0, 1])
    before, now, after = (np.mean(follows[lag]) for lag in (-4, 0, 4))
    assert now > max(before, after) + 0.1


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_presets_of_very_few_frames(frames):
    for name in PRESETS:
        assert len(preset(name, frames)) == frames


def test_nod_goes_down_shake_goes_both_ways_tilt_rolls():
    assert np.degrees(np.arcsin(preset("nod").rotations[:, 1, 2])).min() < -7  # the nose's -z axis moves to +y
    assert yaw(preset("shake")).max() > 10
    assert yaw(preset("shake")).min() < -10
    roll = np.degrees(np.arctan2(preset("tilt").rotations[:, 1, 0], preset("tilt").rotations[:, 0, 0]))
    assert roll.max() > 6
    assert roll.min() < -5


def test_eyes_shut_in_blink_at_any_rate():
    face = canonical_face()
    for frames, fps in ((48, 24.0), (24, 12.0), (120, 60.0), (16, 8.0)):
        openings = lid_openings(face + preset("blink", frames, fps).expressions, face).mean(1)
        assert openings.min() < 0.1
        assert np.median(openings) > 0.9


def test_talk_opens_and_closes_the_mouth_and_depends_on_the_seed():
    motion = preset("talk", 96, 24.0, seed=3)
    face = drive(motion, canonical_face() * 100)
    opening = face[:, LOWER_LIPS[0][4], 1] - face[:, UPPER_LIPS[0][4], 1]
    assert opening.max() > 8
    turns = np.diff(np.sign(np.diff(opening)))
    assert (turns < 0).sum() >= 6
    assert np.array_equal(preset("talk", 96, 24.0, seed=3).expressions, motion.expressions)
    assert np.abs(preset("talk", 96, 24.0, seed=4).expressions - motion.expressions).max() > 0.05


def test_unknown_preset_and_no_frames_are_refused():
    with pytest.raises(InvalidRequest, match="'dance' is not known: use one of nod, shake"):
        preset("dance")
    with pytest.raises(InvalidRequest, match="at least 1"):
        preset("nod", 0)
