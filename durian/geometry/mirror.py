"""Mirroring of a reference, for an item seen from the other side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL, MESH_POINTS, WarpMesh
from durian.motion.canonical import canonical_face, mirror
from durian.request import Attribute

MIRRORED_NAMES = frozenset({"hair", "beard"})
"""Kinds that look alike in a mirror; a cap's badge or a monocle would not. On rendered triplets mirroring gives hair
and beards 0.3 dB inside the item, and hats and glasses nothing."""
YAW_GAP, YAW_GAIN = 25.0, 10.0
"""Degrees: mirror when the heads' directions differ by more than the first, and the mirror image differs by at least
the second less."""
TURNED = 20.0
"""Degrees from which on one side of a jaw is too narrow to be drawn wide."""
SEAM = 0.05
"""How far beyond a face's middle, in face widths, its seen side is used around it."""
MIDLINE = [168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 17, 18, 200, 199, 175, 152]
LEFT_JAW, RIGHT_JAW = [58, 172, 136, 61], [288, 397, 365, 291]
"""As seen in the picture."""


def facing_like(attribute: Attribute, portrait: np.ndarray) -> Attribute:
    """The attribute, mirrored if its head is turned the other way than the portrait's.

    ``portrait`` ``(478, 3)`` are the portrait's landmarks.
    """
    if attribute.name not in MIRRORED_NAMES or attribute.landmarks is None:
        return attribute
    wanted, given = yaw(portrait), yaw(attribute.landmarks)
    gap, mirrored_gap = abs(given - wanted), abs(-given - wanted)
    return mirrored(attribute) if gap > YAW_GAP and mirrored_gap < gap - YAW_GAIN else attribute


def mirrored(attribute: Attribute) -> Attribute:
    """The attribute's picture, mask and landmarks flipped left to right; landmarks keep their meaning."""
    landmarks = attribute.face_landmarks[mirror()].copy()
    landmarks[:, 0] = attribute.image.shape[1] - 1 - landmarks[:, 0]
    return replace(
        attribute,
        image=np.ascontiguousarray(attribute.image[:, ::-1]),
        mask=np.ascontiguousarray(attribute.mask[:, ::-1]),
        landmarks=landmarks,
    )


def seen_side_twice(reference: WarpMesh, drawn: np.ndarray, portrait: WarpMesh) -> np.ndarray:
    """Where each vertex of a portrait's mesh finds its texture in a picture of a turned face, the side that is turned
    away taken for the mirror image of the other, ``(V, 2) float32`` pixels: outer vertices, then the face's.

    Args:
        reference: the mesh of the turned face.
        drawn: ``(N, 3)`` where its outer vertices come on the portrait.
        portrait: the mesh it is drawn by.
    """
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

    landmarks, order, side = reference.landmarks, mirror(), canonical_face()[:, 0]
    middle, across = landmarks[MIDLINE, :2].mean(0), reference.head.axes[:2, 0]
    left, right = (float(np.abs((landmarks[jaw, :2] - middle) @ across).mean()) for jaw in (LEFT_JAW, RIGHT_JAW))
    hidden = -1.0 if left < right else 1.0
    texture = np.where((side * hidden > 0)[:, None], landmarks[order, :2], landmarks[:, :2])

    # What surrounds the face is flipped where it is drawn, for there the two sides are alike.
    axis, centre = portrait.head.axes[:, 0], portrait.landmarks[MIDLINE].mean(0)
    away = hidden * (portrait.rest - centre) @ axis
    places = (portrait.rest - 2 * np.maximum(away, 0)[:, None] * hidden * axis)[:, :2]
    known = hidden * (drawn - centre) @ axis < SEAM * portrait.head.width
    seen = drawn[known, :2], reference.rest[known, :2]
    around = LinearNDInterpolator(*seen)(places)
    beyond = np.isnan(around[:, 0])
    around[beyond] = NearestNDInterpolator(*seen)(places[beyond])
    around[: len(FACE_OVAL)] = texture[FACE_OVAL]
    return np.ascontiguousarray(np.concatenate([around, texture[:MESH_POINTS]]), np.float32)


def hides_a_side(landmarks: np.ndarray, portrait: np.ndarray) -> bool:
    """Whether a reference's head is turned so far from a portrait's that a side of its face is missing; both
    ``(478, 3)``."""
    given, wanted = yaw(landmarks), yaw(portrait)
    return abs(given) > TURNED and abs(wanted) < abs(given) - YAW_GAIN


def yaw(landmarks: np.ndarray) -> float:
    """Turn of a head about its vertical axis in degrees, 0 facing the camera."""
    axes = Head(landmarks).axes
    return float(np.degrees(np.arctan2(axes[2, 0], axes[0, 0])))


def pitch(landmarks: np.ndarray) -> float:
    """Turn of a head about the axis through its ears in degrees, as seen in the picture, above 0 bent down."""
    axes = Head(landmarks).axes
    return float(np.degrees(np.arctan2(axes[2, 1], axes[1, 1])))
