"""Plain shapes of lenses."""

from __future__ import annotations

import numpy as np
import pytest

from durian.layers.lens_shapes import plain_radii

ANGLES = np.arange(180) * (2 * np.pi / 180)


def superellipse(exponent: float) -> np.ndarray:
    cos, sin = np.abs(np.cos(ANGLES)) / 0.3, np.abs(np.sin(ANGLES)) / 0.22
    return (cos**exponent + sin**exponent) ** (-1 / exponent)


@pytest.mark.parametrize("exponent", [2.0, 4.5])
def test_a_lens_keeps_its_shape_whatever_a_mask_adds_and_leaves_out(exponent):
    radii, believed = superellipse(exponent), [np.ones(180)]
    assert np.abs(plain_radii([radii], believed, 0.62) - radii).max() < 0.015
    faulty = radii.copy()
    faulty[120:140] += 0.12
    faulty[30:42] -= 0.08
    alone = np.abs(plain_radii([faulty], believed, 0.62) - radii)
    assert alone.max() < 0.07
    with_other = np.abs(plain_radii([faulty, radii], 2 * believed, 0.62) - radii)
    assert with_other.max() < 0.045
    assert with_other.mean() < alone.mean()


def test_what_is_not_believed_does_not_pull():
    radii, weight = superellipse(2.4), np.ones(180)
    brow = np.sin(ANGLES) < -0.5
    faulty = np.where(brow, 1.3 * radii, radii)
    weight[brow] = 0
    assert np.abs(plain_radii([faulty], [weight], 0.62) - radii)[~brow].max() < 0.002
    assert np.abs(plain_radii([faulty], [weight], 0.62) - radii).max() < 0.6 * (faulty - radii).max()
