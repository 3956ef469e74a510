"""Hair turned to where its wearer looks, on values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_layers_turned import looking_aside, without_roll

from durian.face import require_face
from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL
from durian.geometry.mirror import yaw
from durian.layers.turned_hair import hair_turn_of
from durian.request import Attribute

LEFT, RIGHT, BEHIND = (200, 30, 30), (30, 30, 200), (90, 90, 90)


@pytest.fixture(scope="module")
def wearer(collins) -> np.ndarray:
    return without_roll(require_face(collins).landmarks)


def hair(landmarks: np.ndarray, shape: tuple[int, int], back: float = 0.0) -> Attribute:
    """Hair down to the chin around a face without tilt, red to the left of the face's middle and blue to the right;
    ``back`` more of it, in face widths, behind a head that is turned."""
    head, face = Head(landmarks), np.rint(landmarks[FACE_OVAL, :2]).astype(np.int32)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    behind = -np.sign(yaw(landmarks)) * back * head.width
    there = head.skull_distance(np.stack([x - behind, y], -1)) < 1.25
    there |= (
        (np.abs(x - head.centre[0] - behind) < 1.2 * head.radii[0]) & (y > head.centre[1]) & (y < landmarks[152, 1])
    )
    mask = np.where(there, np.uint8(255), np.uint8(0))
    cv2.fillPoly(mask, [face], 0)
    middle = np.interp(y[:, 0], landmarks[[10, 168, 152], 1], landmarks[[10, 168, 152], 0])
    image = np.where((x < middle[:, None])[..., None], LEFT, RIGHT).astype(np.uint8)
    return Attribute(np.where(there[..., None], image, np.uint8(BEHIND[0])), mask, landmarks, "hair")


def beside_eyes(attribute: Attribute, distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Colour and mask to the left and to the right of a face's edge at the height of the eyes, ``(2, 3)`` and
    ``(2,)``; ``distance`` from it in face widths."""
    landmarks = attribute.face_landmarks
    row = int(landmarks[[33, 263], 1].mean())
    oval = landmarks[FACE_OVAL, :2]
    at_eyes = oval[np.abs(oval[:, 1] - row) < 0.15 * Head(landmarks).width, 0]
    away = distance * Head(landmarks).width
    columns = [int(at_eyes.min() - away), int(at_eyes.max() + away)]
    return attribute.image[row, columns], attribute.mask[row, columns]


@pytest.mark.parametrize("side", [-1, 1])
def test_a_side_that_is_hardly_seen_is_the_other_ones_mirror_image(wearer, collins, side):
    aside = without_roll(looking_aside(wearer, side * 30))
    turn = hair_turn_of(hair(aside, collins.shape[:2], back=0.1), wearer)
    assert turn is not None
    made = turn.attribute
    assert abs(yaw(made.landmarks) - yaw(wearer)) < 2
    colours, inside = beside_eyes(made, 0.08)
    assert (inside == 255).all()
    # A face that looks to the right of the picture shows the head's left.
    shown = LEFT if turn.given > 0 else RIGHT
    assert np.abs(colours.astype(int) - shown).max() < 12


def test_a_face_is_free_of_hair_and_as_wide_on_both_sides(wearer, collins):
    turn = hair_turn_of(hair(without_roll(looking_aside(wearer, 30)), collins.shape[:2]), wearer)
    assert turn is not None
    made = turn.attribute
    inner = np.rint(made.face_landmarks[[33, 263, 1, 61, 291, 70, 300], :2]).astype(int)
    assert (made.mask[inner[:, 1], inner[:, 0]] == 0).all()
    head = Head(made.face_landmarks)
    row = int(made.face_landmarks[[33, 263], 1].mean())
    columns = np.flatnonzero(made.mask[row] > 127) - head.centre[0]
    assert abs(columns[0] + columns[-1]) < 0.08 * head.width
    # Seen from the front a skull is narrower than from the side.
    before = np.flatnonzero(turn.reference.mask.any(0))
    assert np.ptp(columns) < np.ptp(before)


def test_both_sides_of_a_face_that_looks_ahead_keep_their_own_hair(wearer, collins):
    ahead = without_roll(looking_aside(wearer, -yaw(wearer)))
    turn = hair_turn_of(hair(ahead, collins.shape[:2]), looking_aside(wearer, 25 - yaw(wearer)))
    assert turn is not None
    assert abs(turn.given) < 5
    colours, inside = beside_eyes(turn.attribute, 0.06)
    assert (inside > 127).all()
    assert np.abs(colours.astype(int) - [LEFT, RIGHT]).max() < 12


def test_hair_that_looks_the_same_way_stays_as_it_is(wearer, collins):
    reference = hair(wearer, collins.shape[:2])
    assert hair_turn_of(reference, looking_aside(wearer, 10)) is None
    assert hair_turn_of(Attribute(reference.image, reference.mask, None, "hair"), wearer) is None


@pytest.mark.parametrize("degrees", [-60, 60])
def test_no_place_comes_to_two(wearer, collins, degrees):
    """Whoever is turned far shows next to nothing of one side of the face: what is beside it still lies in order."""
    turn = hair_turn_of(hair(wearer, collins.shape[:2]), looking_aside(wearer, degrees))
    assert turn is not None
    for given, wanted in turn._sides.values():
        for side in (given, wanted):
            assert (side.edge > 0).all()
            assert (side.outline > side.edge).all()
