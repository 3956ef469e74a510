"""Hair that something in front of it cuts, on values."""

from __future__ import annotations

import cv2
import numpy as np
from faces_made import SIDE, made_landmarks

from durian.face import eye_distance
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL
from durian.layers.loose_ends import LENGTH, LOWER_LIP, MOST_GAP, _calm, _detached, hanging_ends, with_loose_ends
from durian.layers.skin import polygon
from durian.request import Attribute

LANDMARKS = made_landmarks()
UNIT = eye_distance(LANDMARKS)
SHOULDER = int(LANDMARKS[CHIN, 1] + 0.1 * UNIT)
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)
LEFT = int(LANDMARKS[FACE_OVAL, 0].min())
FACE = polygon(LANDMARKS[FACE_OVAL], (SIDE, SIDE)) > 0


def hair_until(row: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of straight strands beside the face, which end at a row, and how much of each pixel is hair."""
    hair = ((COLUMNS > LEFT - 0.5 * UNIT) & (COLUMNS < LEFT) & (ROWS > 40) & (row > ROWS)).astype(np.float32)
    strands = np.random.default_rng(3).uniform(60, 110, (1, SIDE, 1)).astype(np.float32)
    strands = np.repeat(np.repeat(strands, SIDE, 0), 3, 2)
    return np.where(hair[..., None] > 0, strands, np.float32(200)), hair


def body_from(row: int) -> np.ndarray:
    return (FACE | (row <= ROWS)).astype(np.float32)


def larger(attribute: Attribute, factor: float) -> Attribute:
    image, mask = (cv2.resize(part, None, fx=factor, fy=factor) for part in (attribute.image, attribute.mask))
    return Attribute(image, mask, LANDMARKS * np.float32(factor), attribute.name)


def test_hair_goes_on_over_a_shoulder_in_locks_of_different_lengths():
    image, hair = hair_until(SHOULDER)
    ends, source = hanging_ends(image, hair, body_from(SHOULDER - 2), LANDMARKS)
    assert (ends[hair > 0.5] == 0).all()
    assert (ends[FACE] == 0).all()
    middle = slice(int(LEFT - 0.4 * UNIT), int(LEFT - 0.1 * UNIT))
    lengths = (ends[SHOULDER:, middle] > 0.5).sum(0) / UNIT
    assert lengths.min() > LENGTH[0] - 0.05
    assert lengths.max() < LENGTH[1] + 0.05
    assert np.ptp(lengths) > 0.1
    there = ends > 0.5
    x, y = source[there].T
    assert (hair[y.round().astype(int), x.round().astype(int)] > 0.5).mean() > 0.95
    assert np.abs(x - COLUMNS[there]).mean() < 2, "straight strands go on straight"


def test_hair_ends_by_itself_over_the_background_and_above_ears_and_eyes():
    image, hair = hair_until(SHOULDER)
    assert not hanging_ends(image, hair, FACE.astype(np.float32), LANDMARKS)[0].any()
    eyes = int(LANDMARKS[168, 1])
    assert not hanging_ends(*hair_until(eyes - 6), body_from(eyes - 8), LANDMARKS)[0].any()
    image, hair = hair_until(int(LANDMARKS[1, 1]))
    ear = Head(LANDMARKS).skull_distance(np.stack([COLUMNS, ROWS], -1)) < 1.1
    assert (hair[ear] > 0).sum() > 50
    assert not hanging_ends(image, hair * ear, body_from(int(LANDMARKS[1, 1])), LANDMARKS)[0].any()


def test_long_hair_beside_the_head_goes_on_over_a_hand_above_the_mouth_and_short_hair_does_not():
    cheek = int(LANDMARKS[1, 1])
    image, hair = hair_until(cheek)
    body = body_from(cheek - 2)
    assert not hanging_ends(image, hair, body, LANDMARKS)[0].any()
    other_side = np.maximum(hair, hair_until(SHOULDER)[1][:, ::-1])
    ends, _ = hanging_ends(image, other_side, body, LANDMARKS)
    far = slice(int(LEFT - 0.45 * UNIT), int(LEFT - 0.25 * UNIT))
    assert ((ends[cheek:, far] > 0.5).sum(0) / UNIT).min() > LENGTH[0] - 0.05


def test_what_is_held_before_hair_is_bridged():
    image, hair = hair_until(SIDE)
    lip = LANDMARKS[LOWER_LIP, 1] + 4
    held = (lip < ROWS) & (lip + 0.8 * MOST_GAP * UNIT > ROWS)
    hair = hair * ~held
    ends, _ = hanging_ends(image, hair, (FACE | held).astype(np.float32), LANDMARKS)
    inside = held & (COLUMNS > LEFT - 0.4 * UNIT) & (COLUMNS < LEFT - 0.1 * UNIT)
    inside &= cv2.erode(held.astype(np.uint8), np.ones((5, 5))) > 0
    assert ends[inside].min() > 0.9


def test_a_part_below_a_wide_gap_is_left_out_and_one_beside_the_face_stays():
    _, hair = hair_until(SHOULDER)
    beside = (COLUMNS > SIDE - LEFT + 4) & (COLUMNS < SIDE - LEFT + 12) & (np.abs(ROWS - LANDMARKS[1, 1]) < 10)
    below = (np.abs(COLUMNS - LEFT) < 8) & (ROWS > SHOULDER + 20) & (ROWS < SHOULDER + 40)
    assert np.array_equal(_detached((hair > 0) | beside | below, LANDMARKS), below)


def test_nothing_of_a_soft_edge_stays_of_a_part_that_is_left_out():
    image, hair = hair_until(SHOULDER - 30)
    below = (np.abs(COLUMNS - LEFT) < 8) & (ROWS > SIDE - 22) & (ROWS < SIDE - 8)
    mask = cv2.GaussianBlur(255 * np.maximum(hair, below).astype(np.float32), (0, 0), 1.5)
    attribute = Attribute(image.astype(np.uint8), mask.astype(np.uint8), LANDMARKS, "hair")
    attribute = larger(attribute, 2.4)
    below = cv2.resize(below.astype(np.uint8), attribute.mask.shape[::-1]) > 0
    around = cv2.dilate(below.astype(np.uint8), np.ones((13, 13))) > 0
    assert (attribute.mask[around & ~below] > 0).sum() > 50
    assert not with_loose_ends(attribute).mask[around].any()


def test_beside_what_goes_on_the_picture_is_plain_and_the_face_its_own():
    _, hair = hair_until(SHOULDER)
    dots = np.where((ROWS.astype(int) // 3 + COLUMNS.astype(int) // 3)[..., None] % 2 > 0, 250, 20) * np.ones(3)
    attribute = Attribute(dots.astype(np.uint8), (255 * hair).astype(np.uint8), LANDMARKS, "hair")
    share = ((hair == 0) & (np.abs(COLUMNS - LEFT) < 6) & (np.abs(ROWS - SHOULDER) < 6)).astype(np.float32)
    made = _calm(attribute, share, UNIT)
    assert np.array_equal(made[FACE | (hair > 0)], attribute.image[FACE | (hair > 0)])
    beside = (cv2.dilate(share, np.ones((9, 9))) > 0) & ~FACE & (cv2.dilate(hair, np.ones((9, 9))) == 0)
    assert beside.sum() > 20
    assert made[beside].std() < 0.5 * dots[beside].std()


def test_curls_end_by_themselves():
    image, hair = hair_until(SHOULDER)
    period = 0.25 * UNIT
    curls = 85 + 25 * np.sin(2 * np.pi * COLUMNS / period) * np.sin(2 * np.pi * ROWS / period)
    image = np.where(hair[..., None] > 0, curls[..., None], image).astype(np.float32)
    below = slice(int(LEFT - 0.4 * UNIT), int(LEFT - 0.1 * UNIT))
    ends = hanging_ends(image, hair, body_from(SHOULDER - 2), LANDMARKS)[0]
    assert (ends[SHOULDER:, below] > 0.5).mean() < 0.002
