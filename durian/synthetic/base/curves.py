"""Curves in continuous time, from which acting is composed: eases, steps, waves. Times are seconds, ``(F,)``.

What happens by chance is drawn event by event from before the first frame on, so that a clip is the same at other
frame rates and the beginning of a longer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from durian.motion.timeline import ease

LEAD = 2.5
"""Seconds before the first frame and after the last in which events are made, so that clips begin and end in the midst
of things."""

WAVES = np.array([0.31, 0.53, 0.83, 1.27])
"""Relative frequencies of a sway: far from whole ratios of each other, so that it does not repeat within a clip."""
WAVE_STRENGTHS = np.array([0.75, 0.55, 0.3, 0.12])
"""Slower waves are stronger, as of a standing body (taste); together about 0.7 root mean square."""

FREE_PART = 0.8
"""Part of a limit up to which :func:`limited` changes nothing."""


def steps(t: np.ndarray, starts: Sequence[float], durations: Sequence[float], values: np.ndarray) -> np.ndarray:
    """From each of the ``values (N, C)`` to the next, ``(F, C)``; the moves may overlap.

    Args:
        t: ``(F,)``.
        starts: N times at which the move towards each value begins; the first one is held before.
        durations: how long each move takes.
        values: ``(N, C)``.
    """
    progress = ease((t[:, None] - np.asarray(starts)[1:]) / np.asarray(durations)[1:])
    return values[0] + progress @ np.diff(values, axis=0)


def intervals(
    t: np.ndarray, rng: np.random.Generator, shortest: float, longest: float
) -> Iterator[tuple[float, float]]:
    """Start and length of stretches of time one after the other, from :data:`LEAD` before the first frame to as much
    after the last."""
    start = -LEAD - rng.uniform(0, longest)
    while start < t[-1] + LEAD:
        length = rng.uniform(shortest, longest)
        yield start, length
        start += length


def sway(t: np.ndarray, rng: np.random.Generator, hertz: float = 1.0) -> np.ndarray:
    """A smooth wander of root mean square 0.7, ``(F,)``, that never rests."""
    frequencies = hertz * WAVES * rng.uniform(0.85, 1.15, len(WAVES))
    phases = rng.uniform(0, 2 * np.pi, len(WAVES))
    return np.sin(2 * np.pi * t[:, None] * frequencies + phases) @ WAVE_STRENGTHS


def limited(values: np.ndarray, limit: float | np.ndarray) -> np.ndarray:
    """Values kept within ±``limit``, smoothly: unchanged up to :data:`FREE_PART` of it."""
    free, rest = FREE_PART * limit, (1 - FREE_PART) * limit
    over = np.maximum(np.abs(values) - free, 0)
    return np.sign(values) * (np.minimum(np.abs(values), free) + rest * np.tanh(over / rest))
