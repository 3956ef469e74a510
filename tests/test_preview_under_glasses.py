"""Hair under the glasses of its wearer."""

from __future__ import annotations

import cv2
import numpy as np

from durian.preview.sample import Sample
from durian.preview.under_glasses import without_glasses
from tests.faces_made import SIDE, SKIN, made_landmarks

HAIR, FRAME = (90, 60, 40), (10, 10, 160)


def made_sample(line: tuple[tuple[int, int], tuple[int, int]]) -> tuple[Sample, np.ndarray]:
    """Hair left of column 80, skin beside it, and a temple along a line over both, which a mask takes for hair."""
    image = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    image[:, :80] = HAIR
    glasses = np.zeros((SIDE, SIDE), np.uint8)
    cv2.line(glasses, *line, 255, 5)
    image[glasses > 0] = FRAME
    alpha = (np.arange(SIDE) < 80)[None].repeat(SIDE, 0).astype(np.float32)
    alpha[(glasses > 0) & (np.arange(SIDE) < 110)] = 1
    to_texture = np.array([[1.0, 0, 0], [0, 1, 0]])
    return Sample(image.astype(np.float32), alpha, made_landmarks().astype(np.float32), to_texture), glasses


def test_no_piece_of_a_temple_comes_along_with_hair():
    sample, glasses = made_sample(((60, 100), (150, 110)))
    image, alpha, never = without_glasses(sample, glasses)
    beside = (glasses > 0) & (np.arange(SIDE) > 86)
    assert sample.alpha[beside].max() == 1
    assert alpha[beside].max() == 0
    assert never[beside].all()
    assert np.abs(image[glasses > 0] - FRAME).max(-1).min() > 40


def test_hair_goes_on_under_a_temple():
    sample, glasses = made_sample(((20, 100), (60, 104)))
    sample.alpha[glasses > 0] = 0
    image, alpha, never = without_glasses(sample, glasses)
    assert alpha[glasses > 0].min() == 1
    assert not never[glasses > 0].any()
    assert np.abs(image[glasses > 0] - HAIR).max() < 8
    assert np.array_equal(image[150:], sample.image[150:])
    assert np.array_equal(alpha[150:], sample.alpha[150:])


def test_who_wears_no_glasses_keeps_every_pixel():
    sample, glasses = made_sample(((60, 100), (150, 110)))
    image, alpha, never = without_glasses(sample, np.zeros_like(glasses))
    assert image is sample.image
    assert alpha is sample.alpha
    assert not never.any()


def test_under_a_lens_over_both_hair_and_skin_have_their_own_colours():
    sample, glasses = made_sample(((60, 100), (150, 110)))
    cv2.circle(glasses, (80, 104), 24, 255, -1)
    sample.image[glasses > 0] = FRAME
    image, alpha, _ = without_glasses(sample, glasses)
    for share, colour in ((1, HAIR), (0, SKIN)):
        whole = (glasses > 0) & (alpha == share)
        assert whole.sum() > 50
        assert np.abs(image[whole] - colour).max() < 6
