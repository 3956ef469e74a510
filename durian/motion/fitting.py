"""Fitting of a motion to landmarks over time: the rigid part by robust fits, the rest is expression."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from durian.errors import InvalidRequest, NoFaceFound
from durian.face.geometry import LANDMARKS
from durian.motion.canonical import canonical_face, expressive
from durian.motion.features import keep_lips_apart, lid_openings, local_sizes, scaled, set_lid_openings
from durian.motion.motion import Motion

RIGID_POINTS = np.array(
    [10, 67, 103, 54, 21, 162, 127, 297, 332, 284, 251, 389, 356, 109, 338, 151, 9, 8, 168, 6, 197, 195,
     122, 351, 193, 417, 188, 412, 196, 419, 104, 333, 69, 299, 108, 337, 133, 362, 33, 263, 143, 372]
)  # fmt: skip
"""Forehead, temples, bridge of the nose and eye corners: the points that expressions move least."""

PIVOT = np.array([0.0, 0.25, 1.0])
"""Centre of the skull in the canonical face, one eye distance behind the face's surface: heads turn about it."""

ROBUST_ROUNDS = 4
"""Rounds of reweighting; more change fits by less than 0.1 %."""

ROBUST_SCALE = 0.02
"""Residual in eye distances at which a point's weight is halved (jitter of MediaPipe on still heads is half this)."""

SHUT = 0.17
"""Opening that MediaPipe reports for a shut eye, relative to the open one (0 to
0.17 in the blinks of nine clips)."""

MAX_GAP = 3
"""Frames without a face that are bridged by interpolation."""
MOST_LOST = 30
"""Frames in a row without a face after which no more of a driving video are looked at: a second, so that what passes
before the face is told with its length."""


