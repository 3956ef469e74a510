"""Locks that the hair's mask missed, on drawn pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.layers.stray_hair import stray_hair

SIDE, UNIT = 200, 60.0
WALL, HAIR = (190, 200, 210), (60, 40, 25)


@pytest.fixture
def head() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A disc of hair on a wall, its mask, and a matte that ends with it."""
    image = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(mask, (100, 110), 50, 255, -1)
    image[mask > 0] = HAIR
    return image, mask, (mask > 0).astype(np.float32)


def test_a_lock_beside_hair_is_found_with_its_edges(head):
    image, mask, person = head
    lock = np.zeros_like(mask)
    cv2.ellipse(lock, (155, 90), (14, 10), 30, 0, 300, 255, 2)
    lock[mask > 0] = 0
    image[lock > 0] = HAIR
    found = stray_hair(image, mask, person, UNIT)
    assert found[lock > 0].mean() > 0.95
    assert not found[mask > 0].any()
    assert found.sum() < 12 * (lock > 0).sum()
    assert not found[:, :100].any()


def test_a_plain_wall_has_none(head):
    assert not stray_hair(*head, UNIT).any()


@pytest.mark.parametrize("place", ["apart", "far", "other", "thick"])
def test_what_hangs_on_no_hair_or_has_not_its_colour_is_left(head, place: str):
    image, mask, person = head
    if place == "apart":
        image[100:112, 166:178] = HAIR
    elif place == "far":
        image[100:112, 185:] = HAIR
    elif place == "thick":
        image[90:130, 145:190][mask[90:130, 145:190] == 0] = HAIR
    else:
        image[100:112, 151:165] = (200, 30, 40)
    assert not stray_hair(image, mask, person, UNIT).any()


def _single_hair(image: np.ndarray, colour) -> np.ndarray:
    """Draw a hair that hangs on nothing, and tell where it is."""
    hair = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(hair, (172, 70), (12, 20), 20, 0, 200, 255, 1, cv2.LINE_AA)
    image[:] = np.rint(image + hair[..., None] / 255 * 0.5 * (np.array(colour) - image.astype(float)))
    return hair > 127


@pytest.mark.parametrize("is_lighter", [False, True])
def test_single_hairs_before_a_plain_wall_are_found_though_they_hang_on_nothing(head, is_lighter: bool):
    image, mask, person = head
    if is_lighter:
        image[:] = np.where(mask[..., None] > 0, WALL, HAIR)
    hair = _single_hair(image, WALL if is_lighter else HAIR)
    found = stray_hair(image, mask, person, UNIT)
    assert found[hair].mean() > 0.95
    assert found.sum() < 8 * hair.sum()


def test_before_a_wall_with_a_texture_they_are_not_looked_for(head):
    image, mask, person = head
    hair = _single_hair(image, HAIR)
    grain = np.random.default_rng(0).normal(0, 25, (SIDE, SIDE, 1))
    blurred = cv2.GaussianBlur(grain.astype(np.float32), (0, 0), 2.0)[..., None]
    textured = np.clip(image + 4 * blurred * (mask == 0)[..., None], 0, 255).astype(np.uint8)
    assert stray_hair(textured, mask, person, UNIT)[hair].mean() < 0.2


def test_a_doors_edge_is_no_hair(head):
    image, mask, person = head
    image[:, 175:177] = (150, 155, 160)
    assert not stray_hair(image, mask, person, UNIT).any()


def test_clothes_of_the_hairs_colour_stay(head):
    image, mask, person = head
    image[160:] = HAIR
    person[160:] = 1
    assert not stray_hair(image, mask, person, UNIT)[160:].any()


def test_without_hair_or_background_nothing_is_said(head):
    image, mask, person = head
    assert not stray_hair(image, np.zeros_like(mask), person, UNIT).any()
    assert not stray_hair(image, mask, np.ones_like(person), UNIT).any()


def test_what_was_found_is_kept_by_all_that_it_depends_on(head):
    image, mask, person = head
    found = stray_hair(image, mask, person, UNIT)
    assert stray_hair(image.copy(), mask.copy(), person.copy(), UNIT) is found
    changed = [(image + 1, mask, person, UNIT), (image, mask // 2, person, UNIT), (image, mask, 1 - person, UNIT)]
    assert all(stray_hair(*other) is not found for other in [*changed, (image, mask, person, 2 * UNIT)])
