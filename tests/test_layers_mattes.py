"""Mattes, trimaps and a layer's own colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from strands_made import HAIR, SIDE, UNIT, over, plain, rough_mask, strands_matte, two_tones

from durian.layers.colours import (
    SMOOTHNESS,
    SMOOTHNESS_AT_EDGES,
    _jacobi_step,
    foreground_colours,
    layer_colours,
)
from durian.layers.mattes import soft_matte, without_haze
from durian.layers.trimap import BANDS, IN, OUT, UNKNOWN, trimap

BACKGROUNDS = {"sky": plain((190, 210, 240)), "door": two_tones((60, 140, 70), (235, 225, 205))}


@pytest.fixture(scope="module")
def strands() -> np.ndarray:
    return strands_matte()


@pytest.mark.parametrize("kind", BANDS)
def test_a_matte_is_its_trimap_outside_the_band(strands, kind):
    image, mask = over(strands, HAIR, BACKGROUNDS["sky"]), rough_mask(strands)
    known, alpha = trimap(mask, UNIT, kind, image), soft_matte(image, mask, UNIT, kind)
    assert (known == UNKNOWN).any()
    np.testing.assert_array_equal(alpha[known == IN], 1)
    np.testing.assert_array_equal(alpha[known == OUT], 0)
    assert alpha.dtype == np.float32
    assert 0 <= alpha.min() <= alpha.max() <= 1


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_strands_beyond_a_mask_are_found(strands, name):
    image, mask = over(strands, HAIR, BACKGROUNDS[name]), rough_mask(strands)
    alpha = soft_matte(image, mask, UNIT, "hair")
    loose = (mask == 0) & (strands > 0)
    assert np.abs(alpha - strands)[loose].mean() < 0.1
    assert np.abs(alpha - strands).sum() < 0.3 * np.abs(mask - strands).sum()


def test_a_matte_is_the_same_over_two_backgrounds(strands):
    mask = rough_mask(strands)
    first, second = (soft_matte(over(strands, HAIR, behind), mask, UNIT, "hair") for behind in BACKGROUNDS.values())
    assert np.abs(first - second)[(first > 0) | (second > 0)].mean() < 0.03


def test_a_highlight_does_not_break_a_hat():
    """A highlight on the crown as bright as the wall, where a parser is unsure."""
    hat = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(hat, (128, 128), 70, 1.0, -1)
    image = over(hat, (60, 30, 30), plain((235, 235, 235)))
    cv2.circle(image, (120, 110), 12, (235, 235, 235), -1)
    share = hat.copy()
    cv2.circle(share, (120, 110), 12, 0.4, -1)
    alpha = soft_matte(image, share, UNIT, "hat")
    inside = cv2.erode(hat, np.ones((3, 3))) > 0
    assert alpha[inside].min() > 0.98


@pytest.mark.parametrize("radius", [14, 60])
def test_the_opening_of_a_cap_or_a_scarf_stays_open(radius):
    scarf = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(scarf, (128, 128), 100, 1.0, -1)
    cv2.circle(scarf, (128, 128), radius, 0.0, -1)
    image = over(scarf, (60, 30, 90), plain((220, 180, 160)))
    assert soft_matte(image, scarf, UNIT, "hat")[128, 128] == 0


def test_no_island_is_left():
    """A thing of the hair's colour near the hair, which the mask knows nothing of."""
    hair = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(hair, (128, 128), 60, 1.0, -1)
    image = over(hair, HAIR, plain((200, 215, 240)))
    image[126:130, 195:199] = HAIR
    assert soft_matte(image, hair, UNIT, "hair")[120:136, 192:202].max() == 0


def test_where_an_item_surely_is_not_none_is_found(strands):
    image, mask = over(strands, HAIR, BACKGROUNDS["sky"]), rough_mask(strands)
    barred = np.zeros(mask.shape, bool)
    barred[:, :70] = True
    assert soft_matte(image, mask, UNIT, "hair")[:, :70].max() > 0.5
    assert soft_matte(image, mask, UNIT, "hair", barred)[:, :70].max() == 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_of_nothing_or_everything_stays(value):
    share = np.full((40, 50), value, np.float32)
    np.testing.assert_array_equal(soft_matte(np.full((40, 50, 3), 99, np.uint8), share, 20.0, "hair"), share)


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_layer_keeps_nothing_of_what_lay_behind(strands, name):
    image = over(strands, HAIR, BACKGROUNDS[name])
    item = foreground_colours(image, strands)
    assert np.percentile(np.abs(item - HAIR)[strands > 0.1], 99) < 10
    # Beyond the soft edge its colours go on.
    assert np.abs(item - HAIR)[strands == 0].mean() < 12


