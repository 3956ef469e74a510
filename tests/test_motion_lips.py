"""An open mouth is closed before a motion that speaks acts on it; everything else stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from durian.face import detect_faces, eye_distance
from durian.geometry.mesh import areas, face_triangles
from durian.motion import Motion, drive, driven_landmarks, preset, read_driving
from durian.motion.canonical import actions, canonical_face
from durian.motion.lips import opening, unfolded, with_lips
from durian.motion.rotations import euler

UNIT = 100.0
"""Pixels between the outer eye corners."""


def portrait(opened: float = 0.0, yaw: float = 0.0) -> np.ndarray:
    """The canonical face in pixels, its jaw opened, turned to the side."""
    face = canonical_face() + opened * actions()["jaw_open"]
    return (UNIT * face @ euler(yaw, 0, 0).T + 256).astype(np.float32)


def openings(driven: np.ndarray) -> np.ndarray:
    return (driven[:, 14, 1] - driven[:, 13, 1]) / UNIT


def talk() -> Motion:
    return preset("talk", 24, 12.0)


def test_an_open_mouth_closes_when_the_motion_does():
    laughing = portrait(0.8)
    assert openings(laughing[None]) > 0.25
    kept, closed = (openings(drive(talk(), laughing, normalise_lips=wanted)) for wanted in (False, True))
    own = openings(drive(talk(), portrait()))
    assert kept.min() > 0.2
    assert closed.min() == pytest.approx(0, abs=0.01)
    # It speaks as far as a mouth that was closed all along.
    assert closed.max() == pytest.approx(own.max(), rel=0.25)
    assert np.corrcoef(closed, own)[0, 1] > 0.98


def test_lips_meet_along_their_whole_length_and_the_jaw_comes_up():
    rest = canonical_face() + 0.8 * actions()["jaw_open"]
    closed = with_lips(rest.astype(np.float64), 0.0)
    upper, lower = [82, 13, 312, 78], [87, 14, 317, 78]
    assert np.allclose(closed[upper], closed[lower], atol=1e-6)
    assert closed[152, 1] < rest[152, 1] - 0.08
    assert np.allclose(closed[[33, 263, 10, 168]], rest[[33, 263, 10, 168]], atol=1e-3)
    front = areas(canonical_face(), face_triangles()) > 1e-4
    assert (areas(closed, face_triangles())[front] > 0).mean() > 0.99


def test_the_driver_s_own_opening_is_kept():
    motion = replace(talk(), neutral_opening=0.1)
    driven = drive(motion, portrait(0.8), normalise_lips=True)
    assert openings(driven)[motion.neutral] == pytest.approx(0.1, abs=0.01)


def test_half_the_expression_closes_half():
    driven = drive(talk(), portrait(0.8), expression_strength=0.5, normalise_lips=True)
    own = openings(portrait(0.8)[None])[0]
    assert openings(driven)[0] == pytest.approx(own / 2, abs=0.01)
    assert np.array_equal(drive(talk(), portrait(0.8), 0, 0, True), np.tile(portrait(0.8), (24, 1, 1)))


@pytest.mark.parametrize(
    ("face", "motion"),
    [
        (portrait(), talk()),
        (portrait(0.05), talk()),
        (portrait(0.8), preset("nod", 24, 12.0)),
        (portrait(0.8, yaw=50), talk()),
        (portrait(0.8), replace(talk(), neutral_opening=0.4)),
    ],
    ids=["closed", "nearly closed", "a motion that does not speak", "far side hidden", "a driver as open"],
)
def test_otherwise_nothing_changes(face, motion):
    assert np.array_equal(drive(motion, face, normalise_lips=True), drive(motion, face))
    assert np.array_equal(driven_landmarks(motion, face), face)


def test_a_chin_that_lies_in_the_lip_is_pulled_out():
    rest = (canonical_face() + 1.1 * actions()["jaw_open"]).astype(np.float64)
    folded = rest.copy()
    folded[[18, 83, 313], 1] = rest[17, 1] - 0.05
    repaired = unfolded(folded)
    assert opening(rest) > 0.35
    assert (repaired[[18, 83, 313], 1] > repaired[17, 1]).all()
    assert repaired[17, 1] >= rest[17, 1]
    others = np.setdiff1d(np.arange(478), np.flatnonzero((repaired != folded).any(1)))
    assert len(others) > 420


def test_tracked_motions_know_their_driver_s_lips():
    from durian.motion import from_landmarks

    still = np.tile(portrait(0.5), (4, 1, 1))
    assert from_landmarks(still, 10.0).neutral_opening == pytest.approx(openings(still)[0], abs=0.02)
    assert talk().neutral_opening == 0


def test_resampling_keeps_the_driver_s_lips_true():
    motion = replace(talk(), neutral_opening=0.1)
    wide = int(np.argmax(motion.expressions[:, 14, 1] - motion.expressions[:, 13, 1]))
    shown = motion.expressions[wide, 14, 1] - motion.expressions[wide, 13, 1]
    about = replace(motion, neutral=wide)._about_neutral()
    assert about.neutral_opening == pytest.approx(0.1 + shown, abs=1e-6)


def test_frames_of_a_shouting_portrait_close(shared_data):
    from durian.face import default_crop
    from durian.media import read_image
    from durian.preview.renderer import PreviewRenderer
    from durian.request import AnimationRequest, Portrait, RenderOptions

    image = read_image(shared_data / "bugs" / "open_mouth_portrait.jpg")
    face = detect_faces(image)[0]
    shouting = Portrait(image, face.landmarks, default_crop(face, image.shape, 0.6))
    motion = read_driving(shared_data / "videos" / "lp_d6.mp4", end=2.0).motion
    least = {}
    for wanted in (False, True):
        options = RenderOptions(size=256, frames=len(motion), fps=motion.fps, label=False, normalise_lips=wanted)
        frames = list(PreviewRenderer().render(AnimationRequest(shouting, motion=motion, options=options)))
        found = detect_faces(frames[motion.neutral])[0].landmarks
        least[wanted] = np.linalg.norm((found[13] - found[14])[:2]) / eye_distance(found)
    assert least[False] > 0.35
    assert least[True] < 0.15
