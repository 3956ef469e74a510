"""Skin beside hair and hats that are taken off: their shadow goes, and what is made up has the skin's tint."""

from __future__ import annotations

import numpy as np
from faces_made import SIDE, SKIN, made_face, made_landmarks

from durian.layers.completion import complete_skin
from durian.layers.completion.skin_light import DARK, fit_light
from durian.layers.skin import face_and_skull

ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)
LANDMARKS = made_landmarks()
BRIM = LANDMARKS[10, 1] + 8
"""Row at which a hat ends."""
FOREHEAD = (ROWS > BRIM) & (ROWS < BRIM + 20) & (np.abs(COLUMNS - LANDMARKS[10, 0]) < 30)


def in_shadow() -> tuple[np.ndarray, np.ndarray]:
    """A face under a hat whose brim shades the forehead, and where that may be, ``(S, S) float32``."""
    picture = made_face(LANDMARKS).astype(np.float32)
    picture *= 1 - 0.18 * np.clip(1 - (ROWS - BRIM) / 20, 0, 1)[..., None]
    picture[ROWS <= BRIM] = (40, 60, 140)
    return picture, np.clip(2 - (ROWS - BRIM) / 20, 0, 1).astype(np.float32) * face_and_skull(LANDMARKS, ROWS.shape)


def test_a_hat_s_shadow_goes_with_it():
    picture, shadowed = in_shadow()
    known = (ROWS > BRIM).astype(np.float32)
    stays, _ = complete_skin(picture, LANDMARKS, known)
    goes, _ = complete_skin(picture, LANDMARKS, known, shadowed=shadowed)
    assert np.array_equal(stays[known > 0], picture[known > 0])
    assert np.abs(picture - SKIN)[FOREHEAD].max() > 30
    assert np.abs(goes - SKIN)[FOREHEAD].max() < 12
    above = (ROWS < BRIM) & (ROWS > BRIM - 25) & (np.abs(COLUMNS - LANDMARKS[10, 0]) < 30)
    assert np.abs(goes - SKIN)[above].max() < 15, "nor does it go on into what was under the hat"
    far = (shadowed == 0) & (known > 0)
    assert np.array_equal(goes[far], picture[far])


def test_skin_is_never_made_darker():
    """A bright spot beside a hat is no shadow."""
    picture, shadowed = in_shadow()
    picture[FOREHEAD] = 235
    goes, _ = complete_skin(picture, LANDMARKS, (ROWS > BRIM).astype(np.float32), shadowed=shadowed)
    assert (goes - picture)[ROWS > BRIM].min() > -0.5


def test_a_crown_is_hardly_darker_than_the_skin_that_is_seen():
    """A ball of which the lower half is seen, lit from below and redder on its left: what that light makes of the upper
    half is no black, and its tint is one that is seen."""
    x, y = (COLUMNS - 128) / 120, (ROWS - 128) / 120
    ball = np.hypot(x, y) < 0.95
    normals = np.stack([x, y, -np.sqrt(np.maximum(1 - x**2 - y**2, 0.01))], -1).astype(np.float32)
    channels = np.stack([np.log(120) - 0.5 * x + y, np.log(70) + y, np.log(50) + 0.5 * x + 0.6 * y], -1)
    seen = ball & (y > 0.1)
    light = fit_light(np.where(ball[..., None], np.exp(channels) - DARK, 0).astype(np.float32), seen, normals)
    crown = ball & (y < -0.3)
    assert light.smooth.mean(-1)[crown].min() > np.percentile(light.smooth.mean(-1)[seen], 5) - 0.2
    tint = light.smooth[crown][:, 0] - light.smooth[crown][:, 2]
    true = (channels[..., 0] - channels[..., 2])[seen]
    assert true.min() - 0.02 < tint.min()
    assert tint.max() < true.max() + 0.02
