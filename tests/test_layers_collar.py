"""Collars as low, as deep and as far aside as what is seen of them, on values."""

from __future__ import annotations

import numpy as np
import pytest
from faces_made import SIDE, made_landmarks

from durian.layers.completion.collar import Collar, neck_above_collar
from durian.layers.shoulders import BodyFrame

FRAME = BodyFrame.of(made_landmarks() * np.float32(0.5))
ACROSS, DOWN = FRAME.places((SIDE, SIDE))
BODY = (DOWN > -0.1).astype(np.float32)
SHOULDER = 0.0
"""The body's edge lies above the chin everywhere: that far below it a collar meets the shoulders."""


@pytest.mark.parametrize(
    "worn",
    [
        Collar((SHOULDER, SHOULDER), lowest=0.9, power=1.0),
        Collar((SHOULDER, SHOULDER), lowest=0.7, power=3.0),
        Collar((SHOULDER, SHOULDER), lowest=0.18),
        Collar((SHOULDER, SHOULDER), lowest=0.5, aside=-0.1),
    ],
    ids=["neckline", "square", "polo neck", "turned"],
)
def test_a_collar_goes_on_as_what_is_seen_of_it(worn: Collar):
    """Hair hides a body but for one strip: the collar under the hair is found to a twentieth of the face's width."""
    bare = worn.below(ACROSS) > DOWN
    source = (BODY > 0) & (ACROSS > -0.2) & (ACROSS < 0.12)
    found = neck_above_collar(BODY, FRAME, source, bare & source) > 0
    for aside in (-0.32, -0.26, 0.2, 0.3):
        column = (np.abs(ACROSS - aside) < 0.02) & (DOWN > -0.05)
        assert DOWN[column & found].max() == pytest.approx(float(worn.below(np.float32(aside))), abs=0.06)


def test_a_collar_that_nobody_sees_is_as_most_are():
    nothing = np.zeros(BODY.shape, bool)
    usual = neck_above_collar(BODY, FRAME)
    assert np.array_equal(neck_above_collar(BODY, FRAME, nothing, nothing), usual)
    middle = np.abs(ACROSS) < 0.02
    assert DOWN[middle & (usual > 0)].max() == pytest.approx(0.34, abs=0.02)
    assert not usual[np.abs(ACROSS) > 0.52].any()
