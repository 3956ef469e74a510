"""Hair one side of which something covers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_layers_turned import without_roll
from test_layers_turned_hair import BEHIND, LEFT, RIGHT

from durian.face import require_face
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN
from durian.layers import covered_hair
from durian.layers.covered_hair import covered_side, uncovered
from durian.request import Attribute


@pytest.fixture(scope="module")
def hair(collins) -> Attribute:
    """Long hair on both sides, 0.35 face widths wide, red on the left and blue on the right."""
    landmarks = without_roll(require_face(collins).landmarks)
    head, (height, width) = Head(landmarks), collins.shape[:2]
    away = (np.arange(width) - head.centre[0]) / head.width
    rows = np.arange(height)
    there = (np.abs(away) > 0.45) & (np.abs(away) < 0.8)
    there = there[None] & ((rows > landmarks[10, 1]) & (rows < landmarks[CHIN, 1] + 0.4 * head.width))[:, None]
    there |= (np.hypot(*np.meshgrid(away, (rows - landmarks[10, 1]) / head.width)) < 0.8) & (rows <= landmarks[10, 1])[
        :, None
    ]
    image = np.where(there[..., None], np.where(away[None, :, None] < 0, LEFT, RIGHT), BEHIND)
    return Attribute(image.astype(np.uint8), np.uint8(255) * there, landmarks, "hair")


def without(hair: Attribute, side: int, top: float, bottom: float) -> Attribute:
    """The hair without a side between two heights below the eyes, in face widths."""
    head = Head(hair.face_landmarks)
    mask = hair.mask.copy()
    first, last = (int(hair.face_landmarks[168, 1] + part * head.width) for part in (top, bottom))
    columns = side * (np.arange(mask.shape[1]) - head.centre[0]) > 0
    mask[first:last, columns] = 0
    return replace(hair, image=np.where(mask[..., None] > 0, hair.image, np.uint8(BEHIND)), mask=mask)


def parts_with_hand(hair: Attribute, side: int, top: float) -> np.ndarray:
    """Shares of a picture that shows a hand from a height below the eyes on, in face widths."""
    head = Head(hair.face_landmarks)
    parts = np.zeros((*hair.mask.shape, 4), np.uint8)
    first = int(hair.face_landmarks[168, 1] + top * head.width)
    parts[first : first + int(0.3 * head.width), side * (np.arange(hair.mask.shape[1]) - head.centre[0]) > 0, 0] = 255
    return parts


@pytest.mark.parametrize("side", [-1, 1])
def test_a_side_with_a_gap_is_the_other_ones_mirror_image(hair, side):
    covered = without(hair, side, 0.15, 0.6)
    assert covered_side(covered, lambda: None) == side
    made = uncovered(covered)
    head = Head(hair.face_landmarks)
    row, column = int(hair.face_landmarks[168, 1] + 0.4 * head.width), int(head.centre[0] + side * 0.6 * head.width)
    assert covered.mask[row, column] == 0
    assert made.mask[row, column] == 255
    assert np.abs(made.image[row, column].astype(int) - (RIGHT if side < 0 else LEFT)).max() < 12
    # The side that is seen stays to the last pixel, and so does a crown.
    columns = -side * (np.arange(hair.mask.shape[1]) - head.centre[0]) > 0.1 * head.width
    assert (made.mask[:, columns] == covered.mask[:, columns]).all()
    assert (made.image[:, columns] == covered.image[:, columns]).all()
    crown = int(hair.face_landmarks[10, 1] - 0.5 * head.width)
    assert np.abs(made.mask[crown].astype(int) - covered.mask[crown]).mean() < 3


@pytest.mark.parametrize("side", [-1, 1])
def test_a_side_that_ends_at_a_hand_goes_on(hair, side):
    held = without(hair, side, 0.3, 3)
    assert covered_side(held, lambda: parts_with_hand(held, side, 0.3)) == side
    assert covered_side(held, lambda: parts_with_hand(held, -side, 0.3)) == 0
    assert covered_side(held, lambda: None) == 0  # it may be cut so


def test_hair_that_nothing_covers_stays_as_it_is(hair):
    assert uncovered(hair) is hair
    both = without(without(hair, -1, 0.15, 0.6), 1, 0.15, 0.6)
    assert covered_side(both, lambda: None) == 0  # ears
    lock = without(hair, -1, 0.05, 3)
    lock.mask[lock.mask.shape[0] * 3 // 4 :, ::40] = 255
    assert covered_side(lock, lambda: None) == 0  # single hairs below it
    hat = replace(without(hair, 1, 0.15, 0.6), name="hat")
    assert uncovered(hat) is hat


def test_hands_are_looked_for_only_where_one_may_be(hair, monkeypatch):
    looked: list[np.ndarray] = []
    monkeypatch.setattr(covered_hair, "body_parts", lambda image, landmarks: looked.append(image))
    other = replace(hair, image=hair.image + np.uint8(1))  # nobody has asked for it yet
    assert uncovered(other) is other
    assert not looked
    uncovered(without(other, 1, 0.3, 3))
    assert len(looked) == 1
