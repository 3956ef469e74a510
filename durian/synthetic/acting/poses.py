"""Random head poses, and a distance between two poses.

A pose is ``(yaw, pitch, roll)`` in radians as :func:`durian.synthetic.render.camera.rotation` takes them.
"""

from __future__ import annotations

import math

import numpy as np

from durian.synthetic.render.camera import rotation

Angles = tuple[float, float, float]

WIDEST = math.radians(45)
"""Largest usual yaw: a face seen so far from the side still shows both eyes."""
REACH = np.array([1.0, 0.55, 0.45])
"""Largest yaw, pitch and roll as parts of the widest: a neck turns further than it bends."""
USUAL = np.array([0.33, 0.18, 0.11])
"""Standard deviations of the three in everyday pictures, as parts of the widest (taste, after portraits)."""
WIDE_PART = 0.25
"""Share of pictures in which somebody looks anywhere within reach."""
LEANING = -0.12
"""Roll for each radian of yaw: heads lean away from where they turn."""

TRIES = 64
BISECTIONS = 48


def sample_pose(rng: np.random.Generator, spread: float = 1.0, widest: float = WIDEST) -> Angles:
    """A pose: most are near the front, some as far as the widest.

    Args:
        rng: where chance comes from.
        spread: multiplies all angles; what is beyond reach is brought back.
        widest: the largest yaw in radians; pitch and roll stay within :data:`REACH` of it.
    """
    near = rng.normal(size=3) * USUAL
    wide = rng.uniform(-1, 1, 3) * REACH * (1.0, 0.7, 0.6)
    angles = wide if rng.random() < WIDE_PART else near
    angles[2] += LEANING * angles[0]
    yaw, pitch, roll = widest * np.clip(spread * angles, -REACH, REACH)
    return float(yaw), float(pitch), float(roll)


def pose_gap(first: Angles, second: Angles) -> float:
    """Angle in [0, π] of the rotation that takes one pose to the other, radians."""
    between = rotation(*second).astype(np.float64) @ rotation(*first).T.astype(np.float64)
    sines = between[[2, 0, 1], [1, 2, 0]] - between[[1, 2, 0], [2, 0, 1]]
    return math.atan2(float(np.linalg.norm(sines)), float(np.trace(between)) - 1)


def pose_at_gap(rng: np.random.Generator, pose: Angles, gap: float, widest: float = WIDEST) -> Angles:
    """Another pose, ``gap`` radians from ``pose``, mostly to the side, within reach as in :func:`sample_pose`.

    Raises:
        ValueError: the gap is negative, or larger than any that was found within reach.
    """
    if gap < 0:
        raise ValueError(f"Poses cannot be {gap} radians apart.")
    start = np.array(pose, np.float64)
    limits = np.maximum(widest * REACH, np.abs(start))
    opposite = np.array([-math.copysign(1.0, start[0]), 0, 0])
    for attempt in range(TRIES + 1):
        direction = rng.normal(size=3) * USUAL if attempt < TRIES else opposite
        with np.errstate(divide="ignore", invalid="ignore"):
            room = (np.sign(direction) * limits - start) / direction
        furthest = float(np.min(room[direction != 0]))
        if pose_gap(pose, tuple(start + furthest * direction)) < gap:
            continue
        near, far = 0.0, furthest
        for _ in range(BISECTIONS):
            middle = (near + far) / 2
            near, far = (middle, far) if pose_gap(pose, tuple(start + middle * direction)) < gap else (near, middle)
        yaw, pitch, roll = start + far * direction
        return float(yaw), float(pitch), float(roll)
    raise ValueError(f"No pose within {widest} radians is {gap} radians from {pose}.")
