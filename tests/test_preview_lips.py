"""Mouths that close, open and stretch in the preview, and the edges of all openings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import DARK, LIP, SIDE, UNIT, made_face, made_landmarks, made_portrait

from durian.geometry.mesh import EYES, INNER_LIPS, HeadPose, areas, face_triangles
from durian.geometry.raster import Canvas
from durian.motion import PRESETS, drive, driven_landmarks, preset
from durian.motion.features import LOWER_LIPS, UPPER_LIPS
from durian.preview.mouth import mouth_patch
from durian.preview.renderer import OPENINGS, PreviewRenderer
from durian.preview.seams import Seam
from durian.request import AnimationRequest, RenderOptions
from durian.scene import prepare_scene


def lip_line_contrast(frame: np.ndarray, driving: np.ndarray, size: float) -> float:
    """Largest difference in levels between a pixel of the closed lips' line and the lips beside it.

    The outermost fifths, where the corners have a shadow of their own, are left out; ``size`` is the mouth's width.
    """
    seam = (driving[[78, *UPPER_LIPS[0], 308], :2] + driving[[78, *LOWER_LIPS[0], 308], :2]) / 2
    along = np.linspace(0.2, 0.8, 60) * 10
    places = np.stack([np.interp(along, np.arange(11), seam[:, k]) for k in (0, 1)], 1)
    grey = frame.mean(-1).astype(np.float32)
    beside = round(0.07 * size)
    steps = np.arange(-beside, beside + 1)
    columns = np.stack(
        [grey[np.round(places[:, 1]).astype(int) + step, np.round(places[:, 0]).astype(int)] for step in steps], 1
    )
    expected = np.linspace(0, 1, len(steps)) * (columns[:, -1:] - columns[:, :1]) + columns[:, :1]
    return float(np.abs(columns - expected).max())


@pytest.mark.parametrize("opened", [0.3, 0.8])
def test_closed_lips_have_no_black_or_white_line_between_them(opened):
    landmarks = made_landmarks(opened)
    image = made_face(landmarks, spill=2)
    options = RenderOptions(size=SIDE, frames=24, label=False)
    asked = AnimationRequest(made_portrait(image, landmarks), motion=preset("talk", 24), options=options)
    driving = prepare_scene(asked).driving
    frame = PreviewRenderer().still(asked, 0)
    width = np.linalg.norm(landmarks[308, :2] - landmarks[78, :2])
    assert np.abs(np.array(LIP) - DARK).mean() > 90  # what a spot of the photo's dark would differ by
    assert driving[0, 14, 1] - driving[0, 13, 1] < 0.1
    assert lip_line_contrast(frame, driving[0], width) < 45


def test_closed_lips_of_a_shouting_person_have_no_black_or_white_line(shared_data):
    from durian.face import default_crop, detect_faces
    from durian.media import read_image
    from durian.request import Portrait

    image = read_image(shared_data / "bugs" / "open_mouth_portrait.jpg")
    face = detect_faces(image)[0]
    options = RenderOptions(size=512, frames=24, label=False)
    shouting = Portrait(image, face.landmarks, default_crop(face, image.shape, 0.6))
    asked = AnimationRequest(shouting, motion=preset("talk", 24), options=options)
    driving = prepare_scene(asked).driving[0]
    width = np.linalg.norm(driving[308, :2] - driving[78, :2])
    assert lip_line_contrast(PreviewRenderer().still(asked, 0), driving, width) < 60
    # And it is level: the line's middle lies where the corners are, not deep below them.
    assert abs(driving[13, 1] - driving[[78, 308], 1].mean()) < 0.06 * width


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("opened", [0.0, 0.3, 0.6, 0.9])
def test_no_motion_crosses_lips_or_folds_the_mesh_around_them(name, opened):
    landmarks = made_landmarks(opened)
    rest = driven_landmarks(preset(name, 16), landmarks)
    lips = np.unique(np.concatenate([*UPPER_LIPS, *LOWER_LIPS, [78, 308, 61, 291]]))
    near = face_triangles()[np.isin(face_triangles(), lips).all(1)]
    near = near[areas(rest, near) > 1e-3 * UNIT]
    for driving in drive(preset(name, 16), landmarks, pose_strength=0, normalise_lips=True):
        assert (driving[LOWER_LIPS[0], 1] - driving[UPPER_LIPS[0], 1]).min() > -0.05
        assert areas(driving, near).min() > -0.5


@pytest.mark.parametrize("name", ["talk", "surprise"])
def test_no_triangle_folds_where_a_shouting_person_s_lips_close(shared_data, name):
    from durian.face import detect_faces
    from durian.media import read_image

    landmarks = detect_faces(read_image(shared_data / "bugs" / "open_mouth_portrait.jpg"))[0].landmarks
    rest = driven_landmarks(preset(name, 24), landmarks)
    lips = np.unique(np.concatenate([*UPPER_LIPS, *LOWER_LIPS, [78, 308, 61, 291]]))
    near = face_triangles()[np.isin(face_triangles(), lips).any(1)]
    near = near[areas(rest, near) > 0.05]
    assert len(near) > 140
    for driving in drive(preset(name, 24), landmarks, pose_strength=0, normalise_lips=True):
        assert areas(driving, near).min() > 0


def test_a_mouth_that_opens_further_shows_what_it_showed():
    landmarks, wider = made_landmarks(0.4), made_landmarks(0.9)
    image = made_face(landmarks).astype(np.float32)
    frame = np.zeros((SIDE, SIDE, 3), np.uint8)
    mouth_patch(image, landmarks).draw(Canvas(SIDE, SIDE), frame, wider, HeadPose.between(landmarks, wider))
    inside = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(inside, [np.round(wider[INNER_LIPS, :2]).astype(np.int32)], 1)
    shown = frame[cv2.erode(inside, np.ones((5, 5))) > 0].astype(int)
    assert len(shown) > 500
    assert np.abs(shown - np.array(DARK)).max() < 30


def test_contours_of_openings_run_in_the_sense_of_positive_area():
    landmarks = made_landmarks(0.5)
    for contour in OPENINGS:
        x, y = landmarks[contour, :2].T
        assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0


def smoothed(gap: float) -> np.ndarray:
    """White lips of a face around an opening of ``gap`` pixels that shows black, after smoothing: the frame's part."""
    landmarks, driving = made_landmarks(), made_landmarks()
    driving[UPPER_LIPS[0], 1] = np.linspace(150.3, 152.1, 9) - gap / 2
    driving[LOWER_LIPS[0], 1] = np.linspace(150.3, 152.1, 9) + gap / 2
    pose = HeadPose.between(landmarks, landmarks)
    frame = np.full((SIDE, SIDE, 3), 255, np.uint8)
    seam = Seam.of(frame, INNER_LIPS, landmarks, driving, pose, (0, 0, SIDE, SIDE))
    behind = np.zeros_like(frame[seam.part])
    covered = seam.shares <= 0.5
    frame[seam.part][~covered] = 0
    seam.smooth(frame, behind, covered)
    return frame[seam.part][:, 12:-12, 0]


def test_an_opening_s_edge_has_no_steps_and_a_nearly_closed_one_fades():
    wide = smoothed(6.0)
    # Along each column what is dark adds up to the opening's width, whatever pixel rows its slanted edge crosses.
    dark = (255 - wide.astype(float)).sum(0) / 255
    middle = dark[len(dark) // 3 : -len(dark) // 3]
    assert np.ptp(middle) < 0.5
    assert smoothed(0.3).min() > 200
    assert smoothed(0.8).min() > smoothed(1.6).min()


def test_an_opening_at_rest_is_left_alone():
    landmarks = made_landmarks(0.4)
    frame = made_face(landmarks)
    pose = HeadPose.between(landmarks, landmarks)
    assert Seam.of(frame, INNER_LIPS, landmarks, landmarks, pose, (0, 0, SIDE, SIDE)) is None
    assert Seam.of(frame, EYES[1], landmarks, landmarks, pose, (0, 0, SIDE, SIDE)) is None
