"""Skin, hair and clothes as the parser tells them apart, on a real photograph."""

from __future__ import annotations

import numpy as np

from durian.face import require_face
from durian.segmentation import body_parts


def test_skin_hair_and_clothes_are_told_apart_and_nothing_is_said_of_what_is_far(collins):
    landmarks = require_face(collins).landmarks
    parts = body_parts(collins, landmarks)
    assert parts.shape == (*collins.shape[:2], 4)
    assert parts.dtype == np.uint8
    for (x, y), number in {(200, 150): 0, (225, 25): 1, (188, 190): 2, (130, 80): 3}.items():
        assert parts[y, x].argmax() == number
        assert parts[y, x].max() > 150
    total = parts.sum(-1, dtype=int)
    looked = total > 0
    assert looked[int(landmarks[152, 1]), int(landmarks[152, 0])]
    assert not looked[-5:].any(), "her chest is far below her head"
    assert np.abs(total[total > 128] - 255).mean() < 2
