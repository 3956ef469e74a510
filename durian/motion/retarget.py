"""Retargeting of a motion to a portrait's own face: relative, and shape preserving."""

from __future__ import annotations

import numpy as np

from durian.motion.canonical import canonical_face
from durian.motion.features import (
    keep_irises_in,
    keep_lips_apart,
    lid_openings,
    local_sizes,
    scaled,
    set_lid_openings,
)
from durian.motion.fitting import PIVOT, head_pose
from durian.motion.lips import unfolded, wanted_opening, with_lips
from durian.motion.motion import Motion

CLOSED = 0.03
"""Opening of an eye, relative to neutral, below which it is shut altogether (rounding of the stored actions)."""

MAX_SHIFT = 0.6
"""Farthest that the skull's centre moves in the picture, in eye distances: a photo has no shoulders to follow with."""


def drive(
    motion: Motion,
    landmarks: np.ndarray,
    pose_strength: float = 1.0,
    expression_strength: float = 1.0,
    normalise_lips: bool = False,
) -> np.ndarray:
    """Move a portrait's landmarks by a motion.

    The expression is added in the portrait's own head frame, scaled by its local sizes; eyes close by the same part
    of their own opening, lips and lids never cross, irises stay in their eyes. Then the head turns about its skull's
    centre.

    Args:
        motion: what to do.
        landmarks: ``(478, 3)`` pixels, the portrait.
        pose_strength: factor on the head's turn, shift and change of size; 0 keeps it still.
        expression_strength: factor on the expression.
        normalise_lips: close a mouth that is open at rest as far as the driver's is, before a motion that speaks.

    Returns:
        ``(F, 478, 3) float32`` pixels; a neutral frame is ``landmarks`` exactly, unless lips were closed.
    """
    from scipy.spatial.transform import Rotation

    landmarks = np.asarray(landmarks, np.float32)
    unit, frame, pivot, rest = at_rest(landmarks)
    wanted = wanted_opening(motion, rest, frame, expression_strength) if normalise_lips else None
    if wanted is not None:
        rest = with_lips(rest, wanted)
    faces = expressed(rest, motion.expressions * np.float32(expression_strength))

    turned = (Rotation.from_matrix(motion.rotations) ** pose_strength).as_matrix()
    scales = motion.scales.astype(np.float64) ** pose_strength
    shifts = softly_limited(motion.translations * pose_strength, MAX_SHIFT)
    moved = scales[:, None, None] * (faces @ turned.swapaxes(1, 2)) + shifts[:, None]
    result = (unit * (moved @ frame.T) + pivot).astype(np.float32)

    posed = pose_strength * motion.pose_activity()
    acted = expression_strength * motion.expression_activity()
    if wanted is None:
        result[(posed == 0) & (acted == 0)] = landmarks
    return result


def driven_landmarks(motion: Motion, landmarks: np.ndarray, expression_strength: float = 1.0) -> np.ndarray:
    """The portrait's landmarks ``(478, 3) float32`` as a mesh can be made of them that is driven with normalised lips:
    as they are, but unfolded below a wide open mouth that will be closed."""
    unit, frame, pivot, rest = at_rest(landmarks)
    if wanted_opening(motion, rest, frame, expression_strength) is None:
        return landmarks
    return (unit * (unfolded(rest) @ frame.T) + pivot).astype(np.float32)


def at_rest(landmarks: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Eye distance, head frame ``(3, 3)`` and pivot ``(3,)`` in pixels, and the face ``(478, 3)`` in that frame."""
    unit, frame, shift = head_pose(landmarks)
    pivot = unit * frame @ PIVOT + shift
    return unit, frame, pivot, (landmarks - pivot) @ frame / unit


def expressed(rest: np.ndarray, expressions: np.ndarray) -> np.ndarray:
    """A face in its head frame ``(478, 3)``, in eye distances, with canonical ``expressions (F, 478, 3)`` on it."""
    canonical = canonical_face().astype(np.float64)
    openings = lid_openings(canonical + expressions, canonical)
    openings = np.where(openings < CLOSED, 0.0, openings)
    faces = rest + scaled(expressions, local_sizes(rest))
    faces = set_lid_openings(faces, rest, openings)
    return keep_irises_in(keep_lips_apart(faces, rest), rest)


def softly_limited(vectors: np.ndarray, limit: float) -> np.ndarray:
    """``(F, 3)`` vectors with their direction, short ones nearly as they are, none longer than ``limit``."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors * np.where(length > 1e-9, limit * np.tanh(length / limit) / np.maximum(length, 1e-9), 1)
