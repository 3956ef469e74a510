"""Hair beyond its picture's edges, on values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faces_made import SIDE, made_landmarks

from durian.face import eye_distance
from durian.layers.beyond_frame import LEAST, ROOM, SLANT, _beside, beyond_frame
from durian.request import Attribute

LANDMARKS = made_landmarks()
UNIT = eye_distance(LANDMARKS)
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
HAIR, WALL = (90, 60, 40), (200, 210, 220)


def worn(hair: np.ndarray) -> Attribute:
    image = np.where(hair[..., None], np.uint8(HAIR), np.uint8(WALL))
    return Attribute(image, np.where(hair, np.uint8(255), np.uint8(0)), LANDMARKS, "hair")


def test_hair_that_its_picture_shows_whole_is_left_as_it_is():
    whole = worn((ROWS > 20) & (ROWS < 200) & (COLUMNS > 20) & (COLUMNS < 60))
    assert beyond_frame(whole) is whole
    cut = worn(ROWS > 150)
    assert beyond_frame(replace(cut, name="hat")).image is cut.image


@pytest.mark.parametrize("flipped", [False, True])
def test_hair_leaves_its_picture_round(flipped: bool):
    hair = (ROWS > 60) & (ROWS < 200) & (COLUMNS < 50)
    made = beyond_frame(worn(hair[:, ::-1] if flipped else hair))
    room = round(float(made.landmarks[0, 0] - LANDMARKS[0, 0]))
    assert made.mask.shape == (SIDE + room, SIDE + 2 * room)
    assert np.allclose(made.landmarks - LANDMARKS, [room, 0, 0], atol=1e-3)
    inside = slice(room, room + SIDE)
    assert np.array_equal(made.mask[:SIDE, inside] > 127, hair[:, ::-1] if flipped else hair)
    beyond = (made.mask[:, ::-1] if flipped else made.mask)[:, :room] > 127
    depths = beyond.sum(1)
    assert depths[[62, 197]].max() < 0.5 * depths[100:160].mean()
    assert depths[100:160].min() > 0.9 * LEAST * ROOM * UNIT
    assert depths.max() <= ROOM * UNIT + 1
    assert not made.mask[-1].any()
    shown = (made.image[:, ::-1] if flipped else made.image)[:, :room][beyond]
    assert np.abs(shown.astype(int) - HAIR).mean() < 25


def test_hair_goes_on_below_in_locks_of_different_lengths_and_without_a_line():
    attribute = worn((COLUMNS > 20) & (COLUMNS < 120) & (ROWS > 60))
    soft = attribute.mask.copy()
    soft[-2:] //= 2
    soft[-2:] += 40
    made = beyond_frame(replace(attribute, mask=np.where(attribute.mask > 0, soft, 0).astype(np.uint8)))
    room = round(float(made.landmarks[0, 0] - LANDMARKS[0, 0]))
    columns = made.mask[:, room + 40 : room + 100] > 127
    lengths = columns[SIDE:].sum(0)
    assert lengths.min() > 0.8 * LEAST * ROOM * UNIT
    assert np.ptp(lengths) > 0.1 * UNIT
    assert made.mask[SIDE - 3 : SIDE + 2, room + 40 : room + 100].min() > 240
    assert np.abs(made.image[SIDE - 3 : SIDE + 2, room + 40 : room + 100].astype(int) - HAIR).max() < 5


def test_no_more_goes_on_than_is_seen_beside_the_edge():
    made = beyond_frame(worn((COLUMNS < 8) & (ROWS > 60)))
    room = round(float(made.landmarks[0, 0] - LANDMARKS[0, 0]))
    assert (made.mask[:SIDE, :room] > 127).sum(1).max() <= 8


def test_beyond_a_side_hair_is_no_mirror_image():
    image = np.random.default_rng(2).uniform(0, 255, (60, 60, 3)).astype(np.float32)
    mask = np.full((60, 60), 255, np.uint8)
    y, x = np.mgrid[:60, -20:60].astype(np.float32)
    found = _beside(image, mask, x, y)
    assert np.array_equal(found[:, 20:], image)
    assert np.allclose(found[:59, 19], (1 - SLANT) * image[:59, 1] + SLANT * image[1:, 1], atol=3)
    assert np.abs(found[:40, :20] - image[:40, 20:0:-1]).mean() > 20