def fit_rigid(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Similarity with ``target ≈ scale · R · source + t`` in the least-squares sense (Umeyama 1991).

    Args:
        source, target: ``(N, 3)``, at least three points not on a line.
        weights: ``(N,)``, above or equal 0; all one by default.

    Returns:
        ``scale``, ``R (3, 3)`` with determinant 1, ``t (3,)``, float64.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    weights = np.ones(len(source)) if weights is None else np.asarray(weights, np.float64)
    weights = weights / weights.sum()
    source_mean, target_mean = weights @ source, weights @ target
    centred, aim = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd((aim * weights[:, None]).T @ centred)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((singular * sign).sum() / (weights @ (centred**2).sum(1)))
    return scale, rotation, target_mean - scale * rotation @ source_mean


def fit_head(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """:func:`fit_rigid` of two faces ``(478, 3)`` on :data:`RIGID_POINTS`, points that moved oddly weighing less."""
    source, target = source[RIGID_POINTS], target[RIGID_POINTS]
    weights = np.ones(len(RIGID_POINTS))
    unit = np.linalg.norm(np.ptp(target, axis=0))
    for _ in range(ROBUST_ROUNDS):
        scale, rotation, shift = fit_rigid(source, target, weights)
        residual = np.linalg.norm(target - (scale * source @ rotation.T + shift), axis=1) / unit
        # Cauchy weights, whose scale never falls below the jitter nor below the typical misfit of two shapes.
        weights = 1 / (1 + (residual / max(ROBUST_SCALE, 1.5 * np.median(residual))) ** 2)
    return scale, rotation, shift


def head_pose(landmarks: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Pose of a face against the canonical one: ``landmarks ≈ scale · R · canonical + t`` (scale is in pixels)."""
    return fit_head(canonical_face(), landmarks)


def from_landmarks(
    landmarks: np.ndarray, fps: float, neutral: int | None = None, name: str = "driving video"
) -> Motion:
    """A motion from tracked landmarks.

    Args:
        landmarks: ``(F, 478, 3)`` pixels, one person.
        fps: frames per second.
        neutral: the frame that shows the resting face; found by itself when ``None``.
        name: the motion's name.

    Raises:
        InvalidRequest: ``neutral`` is not one of the frames, or there is none.
    """
    landmarks = np.asarray(landmarks, np.float64)
    if landmarks.ndim != 3 or landmarks.shape[1:] != (LANDMARKS, 3) or not len(landmarks):
        raise InvalidRequest(f"Landmarks of shape {landmarks.shape} make no motion: give (frames, {LANDMARKS}, 3).")
    if neutral is None:
        neutral = find_neutral(landmarks)
    if not 0 <= neutral < len(landmarks):
        raise InvalidRequest(f"Neutral frame {neutral} does not exist: the video has frames 0 to {len(landmarks) - 1}.")
    rest = landmarks[neutral]
    unit, frame, shift = head_pose(rest)
    pivot = unit * frame @ PIVOT + shift
    rotations, translations, scales, faces = [], [], [], []
    for current in landmarks:
        scale, rotation, move = fit_head(rest, current)
        rotations.append(frame.T @ rotation @ frame)
        scales.append(scale)
        translations.append(frame.T @ (scale * rotation @ pivot + move - pivot) / unit)
        faces.append(((current - move) @ rotation / scale - pivot) @ frame / unit)
    rest = (rest - pivot) @ frame / unit
    expressions = carried_over(np.array(faces), rest)
    rotations[neutral], translations[neutral], scales[neutral] = np.eye(3), np.zeros(3), 1.0
    expressions[neutral] = 0
    apart = float(max(0.0, rest[14, 1] - rest[13, 1]))
    return Motion(name, fps, neutral, np.array(rotations), np.array(translations), np.array(scales), expressions, apart)


def carried_over(faces: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Expressions of one person as displacements of the canonical face.

    Args:
        faces: ``(F, 478, 3)`` in the head frame of ``rest``, rigid motion taken out, in outer-eye distances.
        rest: ``(478, 3)``, the person's neutral face.

    Returns:
        ``(F, 478, 3)`` canonical displacements: sizes divided out, eyes open by the same part of their own opening.
    """
    canonical = canonical_face().astype(np.float64)
    residual = (faces - rest) * expressive()[:, None]
    moved = canonical + scaled(residual, 1 / local_sizes(rest))
    openings = lid_openings(faces, rest)
    openings = np.where(openings < 1, np.clip((openings - SHUT) / (1 - SHUT), 0, 1), openings)
    moved = set_lid_openings(moved, canonical, openings)
    return keep_lips_apart(moved, canonical) - canonical


def find_neutral(landmarks: np.ndarray) -> int:
    """The frame that shows the resting face: mouth closed, eyes open, head frontal, where it mostly is, and calm.

    Args:
        landmarks: ``(F, 478, 3)`` pixels.
    """
    scales, rotations, shifts = (np.array(part) for part in zip(*map(head_pose, landmarks), strict=True))
    unit = np.median(scales)
    turn = np.arccos(np.clip(rotations[:, 2, 2], -1, 1))
    away = np.linalg.norm((shifts - np.median(shifts, 0))[:, :2], axis=1) / unit + np.abs(np.log(scales / unit))
    mouth = np.linalg.norm(landmarks[:, 13] - landmarks[:, 14], axis=1) / scales
    eyes = np.linalg.norm(landmarks[:, [159, 386]] - landmarks[:, [145, 374]], axis=2).mean(1) / scales
    shut = np.maximum(0, np.median(eyes) - eyes)
    # Lips wider or narrower than usual are smiling or pursed.
    width = np.linalg.norm(landmarks[:, 61] - landmarks[:, 291], axis=1) / scales
    speed = np.zeros(len(landmarks))
    if len(landmarks) > 1:
        speed = np.linalg.norm(np.gradient(landmarks, axis=0), axis=2).mean(1) / unit
    cost = 3 * mouth + 5 * shut + 0.5 * turn + 0.3 * away + np.abs(width - np.percentile(width, 30)) + speed
    return int(np.argmin(cost))


def bridge_gaps(tracked: list[np.ndarray | None], fps: float, start: float = 0.0) -> np.ndarray:
    """Fill gaps of up to three frames: ``(F, 478, 3) float32``.

    Args:
        tracked: ``(478, 3)`` or ``None``, per frame.
        fps: their rate.
        start: second of the video at which they begin.

    Raises:
        NoFaceFound: no face at all, or a longer gap.
    """
    known = [index for index, landmarks in enumerate(tracked) if landmarks is not None]
    if not known:
        beginning = f"the first {MOST_LOST} frames of " if len(tracked) == MOST_LOST else ""
        raise NoFaceFound(
            f"No face was found in {beginning}the driving video: use one where a person's face is clearly seen."
        )
    edges = [-1, *known, len(tracked)]
    for before, after in pairwise(edges):
        missing, at = after - before - 1, start + (before + 1) / fps
        if missing > MAX_GAP:
            length = f"{missing} frames{' or more' if missing >= MOST_LOST else ''}"
            raise NoFaceFound(
                f"The face is lost in frame {before + 1} of the driving video (at {at:.2f} s) for "
                f"{length}: trim the video or use one where the face stays in the picture."
            )
    values = np.stack([landmarks for landmarks in tracked if landmarks is not None]).reshape(len(known), -1)
    wanted = np.arange(len(tracked))
    right = np.clip(np.searchsorted(known, wanted), 0, len(known) - 1)
    left = np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, len(known) - 1)
    span = np.maximum(np.array(known)[right] - np.array(known)[left], 1)
    part = np.clip((wanted - np.array(known)[left]) / span, 0, 1)[:, None]
    return (values[left] * (1 - part) + values[right] * part).reshape(-1, LANDMARKS, 3).astype(np.float32)
