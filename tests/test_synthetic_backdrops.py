"""Backdrops: the same at any size, lit by the light they are given, behind people in the studio."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from durian.synthetic.backdrops.backdrops import KINDS, backdrop
from durian.synthetic.backdrops.painting import Backdrop, defocused, disc_kernel, fractal
from durian.synthetic.base.person import Light, View
from durian.synthetic.render.tone import develop

PLAIN = Light()


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_the_same_picture_at_any_size(kind):
    large, small = backdrop(4, PLAIN, 192, kind), backdrop(4, PLAIN, 96, kind)
    assert np.array_equal(small, backdrop(4, PLAIN, 96, kind))
    reduced = cv2.resize(large, (96, 96), interpolation=cv2.INTER_AREA)
    gap = np.abs(develop(reduced) - develop(small))
    other = np.abs(develop(backdrop(5, PLAIN, 96, kind)) - develop(small))
    assert gap.mean() < 0.02
    assert gap.mean() < other.mean() / 3
    assert small.min() >= 0


def test_threads_change_nothing():
    before = cv2.getNumThreads()
    try:
        pictures = []
        for threads in (1, 2):
            cv2.setNumThreads(threads)
            pictures.append([backdrop(seed, PLAIN, 128) for seed in range(12)])
    finally:
        cv2.setNumThreads(before)
    assert np.array_equal(*pictures)


def test_kinds_make_up_the_whole():
    assert sum(kind.share for kind in KINDS.values()) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["brick", "room", "leaves"])
def test_light_twice_as_strong_makes_the_backdrop_twice_as_bright(kind):
    twice = replace(PLAIN, colour=tuple(2 * part for part in PLAIN.colour), ambient=2 * PLAIN.ambient)
    dim, bright = (backdrop(2, light, 64, kind) for light in (PLAIN, twice))
    unclipped = bright < 3
    assert unclipped.mean() > 0.8
    np.testing.assert_allclose(bright[unclipped], 2 * dim[unclipped], rtol=0.02, atol=0.02)


def test_the_side_of_the_key_light_is_brighter():
    left, right = (replace(PLAIN, direction=(side, 0.3, 0.6)) for side in (-0.9, 0.9))
    brighter = backdrop(3, right, 64, "plaster") / backdrop(3, left, 64, "plaster")
    assert brighter[:, -8:].mean() > 1.1
    assert brighter[:, :8].mean() < 0.95


def test_a_disc_spreads_a_point_evenly_and_loses_nothing():
    kernel = disc_kernel(6.0)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    middle = len(kernel) // 2
    assert kernel[middle, middle + 4] == kernel[middle, middle] == pytest.approx(1 / (np.pi * 36), rel=0.03)
    assert kernel[middle, middle + 7] == 0
    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 1
    np.testing.assert_allclose(defocused(point, 6.0).sum(axis=(0, 1)), 1, rtol=1e-4)


def test_noise_is_of_unit_strength_and_the_same_at_any_size():
    large, small = (fractal(np.random.default_rng(3), side, 12) for side in (256, 64))
    assert abs(large.mean()) < 0.2
    assert large.std() == pytest.approx(1, abs=0.15)
    reduced = cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(reduced.ravel(), small.ravel())[0, 1] > 0.97


def test_a_spark_is_as_bright_as_it_says_once_blurred():
    scene, radius = Backdrop.blank(80), 0.1
    scene.sparks(np.array([[0.5, 0.5]]), np.array([[0.7, 0.2, 0.1]]), radius)
    blurred = defocused(scene.glow, radius * 80)
    np.testing.assert_allclose(blurred[42, 38], [0.7, 0.2, 0.1], rtol=0.03)
    assert blurred[0, 0].max() < 1e-6


@pytest.mark.slow
def test_the_studio_shows_the_views_backdrop_and_keeps_masks(head_model):
    from durian.synthetic.base.person import Person
    from durian.synthetic.studio.studio import Studio

    studio, view = Studio(head_model), View(background=3)
    first, other = (studio.render(Person(), replace(view, background=seed), 64) for seed in (3, 4))
    assert np.array_equal(first.classes, other.classes)
    empty = first.depth == 0
    assert np.abs(first.rgb[empty].astype(int) - other.rgb[empty]).mean() > 10
    expected = 255 * develop(backdrop(3, view.light, 64)) + 0.5
    assert np.array_equal(first.rgb[:6, :6], expected.astype(np.uint8)[:6, :6])
