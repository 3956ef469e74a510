"""Locks before skin that a mask of hair missed, on values."""

from __future__ import annotations

import numpy as np
import pytest
from faces_made import SIDE, SKIN, UNIT, made_landmarks, made_portrait

from durian.geometry.mesh import BROWS, FACE_OVAL
from durian.layers.locks_on_skin import forehead, locks_on_skin
from durian.layers.skin import polygon
from durian.preview.taken_off import taken_off
from durian.request import AnimationRequest, RenderOptions
from durian.scene import prepare_scene

LANDMARKS = made_landmarks()
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
TOP, BROW = int(LANDMARKS[10, 1]), int(LANDMARKS[BROWS[0], 1].min())
MIDDLE = int(LANDMARKS[10, 0])
EDGE = TOP + 2
"""Row down to which the mask says that there is hair."""
HAIR = (40, 28, 20)
FOREHEAD = forehead(LANDMARKS, (SIDE, SIDE))
LOCK = (np.abs(COLUMNS - MIDDLE) < 2) & (ROWS >= EDGE) & (ROWS < BROW - 8)
assert BROW - EDGE > 14


def fringed(tone: tuple[int, int, int], marks: np.ndarray, hair: tuple[int, int, int] = HAIR):
    """A picture of skin below a slab of hair, with ``marks (S, S) bool`` in the hair's colour, and the slab's mask."""
    image = np.full((SIDE, SIDE, 3), tone, np.uint8)
    mask = np.where(EDGE > ROWS, np.uint8(255), np.uint8(0))
    image[(mask > 0) | marks] = hair
    return image, mask


@pytest.mark.parametrize(
    ("tone", "hair"), [(SKIN, HAIR), ((90, 60, 45), (205, 180, 130))], ids=["dark hair", "blond hair"]
)
def test_a_lock_that_hangs_from_the_hair_is_found(tone, hair):
    image, mask = fringed(tone, LOCK, hair)
    found = locks_on_skin(image, mask, FOREHEAD, UNIT)
    assert found[LOCK].mean() > 0.95
    assert not found[np.abs(COLUMNS - MIDDLE) > 8].any()


def test_what_hangs_on_nothing_or_is_wide_is_no_lock():
    mole = np.hypot(COLUMNS - MIDDLE, ROWS - (BROW - 5)) < 3
    shadow = COLUMNS > MIDDLE + 0.15 * UNIT
    image, mask = fringed(SKIN, mole)
    image[shadow & (ROWS >= EDGE)] = (120, 92, 78)
    found = locks_on_skin(image, mask, FOREHEAD, UNIT)
    assert not found[mole].any()
    assert not found[COLUMNS > MIDDLE + 0.3 * UNIT].any()
    fair = tuple(part - 12 for part in SKIN)
    image, mask = fringed(SKIN, LOCK, fair)
    assert not locks_on_skin(image, mask, FOREHEAD, UNIT).any(), "hair in the colour of skin says nothing"


def test_brows_and_what_is_below_them_are_no_locks():
    brows = np.maximum(*(polygon(LANDMARKS[brow], (SIDE, SIDE)) for brow in BROWS)) > 0
    below = (np.abs(COLUMNS - MIDDLE) < 2) & (ROWS >= EDGE)
    image, mask = fringed(SKIN, brows | below)
    found = locks_on_skin(image, mask, FOREHEAD, UNIT)
    assert not found[brows].any()
    assert not found[LANDMARKS[BROWS[0], 1].max() + 4 < ROWS].any()
    assert not locks_on_skin(image, np.zeros_like(mask), FOREHEAD, UNIT).any()


def test_such_locks_are_taken_off_with_the_hair():
    image, mask = fringed(SKIN, LOCK)
    portrait = made_portrait(image, LANDMARKS)
    portrait.worn["hair"] = mask
    options = RenderOptions(size=SIDE, frames=1, expansion=0.0)
    asked = prepare_scene(AnimationRequest(portrait, options=options, erase=("hair",)))
    removed, _ = taken_off(asked, np.ones((SIDE, SIDE), np.float32))
    low = LOCK & (EDGE + 0.12 * UNIT < ROWS)
    assert (low & (polygon(LANDMARKS[FACE_OVAL], low.shape) > 0)).sum() > 5
    assert removed[low].min() > 0.9
