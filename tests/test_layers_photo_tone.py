"""Tones of photographs: what is in colour has none, black and white and sepia ones are found again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import made_face, made_landmarks

from durian.face.detection import detect_faces
from durian.layers.photo_tone import PhotoTone

LEVELS = np.array([[40.0], [90.0], [140.0], [190.0]])


@pytest.fixture(scope="module")
def landmarks(collins) -> np.ndarray:
    return detect_faces(collins)[0].landmarks


@pytest.fixture(scope="module")
def grey(collins) -> np.ndarray:
    return cv2.cvtColor(collins, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)


def sepia(grey: np.ndarray) -> np.ndarray:
    """Shadows are browner than lights, as in prints."""
    bright = grey / 255
    return np.clip(grey * np.exp((0.30 - 0.22 * bright) * np.array([1.0, 0.0, -1.4])), 0, 255)


def test_a_photograph_in_colour_has_none(collins, landmarks):
    assert PhotoTone.of(collins.astype(np.float32), landmarks) is None


def test_a_face_before_a_wall_of_its_own_colour_has_none():
    landmarks = made_landmarks()
    assert PhotoTone.of(made_face(landmarks).astype(np.float32), landmarks) is None


def test_in_black_and_white_nothing_has_a_colour(grey, landmarks):
    tone = PhotoTone.of(np.repeat(grey, 3, -1), landmarks)
    green = np.tile([30.0, 160.0, 60.0], (4, 1))
    assert np.abs(tone.applied(green, LEVELS) - green.mean()).max() < 0.1


def test_a_sepia_tone_is_found_again_through_noise(grey, landmarks):
    toned = sepia(grey)
    noise = np.random.default_rng(0).normal(0, 6, toned.shape)
    tone = PhotoTone.of(np.clip(toned + noise, 0, 255).astype(np.float32), landmarks)
    level = sepia(LEVELS).mean(-1, keepdims=True)
    assert np.abs(tone.applied(sepia(LEVELS), level) - sepia(LEVELS)).max() < 3


def test_what_is_brighter_than_all_that_was_seen_has_the_tone_of_the_brightest(grey, landmarks):
    tone = PhotoTone.of(sepia(grey * 0.6).astype(np.float32), landmarks)
    (bright, brighter) = tone.applied(np.full((2, 3), 250.0), np.array([[tone.seen[1]], [250.0]]))
    assert tone.seen[1] < 160
    assert np.allclose(bright, brighter)


def test_what_is_mixed_with_something_has_the_tone_of_what_it_is(grey, landmarks):
    tone = PhotoTone.of(sepia(grey).astype(np.float32), landmarks)
    straight = np.full((1, 3), 120.0)
    whole, half = tone.applied(straight, straight[:, :1]), tone.applied(straight / 2, straight[:, :1])
    assert np.allclose(half, whole / 2)
