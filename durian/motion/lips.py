"""Closing of a mouth that is open at rest before a motion acts on it, as LivePortrait's lip normalisation does.

Motions are relative to a resting face. Added to a mouth that is open at rest, they would never close it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from durian.face.geometry import CHIN, FACE_OVAL
from durian.motion.canonical import actions, canonical_face
from durian.motion.features import LOWER_LIPS, UPPER_LIPS
from durian.motion.motion import Motion

LEAST_OPENING = 0.04
"""Opening in eye distances beyond the driver's own from which a mouth counts as open; closed ones reach 0.03."""
SPEAKING = 0.05
"""Change of the opening in eye distances from which a motion speaks. One that does not (a nod) leaves a smile alone."""
MOST_TURNED = 35.0
"""Degrees to the side up to which lips are closed; beyond it half of the mouth is hidden and its mesh is a guess."""
JAW_SHARE, BY_LIPS = 0.4, 0.2
"""Part of a closing that the jaw does, and the most in eye distances that is left to the lips (taste, on portraits that
smile or shout)."""
CORNERS = (78, 308)
"""Of the mouth's opening, from the picture's left to its right."""
CORNER_POINTS = ((78, 62, 191, 95), (308, 292, 415, 324), (62, 76, 183, 96), (292, 306, 407, 325))
"""Corners of the rows of the lips, the point beyond each, and the nearest of the row's upper and of its lower lip."""
LIP_ROWS = (1.0, 0.95, 0.9, 0.85)
"""How much each row of a lip goes along, from the opening outwards: lips keep their thickness (taste)."""
LEAST_ORDER = 0.5
"""Of its canonical place between lip and jaw, the least that a point of the chin lies below the lip."""
WIDE = 0.3
"""Opening from which the lower lip is thought to be as thick as the canonical one: smiles reach 0.23."""
SMILING = 0.15
"""Opening up to which lips meet halfway, along the curve of a smile; wide open ones meet on a straight line."""
CHIN_WIDTH = 0.27
"""Half of the chin's width in eye distances."""


def opening(rest: np.ndarray) -> float:
    """How far the lips are apart in their middle, in eye distances, of a face ``(478, 3)`` in its head frame."""
    return float(max(0.0, rest[14, 1] - rest[13, 1]))


def wanted_opening(motion: Motion, rest: np.ndarray, frame: np.ndarray, strength: float = 1.0) -> float | None:
    """The opening at rest that suits a motion: the driver's own, ``None`` where the portrait keeps its own.

    Args:
        motion: what will act on the face.
        rest: ``(478, 3)`` the portrait in its head frame, in eye distances.
        frame: ``(3, 3)`` the head frame in the picture.
        strength: factor on the expression; below 1 lips are closed by that part only.
    """
    from scipy.spatial.transform import Rotation

    own = opening(rest)
    turned = abs(Rotation.from_matrix(frame).as_rotvec(degrees=True)[1])
    change = np.ptp(motion.expressions[:, 14, 1] - motion.expressions[:, 13, 1])
    if own - motion.neutral_opening < LEAST_OPENING or change < SPEAKING or turned > MOST_TURNED:
        return None
    return own - min(strength, 1.0) * (own - motion.neutral_opening)


def with_lips(rest: np.ndarray, wanted: float) -> np.ndarray:
    """A face ``(478, 3)`` in its head frame with an open mouth closed to ``wanted`` eye distances, below its own.

    The jaw comes up, the lips do the rest, and the skin of the chin is spread evenly between the two.
    """
    own = opening(rest)
    rest = unfolded(rest)
    jaw = actions()["jaw_open"].astype(np.float64)
    by_jaw = max(JAW_SHARE * (own - wanted), own - wanted - BY_LIPS)
    result = rest - by_jaw / (jaw[14] - jaw[13])[1] * jaw
    apart = result[LOWER_LIPS[0]] - result[UPPER_LIPS[0]]
    excess = apart - wanted / own * (rest[LOWER_LIPS[0]] - rest[UPPER_LIPS[0]])
    straight = np.clip((own - SMILING) / (WIDE - SMILING), 0, 1)
    by_upper = 0.5 + straight * (_upper_share(result) - 0.5)
    for upper, lower, follow in zip(UPPER_LIPS, LOWER_LIPS, LIP_ROWS, strict=True):
        result[upper] += follow * by_upper * excess
        result[lower] -= follow * (1 - by_upper) * excess
    _straighten_corners(result)
    points, _ = _chin_points()
    lip, jaw = _lip_and_jaw(rest, points)
    part = np.clip((rest[points, 1] - lip) / np.maximum(jaw - lip, 1e-6), 0, 1)
    lip, jaw = _lip_and_jaw(result, points)
    result[points, 1] = lip + part * (jaw - lip)
    return result


