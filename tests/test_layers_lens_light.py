"""What is seen in a lens: reflections stay in it, what is behind its wearer's head does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from durian.geometry.glasses import GlassesSurface
from durian.layers.glasses_view import front_view
from durian.layers.lens_light import lens_light
from durian.layers.lens_outlines import LensOutlines
from tests.glasses_made import LENS, MIDDLE, RIM, turned_face, wearing

DARK_SKIN, BRIGHT = (110, 80, 65), (225, 235, 230)


@pytest.mark.parametrize("is_face", [True, False])
def test_bright_background_beside_a_turned_head_is_no_reflection(is_face):
    attribute = wearing(turned_face(), (1.0, 1.0, 1.0), (0, 0, 0), skin=DARK_SKIN)
    view = front_view(attribute, GlassesSurface.of_mask(attribute.landmarks, attribute.mask), 120)
    down = view.low + np.arange(view.mask.shape[0])[:, None] / view.scale
    distance = np.hypot(np.abs(view.across)[None] - MIDDLE[0], down - MIDDLE[1])
    outer, inner = ((distance < radius).astype(np.float32) for radius in (LENS, LENS - RIM))
    corner = (inner > 0) & (view.across > MIDDLE[0] + 0.1)[None] & (np.maximum(view.eyes, view.brows) < 0.05)
    image = np.where(corner[..., None], np.float32(BRIGHT), view.image)
    beside = view.across[None] > MIDDLE[0] + 0.1
    skin, eyes, brows = (part if is_face else part * ~beside for part in (view.skin, view.eyes, view.brows))
    seen = replace(view, image=image, skin=skin, eyes=eyes, brows=brows)
    light = lens_light(seen, LensOutlines(outer, inner, np.clip(outer - inner, 0, 1)))
    added = light.added[corner & (view.across > MIDDLE[0] + 0.13)[None]].mean()
    assert added > 60 if is_face else added < 12
