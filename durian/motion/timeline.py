"""Curves over time from which presets are composed: bumps, waves, blinks, speech. All are 0 at both ends."""

from __future__ import annotations

import numpy as np

BLINK_SECONDS = (0.10, 0.05, 0.17)
"""Closing, shut, opening: a spontaneous blink takes about a third of a second and opens slower than it closes."""

SYLLABLES_PER_SECOND = 3.8
"""Of calm speech."""

VISEMES: dict[str, dict[str, float]] = {
    "a": {"jaw_open": 0.42, "lower_lip_down": 0.35, "upper_lip_up": 0.1},
    "e": {"jaw_open": 0.22, "stretch": 0.4, "lower_lip_down": 0.4, "upper_lip_up": 0.15},
    "i": {"jaw_open": 0.12, "stretch": 0.55, "lower_lip_down": 0.4, "upper_lip_up": 0.2},
    "o": {"jaw_open": 0.30, "funnel": 0.55, "pucker": 0.15},
    "u": {"jaw_open": 0.10, "pucker": 0.65, "funnel": 0.25},
    "m": {"press": 0.6, "roll_lower_lip": 0.2, "roll_upper_lip": 0.15},
    "f": {"jaw_open": 0.05, "roll_lower_lip": 0.35, "upper_lip_up": 0.2},
    "s": {"jaw_open": 0.06, "stretch": 0.3, "lower_lip_down": 0.35, "upper_lip_up": 0.15},
    "l": {"jaw_open": 0.18, "lower_lip_down": 0.2},
}
"""Mouth shapes of speech as strengths of facial actions (taste, after the usual nine visemes)."""

VOWELS, CONSONANTS = "aeiou", "mfsl"

VISEME_WIDTH = 0.5
"""Standard deviation of a mouth shape in time, in distances to the next one: neighbours melt together."""


REST_DISTANCE = 2.0
"""Distance in those standard deviations at which the resting mouth takes over from a shape."""


def times(frames: int, fps: float) -> tuple[np.ndarray, float]:
    """Times of the frames in seconds, and the time of the last one: the first and the last frame are neutral."""
    return np.arange(frames) / fps, max((frames - 1) / fps, 1e-6)


def ease(values: np.ndarray) -> np.ndarray:
    """0 to 1 with no speed and no acceleration at either end (minimum jerk)."""
    x = np.clip(values, 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2)


def bump(t: np.ndarray, start: float, rise: float, hold: float, fall: float) -> np.ndarray:
    """0, eased up to 1 within ``rise`` seconds from ``start``, held, eased down within ``fall`` seconds."""
    return ease((t - start) / rise) * (1 - ease((t - start - rise - hold) / fall))


def swell(t: np.ndarray, total: float, rise: float = 0.25, fall: float = 0.3) -> np.ndarray:
    """One bump over the whole clip; ``rise`` and ``fall`` are parts of it."""
    return bump(t, 0, rise * total, (1 - rise - fall) * total, fall * total)


def window(t: np.ndarray, total: float, edge: float = 0.3) -> np.ndarray:
    """1 inside the clip, eased to 0 within ``edge`` seconds (at most a third of the clip) of both ends."""
    edge = min(edge, total / 3)
    return ease(t / edge) * ease((total - t) / edge)


def sway(t: np.ndarray, total: float, random: np.random.Generator, hertz: float = 0.7) -> np.ndarray:
    """A smooth random wander of about ±1, slower than ``hertz``."""
    phases = random.uniform(0, 2 * np.pi, 3)
    speeds = hertz * np.array([0.45, 0.75, 1.0]) * random.uniform(0.85, 1.15, 3)
    waves = np.sin(2 * np.pi * speeds[:, None] * t + phases[:, None])
    return window(t, total, 0.5) * (np.array([0.7, 0.5, 0.35]) @ waves)


def blink(t: np.ndarray, start: float) -> np.ndarray:
    """Closure of the eyes, 0 to 1; at least one frame is fully shut however low the frame rate."""
    closing, shut, opening = BLINK_SECONDS
    curve = bump(t, start, closing, shut, opening)
    inside = (t > 0) & (t < t[-1])
    if 0 < start + closing < t[-1] and inside.any():
        nearest = np.argmin(np.where(inside, np.abs(t - start - closing - shut / 2), np.inf))
        curve[nearest] = 1.0
    return curve


def blinks(t: np.ndarray, total: float, random: np.random.Generator, every: float = 2.5) -> np.ndarray:
    """Blinks at irregular times, one for each ``every`` seconds, none so near the ends that it would be cut."""
    length = sum(BLINK_SECONDS)
    room = total - length - 0.1
    if room <= 0.2:
        return np.zeros_like(t)
    count = max(1, round(total / every))
    curve = np.zeros_like(t)
    for index in range(count):
        start = 0.05 + room * (index + random.uniform(0.3, 0.8)) / count
        curve = np.maximum(curve, blink(t, min(start, room)))
    return curve


def speech(t: np.ndarray, total: float, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Strengths of facial actions of pseudo-random speech, ``(F,)`` each: syllables, two phrases, a short pause."""
    spacing = 0.5 / SYLLABLES_PER_SECOND
    lead = min(0.2, total / 5)
    count = max(1, int((total - 2 * lead) / spacing))
    places = lead + spacing * (np.arange(count) + 0.5)
    pause = random.uniform(0.5, 0.62) if total > 1.6 else 2.0
    strengths = {name: np.zeros_like(t) for shape in VISEMES.values() for name in shape}
    weights = np.exp(-0.5 * ((t[:, None] - places) / (VISEME_WIDTH * spacing)) ** 2)
    rest = np.exp(-0.5 * REST_DISTANCE**2)
    weights = weights / (weights.sum(1, keepdims=True) + rest)
    for index, place in enumerate(places):
        if abs(place / total - pause) < 0.06:
            continue
        shape = VISEMES[str(random.choice(list(CONSONANTS if index % 2 == 0 else VOWELS)))]
        stress = random.uniform(0.7, 1.15)
        for name, strength in shape.items():
            strengths[name] += weights[:, index] * strength * stress
    calm = window(t, total, lead + spacing)
    return {name: strength * calm for name, strength in strengths.items()}
