"""Features that differ from face to face and are not retargeted: eyes, lips and local sizes.

All landmarks here are in a head frame: ``(..., 478, 3)``, frontal, x right, y down, z away, in any one unit.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from durian.motion.canonical import LEFT_IRIS, RIGHT_IRIS, canonical_face

UPPER_LIDS = np.array([246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398])
LOWER_LIDS = np.array([7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382])
"""Contours of both eyes without their corners, in facing pairs: the person's right eye, then the left."""

LID_FOLDS = (
    (np.array([247, 30, 29, 27, 28, 56, 190, 467, 260, 259, 257, 258, 286, 414]), 0.6),
    (np.array([113, 225, 224, 223, 222, 221, 189, 342, 445, 444, 443, 442, 441, 413]), 0.15),
)
"""Rows of skin above the upper lids, and how much of a correction of the lid they follow (taste)."""

UPPER_LIPS = (
    np.array([191, 80, 81, 82, 13, 312, 311, 310, 415]),
    np.array([183, 42, 41, 38, 12, 268, 271, 272, 407]),
    np.array([184, 74, 73, 72, 11, 302, 303, 304, 408]),
    np.array([185, 40, 39, 37, 0, 267, 269, 270, 409]),
)
LOWER_LIPS = (
    np.array([95, 88, 178, 87, 14, 317, 402, 318, 324]),
    np.array([96, 89, 179, 86, 15, 316, 403, 319, 325]),
    np.array([77, 90, 180, 85, 16, 315, 404, 320, 307]),
    np.array([146, 91, 181, 84, 17, 314, 405, 321, 375]),
)
"""Rows of the lips from the mouth's opening outwards, facing pairs at the same place of both."""

LIP_FOLLOW = (1.0, 0.8, 0.65, 0.5)
"""How much each row of a lip follows a correction of the opening (taste)."""

EYE_CORNERS = ((33, 133), (362, 263))
"""Corners of the right and the left eye, from the picture's left to its right."""

IRIS_RANGE = (0.27, 0.73)
"""Part of the way between the eye's corners where an iris centre may be: its rim then stays in the eye."""

SIZE_LIMITS = (0.6, 1.6)
"""Range of the ratio of local sizes; beyond it the measurement is wrong, or the neutral frame not neutral."""

SIZE_POWER = 0.5
"""Faces differ more at rest than in how far they move: with 1, a long chin opened its mouth 30 % too wide (on portraits
driven by clips)."""

OPEN_MOUTH, OPEN_MOUTH_DAMPING = 0.2, 0.5
"""A mouth open by this many eye distances at rest opens by this part less (taste: laughing portraits)."""

MAX_EYE_OPENING = 1.7
"""Widest opening of an eye relative to its neutral one."""

MOUTH_CENTRE = np.array([0.0, 0.76, -0.15])
MOUTH_REACH = 0.42
"""Distance in eye distances at which the mouth's width stops setting the scale."""


def local_sizes(rest: np.ndarray) -> np.ndarray:
    """Sizes of each landmark's surroundings ``(478, 2) float64``, across and along the face, relative to the canonical.

    Args:
        rest: ``(478, 3)``, the neutral face in outer-eye distances.
    """
    canonical = canonical_face()
    mouth, lower = _mouth_weight(), _lower_weight()
    width = _ratio(_span(rest, 234, 454, 0), _span(canonical, 234, 454, 0))
    mouth_width = _ratio(_span(rest, 61, 291, 0), _span(canonical, 61, 291, 0))
    height = _ratio(_span(rest, 10, 2, 1), _span(canonical, 10, 2, 1))
    lower_height = _ratio(_span(rest, 2, 152, 1), _span(canonical, 2, 152, 1))
    # A mouth wider than the face suggests is smiling already, and has that much less way to go.
    room = min(1.0, width / mouth_width)
    across = width + (min(mouth_width, width) * room - width) * mouth
    along = (height + (lower_height - height) * lower) * (1 + (room - 1) * mouth)
    # So has a mouth that is open already: the whole jaw has come down with it.
    along = along * (1 - OPEN_MOUTH_DAMPING * min(1.0, _span(rest, 13, 14, 1) / OPEN_MOUTH) * lower)
    sizes = np.stack([across, along], 1)
    for iris, (outer, inner) in zip((RIGHT_IRIS, LEFT_IRIS), EYE_CORNERS, strict=True):
        sizes[iris] = _ratio(_span(rest, outer, inner, 0), _span(canonical, outer, inner, 0))
    return sizes