def test_what_lies_behind_keeps_nothing_of_the_layer(strands):
    behind = layer_colours(over(strands, HAIR, BACKGROUNDS["sky"]), strands)[1]
    assert np.abs(behind - BACKGROUNDS["sky"])[strands < 0.9].max() < 16


@pytest.mark.parametrize("seed", range(3))
def test_both_layers_make_the_photograph_again(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (61, 47, 3), np.uint8)
    alpha = np.clip(rng.normal(0.5, 0.6, (61, 47)), 0, 1).astype(np.float32)
    item, behind = layer_colours(image, alpha)
    again = alpha[..., None] * item + (1 - alpha[..., None]) * behind
    assert np.abs(again - image).max() < 0.5
    assert min(item.min(), behind.min()) >= 0
    assert max(item.max(), behind.max()) <= 255


def test_a_step_towards_the_colours_solves_each_pixels_equations():
    rng = np.random.default_rng(1)
    picture, item, behind = rng.uniform(0, 1, (3, 9, 7, 3)).astype(np.float32)
    alpha = rng.uniform(0, 1, (9, 7)).astype(np.float32)
    y, x = 4, 3
    around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    weights = [SMOOTHNESS + SMOOTHNESS_AT_EDGES * abs(alpha[at] - alpha[y, x]) for at in around]
    mix = np.array([alpha[y, x], 1 - alpha[y, x]])
    sides = [
        mix[k] * picture[y, x] + sum(w * c[at] for w, at in zip(weights, around)) for k, c in enumerate((item, behind))
    ]
    solved = np.linalg.solve(np.outer(mix, mix) + sum(weights) * np.eye(2), sides)
    stepped = _jacobi_step(picture, alpha, item, behind)
    assert np.allclose([side[y, x] for side in stepped], np.clip(solved, 0, 1), atol=1e-5)


def with_gaps(strands: np.ndarray, places: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Hair before the sky that shows in round gaps, and where those are ``(SIDE, SIDE) bool``."""
    gaps = np.zeros((SIDE, SIDE), np.uint8)
    for place in places:
        cv2.circle(gaps, place, 3, 1, -1)
    return over(strands * (1 - gaps), HAIR, BACKGROUNDS["sky"]), gaps > 0


def test_what_is_behind_shows_in_gaps_near_the_outline(strands):
    image, gaps = with_gaps(strands, [(SIDE // 2 + 48, SIDE // 2), (SIDE // 2 - 48, SIDE // 2 + 5)])
    solid = (strands > 0.99).astype(np.float32)
    alpha = soft_matte(image, solid, UNIT)
    assert alpha[gaps].mean() < 0.3
    near = cv2.dilate(gaps.astype(np.uint8), np.ones((9, 9))) > 0
    assert alpha[(solid > 0) & ~near].mean() > 0.97


def test_light_hair_among_dark_hair_is_no_gap(strands):
    rng = np.random.default_rng(0)
    spots = [tuple(int(v) for v in SIDE // 2 + rng.uniform(-38, 38, 2)) for _ in range(60)]
    image, light = with_gaps(strands, spots)
    middle = np.hypot(*(np.indices((SIDE, SIDE)) - SIDE // 2)) < 52
    alpha = soft_matte(image, (strands > 0.99).astype(np.float32), UNIT)
    np.testing.assert_array_equal(alpha[light & middle], 1)


def test_a_haze_goes_where_colours_tell_nothing_and_strands_and_edges_stay():
    alpha = np.zeros((60, 80), np.float32)
    alpha[:, :30] = 1
    alpha[:, 30:45] = 0.3
    alpha[10:12, 50:70] = 0.6
    alike = np.ones_like(alpha)
    clear = without_haze(alpha, alike, 80.0)
    assert clear[20:, 34:45].max() < 0.1
    np.testing.assert_array_equal(clear[:, :28], 1)
    np.testing.assert_allclose(clear[10:12, 52:68], 0.6, atol=1e-6)
    np.testing.assert_array_equal(without_haze(alpha, 0 * alike, 80.0), alpha)
