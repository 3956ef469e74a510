"""Acting: the same motion at every frame rate, smooth, human in its speeds; poses and how far apart they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from durian.errors import InvalidRequest
from durian.synthetic.acting.acting import MANNERS, Moment, perform
from durian.synthetic.acting.expressions import FACES, LOPSIDED, sample_expression, sample_face, settled
from durian.synthetic.acting.gaze import blinks
from durian.synthetic.acting.poses import REACH, WIDEST, pose_at_gap, pose_gap, sample_pose
from durian.synthetic.acting.speech import speak
from durian.synthetic.head.lids import Lids
from durian.synthetic.render.camera import rotation

FINE = 240.0
"""Frames per second with which speeds are measured."""
INNER_UPPER_LIP, INNER_LOWER_LIP = [61, 62, 63], [67, 66, 65]
UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]


def angles(clip: tuple[Moment, ...]) -> np.ndarray:
    return np.array([(moment.yaw, moment.pitch, moment.roll) for moment in clip])


def amounts(clip: tuple[Moment, ...], shape: str) -> np.ndarray:
    return np.array([moment.expression.get(shape, 0.0) for moment in clip])


def assert_alike(one: Moment, other: Moment) -> None:
    for name in one.expression.keys() | other.expression.keys():
        assert one.expression.get(name, 0.0) == pytest.approx(other.expression.get(name, 0.0), abs=1e-9), name
    for name in ("yaw", "pitch", "roll", "cx", "cy", "scale"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9), name


@pytest.mark.parametrize("manner", MANNERS)
def test_a_seed_is_a_clip(manner: str):
    clip = perform(5, 10, 12.0, manner)
    assert clip == perform(np.random.default_rng(5), 10, 12.0, manner)
    assert clip != perform(6, 10, 12.0, manner)


def test_a_generator_gives_another_clip_each_time():
    rng = np.random.default_rng(5)
    assert perform(rng, 4) != perform(rng, 4)


@pytest.mark.parametrize("manner", MANNERS)
def test_other_frame_rates_and_lengths_see_the_same_motion(manner: str):
    clip = perform(11, 121, 30.0, manner)
    for fps, step in ((6.0, 5), (15.0, 2), (30.0, 1)):
        for one, other in zip(perform(11, 20, fps, manner), clip[::step]):
            assert_alike(one, other)


@pytest.mark.parametrize(
    ("manner", "least", "most", "quickest"),
    [("still", 0.2, 3, 30), ("talk", 5, 30, 200), ("lively", 10, 60, 300), ("turn", 25, 90, 250)],
)
def test_heads_move_smoothly_and_never_stop(manner: str, least: float, most: float, quickest: float):
    clips = [np.degrees(angles(perform(seed, 1200, FINE, manner))) for seed in range(6)]
    velocity = [np.diff(clip, axis=0) * FINE for clip in clips]
    assert least < np.sqrt(np.mean([(each[:, 0] ** 2).mean() for each in velocity])) < most
    assert max(np.abs(each).max() for each in velocity) < quickest
    # A jump of half a degree in speed within one frame would be 120 degrees per second squared more than its
    # neighbours'; the curves have a bounded third derivative.
    acceleration = [np.diff(each, axis=0) * FINE for each in velocity]
    assert max(np.abs(each).max() for each in acceleration) < 15 * quickest
    assert max(np.abs(np.diff(each, axis=0)).max() for each in acceleration) < 2 * quickest
    for each in velocity:
        resting = np.abs(each).max(axis=1)[:1080].reshape(-1, 120).max(axis=1)
        assert resting.min() > 0.1


@pytest.mark.parametrize("manner", MANNERS)
def test_clips_stay_within_reach_around_their_pose(manner: str):
    pose = (0.5, 0.1, -0.1)
    clips = np.concatenate([angles(perform(seed, 60, 6.0, manner, pose)) for seed in range(10)])
    assert (np.abs(clips).max(axis=0) <= WIDEST * REACH + 1e-9).all()
    if manner != "turn":
        assert np.abs(clips.mean(axis=0) - pose).max() < math.radians(6)


def test_turning_covers_both_sides():
    yaw = np.concatenate([angles(perform(seed, 120, 10.0, "turn"))[:, 0] for seed in range(4)])
    assert yaw.min() < -0.7 * WIDEST
    assert yaw.max() > 0.7 * WIDEST
    assert (np.histogram(yaw, 6, (-WIDEST, WIDEST))[0] > 0.05 * len(yaw)).all()


def test_blinks_are_quick_and_fall_faster_than_they_rise():
    fps, seconds = 500, 600
    t = np.arange(fps * seconds) / fps
    closure = blinks(t, np.random.default_rng(1), per_minute=20)
    assert closure.max() == 1.0
    starts = np.flatnonzero((closure[:-1] == 0) & (closure[1:] > 0))
    ends = np.flatnonzero((closure[:-1] > 0) & (closure[1:] == 0))
    lengths = (ends - starts) / fps
    assert lengths.min() > 0.1
    assert lengths.max() < 0.16
    assert 16 < len(starts) / seconds * 60 < 24
    speed = np.diff(closure) * fps
    assert 1.2 < speed.max() / -speed.min() < 2.2


@pytest.mark.parametrize("look_down", [0.0, 0.5])
@pytest.mark.parametrize("squint", [0.0, 0.6])
def test_shut_lids_meet_whatever_else_moves_them(head_model, look_down: float, squint: float):
    shapes = {"eyeBlink": 1.0, "eyeLookDown": look_down, "eyeSquint": squint, "cheekSquint": squint, "eyeWide": 0.5}
    shut = settled({f"{name}_{side}": np.array([amount]) for name, amount in shapes.items() for side in "LR"})
    face = head_model.neutral + head_model.expression({name: value[0] for name, value in shut.items()})
    face = face[head_model.landmarks68]
    gap = face[UPPER_LIDS, 1] - face[LOWER_LIDS, 1]
    assert np.abs(gap).max() < 0.2  # 0.85 when open


def test_lips_meet_for_bilabials_and_part_for_vowels(head_model):
    clip = perform(3, 480, 60.0, "talk")
    meeting = amounts(clip, "mouthClose") / np.maximum(amounts(clip, "jawOpen"), 1e-9)
    assert (amounts(clip, "mouthClose") <= amounts(clip, "jawOpen")).all()
    landmarks = head_model.landmarks68
    faces = [(head_model.neutral + head_model.expression(moment.expression))[landmarks] for moment in clip[::4]]
    gap = np.array([(face[INNER_UPPER_LIP, 1] - face[INNER_LOWER_LIP, 1]).mean() for face in faces])
    closed = meeting[::4] > 0.92
    assert 3 < closed.sum() < 60
    assert np.abs(gap[closed]).max() < 0.15
    assert gap.max() > 0.6


def test_speech_has_syllables_and_pauses():
    t = np.arange(60 * 100) / 100
    speech = speak(t, np.random.default_rng(4))
    jaw = speech.mouth["jaw"]
    peaks = (jaw[1:-1] > jaw[:-2]) & (jaw[1:-1] >= jaw[2:]) & (jaw[1:-1] > 0.05)
    assert 2.5 < peaks.sum() / 60 < 5.5
    assert 0.1 < (jaw < 0.01).mean() < 0.4
    assert all(later - earlier > 0.2 for (earlier, _), (later, _) in zip(speech.beats, speech.beats[1:]))


def test_eyes_stay_on_the_camera_while_the_head_turns():
    clip = perform(8, 480, 60.0, "still")
    yaw = angles(clip)[:, 0]
    aside = amounts(clip, "eyeLookOut_L") - amounts(clip, "eyeLookIn_L")
    assert aside == pytest.approx(amounts(clip, "eyeLookIn_R") - amounts(clip, "eyeLookOut_R"), abs=2e-3)
    # Between saccades eyes make good for the head.
    steady = np.abs(np.diff(aside)) < 0.01
    assert np.corrcoef(np.diff(yaw)[steady], np.diff(aside)[steady])[0, 1] < -0.5


def test_gaze_turns_the_eyeballs(head_model):
    eye = np.unique(head_model.triangles[head_model.in_region("sclera_l")])
    rest = head_model.neutral[eye]
    front = np.argmax(rest[:, 2])
    for shape, axis, sign in (("Out", 0, 1), ("In", 0, -1), ("Up", 1, 1), ("Down", 1, -1)):
        moved = rest + head_model.expression({f"eyeLook{shape}_L": 0.8})[eye]
        assert sign * (moved - rest)[front, axis] > 0.4
        distance = np.linalg.norm(rest - rest[front], axis=1)
        assert np.linalg.norm(moved - moved[front], axis=1) == pytest.approx(distance, abs=1e-4)


def test_lids_shut_on_anybody_and_slide_over_the_eyeballs(head_model):
    lids, rng = Lids(head_model, head_model.eyeballs), np.random.default_rng(4)
    assert not lids.lifted(head_model.neutral, np.zeros_like(head_model.neutral)).any()
    for _ in range(6):
        face = head_model.neutral + head_model.identity(rng.normal(size=100))
        shut = lids.shut(face, {"eyeBlink_L": 1.0, "eyeBlink_R": 1.0, "jawOpen": 0.2})
        assert shut["jawOpen"] == 0.2
        landmarks = (face + head_model.expression(shut))[head_model.landmarks68]
        gap = landmarks[UPPER_LIDS, 1] - landmarks[LOWER_LIDS, 1]
        assert -0.2 < gap.mean() < 0

        half = head_model.expression({"eyeBlink_L": 0.5, "eyeBlink_R": 0.5, "eyeLookOut_L": 0.8, "eyeLookIn_R": 0.8})
        lifted = lids.lifted(face, half)
        moved = np.linalg.norm(lifted - half, axis=1)
        assert 0.02 < moved.max() < 0.5
        nose = head_model.landmarks68[27:36]
        assert not moved[nose].any()
        eyes = np.unique(head_model.triangles[head_model.in_region("sclera_l", "sclera_r")])
        assert not moved[eyes].any()
        for eyeball in head_model.eyeballs:
            centre = face[eyeball.vertices].mean(axis=0) - eyeball.spokes.mean(axis=0)
            radii = np.linalg.norm(face[eyeball.vertices] - centre, axis=1)
            rest, before, after = (np.linalg.norm(face + by - centre, axis=1) for by in (0, half, lifted))
            of_lids = rest < 3
            assert (after >= before - 1e-5)[of_lids].all()
            sunk = of_lids & (rest > radii.max()) & (before < radii.min())
            assert not (after[sunk] < radii.min()).any()


def test_faces_are_known_to_the_model(head_model):
    rng = np.random.default_rng(0)
    for name in FACES:
        assert set(sample_face(rng, name)) <= set(head_model.expression_names), name
    for manner in MANNERS:
        for moment in perform(1, 40, 8.0, manner):
            assert set(moment.expression) <= set(head_model.expression_names)
            assert all(0 <= amount <= 1 for amount in moment.expression.values())


def test_lopsided_faces_have_a_side_and_others_none():
    rng = np.random.default_rng(0)
    for name in FACES:
        face = sample_face(rng, name)
        sides = [sum(amount for shape, amount in face.items() if shape.endswith(end)) for end in ("_L", "_R")]
        assert (min(sides) < 0.75 * max(sides)) == (name in LOPSIDED), name


def test_stills_are_half_neutral_and_seldom_blind():
    rng = np.random.default_rng(2)
    faces = [sample_expression(rng) for _ in range(600)]
    strong = np.array([max(v for k, v in face.items() if not k.startswith("eyeLook")) > 0.3 for face in faces])
    assert 0.35 < strong.mean() < 0.65
    blind = np.mean([min(face.get("eyeBlink_L", 0.0), face.get("eyeBlink_R", 0.0)) > 0.5 for face in faces])
    assert 0.005 < blind < 0.07
    assert 0.08 < np.mean([face.get("mouthUpperUp_L", 0.0) > 0.15 for face in faces]) < 0.4


def test_opponents_give_way():
    face = settled({"mouthPucker": np.array([0.9]), "mouthSmile_L": np.array([0.6]), "mouthClose": np.array([0.5])})
    assert face["mouthSmile_L"][0] < 0.3
    assert face["mouthClose"][0] == 0


def test_poses_are_heavy_in_the_middle_and_reach_the_widest():
    rng = np.random.default_rng(3)
    poses = np.abs([sample_pose(rng) for _ in range(3000)])
    assert (poses <= WIDEST * REACH + 1e-12).all()
    assert np.median(poses[:, 0]) < 0.35 * WIDEST
    assert (poses[:, 0] > 0.85 * WIDEST).mean() > 0.02
    calm = np.abs([sample_pose(rng, spread=0.3) for _ in range(1000)])
    assert np.median(calm[:, 0]) < 0.4 * np.median(poses[:, 0])


def test_the_gap_of_poses_is_the_angle_between_them():
    assert pose_gap((0.2, -0.1, 0.3), (0.2, -0.1, 0.3)) == pytest.approx(0, abs=1e-6)
    for axis in range(3):
        turned = tuple(0.6 * (np.arange(3) == axis))
        assert pose_gap((0.0, 0.0, 0.0), turned) == pytest.approx(0.6, abs=1e-6)
    first, second = (0.4, -0.2, 0.1), (-0.3, 0.15, 0.05)
    between = rotation(*first).astype(float).T @ rotation(*second).astype(float)
    assert pose_gap(first, second) == pytest.approx(math.acos((np.trace(between) - 1) / 2), abs=1e-5)
    assert pose_gap(first, second) == pytest.approx(pose_gap(second, first), abs=1e-6)
    assert pose_gap((math.pi / 2, 0.0, 0.0), (-math.pi / 2, 0.0, 0.0)) == pytest.approx(math.pi, abs=1e-4)


def test_a_pose_can_be_had_at_any_gap_within_reach():
    rng = np.random.default_rng(7)
    for gap in (0.0, 0.05, 0.3, 0.7, 1.2):
        pose = sample_pose(rng) if gap < 0.7 else (0.6, 0.0, 0.0)
        other = pose_at_gap(rng, pose, gap)
        assert pose_gap(pose, other) == pytest.approx(gap, abs=1e-5)
        assert (np.abs(other) <= WIDEST * REACH + 1e-9).all()
    with pytest.raises(ValueError, match="radians"):
        pose_at_gap(rng, (0.0, 0.0, 0.0), 2.5)
    with pytest.raises(ValueError, match="radians"):
        pose_at_gap(rng, (0.0, 0.0, 0.0), -0.1)


@pytest.mark.parametrize("wrong", [{"manner": "dance"}, {"frames": 0}, {"fps": 0.0}, {"fps": math.nan}])
def test_what_cannot_be_acted_is_said(wrong: dict):
    with pytest.raises(InvalidRequest):
        perform(1, **({"frames": 4} | wrong))