def scaled(residual: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Residuals ``(F, 478, 3)`` times local sizes ``(478, 2)``; depth takes the size across."""
    return residual * np.stack([sizes[:, 0], sizes[:, 1], sizes[:, 0]], 1)


def lid_openings(faces: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """How open each pair of lid points is in ``faces (F, 478, 3)``, relative to ``rest (478, 3)``: ``(F, 14)``, ≥ 0."""
    gap = (faces[:, LOWER_LIDS] - faces[:, UPPER_LIDS])[..., 1]
    own = (rest[LOWER_LIDS] - rest[UPPER_LIDS])[:, 1]
    # The lids of each eye close together, so a pair near a corner is measured with its eye's mean.
    eye_gap = gap.reshape(-1, 2, 7).mean(2, keepdims=True)
    eye_own = np.maximum(own.reshape(2, 7).mean(1), 1e-3 * np.linalg.norm(rest[33] - rest[263]))[:, None]
    common = np.broadcast_to(eye_gap / eye_own, (len(faces), 2, 7)).reshape(-1, 14)
    return np.clip(common, 0, MAX_EYE_OPENING)


def set_lid_openings(faces: np.ndarray, rest: np.ndarray, openings: np.ndarray) -> np.ndarray:
    """``faces (F, 478, 3)`` with each pair of lids ``openings (F, 14)`` times as open as in ``rest``.

    The upper lids move. At 0 the upper lid lies exactly on the lower one; the folds above follow.
    """
    own = rest[UPPER_LIDS] - rest[LOWER_LIDS]
    own = own * np.where(own[:, 1:2] < 0, 1.0, 0.0)  # a lid that was measured below the other counts as closed
    wanted = faces[:, LOWER_LIDS] + openings[..., None] * own
    correction = wanted - faces[:, UPPER_LIDS]
    result = faces.copy()
    result[:, UPPER_LIDS] = wanted
    for fold, follow in LID_FOLDS:
        result[:, fold] += follow * correction
    return result


def keep_lips_apart(faces: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """``faces (F, 478, 3)`` with lips that would cross pushed back until they touch."""
    gap = (faces[:, LOWER_LIPS[0]] - faces[:, UPPER_LIPS[0]])[..., 1]
    own = (rest[LOWER_LIPS[0]] - rest[UPPER_LIPS[0]])[:, 1]
    excess = np.maximum(np.minimum(own, 0) - gap, 0) / 2
    result = faces.copy()
    for upper, lower, follow in zip(UPPER_LIPS, LOWER_LIPS, LIP_FOLLOW, strict=True):
        result[:, upper, 1] -= follow * excess
        result[:, lower, 1] += follow * excess
    return result


def keep_irises_in(faces: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """``faces (F, 478, 3)`` with irises held between the corners of their eye, or where ``rest`` had them."""
    result = faces.copy()
    for iris, (first, second) in zip((RIGHT_IRIS, LEFT_IRIS), EYE_CORNERS, strict=True):
        span = faces[:, second, 0] - faces[:, first, 0]
        place = (faces[:, iris.start, 0] - faces[:, first, 0]) / span
        own = (rest[iris.start, 0] - rest[first, 0]) / (rest[second, 0] - rest[first, 0])
        held = np.clip(place, min(IRIS_RANGE[0], own), max(IRIS_RANGE[1], own))
        result[:, iris, 0] += ((held - place) * span)[:, None]
    return result


def _span(face: np.ndarray, first: int, second: int, axis: int) -> float:
    return abs(float(face[first, axis] - face[second, axis]))


def _ratio(size: float, canonical: float) -> float:
    return float(np.clip(size / canonical, *SIZE_LIMITS)) ** SIZE_POWER


@lru_cache(maxsize=1)
def _mouth_weight() -> np.ndarray:
    distance = np.linalg.norm((canonical_face() - MOUTH_CENTRE)[:, :2], axis=1)
    return _smooth(1 - (distance - MOUTH_REACH / 2) / (MOUTH_REACH / 2))


@lru_cache(maxsize=1)
def _lower_weight() -> np.ndarray:
    # From the lower lids to the nose's base.
    return _smooth((canonical_face()[:, 1] - 0.15) / 0.35)


def _smooth(values: np.ndarray) -> np.ndarray:
    values = np.clip(values, 0, 1)
    return values * values * (3 - 2 * values)
