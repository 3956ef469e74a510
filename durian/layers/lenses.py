"""Separation of glasses' pixels into the opaque frame and the lenses that are seen through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from durian.geometry.glasses import GlassesItem
from durian.geometry.raster import Canvas
from durian.layers.glasses import take_apart
from durian.request import Attribute


def glasses_opacity(image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Where glasses hide their own wearer's face: frames and dark lenses, not clear ones.

    Args:
        image: ``(h, w, 3) uint8``.
        mask: ``(h, w) uint8``, frames and lenses.
        landmarks: ``(478, 3)`` of the wearer.

    Returns:
        ``(h, w) float32`` in [0, 1], to be multiplied with the mask.
    """
    if not (mask > 127).any():
        return np.zeros(mask.shape, np.float32)
    own = Attribute(image, mask, landmarks, "glasses")
    mesh = GlassesItem(own, landmarks)
    # Here each half stands for itself, however little of it is seen.
    surface = replace(mesh.surface, mirrors=False)
    apart = take_apart(own, surface, surface.unit, evens_out=False)
    hidden = np.rint(apart.texture[..., 3:].mean(2, keepdims=True)).astype(np.uint8)
    vertices = surface.pixels(mesh.places).astype(np.float32)
    points = apart.view.points(mesh.places).astype(np.float32)
    drawn = np.zeros((*mask.shape, 3), np.uint8)
    canvas = Canvas(mask.shape[1], mask.shape[0])
    texture = np.ascontiguousarray(np.repeat(hidden, 4, 2))
    canvas.draw(drawn, texture, vertices, points, mesh.triangles, mesh.facing)
    return drawn[..., 0].astype(np.float32) / 255
