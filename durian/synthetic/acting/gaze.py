"""Gaze and blinking: fixations, saccades, drift, and lids."""

from __future__ import annotations

import math

import numpy as np

from durian.motion.timeline import bump
from durian.synthetic.base.curves import intervals, limited, steps, sway
from durian.synthetic.head.eyeballs import EYE_TURN

FIXATION_SECONDS = (0.35, 1.8)
FACE_SPREAD = math.radians(1.6)
"""Standard deviation of fixations on whom one talks to: from eye to eye to mouth at a metre and a half."""
ASIDE_SPREAD = np.array([math.radians(13), math.radians(7)])
"""Standard deviations, to the side and up or down, of glances elsewhere."""
GLANCE_DOWN = math.radians(2.5)
"""Glances go down rather than up."""
SACCADE_SECONDS, SACCADE_SECONDS_PER_RADIAN = 0.021, 0.126
"""Main sequence of saccades: 21 ms and 2.2 ms per degree (Carpenter 1988)."""
DRIFT = math.radians(0.25)
"""Wander of the eyes during a fixation."""

FURTHEST_ASIDE, FURTHEST_UP, FURTHEST_DOWN = math.radians(21), math.radians(12), math.radians(14)
"""How far eyes turn in the head; for more, heads turn."""

BLINK_CLOSING, BLINK_SHUT, BLINK_OPENING = (0.040, 0.050), (0.008, 0.020), (0.062, 0.080)
"""Shortest and longest part of a blink, seconds: together 110 to 150 ms; lids fall faster than they rise."""
BLINK_REFRACTORY = 0.5
"""Seconds between two blinks, at least."""
DOUBLE_PART = 0.1
"""Share of blinks that are followed by another at once."""


def fixations(t: np.ndarray, rng: np.random.Generator, aside: float) -> np.ndarray:
    """Gaze around the point of interest, ``(F, 2)`` radians to the side and down.

    Args:
        t: ``(F,)`` seconds.
        rng: where chance comes from.
        aside: share of fixations that are glances elsewhere.
    """
    drift = DRIFT * np.stack([sway(t, rng, 1.3), sway(t, rng, 1.3)], axis=1)
    starts, durations, targets = [], [], []
    for start, length in intervals(t, rng, *FIXATION_SECONDS):
        near, far, glances = rng.normal(size=2) * FACE_SPREAD, rng.normal(size=2) * ASIDE_SPREAD, rng.random() < aside
        target = far + np.array([0, GLANCE_DOWN]) if glances else near
        # A glance is short.
        starts.append(start if not glances else start + 0.3 * length)
        amplitude = float(np.linalg.norm(target - targets[-1])) if targets else 0.0
        durations.append(saccade_seconds(amplitude))
        targets.append(target)
    return drift + steps(t, starts, durations, np.array(targets))


def saccade_seconds(amplitude: float) -> float:
    """How long eyes take for so many radians."""
    return SACCADE_SECONDS + SACCADE_SECONDS_PER_RADIAN * abs(amplitude)


def blinks(t: np.ndarray, rng: np.random.Generator, per_minute: float) -> np.ndarray:
    """Closure of the lids, ``(F,)`` in [0, 1]: blinks at irregular times."""
    closure, mean = np.zeros(len(t)), 60 / per_minute / (1 - DOUBLE_PART) - BLINK_REFRACTORY
    now = -rng.uniform(0, 60 / per_minute)
    while now < t[-1]:
        closing, shut, opening = (rng.uniform(*part) for part in (BLINK_CLOSING, BLINK_SHUT, BLINK_OPENING))
        closure = np.maximum(closure, bump(t, now, closing, shut, opening))
        if rng.random() < DOUBLE_PART:
            now += closing + shut + opening + rng.uniform(0.05, 0.15)
        else:
            # Gamma of shape two: seldom at once, seldom very late.
            now += BLINK_REFRACTORY + rng.gamma(2.0, mean / 2)
    return closure


def look(aside: np.ndarray, down: np.ndarray) -> dict[str, np.ndarray]:
    """Shapes of eyes that look ``aside`` (positive: to the person's left) and ``down`` by so many radians relative to
    the head, as far as eyes can."""
    aside = limited(np.asarray(aside, np.float64), FURTHEST_ASIDE) / EYE_TURN
    down = np.asarray(down, np.float64)
    down = limited(down, np.where(down > 0, FURTHEST_DOWN, FURTHEST_UP)) / EYE_TURN
    left, right = np.maximum(aside, 0), np.maximum(-aside, 0)
    vertical = {"Down": np.maximum(down, 0), "Up": np.maximum(-down, 0)}
    shapes = {f"eyeLook{way}_{side}": amount for way, amount in vertical.items() for side in "LR"}
    return shapes | {"eyeLookOut_L": left, "eyeLookIn_R": left, "eyeLookIn_L": right, "eyeLookOut_R": right}
