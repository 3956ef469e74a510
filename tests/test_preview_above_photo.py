"""What a crop shows above its photo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from durian.face import default_crop, require_face
from durian.preview.base import EDGE_LINE, build_base
from durian.request import AnimationRequest, Portrait, RenderOptions
from durian.scene import prepare_scene

SIZE, ROWS = 256, 24


@pytest.fixture(scope="module")
def raised(collins):
    """A portrait whose crop begins :data:`ROWS` rows of the result above the photo."""
    face = require_face(collins)
    crop = default_crop(face, collins.shape)
    crop = replace(crop, y=crop.side / 2 - 0.5 - ROWS / SIZE * crop.side)
    return prepare_scene(AnimationRequest(Portrait(collins, face.landmarks, crop), options=RenderOptions(size=SIZE)))


def test_the_background_goes_on_above_and_does_not_repeat_its_last_row(raised):
    base = build_base(raised)
    above = base.plate[: ROWS - 1].astype(np.float32)
    repeated = raised.image[: ROWS - 1].astype(np.float32)
    assert np.ptp(repeated, axis=0).max() <= 1
    assert np.ptp(above, axis=0).mean() > 4
    assert np.abs(above.mean((0, 1)) - base.plate[ROWS : 2 * ROWS].mean((0, 1))).max() < 40


def test_nobody_is_above_a_photo(raised):
    base = build_base(raised)
    assert not base.foreground[: ROWS - 1].any()


def test_below_its_edge_the_photo_is_as_it_was(raised):
    base = build_base(raised)
    alpha = base.foreground[..., 3:].astype(np.float32) / 255
    together = base.foreground[..., :3] + (1 - alpha) * base.plate
    assert np.abs(together - raised.image)[ROWS + EDGE_LINE + 1 :].max() <= 2
