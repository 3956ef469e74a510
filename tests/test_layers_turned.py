"""Hats turned to where their wearer looks, on values."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from durian.face import require_face
from durian.geometry.alignment import item_mesh
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN
from durian.geometry.mirror import yaw
from durian.layers.face_light import FaceLight
from durian.layers.turned import turn_of
from durian.preview.layers import build_layer
from durian.request import Attribute
from durian.scene import AlignedAttribute

TURN = 40.0
"""Degrees between the reference and its wearer."""


@pytest.fixture(scope="module")
def landmarks(collins) -> np.ndarray:
    return require_face(collins).landmarks


def looking_aside(landmarks: np.ndarray, degrees: float) -> np.ndarray:
    """The same head turned to the right in the picture."""
    angle, centre = np.deg2rad(degrees), Head(landmarks).centre
    turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    return ((landmarks - centre) @ turn.T + centre).astype(np.float32)


def hat(landmarks: np.ndarray, shape: tuple[int, int], radius: float) -> Attribute:
    """A round hat, ``radius`` skulls wide, on a head without tilt; each pixel's red tells how far it is from the hat's
    front, in degrees."""
    head = Head(landmarks)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    across, up = x - head.centre[0], (head.centre[1] - y) / head.radii[1]
    half = radius * head.radii[0] * np.sqrt(np.clip(1 - (up / 1.2) ** 2, 0, 1))
    there = (np.abs(across) <= half) & (up > 0.3)
    image = np.full((*shape, 3), 30, np.uint8)
    angle = np.degrees(np.arcsin(np.clip(across / np.maximum(half, 1), -1, 1))) - yaw(landmarks)
    image[..., 0] = np.where(there, np.abs(angle), 30)
    return Attribute(image, np.where(there, np.uint8(255), np.uint8(0)), landmarks, "hat")


def turned(reference: Attribute, portrait: np.ndarray) -> Attribute:
    turn = turn_of(reference, portrait)
    return reference if turn is None else turn.attribute


def without_roll(landmarks: np.ndarray) -> np.ndarray:
    down = Head(landmarks).axes[:2, 1] / np.linalg.norm(Head(landmarks).axes[:2, 1])
    upright, centre = landmarks.copy(), Head(landmarks).centre[:2]
    upright[:, :2] = (landmarks[:, :2] - centre) @ np.array([[down[1], -down[0]], [down[0], down[1]]]).T + centre
    return upright


@pytest.fixture(scope="module")
def wearer(landmarks) -> np.ndarray:
    return without_roll(landmarks)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_hat_comes_to_face_as_its_wearer_does(wearer, collins, side):
    reference = hat(without_roll(looking_aside(wearer, side * TURN)), collins.shape[:2], 1.15)
    made = turned(reference, wearer)
    assert abs(yaw(made.landmarks) - yaw(wearer)) < 2
    head = Head(made.landmarks)
    row = int(head.centre[1] - 0.6 * head.radii[1])
    columns = np.flatnonzero(made.mask[row] > 127)
    left, right = columns[0] - head.centre[0], columns[-1] - head.centre[0]
    assert abs(left + right) < 4  # as wide on both sides
    across = (columns - columns.mean()) / ((right - left) / 2)
    expected = np.abs(np.degrees(np.arcsin(np.clip(across, -1, 1))) - yaw(wearer))
    inner = np.abs(across) < 0.9
    assert np.abs(made.image[row, columns, 0] - expected)[inner].mean() < 6
    # Seen from the front a skull is narrower than from the side.
    assert np.ptp(columns) < np.ptp(np.flatnonzero(reference.mask[row] > 127))


def test_a_wide_brim_looks_alike_from_all_sides(wearer, collins):
    reference = hat(without_roll(looking_aside(wearer, TURN)), collins.shape[:2], 2.0)
    made = turned(reference, wearer)
    assert abs(yaw(made.landmarks) - yaw(wearer)) < 2
    assert abs(np.ptp(np.nonzero(made.mask > 127)[1]) - np.ptp(np.nonzero(reference.mask > 127)[1])) <= 2


def test_what_is_not_turned_is_left_as_it_is(wearer, collins):
    aside = without_roll(looking_aside(wearer, TURN))
    shape = collins.shape[:2]
    facing, turned_hat = hat(wearer, shape, 1.15), hat(aside, shape, 1.15)
    hair = replace(turned_hat, name="hair")
    scarf = turned_hat.mask.copy()
    scarf[int(aside[CHIN, 1]) + 5 :] = 255
    for attribute in (facing, hair, replace(turned_hat, mask=scarf), replace(turned_hat, landmarks=None)):
        assert turned(attribute, wearer) is attribute
    assert turned(turned_hat, aside) is turned_hat


def test_a_mask_of_one_pixel_is_left_as_it_is(landmarks, collins):
    aside = looking_aside(landmarks, TURN)
    mask = np.zeros(collins.shape[:2], np.uint8)
    mask[20, 31] = 255
    given = Attribute(collins, mask, aside, "hat")
    assert turned(given, landmarks).mask.any()


def test_a_smaller_part_of_a_reference_is_turned_as_all_of_it(wearer, collins):
    reference = hat(without_roll(looking_aside(wearer, TURN)), collins.shape[:2], 1.15)
    turn = turn_of(reference, wearer)
    whole = turn.wound(reference.mask)
    left, top = 20, 10
    half = cv2.resize(reference.mask[top:, left:], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    to_half = np.array([[0.5, 0, 0.5 * (0.5 - left) - 0.5], [0, 0.5, 0.5 * (0.5 - top) - 0.5]])
    to_third = np.array([[1 / 3, 0, -2], [0, 1 / 3, 4]])
    size = round(whole.shape[1] / 3), round(whole.shape[0] / 3) + 6
    expected = cv2.warpAffine(cv2.GaussianBlur(whole, (0, 0), 1), to_third, size, flags=cv2.INTER_LINEAR)
    assert (expected > 200).sum() > 200
    made = turn.wound(half, to_half, to_third, size)
    assert ((made > 127) != (expected > 127)).sum() < 0.03 * (expected > 127).sum()


def test_a_turned_hat_is_lit_by_the_face_in_its_own_picture(wearer, collins):
    """In the light of its own reference nothing of it changes, however its picture was wound."""
    landmarks = without_roll(looking_aside(wearer, TURN))
    reference = hat(landmarks, collins.shape[:2], 1.15)
    face = np.linspace(60, 220, collins.shape[1], dtype=np.float32)[None, :, None]  # lit from the side
    image = np.where(reference.mask[..., None] > 0, np.float32(120), face).astype(np.uint8)
    reference = replace(reference, image=np.ascontiguousarray(np.broadcast_to(image, collins.shape)))
    turn = turn_of(reference, wearer)
    item = AlignedAttribute(turn.attribute, item_mesh(turn.attribute, wearer), turn.attribute.mask, turn)
    own = FaceLight.of(reference.image.astype(np.float32), landmarks)
    assert not np.allclose(
        FaceLight.of(turn.attribute.image.astype(np.float32), turn.attribute.landmarks).mean, own.mean
    )
    kept, lit = (build_layer(item, wearer, light, own).texture for light in (0.0, 1.0))
    assert (kept[..., 3] > 250).any()
    assert np.abs(kept.astype(int) - lit).max() <= 1


def test_the_top_of_a_turned_hat_is_as_round_as_it_was(wearer, collins):
    """Where both halves meet it is no lower than beside that."""
    shape = collins.shape[:2]
    reference = hat(looking_aside(wearer, 55), shape, 1.1)
    made = turned(reference, wearer)
    columns = np.flatnonzero((made.mask > 127).any(0))
    top = (made.mask[:, columns] > 127).argmax(0)
    apex = int(np.median(np.flatnonzero(top == top.min())))
    # Rows grow downwards: towards both ends each column begins no higher than those before it.
    away = np.maximum.accumulate(top[apex:]) - top[apex:], np.maximum.accumulate(top[apex::-1]) - top[apex::-1]
    assert max(part.max() for part in away) <= 1
