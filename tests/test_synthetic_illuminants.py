"""Random lights, the gap between two, reflections in eyes and lenses, and the shade inside mouths."""

from __future__ import annotations

import math
from dataclasses import replace

import numba
import numpy as np
import pytest

from durian.synthetic.base.person import Light
from durian.synthetic.render.lighting import BAR, PANE, surroundings, window_seen
from durian.synthetic.render.openings import NEVER_DARKER, shade_mouth
from durian.synthetic.render.shading_light import UPRIGHT, catch_light, fresnel
from durian.synthetic.scenes.illuminants import ILLUMINATIONS, LUMINANCE, black_body, light_gap, sample_light

PLAIN = Light()
AHEAD = (0.0, 0.0, 1.0)


def test_black_bodies_go_from_orange_over_white_to_blue():
    np.testing.assert_allclose(black_body(6500), 1, rtol=1e-6)
    # Standard illuminant A in linear sRGB.
    np.testing.assert_allclose(black_body(2856), [1.845, 0.826, 0.233], rtol=0.04)
    assert black_body(10000)[2] > 1.15 > 1 > black_body(10000)[0]


def test_sampled_lights_are_believable():
    lights = [sample_light(np.random.default_rng(seed)) for seed in range(300)]
    assert lights[7] == sample_light(np.random.default_rng(7))
    level = np.array([np.array(one.colour) @ LUMINANCE + one.ambient for one in lights])
    assert 1.1 < np.median(level) < 1.4
    assert np.quantile(level, [0.02, 0.98]) == pytest.approx([1.25 / 1.4, 1.25 * 1.4], rel=0.12)
    frontal = np.array([one.direction[2] for one in lights])
    assert (frontal > 0.1).all()
    below = np.array([one.direction[1] for one in lights])
    assert (below >= -1e-6).all()
    ratio = np.array([np.divide(*np.array(one.colour)[[0, 2]]) for one in lights])
    assert (np.abs(np.log2(ratio)) < 1).mean() > 0.85


def test_the_gap_between_lights_has_parts_that_can_be_told():
    assert light_gap(PLAIN, PLAIN).total == 0
    twice = replace(PLAIN, colour=tuple(2 * part for part in PLAIN.colour), ambient=2 * PLAIN.ambient)
    gap = light_gap(PLAIN, twice)
    assert gap.intensity == pytest.approx(1)
    assert gap.direction == gap.contrast == 0
    assert gap.colour == pytest.approx(0, abs=1e-9)
    turned = light_gap(replace(PLAIN, direction=(1.0, 0.0, 1.0)), replace(PLAIN, direction=(-2.0, 0.0, 2.0)))
    assert turned.direction == pytest.approx(90)
    assert turned.total == pytest.approx(2)
    even = replace(PLAIN, colour=(0.7, 0.7, 0.7))
    half = replace(even, ambient=0.25)
    assert light_gap(even, half).contrast == pytest.approx(1)
    warm = replace(even, colour=(1.4, 0.7, 0.7), ambient=0.0)
    assert light_gap(warm, replace(even, ambient=0.0)).colour == pytest.approx(1)
    assert light_gap(warm, half) == light_gap(half, warm)


def test_kinds_make_up_the_whole():
    assert sum(one.share for one in ILLUMINATIONS.values()) == pytest.approx(1)


@numba.njit
def glint(turn: float, lift: float, radius: float, blur: float) -> float:
    """Of a lamp straight ahead in a mirror that is turned to the right and upwards."""
    normal = (math.sin(turn), math.sin(lift), math.sqrt(1 - math.sin(turn) ** 2 - math.sin(lift) ** 2))
    return catch_light(normal, (0.0, 0.0, 1.0), (0.0, 0.0, 1.0), 0.03, radius, blur)


@numba.njit
def reflectance(cosine: float) -> float:
    return fresnel(cosine, 0.03)


def test_a_catch_light_is_an_upright_rectangle_as_bright_as_its_lamp():
    radius = 0.2
    whole = reflectance(1.0) * math.pi / (4 * UPRIGHT * radius**2)
    assert glint(0.0, 0.0, radius, 0.01) == pytest.approx(whole, rel=1e-5)
    # A mirror that is turned by an angle shows what lies at twice the angle.
    assert glint(0.09, 0.0, radius, 0.01) > 0.9 * whole
    assert glint(0.115, 0.0, radius, 0.01) == 0
    assert glint(0.0, 0.115, radius, 0.01) > 0.9 * whole
    assert glint(0.0, 0.15, radius, 0.01) == 0


def test_coarse_pixels_make_a_catch_light_dimmer_not_smaller_in_sum():
    turns = np.linspace(-0.6, 0.6, 241)
    sharp, blurred = ([glint(turn, 0.0, 0.1, blur) for turn in turns] for blur in (0.02, 0.4))
    # Blur is two-dimensional: what stays along one line is the share that the lamp's height has of a pixel.
    assert sum(blurred) == pytest.approx(sum(sharp) * 2 * UPRIGHT * 0.1 / 0.4, rel=0.08)
    assert max(blurred) < 0.5 * max(sharp)


@numba.njit
def pane(around, x: float, y: float) -> float:
    return window_seen(around, x, y, 1.0)


def test_glass_shows_a_window_of_four_panes():
    around = surroundings(PLAIN, 3)
    x, y = (float(part) for part in around.window)
    assert pane(around, x, y) == 0
    for across in (-1, 1):
        for up in (-1, 1):
            assert pane(around, x + across * (PANE[0] + BAR), y + up * (PANE[1] + BAR)) == 1
    assert pane(around, x + 0.3, y) == 0
    assert not np.array_equal(around.window, surroundings(PLAIN, 4).window)


def test_rims_have_their_colour():
    from durian.synthetic.render.lighting import rim_lamp

    np.testing.assert_allclose(rim_lamp(replace(PLAIN, rim=0.5, rim_colour=(1.0, 0.5, 0.2))).colour, [0.3, 0.15, 0.06])


def test_mouths_are_dark_and_red_inside():
    landmarks = np.zeros((68, 3))
    landmarks[[61, 62, 63], 1] = 0.5
    front, middle, deep = shade_mouth(np.array([[0, 0.2, 0.0], [0, 0.2, -1.5], [0, 0.2, -9.0]]), landmarks)
    assert front[1] > 0.9
    assert front[1] > middle[1] > deep[1] == pytest.approx(NEVER_DARKER)
    assert deep[0] > 1.5 * deep[2]
    closed = shade_mouth(np.array([[0, 0.0, -1.5]]), np.zeros((68, 3)))
    assert closed[0, 1] < middle[1]
