"""Round hems of scarves that their picture cuts, on values."""

from __future__ import annotations

import numpy as np
import pytest

from durian.face import require_face
from durian.geometry.head import Head
from durian.layers.hem import DROP, hemmed
from durian.request import Attribute


@pytest.fixture(scope="module")
def landmarks(collins) -> np.ndarray:
    return require_face(collins).landmarks


def scarf(collins: np.ndarray, landmarks: np.ndarray, lowest: int) -> Attribute:
    mask = np.zeros(collins.shape[:2], np.uint8)
    half = int(0.5 * Head(landmarks).width)
    middle = mask.shape[1] // 2
    mask[20:lowest, middle - half : middle + half] = 255
    return Attribute(collins, mask, landmarks, "hat")


def test_a_cut_scarf_hangs_down_in_its_middle(collins, landmarks):
    cut = scarf(collins, landmarks, len(collins))
    made = hemmed(cut)
    height = len(collins)
    assert (made.mask[:height] == cut.mask).all()
    assert (made.image[:height] == collins).all()
    lengths = (made.mask[height:] > 127).sum(0)
    columns = np.flatnonzero(cut.mask[-1])
    assert lengths[columns].max() == pytest.approx(DROP * len(columns), abs=2)
    assert lengths[columns[[0, -1]]].max() < 0.2 * lengths.max()
    assert lengths[: columns[0]].sum() + lengths[columns[-1] + 1 :].sum() == 0


def test_the_folds_go_on(collins, landmarks):
    made = hemmed(scarf(collins, landmarks, len(collins)))
    assert np.array_equal(made.image[len(collins) + 5], collins[-7])


def test_a_scarf_that_ends_in_the_picture_is_left_as_it_is(collins, landmarks):
    whole = scarf(collins, landmarks, len(collins) - 10)
    assert hemmed(whole) is whole
