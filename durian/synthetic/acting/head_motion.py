"""Head motion: from posture to posture, never quite still, with nods, shakes and the beats of speech."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from durian.motion.timeline import bump, ease
from durian.synthetic.acting.poses import LEANING, REACH, WIDEST, Angles
from durian.synthetic.base.curves import intervals, limited, steps, sway

MOVE_SECONDS = 0.36
"""How long the smallest move takes."""
RADIANS_PER_SECOND = math.radians(75)
"""What further turning adds to that; the fastest moment of a move is nearly twice as fast."""
STEADIEST, QUICKEST = 1.35, 0.9
"""Factors of a move's length."""
AWAY = math.radians(28)
"""Least yaw of a posture of a head that looks around."""
DIP = 0.06
"""Pitch that a head dips by while it turns, for each radian of the turn."""
SWAY_HERTZ = 0.9
BREATH_HERTZ = (0.22, 0.32)
BREATH = math.radians(0.22)
MARGIN = math.radians(8)
"""What a head that is held beyond the usual reach may still move by."""
POSTURE_PART = 0.92
"""Part of the reach that postures use; the rest is for what is added to them."""

NOD_HERTZ, SHAKE_HERTZ = (1.5, 2.3), (1.2, 1.9)
NOD, SHAKE = (math.radians(2.5), math.radians(6.5)), (math.radians(3), math.radians(7.5))
"""Gestures of yes and no."""

BEAT = (math.radians(0.8), math.radians(3.4))
"""How far a head goes down on a stressed syllable."""
BEAT_RISE, BEAT_FALL = 0.16, 0.30
"""Seconds down to the syllable and back."""


@dataclass(frozen=True)
class Carriage:
    """A way to hold one's head.

    Attributes:
        spread: standard deviations of yaw, pitch and roll of its postures around the mean, radians.
        hold: shortest and longest time from one move to the next, seconds.
        sway: root mean square of the wander of the three, radians.
        looks_around: postures cover the whole reach in turn.
        gestures: share of postures with a nod or a shake.
        shift: how far the head is moved, in units of :class:`~durian.synthetic.base.person.View`'s ``cx``.
    """

    spread: Angles
    hold: tuple[float, float]
    sway: Angles
    looks_around: bool = False
    gestures: float = 0.0
    shift: float = 0.2


@dataclass(frozen=True)
class HeadMotion:
    """``angles (F, 3)`` radians; ``postures``: the times at which each begins, and its angles ``(N, 3)``."""

    angles: np.ndarray
    starts: tuple[float, ...]
    postures: np.ndarray


def carry(t: np.ndarray, rng: np.random.Generator, carriage: Carriage, pose: Angles) -> HeadMotion:
    """A head that moves around ``pose`` at times ``t (F,)``."""
    wander = np.array(carriage.sway) / 0.7 * np.stack([sway(t, rng, SWAY_HERTZ) for _ in range(3)], axis=1)
    breath = BREATH * np.sin(2 * np.pi * (rng.uniform(*BREATH_HERTZ) * t + rng.random()))
    room = POSTURE_PART * _limits(pose)

    starts, seconds, postures, gestures = [], [], [], np.zeros((len(t), 2))
    for start, length in intervals(t, rng, *carriage.hold):
        last = postures[-1] if postures else np.array(pose, np.float64)
        posture = pose + rng.normal(size=3) * carriage.spread
        far, side = rng.uniform(AWAY, WIDEST), math.copysign(1, rng.random() - 0.5)
        if carriage.looks_around:
            if abs(last[0]) > AWAY / 2:
                side = -math.copysign(1, last[0])
            posture[0] = side * far
        posture[2] += LEANING * (posture[0] - pose[0])
        posture = np.clip(posture, -room, room)
        distance = float(np.abs(posture - last).max())
        starts.append(start)
        seconds.append(rng.uniform(QUICKEST, STEADIEST) * (MOVE_SECONDS + distance / RADIANS_PER_SECOND))
        postures.append(posture)
        kind, size, hertz = rng.random(3)
        if kind < carriage.gestures:
            gestures += _gesture(t, start + seconds[-1] * 0.6, length, kind < 0.6 * carriage.gestures, size, hertz)
    postures = np.array(postures)
    angles = steps(t, starts, seconds, postures) + wander
    dips = ease((t[:, None] - np.array(starts)[1:]) / np.array(seconds)[1:])
    angles[:, 1] += DIP * (4 * dips * (1 - dips)) @ np.abs(np.diff(postures[:, 0])) + breath
    angles[:, :2] += gestures
    return HeadMotion(angles, tuple(starts), postures)


def within_reach(angles: np.ndarray, pose: Angles) -> np.ndarray:
    """Angles ``(F, 3)`` kept smoothly within what a head that is held like ``pose`` reaches."""
    return limited(angles, _limits(pose))


def _limits(pose: Angles) -> np.ndarray:
    return np.maximum(WIDEST * REACH, np.abs(pose) + MARGIN)


def beaten(
    t: np.ndarray, rng: np.random.Generator, beats: Sequence[tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Nods in time with stressed syllables, ``(F,)`` radians of pitch, and as many flashes of the brows, ``(F,)``."""
    pitch, brows = np.zeros(len(t)), np.zeros(len(t))
    for time, strength in beats:
        size, flash, height = rng.uniform(*BEAT), rng.random(), rng.uniform(0.15, 0.5)
        if not -1 < time < t[-1] + 1:
            continue
        pitch += strength * size * bump(t, time - BEAT_RISE, BEAT_RISE, 0.0, BEAT_FALL)
        if flash < 0.4:
            brows += strength * height * bump(t, time - 0.2, 0.18, 0.08, 0.34)
    return pitch, brows


def _gesture(t: np.ndarray, start: float, length: float, yes: bool, size: float, pace: float) -> np.ndarray:
    """Yaw and pitch ``(F, 2)`` of a nod or a shake."""
    (slow, fast), (small, large) = (NOD_HERTZ, NOD) if yes else (SHAKE_HERTZ, SHAKE)
    hertz, amplitude = slow + pace * (fast - slow), small + size * (large - small)
    cycles = max(2, round(hertz * min(length, 1.4)))
    seconds = cycles / hertz
    wave = (
        amplitude
        * np.sin(2 * np.pi * hertz * (t - start))
        * bump(t, start, 0.35 * seconds, 0.1 * seconds, 0.55 * seconds)
    )
    return np.stack([np.zeros(len(t)), wave] if yes else [wave, np.zeros(len(t))], axis=1)
