"""Items of every kind on a black and white photograph."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE, made_face, made_landmarks
from glasses_made import wearing

from durian.geometry.alignment import item_mesh
from durian.geometry.mesh import OUTER_LIPS
from durian.layers.face_light import FaceLight
from durian.layers.skin import polygon
from durian.preview.layers import build_layer
from durian.request import Attribute
from durian.scene import AlignedAttribute

GREEN = (30, 160, 60)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return made_landmarks()


def reference(name: str, landmarks: np.ndarray) -> Attribute:
    if name == "glasses":
        return wearing(landmarks, (0.2, 0.6, 0.3), (20, 60, 30))
    where = polygon(landmarks[OUTER_LIPS], (SIDE, SIDE)) > 0
    if name != "lips":
        where = np.zeros((SIDE, SIDE), bool)
        where[: int(landmarks[10, 1]) + 8, 60:-60] = True
    image = made_face(landmarks)
    image[where] = GREEN
    return Attribute(image, np.uint8(255 * where), landmarks, name)


def on(face: np.ndarray, name: str, landmarks: np.ndarray, light: float) -> np.ndarray:
    """The texture of an item on a portrait, ``(h, w, 4 or 6) int``."""
    wearer, attribute = FaceLight.of(face.astype(np.float32), landmarks), reference(name, landmarks)
    item = AlignedAttribute(attribute, item_mesh(attribute, landmarks), attribute.mask)
    return build_layer(item, landmarks, light, wearer).texture.astype(int)


def colours_of(name: str, landmarks: np.ndarray, light: float, is_grey: bool) -> np.ndarray:
    """Differences between the colours of an item on a portrait, ``(h, w, 2) int``: of its own, and of what it hides."""
    face = made_face(landmarks)
    if is_grey:
        face = cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    texture = on(face, name, landmarks, light)
    return np.stack([np.ptp(texture[..., :3], axis=-1), np.ptp(texture[..., 3:], axis=-1)], -1)


@pytest.mark.parametrize("name", ["hat", "hair", "glasses", "lips"])
def test_on_a_black_and_white_photograph_an_item_is_grey(landmarks, name):
    assert colours_of(name, landmarks, 0.5, is_grey=True).max() <= 1
    assert colours_of(name, landmarks, 0.5, is_grey=False)[..., 0].max() > 30
    assert colours_of(name, landmarks, 0.0, is_grey=True)[..., 0].max() > 30


@pytest.mark.parametrize("shares", [(1.25, 1.0, 0.7), (0.75, 1.0, 1.3)], ids=["sepia", "blue print"])
@pytest.mark.parametrize("name", ["hat", "hair", "glasses", "lips"])
def test_on_a_toned_photograph_an_item_has_its_tone(landmarks, name, shares):
    grey = cv2.cvtColor(made_face(landmarks), cv2.COLOR_RGB2GRAY)[..., None] * np.linspace(0.2, 1.1, SIDE)[:, None]
    texture = on(np.clip(grey * np.array(shares), 0, 255), name, landmarks, 0.5)
    colours, hidden = texture[..., :3], texture[..., 3:].mean(-1)
    seen = colours[(hidden > 200) & (colours.mean(-1) > 40)]
    assert len(seen) > 50
    expected = np.array(shares) / np.mean(shares)
    assert np.abs(seen / seen.mean(-1, keepdims=True) - expected).max() < 0.06
