"""Hats seen closely and from afar, on values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import require_face
from durian.masks import HALF
from durian.segmentation.parser import heads
from durian.segmentation.parser.classes import BACKGROUND, CLASSES, CLOTHES, HAIR, HAT, SKIN
from durian.segmentation.parser.from_afar import mended_from_afar
from durian.segmentation.parser.heads import ParsedHead
from durian.segmentation.parser.window import HeadWindow

SIDE, UNIT = 256, 40.0
HAT_ABOVE = HAT, (-100, -40, -60, 60)


@pytest.fixture(scope="module")
def landmarks(collins) -> np.ndarray:
    return require_face(collins).landmarks


@pytest.fixture(scope="module")
def points(landmarks) -> np.ndarray:
    return HeadWindow.around(landmarks, SIDE, UNIT, (0.5, 0.5)).points(landmarks)


def labelled(points: np.ndarray, **boxes: tuple[int, tuple[int, int, int, int]]) -> np.ndarray:
    """Shares of one class for each pixel, later boxes (top, bottom, left, right from between the eyes, pixels) over
    earlier ones."""
    x, y = np.rint(points[[33, 263]].mean(axis=0)).astype(int)
    labels = np.full((SIDE, SIDE), BACKGROUND)
    for number, (top, bottom, left, right) in boxes.values():
        labels[y + top : y + bottom, x + left : x + right] = number
    return np.eye(len(CLASSES), dtype=np.float32)[labels]


def mended(close: np.ndarray, far: np.ndarray, points: np.ndarray) -> np.ndarray:
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    return mended_from_afar(grey, close, far, (close[..., HAT], far[..., HAT]), points, UNIT)


def at(shares: np.ndarray, points: np.ndarray, down: int, across: int) -> np.ndarray:
    x, y = np.rint(points[[33, 263]].mean(axis=0)).astype(int)
    return shares[y + down, x + across]


def test_a_half_of_a_hat_that_is_taken_for_skin_or_hair_is_a_hat_as_from_afar(points):
    whole = {"hat": (HAT, (-100, -40, -60, 60))}
    close = labelled(points, **whole, skin=(SKIN, (-100, -70, 0, 60)), hair=(HAIR, (-70, -40, 0, 60)))
    made = mended(close, labelled(points, **whole), points)
    np.testing.assert_allclose(made.sum(axis=-1), 1, atol=1e-6)
    for down in (-90, -50):
        assert at(made, points, down, 30)[HAT] == 1
    # What is behind a hat is seen closely.
    far = labelled(points, hat=(HAT, (-110, -40, -60, 60)))
    assert at(mended(close, far, points), points, -105, 0)[BACKGROUND] == 1


def test_hair_of_the_colour_that_it_has_beside_the_hat_stays_hair(points):
    close = labelled(points, hair=(HAIR, (-70, 100, -90, 90)), hat=(HAT, (-100, -70, -90, 90)))
    far = labelled(points, hair=(HAIR, (-40, 100, -90, 90)), hat=(HAT, (-100, -40, -90, 90)))
    picture = np.full((SIDE, SIDE, 3), (210, 190, 150), np.uint8)
    x, y = np.rint(points[[33, 263]].mean(axis=0)).astype(int)
    picture[: y - 70] = picture[:, : x - 60] = 30  # the hat, and the shade under its brim on one side
    made = mended_from_afar(picture, close, far, (close[..., HAT], far[..., HAT]), points, UNIT)
    assert at(made, points, -55, 40)[HAIR] == 1
    picture[y - 70 : y - 40, x:] = 30
    made = mended_from_afar(picture, close, far, (close[..., HAT], far[..., HAT]), points, UNIT)
    assert at(made, points, -55, 40)[HAT] == 1


def test_the_blur_of_an_edge_from_afar_is_not_gained_but_a_gap_is(points):
    close = labelled(points, hat=HAT_ABOVE, gap=(SKIN, (-72, -68, -60, 60)), hair=(HAIR, (-40, -20, -60, 60)))
    far = labelled(points, hat=(HAT, (-100, -36, -60, 60)), hair=(HAIR, (-36, -20, -60, 60)))
    made = mended(close, far, points)
    assert at(made, points, -70, 30)[HAT] == 1
    assert at(made, points, -38, 50)[HAIR] == 1


def test_the_face_and_what_is_below_the_lips_stay_as_seen_closely(points):
    close = labelled(points, hair=(HAIR, (-40, 110, -90, 90)), face=(SKIN, (-40, 50, -40, 40)), hat=HAT_ABOVE)
    far = labelled(points, coat=(HAT, (-40, 110, -90, 90)), hat=HAT_ABOVE)
    made = mended(close, far, points)
    assert at(made, points, 10, 0)[SKIN] == 1
    assert at(made, points, 0, 70)[HAT] == 1
    assert at(made, points, 80, 70)[HAIR] == 1


def test_a_dress_below_a_scarf_is_clothes_as_from_afar(points):
    scarf = HAT, (-100, 60, -60, 60)
    close = labelled(points, dress=(HAT, (60, 110, -60, 60)), scarf=scarf)
    made = mended(close, labelled(points, dress=(CLOTHES, (60, 110, -60, 60)), scarf=scarf), points)
    assert at(made, points, 90, 0)[CLOTHES] == 1
    assert at(made, points, -60, 0)[HAT] == 1


@pytest.mark.parametrize("far", [(HAIR, (-100, -40, -60, 60)), (HAT, (-100, -85, -60, 60))])
def test_from_afar_a_hat_that_is_not_seen_says_nothing(points, far):
    close = labelled(points, hat=HAT_ABOVE)
    assert mended(close, labelled(points, far=far), points) is close
    unsure = labelled(points, hat=HAT_ABOVE)
    unsure[..., HAT] *= 0.7
    unsure[..., BACKGROUND] = 1 - unsure[..., HAT]
    assert mended(close, unsure, points) is close


def test_what_one_window_shows_comes_to_its_place_in_another(collins, landmarks):
    afar, near = (HeadWindow.around(landmarks, side, unit) for side, unit in ((128, 20.0), (192, 60.0)))
    smooth = cv2.GaussianBlur(collins, (0, 0), 8)
    put = afar.put_into(near, afar.take(smooth).astype(np.float32))
    assert put.shape == (192, 192, 3)
    assert np.abs(put - near.take(smooth)).mean() < 3


def test_a_named_cap_is_whole_where_only_the_view_from_afar_sees_all_of_it(collins, landmarks, monkeypatch, tmp_path):
    head = ParsedHead(collins, landmarks, tmp_path / "none")
    middle, top = landmarks[168, 0], landmarks[10, 1]
    cap = np.zeros(collins.shape[:2], bool)
    cap[int(top - 0.7 * head.unit) : int(top - 0.3 * head.unit), int(middle - head.unit) : int(middle + head.unit)] = 1
    half = cap & (np.arange(cap.shape[1]) > middle)
    for name, side, share, taken in (("_seen_from_afar", 256, 0.14, cap & ~cap), ("_seen_head", 512, 0.2, half)):
        window = HeadWindow.around(landmarks, side, side * share, (0.5, 0.43))
        labels = np.select([taken, cap], [SKIN, HAT], BACKGROUND).astype(np.uint8)
        seen = cv2.warpAffine(labels, window.matrix, (side, side), flags=cv2.INTER_NEAREST)
        monkeypatch.setattr(ParsedHead, name, (window, np.eye(len(CLASSES), dtype=np.float32)[seen]))
    monkeypatch.setattr(heads, "by_own_colours", lambda picture, inside, shares, eyes, unit: shares)
    found = head.mask("hat") > HALF
    assert (found & cap).sum() / (found | cap).sum() > 0.85
