"""Smooth outlines of hats."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from strands_made import SIDE, UNIT

from durian.geometry.mesh import FACE_OVAL
from durian.layers.hat_outline import REACH, smooth_outline
from durian.preview.light import cut_out
from durian.request import Attribute

MIDDLE, RADIUS = 128, 70


def disc(radius: float) -> np.ndarray:
    """``(SIDE, SIDE) float32``: a round hat."""
    y, x = np.mgrid[:SIDE, :SIDE] - MIDDLE
    return np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)


def radii(alpha: np.ndarray) -> np.ndarray:
    """How far from its middle a round hat's outline is, pixels."""
    outline, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.linalg.norm(np.concatenate(outline)[:, 0] - MIDDLE, axis=1)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """``(478, 3)``: landmarks whose oval lies in the lower half of the round hat."""
    landmarks = np.zeros((478, 3), np.float32)
    angles = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    landmarks[FACE_OVAL, :2] = MIDDLE + np.stack([45 * np.cos(angles), 40 + 45 * np.sin(angles)], 1)
    return landmarks


def test_a_ragged_matte_gets_a_smooth_outline():
    noise = np.random.default_rng(0).standard_normal((SIDE, SIDE)).astype(np.float32)
    ragged = (disc(RADIUS) > 0.5) ^ ((cv2.GaussianBlur(noise, (0, 0), 1.5) > 0.15) & (np.abs(disc(73) - disc(67)) > 0))
    assert np.ptp(radii(ragged.astype(np.float32))) > 5
    smooth = smooth_outline(ragged.astype(np.float32), disc(RADIUS), UNIT, None)
    assert np.ptp(radii(smooth)) < 2.6
    assert np.abs(radii(smooth) - RADIUS).max() < 2.5


@pytest.mark.parametrize("off", [-2, 2])
def test_a_mask_that_is_off_is_moved_to_the_mattes_edge(off):
    assert abs(off) < REACH * UNIT
    smooth = smooth_outline(disc(RADIUS), disc(RADIUS + off), UNIT, None)
    assert abs(np.median(radii(smooth)) - RADIUS) < 1
    np.testing.assert_allclose(smooth.sum(), disc(RADIUS).sum(), rtol=0.02)


def test_a_low_bump_goes_and_a_high_brim_stays(face):
    whole = disc(RADIUS)
    whole[55:61, 122:134] = 1  # 5 pixels above the crown, 0.08 of UNIT
    whole[150:170, 190:240] = 1  # a brim to the right
    smooth = smooth_outline(whole, whole, UNIT, face)
    assert smooth[54, MIDDLE] < 0.2
    assert smooth[56, MIDDLE] < 0.5 < smooth[61, MIDDLE]
    assert smooth[155:165, 200:235].min() > 0.9


def test_an_outline_at_the_edge_of_its_picture_stays_cut(face):
    whole = np.roll(disc(RADIUS), 100, axis=1)
    whole[:, :100] = 0
    smooth = smooth_outline(whole, whole, UNIT, face)
    np.testing.assert_array_equal(smooth[100:150, -1], 1)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_and_everything_stay(value):
    same = np.full((SIDE, SIDE), value, np.float32)
    np.testing.assert_array_equal(smooth_outline(same, same, UNIT, None), same)


def test_a_hat_before_rocks_has_nothing_of_them():
    """Rocks of which many are as dark as the hat."""
    noise = cv2.GaussianBlur(np.random.default_rng(1).standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), 2)
    rocks = np.where(noise[..., None] > 0, (220, 210, 190), (50, 45, 45))
    image = np.where(disc(RADIUS)[..., None] > 0.5, (45, 40, 45), rocks).astype(np.uint8)
    mask = (255 * (disc(RADIUS + 2) > 0.5)).astype(np.uint8)
    straight, sample = cut_out(Attribute(image, mask, None, "hat"), 1.0)
    alpha = straight[..., 3] / 255
    outline, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    assert len(outline) == 1
    place = sample.to_texture[:, :2] @ [MIDDLE, MIDDLE] + sample.to_texture[:, 2]
    far = np.linalg.norm(outline[0][:, 0] - place, axis=1)
    assert np.ptp(far) < 3
    shown = straight[..., :3][alpha > 0.5]
    assert (shown.max(axis=1) > 130).mean() < 0.01
