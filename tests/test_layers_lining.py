"""The inside of hats, on values."""

from __future__ import annotations

import numpy as np
import pytest

from durian.face import eye_distance, require_face
from durian.geometry.mesh import CHIN, FACE_OVAL
from durian.layers.lining import lining
from durian.layers.skin import polygon


@pytest.fixture(scope="module")
def landmarks(collins) -> np.ndarray:
    return require_face(collins).landmarks


def ring(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A ring around a face, its distance from the face's middle in outer-eye distances, and the angle to it in degrees,
    0 to the right and 90 below."""
    middle, unit = landmarks[168, :2], eye_distance(landmarks)
    y, x = np.mgrid[:512, :512].astype(np.float32)
    away = np.hypot(x - middle[0], y - middle[1]) / unit
    angle = np.degrees(np.arctan2(y - middle[1], x - middle[0]))
    return ((away > 1.75) & (away < 2.1)).astype(np.float32), away, angle


def test_one_looks_into_a_hat_where_its_reference_had_hair(landmarks):
    whole, away, angle = ring(landmarks)
    brim = whole * (angle < 0)
    inside = lining(brim, np.ones_like(brim), landmarks)
    face = polygon(landmarks[FACE_OVAL], brim.shape) > 0
    beside = (angle > -170) & (angle < -150) & (away > 1.3) & (away < 1.7)
    assert inside[beside].min() > 0.95
    assert inside[(angle > 5) & (angle < 175)].max() < 0.05
    assert inside[away > 2.2].max() == 0
    core = face & (away < 0.6)
    assert inside[core].max() < 0.01
    assert lining(brim, np.zeros_like(brim), landmarks).max() == 0


def test_a_scarf_is_closed_where_it_was_too_narrow_to_be_seen(landmarks):
    whole, away, angle = ring(landmarks)
    open_scarf = whole * (np.abs(angle) > 25)
    inside = lining(open_scarf, np.zeros_like(whole), landmarks)
    missing = (np.abs(angle) < 20) & (away > 1.4) & (away < 2.0)
    assert inside[missing].min() > 0.9
    below = np.mgrid[:512, :512][0] > landmarks[CHIN, 1] + 0.5 * eye_distance(landmarks)
    assert inside[below].max() < 0.05


def test_a_hat_s_inside_ends_under_its_edge(landmarks):
    """It comes out on no side when the hat moves a little."""
    _, away, angle = ring(landmarks)
    for hat in ((away > 1.6) & (away < 2.6) & (angle < 0), (away > 1.6) & (away < 2.6)):
        inside = lining(hat.astype(np.float32), np.ones_like(away), landmarks)
        above = (angle < -30) & (angle > -150)
        assert inside[above & (away > 1.4) & (away < 1.55)].min() > 0.95
        assert inside[above & (away > 1.62) & (away < 1.65)].min() > 0.5
        assert inside[away > 2.1].max() == 0
