"""A made face that wears made glasses: round rims and lenses of a known make, drawn at any turn of the head."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from durian.geometry.glasses import GlassesSurface, grid_triangles
from durian.geometry.mesh import BROWS, EYES, IRISES
from durian.geometry.raster import Canvas
from durian.request import Attribute
from tests.faces_made import SIDE, SKIN, made_landmarks

LENS, RIM = 0.24, 0.05
"""Radius of a lens with its rim, and the rim's thickness, units."""
MIDDLE = 0.34, 0.03
"""Of a lens, across and down, units."""
FRAME = (30, 40, 120)
EYE_WHITE, IRIS, BROW = (240, 240, 240), (40, 30, 20), (60, 40, 30)
SCALE = 300
"""Pixels per unit of the front view that is drawn."""


def bare_face(landmarks: np.ndarray, skin: tuple[int, int, int] = SKIN) -> np.ndarray:
    """Skin, eyes and brows, ``(256, 256, 3) uint8``."""
    image = np.full((SIDE, SIDE, 3), skin, np.uint8)
    for contours, colour in ((BROWS, BROW), (EYES, EYE_WHITE), ([iris[1:] for iris in IRISES], IRIS)):
        for contour in contours:
            cv2.fillPoly(image, [np.round(landmarks[contour, :2]).astype(np.int32)], colour)
    return image


def wearing(
    landmarks: np.ndarray,
    through: tuple[float, float, float],
    added: tuple[int, int, int],
    forward: float = 0.0,
    skin: tuple[int, int, int] = SKIN,
    rim: float = RIM,
) -> Attribute:
    """A bare face with glasses whose lenses let ``through`` and add so much of each colour."""
    across, down = np.meshgrid(np.arange(-SCALE, SCALE + 1) / SCALE, np.arange(-SCALE // 2, SCALE // 2 + 1) / SCALE)
    radius = np.hypot(np.abs(across) - MIDDLE[0], down - MIDDLE[1])
    lens, whole = radius < LENS - rim, radius < LENS
    frame = (whole & ~lens) | ((np.abs(across) < MIDDLE[0] - LENS + rim / 2) & (np.abs(down) < rim / 2))
    texture = np.zeros((*radius.shape, 6), np.uint8)
    texture[frame] = *FRAME, 255, 255, 255
    texture[lens] = *added, *(round(255 * (1 - share)) for share in through)
    shown = bare_face(landmarks, skin)
    mask = np.zeros_like(shown)
    surface = replace(GlassesSurface(np.asarray(landmarks, np.float64)), forward=forward)
    columns, rows = np.linspace(-1, 1, 41), np.linspace(-0.5, 0.5, 11)
    places = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    points = ((places - [-1, -0.5]) * SCALE).astype(np.float32)
    triangles = grid_triangles(len(columns), len(rows))
    covered = np.repeat(255 * (frame | lens)[..., None].astype(np.uint8), 4, 2)
    for picture, drawn in ((shown, texture), (mask, covered)):
        vertices = surface.pixels(places).astype(np.float32)
        Canvas(SIDE, SIDE).draw(picture, drawn, vertices, points, triangles, np.zeros(len(triangles), np.float32))
    return Attribute(shown, np.ascontiguousarray(mask[..., 0]), np.asarray(landmarks, np.float32), "glasses")


def turned_face(yaw: float = 0.0) -> np.ndarray:
    """``(478, 3)`` landmarks of the made face."""
    return made_landmarks(0.0, yaw)
