"""Room above a head for hats and hair that are put on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faces_made import made_face, made_landmarks

from durian.face import Crop, Face
from durian.face.geometry import CHIN, face_height
from durian.layers.headroom import BELOW_CHIN, MOST_MADE_UP, with_headroom
from durian.request import Attribute, Portrait
from durian.ui.session import PortraitChoice

HEIGHT = 70
"""Of a hat over the forehead's top, pixels of its reference."""
BESIDE = 100
"""Columns of a photo beside a made face."""


def photo(above: int) -> tuple[np.ndarray, np.ndarray]:
    """A made face in a photo with so many rows above it."""
    landmarks = made_landmarks()
    image = np.pad(made_face(landmarks), ((above, 200), (BESIDE, BESIDE), (0, 0)), mode="edge")
    return image, landmarks + np.float32([BESIDE, above, 0])


def tall_hat(height: int = HEIGHT) -> Attribute:
    image, landmarks = photo(300)
    forehead = int(landmarks[10, 1])
    mask = np.zeros(image.shape[:2], np.uint8)
    left, right = int(landmarks[234, 0]), int(landmarks[454, 0])
    mask[forehead - height : forehead, left:right] = 255
    return Attribute(image, mask, landmarks, "hat")


def portrait(above: int, over: int = 0) -> Portrait:
    """Its crop begins so many rows ``over`` the forehead's top."""
    image, landmarks = photo(above)
    side = float(image.shape[1])
    return Portrait(image, landmarks, Crop((side - 1) / 2, landmarks[10, 1] - over + side / 2, side))


def room(found: Portrait) -> float:
    """Rows between the crop's upper edge and the forehead's top."""
    return float(found.landmarks[10, 1] - (found.crop.y - found.crop.side / 2))


def test_a_hat_has_room_above_where_the_photo_has_it():
    given = portrait(above=300, over=20)
    found = with_headroom(given, [tall_hat()])
    assert room(found) > HEIGHT
    assert room(found) < HEIGHT + 0.2 * given.crop.side
    assert (found.crop.x, found.crop.side) == (given.crop.x, given.crop.side)


def test_what_fits_changes_nothing():
    given = portrait(above=300, over=95)
    assert with_headroom(given, [tall_hat()]) is given


@pytest.mark.parametrize("changes", [{"name": "beard"}, {"strength": 0.0}, {"landmarks": None}])
def test_other_items_change_nothing(changes):
    given = portrait(above=300, over=20)
    assert with_headroom(given, [replace(tall_hat(), **changes)]) is given


def test_the_chin_stays_in_the_picture():
    image, landmarks = photo(300)
    side = 1.7 * face_height(landmarks)
    given = Portrait(image, landmarks, Crop((image.shape[1] - 1) / 2, landmarks[10, 1] - 20 + side / 2, side))
    found = with_headroom(given, [tall_hat()])
    assert room(found) > room(given)
    below = found.crop.y + side / 2 - landmarks[CHIN, 1]
    assert below >= BELOW_CHIN * face_height(landmarks) - 1e-3


def test_above_a_photo_so_much_is_made_up_at_most():
    given = portrait(above=0, over=int(made_landmarks()[10, 1]))
    found = with_headroom(given, [tall_hat()])
    made_up = -0.5 - (found.crop.y - found.crop.side / 2)
    assert 0 < made_up <= MOST_MADE_UP * found.crop.side + 1e-3


def test_a_crop_that_is_put_back_stays_inside_its_photo():
    given = portrait(above=0, over=int(made_landmarks()[10, 1]) - 20)
    found = with_headroom(given, [tall_hat()], inside=True)
    assert given.crop.y > found.crop.y >= given.crop.side / 2 - 0.5


@pytest.mark.parametrize(("moved", "rises"), [({}, True), ({"room": 0.8}, True), ({"shift_x": 0.1}, False)])
def test_on_the_page_a_crop_rises_until_somebody_moves_it(moved, rises: bool):
    image, landmarks = photo(300)
    choice = PortraitChoice(image, [Face(landmarks)], worn={}, **moved)
    assert (choice.portrait_with([tall_hat(220)]).crop.y < choice.crop.y) == rises
