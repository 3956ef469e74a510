"""What goes round a neck, on values."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import require_face
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL
from durian.layers.round_the_neck import goes_round_the_neck
from durian.layers.skin import polygon

SHAPE = 700, 600


@pytest.fixture(scope="module")
def landmarks(collins) -> np.ndarray:
    """A face in the middle of a picture with room all around."""
    found = require_face(collins).landmarks.copy()
    found[:, :2] += (300, 300) - found[168, :2]
    return found


def places(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel is to the right of the chin and below it, in face widths."""
    head = Head(landmarks)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    away = np.stack([x, y], -1) - landmarks[CHIN, :2]
    return away @ np.array([down[1], -down[0]]) / head.width, away @ down / head.width


def wide_hat(landmarks: np.ndarray) -> np.ndarray:
    """A brim far wider than the face, above it."""
    across, below = places(landmarks)
    return (np.abs(across) < 1.4) & (below < -1.1) & (below > -1.7)


def scarf(landmarks: np.ndarray) -> np.ndarray:
    across, below = places(landmarks)
    whole = (across / 0.85) ** 2 + ((below + 0.6) / 1.15) ** 2 < 1
    return whole & (polygon(landmarks[FACE_OVAL], SHAPE) == 0)


def test_a_scarf_goes_round_the_neck(landmarks):
    mask = scarf(landmarks)
    assert goes_round_the_neck(mask.astype(np.float32), landmarks)
    assert goes_round_the_neck(255 * mask.astype(np.uint8), landmarks)
    # Just as well where the picture ends a little below the chin.
    cut = mask[: int(landmarks[CHIN, 1] + 0.25 * Head(landmarks).width)]
    assert goes_round_the_neck(cut.astype(np.float32), landmarks)


@pytest.mark.parametrize("degrees", [-60, 40])
def test_it_does_not_matter_how_the_head_leans(landmarks, degrees):
    turn = cv2.getRotationMatrix2D((300, 330), degrees, 0.9)
    leaning = landmarks.copy()
    leaning[:, :2] = landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
    leaning[:, 2] *= 0.9
    for made, expected in ((scarf, True), (wide_hat, False)):
        mask = cv2.warpAffine(made(landmarks).astype(np.float32), turn, SHAPE[::-1])
        assert goes_round_the_neck(mask, leaning) is expected


def test_hats_straps_and_masks_over_the_mouth_do_not(landmarks):
    across, below = places(landmarks)
    hat = wide_hat(landmarks)
    behind = hat | ((np.abs(across - 0.9) < 0.2) & (below > -1.7) & (below < 0.5))  # of a brim seen from the side
    strap = hat | ((np.abs(np.hypot(across, (below + 0.75) / 1.1) - 0.77) < 0.05) & (below > -1.2))
    over_mouth = hat | ((polygon(landmarks[FACE_OVAL], SHAPE) > 0) & (below > -0.55))
    braids = hat | ((np.abs(np.abs(across) - 0.65) < 0.2) & (below > -1.2) & (below < 1))
    for mask in (hat, behind, strap, over_mouth, braids):
        assert not goes_round_the_neck(mask.astype(np.float32), landmarks)
    assert not goes_round_the_neck(np.zeros(SHAPE, np.uint8), landmarks)


def test_a_picture_that_ends_at_the_chin_shows_no_neck(landmarks):
    cut = scarf(landmarks)[: int(landmarks[CHIN, 1] - 0.05 * Head(landmarks).width)]
    assert not goes_round_the_neck(cut.astype(np.float32), landmarks)