def _upper_share(face: np.ndarray) -> np.ndarray:
    """How much of its way to the other each point of the upper lip goes, ``(9, 1)`` in [0, 1].

    So they meet on the line between the mouth's corners, bent as in the canonical face, or as near it as they can.
    """

    def above_corners(face: np.ndarray, points: np.ndarray) -> np.ndarray:
        left, right = face[CORNERS[0]], face[CORNERS[1]]
        along = np.clip((face[points, 0] - left[0]) / max(right[0] - left[0], 1e-6), 0, 1)
        return face[points, 1] - (left[1] + along * (right[1] - left[1]))

    canonical = canonical_face().astype(np.float64)
    line = (above_corners(canonical, UPPER_LIPS[0]) + above_corners(canonical, LOWER_LIPS[0])) / 2
    upper, lower = above_corners(face, UPPER_LIPS[0]), above_corners(face, LOWER_LIPS[0])
    return np.clip((line - upper) / np.maximum(lower - upper, 1e-6), 0, 1)[:, None]


def _straighten_corners(face: np.ndarray) -> None:
    """Keep the point beyond each corner of the lips' rows between the lines of its two lips, ``(478, 3)`` changed in
    place: where they meet beside it, the mesh would fold."""
    for corner, beyond, upper, lower in CORNER_POINTS:
        lines = []
        for lip in (upper, lower):
            run = face[corner, 0] - face[lip, 0]
            slope = (face[corner, 1] - face[lip, 1]) / (run if abs(run) > 1e-6 else 1e-6)
            lines.append(face[corner, 1] + slope * (face[beyond, 0] - face[corner, 0]))
        face[beyond, 1] = np.clip(face[beyond, 1], min(lines), max(lines))


def unfolded(rest: np.ndarray) -> np.ndarray:
    """The same face with the chin below the lower lip: in a wide open mouth MediaPipe finds the lip's inner edge, but
    neither its lower one nor the skin below it, and the mesh would fold there.

    Args:
        rest: ``(478, 3)`` in its head frame, in eye distances.
    """
    points, along = _chin_points()
    result = rest.copy()
    if opening(rest) > WIDE:
        for row in LOWER_LIPS[1:]:
            thick = (canonical_face()[row] - canonical_face()[LOWER_LIPS[0]])[:, 1]
            result[row, 1] = np.maximum(rest[row, 1], rest[LOWER_LIPS[0], 1] + thick)
    lip, jaw = _lip_and_jaw(result, points)
    result[points, 1] = np.maximum(rest[points, 1], lip + LEAST_ORDER * along * np.maximum(jaw - lip, 0))
    return result


@lru_cache(maxsize=1)
def _chin_points() -> tuple[np.ndarray, np.ndarray]:
    """Landmarks of the skin between lower lip and jaw, and where between the two they lie, 0 to 1."""
    face = canonical_face().astype(np.float64)
    lip, jaw = _lip_and_jaw(face, np.arange(len(face)))
    along = (face[:, 1] - lip) / np.maximum(jaw - lip, 1e-6)
    points = np.flatnonzero((along > 0.02) & (along < 0.98) & (np.abs(face[:, 0]) < CHIN_WIDTH))
    return points, along[points]


@lru_cache(maxsize=1)
def _lower_oval() -> np.ndarray:
    place = FACE_OVAL.index(CHIN)
    return np.array(FACE_OVAL[place - 6 : place + 7])[::-1]


def _lip_and_jaw(face: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The y of the lower lip's outer edge above and of the jaw below landmarks."""
    heights = []
    for row in (LOWER_LIPS[-1], _lower_oval()):
        order = row[np.argsort(face[row, 0])]
        heights.append(np.interp(face[points, 0], face[order, 0], face[order, 1]))
    return heights[0], heights[1]
