"""Tracking of one person through a video: the same face throughout, steady landmarks, and reported gaps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import Crop, detect_faces, eye_distance, track_faces
from durian.face.tracking import _without_jitter


@pytest.fixture(scope="module")
def close_up(collins) -> np.ndarray:
    return Crop(224.9, 138.2, 277.4).apply(collins, 256)


def moved(image: np.ndarray, x: float, y: float) -> np.ndarray:
    shift = np.array([[1.0, 0, x], [0, 1.0, y]])
    return cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def test_follows_a_moving_face(close_up):
    shifts = [(2.0 * i, -1.0 * i) for i in range(8)]
    tracked = track_faces(moved(close_up, *shift) for shift in shifts)
    assert len(tracked) == 8
    first = tracked[0][:, :2]
    unit = eye_distance(first)
    for landmarks, shift in zip(tracked, shifts, strict=True):
        assert landmarks.dtype == np.float32
        assert np.abs((landmarks[:, :2] - first).mean(0) - shift).max() < 0.02 * unit + 0.5


def test_still_face_stays_still(close_up):
    random = np.random.default_rng(0)
    noisy = [np.clip(close_up + random.normal(0, 4, close_up.shape), 0, 255).astype(np.uint8) for _ in range(8)]
    tracked = np.stack(track_faces(noisy))[2:]
    assert tracked[..., :2].std(axis=0).mean() < 0.006 * eye_distance(tracked[0])


def test_lost_frames_are_none_and_the_face_is_found_again(close_up):
    blank = np.full_like(close_up, 127)
    frames = [close_up] * 3 + [blank] * 4 + [close_up] * 6
    tracked = track_faces(frames)
    assert [landmarks is None for landmarks in tracked[:7]] == [False] * 3 + [True] * 4
    assert all(landmarks is not None for landmarks in tracked[-3:])


def test_gives_up_after_so_many_frames_in_a_row(close_up):
    blank = np.full_like(close_up, 127)
    tracked = track_faces([close_up, blank, close_up, close_up, blank, blank, close_up], most_lost=2)
    assert [landmarks is None for landmarks in tracked] == [False, True, False, False, True, True]


def test_keeps_the_same_person(close_up, hopper):
    face = detect_faces(hopper)[0]
    x0, y0, x1, y1 = face.box
    other = Crop((x0 + x1) / 2, (y0 + y1) / 2, 2.2 * (y1 - y0)).apply(hopper, 256)
    frames = []
    for index in range(8):
        frame = np.full((300, 600, 3), 120, np.uint8)
        small = cv2.resize(close_up, (200, 200), interpolation=cv2.INTER_AREA)
        if index >= 2:
            # Someone larger walks in beside her.
            frame[20:276, 340:596] = other
        frame[40:240, 30 + 4 * index : 230 + 4 * index] = small
        frames.append(frame)
    tracked = track_faces(frames)
    assert all(landmarks is not None for landmarks in tracked)
    assert max(landmarks[:, 0].mean() for landmarks in tracked) < 300


def test_no_frames():
    assert track_faces([]) == []


def test_denoising_takes_jitter_and_leaves_movement():
    random = np.random.default_rng(1)
    face = np.zeros((12, 478, 3), np.float32)
    face[:, 263, 0] = 100.0  # the eyes' outer corners are 100 px apart
    jitter = random.normal(0, 0.6, face.shape).astype(np.float32)
    calm = np.stack(_without_jitter(list(face + jitter)))
    inner = slice(2, -2)
    assert np.std((calm - face)[inner]) < 0.75 * np.std(jitter[inner])
    blink = face.copy()
    blink[6, 159, 1] = 12.0
    kept = np.stack(_without_jitter(list(blink)))
    assert kept[6, 159, 1] > 11.5
    assert kept[5, 159, 1] < 0.5
    gap = list(face)
    gap[5] = None
    assert [x is None for x in _without_jitter(gap)] == [i == 5 for i in range(12)]


def test_real_clip_is_followed_in_every_frame(shared_data):
    clip = cv2.VideoCapture(str(shared_data / "videos" / "lp_d6.mp4"))
    frames = [cv2.cvtColor(clip.read()[1], cv2.COLOR_BGR2RGB) for _ in range(30)]
    tracked = track_faces(frames)
    assert all(landmarks is not None for landmarks in tracked)
    still = detect_faces(frames[20])[0].landmarks
    assert np.linalg.norm((tracked[20] - still)[:, :2], axis=1).mean() < 0.04 * eye_distance(still)
