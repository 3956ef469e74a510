"""The portrait's own hat before new hair, which goes on under it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from durian.geometry.alignment import item_mesh
from durian.geometry.raster import Canvas
from durian.layers.fill import blurred
from durian.layers.wearing import press_hair, within_sides
from durian.preview.base import NewHat
from durian.preview.layers import Layer
from durian.request import Attribute
from durian.scene import Scene
from durian.segmentation.person import person_mask

# The shadow an item casts on what lies below it. Taste.
SHADOW_STRENGTH = {"hat": 0.42, "hair": 0.30, "glasses": 0.22}
SHADOW_DROP, SHADOW_BLUR = 0.07, 0.06
"""Outer-eye distances."""


def shadow(coverage: np.ndarray, unit: float) -> np.ndarray:
    """Where something that covers ``coverage (S, S) float32`` casts its shadow, in an outer-eye distance of ``unit``
    pixels, ``(S, S) float32``."""
    drop = np.array([[1, 0, 0], [0, 1, SHADOW_DROP * unit]], np.float32)
    return blurred(cv2.warpAffine(coverage, drop, coverage.shape[::-1]), SHADOW_BLUR * unit)


def own_hat(scene: Scene) -> NewHat:
    """The hat that a portrait keeps, into which one looks where hair that goes hid its inside."""
    hat = scene.kept_hat.astype(np.float32)
    portrait = scene.request.portrait
    person = portrait.crop.apply(person_mask(portrait.image), scene.size).astype(np.float32) / 255
    item = np.dstack([scene.image * (hat[..., None] / 255), hat])
    return NewHat(item, person * within_sides(hat / 255, scene.landmarks))


def under_hat(layer: Layer, scene: Scene) -> Layer:
    """New hair as the hat that a portrait keeps leaves it: pressed beside it, nothing beyond it, its shadow below."""
    size, unit, landmarks = scene.size, scene.eye_distance, scene.landmarks
    item = replace(layer, strength=1.0).at_rest(Canvas(size, size), landmarks, size)
    hat = scene.kept_hat.astype(np.float32) / 255
    pressed = press_hair(item[..., 3] / 255, hat, landmarks, unit)
    if pressed.hides_all:
        return replace(layer, texture=np.zeros_like(layer.texture))
    item = pressed.press(item) * (1 - pressed.beyond)[..., None]
    item[..., :3] *= 1 - SHADOW_STRENGTH["hat"] * shadow(hat, unit)[..., None]
    texture = np.clip(item + 0.5, 0, 255).astype(np.uint8)
    # It is a picture in the portrait's own pixels now: an attribute that is already where it belongs.
    there = np.ascontiguousarray(texture[..., 3])
    if not there.any():
        return replace(layer, texture=np.zeros_like(layer.texture))
    mesh = item_mesh(Attribute(np.zeros((size, size, 3), np.uint8), there, landmarks, layer.name), landmarks)
    return Layer(layer.name, texture, mesh.texture_points, mesh, layer.strength)
