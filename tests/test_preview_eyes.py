"""Eyes: no dark stroke over glasses, a nose that hides the eye or an eye that sleeps, and none behind dark glasses."""

from __future__ import annotations

import cv2
import numpy as np
from faces_made import SIDE, SKIN, made_landmarks

from durian.geometry.mesh import EYES, IRISES, HeadPose
from durian.geometry.raster import Canvas
from durian.preview.eyes import Eyes


def shut(landmarks: np.ndarray) -> np.ndarray:
    """The same face with its upper lids on the lower ones."""
    result = landmarks.copy()
    for lids in EYES:
        result[lids[:8:-1]] = landmarks[lids[1:8]]
    return result


def blinked(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    eyes = Eyes(image.astype(np.float32), landmarks)
    frame = image.copy()
    eyes.draw_lids(Canvas(SIDE, SIDE), frame, shut(landmarks))
    eyes.draw_lashes(frame, shut(landmarks))
    return frame


def face(landmarks: np.ndarray, eye_colour: tuple[int, int, int] = (60, 40, 30)) -> np.ndarray:
    image = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    for lids in EYES:
        cv2.fillPoly(image, [np.round(landmarks[lids, :2]).astype(np.int32)], eye_colour)
    return image


def test_lashes_over_glasses_are_no_black_stroke():
    landmarks = made_landmarks()
    lenses = face(landmarks, (0, 0, 0))
    after = blinked(lenses, landmarks)
    line = np.round(shut(landmarks)[[145, 374], :2]).astype(int)
    for x, y in line:
        around = after[y - 3 : y + 4, x - 3 : x + 4].mean(-1)
        assert 0.35 * np.mean(SKIN) < around.min() < 0.75 * np.mean(SKIN)


def test_the_far_eye_of_a_profile_blinks_unseen():
    landmarks = made_landmarks(yaw=75)
    widths = [np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2]) for lids in EYES]
    far = EYES[int(np.argmin(widths))]
    image = face(landmarks)
    changed = np.abs(blinked(image, landmarks).astype(int) - image).max(-1)
    x, y = np.round(landmarks[far, :2].mean(0)).astype(int)
    assert changed[y - 6 : y + 7, x - 3 : x + 4].max() == 0


def test_a_sleeping_eye_stays_the_photo_s_own():
    landmarks = shut(made_landmarks())
    image = face(landmarks)
    assert np.array_equal(blinked(image, landmarks), image)


def test_an_open_eye_is_covered_by_skin_when_it_blinks():
    landmarks = made_landmarks()
    after = blinked(face(landmarks), landmarks)
    for lids in EYES:
        x, y = np.round(landmarks[lids[9:], :2].mean(0)).astype(int)
        assert np.abs(after[y, x].astype(int) - SKIN).max() < 60


def sunglasses(landmarks: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """A face whose eyes shine through lenses of a colour as far as that is bright."""
    image = face(landmarks, (230, 230, 230))
    for lids in EYES:
        x, y = (int(value) for value in np.round(landmarks[lids, :2].mean(0)))
        width = int(np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2]))
        cv2.ellipse(image, (x, y), (width, int(0.8 * width)), 0, 0, 360, colour, -1)
    return image


def looked_aside(image: np.ndarray, landmarks: np.ndarray, glasses: np.ndarray | None = None) -> np.ndarray:
    """The picture when both irises have moved and the lids are half shut."""
    driving = (landmarks + shut(landmarks)) / 2
    driving[np.concatenate(IRISES), 0] += 5
    eyes, frame, canvas = Eyes(image.astype(np.float32), landmarks, glasses), image.copy(), Canvas(SIDE, SIDE)
    eyes.draw(canvas, frame, driving, HeadPose.between(landmarks, driving))
    eyes.draw_lids(canvas, frame, driving)
    eyes.draw_lashes(frame, driving)
    return frame


def test_behind_dark_glasses_nothing_looks_or_blinks():
    landmarks = made_landmarks()
    dark = sunglasses(landmarks, (22, 20, 24))
    assert np.array_equal(looked_aside(dark, landmarks), dark)
    mirrored = sunglasses(landmarks, (150, 160, 170))
    assert not np.array_equal(looked_aside(mirrored, landmarks), mirrored)
    opaque = (mirrored == (150, 160, 170)).all(-1).astype(np.float32)
    assert np.array_equal(looked_aside(mirrored, landmarks, opaque), mirrored)
