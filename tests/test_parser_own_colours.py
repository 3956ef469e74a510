"""Shares of classes, corrected by the colours that each has in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from durian.segmentation.parser.classes import BACKGROUND, BEARD, CLASSES, CLOTHES, GLASSES, HAIR, LIPS, SKIN
from durian.segmentation.parser.islands import without_unseen
from durian.segmentation.parser.own_colours import by_own_colours

SIDE, UNIT, EYES = 160, 20.0, np.array([80.0, 50.0])
BLACK, FUR, TAN, GREEN = (20, 18, 22), (225, 222, 215), (200, 150, 120), (60, 120, 60)
INSIDE = np.ones((SIDE, SIDE), bool)


@pytest.fixture
def seen() -> tuple[np.ndarray, np.ndarray]:
    """Black hair around a face, white fur below, grass behind, and a network that is sure of all of it."""
    picture = np.full((SIDE, SIDE, 3), GREEN, np.uint8)
    shares = np.full((SIDE, SIDE, len(CLASSES)), 0.01, np.float32)
    shares[..., BACKGROUND] = 0.92
    for number, colour, rows, columns in (
        (HAIR, BLACK, slice(20, 100), slice(50, 110)),
        (SKIN, TAN, slice(35, 75), slice(65, 95)),
        (CLOTHES, FUR, slice(100, SIDE), slice(30, 130)),
    ):
        picture[rows, columns] = colour
        _set(shares, rows, columns, {number: 0.92})
    noise = np.random.default_rng(0).integers(-6, 7, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8), shares


def _set(shares: np.ndarray, rows: slice, columns: slice, values: dict[int, float]) -> None:
    rest = (1 - sum(values.values())) / (len(CLASSES) - len(values))
    shares[rows, columns] = rest
    for number, value in values.items():
        shares[rows, columns, number] = value


def test_fur_that_was_half_taken_for_hair_is_clothes(seen):
    picture, shares = seen
    patch = (slice(120, 150), slice(60, 100))
    _set(shares, *patch, {HAIR: 0.6, CLOTHES: 0.35})
    corrected = by_own_colours(picture, INSIDE, shares, EYES, UNIT)
    assert corrected[patch][..., CLOTHES].min() > 0.9
    np.testing.assert_allclose(corrected.sum(axis=-1), 1, atol=1e-5)


def test_a_lock_that_was_half_taken_for_clothes_is_hair(seen):
    picture, shares = seen
    patch = (slice(102, 140), slice(52, 60))
    picture[patch] = BLACK
    _set(shares, *patch, {HAIR: 0.3, CLOTHES: 0.6})
    corrected = by_own_colours(picture, INSIDE, shares, EYES, UNIT)
    assert np.median(corrected[patch][..., HAIR]) > 0.9


def test_what_looks_like_its_class_stays(seen):
    picture, shares = seen
    corrected = by_own_colours(picture, INSIDE, shares, EYES, UNIT)
    away_from_edges = np.zeros((SIDE, SIDE), bool)
    away_from_edges[24:32, 54:106] = away_from_edges[110:150, 40:120] = True
    assert (corrected.argmax(-1) == shares.argmax(-1))[away_from_edges].all()


def test_the_colours_of_hair_come_from_near_the_face(seen):
    """A network that is sure that fur on shoulders is hair does not make white a colour of hair."""
    picture, shares = seen
    patch = (slice(125, 155), slice(35, 125))
    _set(shares, *patch, {HAIR: 0.75, CLOTHES: 0.2})
    assert (shares[..., HAIR] > 0.7).sum() > 5000
    corrected = by_own_colours(picture, INSIDE, shares, EYES, UNIT)
    assert corrected[patch][..., HAIR].max() < 0.1


def test_the_picture_s_mirror_image_tells_nothing(seen):
    """Beyond the picture the window shows it mirrored, and the network's shares there are background's."""
    picture, shares = seen
    picture[:, 110:] = BLACK
    _set(shares, slice(None), slice(110, None), {BACKGROUND: 0.92})
    inside = INSIDE.copy()
    inside[:, 110:] = False
    patch = (slice(80, 98), slice(52, 62))
    _set(shares, *patch, {HAIR: 0.5, BACKGROUND: 0.45})
    assert by_own_colours(picture, inside, shares, EYES, UNIT)[patch][..., HAIR].min() > 0.9
    assert by_own_colours(picture, INSIDE, shares, EYES, UNIT)[patch][..., HAIR].max() < 0.8


def test_nothing_changes_where_nothing_is_sure(seen):
    picture, shares = seen
    unsure = np.full_like(shares, 1 / len(CLASSES))
    np.testing.assert_array_equal(by_own_colours(picture, INSIDE, unsure, EYES, UNIT), unsure)


def test_what_too_little_is_sure_of_keeps_its_share(seen):
    """A faint beard and rimless glasses on skin: nothing says which colours they have here."""
    picture, shares = seen
    beard, glasses = (slice(62, 74), slice(70, 90)), (slice(44, 48), slice(68, 92))
    _set(shares, *beard, {BEARD: 0.45, SKIN: 0.5})
    _set(shares, *glasses, {GLASSES: 0.5, SKIN: 0.45})
    before = shares.copy()
    corrected = by_own_colours(picture, INSIDE, shares, EYES, UNIT)
    np.testing.assert_allclose(corrected[beard][..., BEARD], before[beard][..., BEARD], atol=1e-5)
    np.testing.assert_allclose(corrected[glasses][..., GLASSES], before[glasses][..., GLASSES], atol=1e-5)
    np.testing.assert_array_equal(shares, before)


def test_dyed_ends_that_are_surely_hair_stay_hair(seen):
    """Fair ends on both shoulders, in a colour that nothing else has here, and on one in the colour of skin."""
    picture, shares = seen
    fair, tan = (slice(104, 150), slice(32, 56)), (slice(104, 150), slice(104, 128))
    picture[fair], picture[tan] = (210, 190, 90), TAN
    for ends in (fair, tan):
        _set(shares, *ends, {HAIR: 0.99})
    corrected = by_own_colours(picture, INSIDE, shares, EYES, UNIT)
    inner = slice(108, 146)
    assert corrected[inner, 36:52, HAIR].min() > 0.9
    assert np.median(corrected[inner, 108:124, HAIR]) > 0.5


def test_lips_are_as_likely_as_skin_where_both_have_one_colour(seen):
    picture, shares = seen
    _set(shares, slice(66, 70), slice(74, 86), {LIPS: 0.6, SKIN: 0.3})
    corrected = by_own_colours(picture, INSIDE, shares, EYES, UNIT)[66:70, 74:86]
    np.testing.assert_allclose(corrected[..., LIPS] / corrected[..., SKIN], 2, rtol=1e-3)


def test_grey_pictures_have_colours_too(seen):
    picture, shares = seen
    grey = np.repeat(picture.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    patch = (slice(120, 150), slice(60, 100))
    _set(shares, *patch, {HAIR: 0.6, CLOTHES: 0.35})
    assert by_own_colours(grey, INSIDE, shares, EYES, UNIT)[patch][..., CLOTHES].min() > 0.8


def test_a_part_that_only_colours_took_for_the_item_is_none():
    """A jacket as black as the hair goes; a lock that the network saw stays, and so does what hangs on it."""
    share, seen = np.zeros((60, 60), np.float32), np.zeros((60, 60), np.float32)
    share[5:25, 5:55] = seen[5:25, 5:55] = 0.9
    share[25:35, 5:12], seen[25:35, 5:12] = 0.9, 0.1
    share[40:55, 30:50], seen[40:55, 30:50] = 0.9, 0.2
    share[40:50, 5:10], seen[40:50, 5:10] = 0.6, 0.5
    found = without_unseen(share, seen, 0.4, 0.5)
    assert not found[38:, 28:].any()
    np.testing.assert_array_equal(found[:38], share[:38])
    np.testing.assert_array_equal(found[:, :28], share[:, :28])
    np.testing.assert_array_equal(without_unseen(share, seen, 0.4, 0.2), share)
    assert not without_unseen(np.zeros_like(share), seen, 0.4, 0.5).any()
