"""Temporal steadiness of a clip compared with the true one."""

from __future__ import annotations

import numpy as np

from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Metric

LEAST = 0.05
"""Grey levels of 255 below which a true clip is taken for a still picture, and nothing can be compared with it."""


class Flicker(Metric):
    """``Σ |I(t−1) − 2 I(t) + I(t+1)|`` over the frames, divided by the same sum over the true frames.

    The second difference is blind to what stands still and to what changes evenly, brightness or slow motion, and sees
    what comes and goes from frame to frame. It is taken in place: warping frames onto each other needs an estimated
    flow, whose errors would count as flicker. Motion therefore shows in it, but the true clip moves in the same way,
    which is why the ratio and not the sum is the figure: above 1 the clip flickers, below 1 it is stiffer than life,
    and a still picture's 0 is no merit.
    """

    name, title, unit = "flicker", "Flicker", ""
    higher_is_better, best = None, 1.0
    kind, needs_truth = "pairwise", True
    definition = (
        "Mean absolute second difference over time, in place, divided by the true clip's: 1 is as steady as the truth, "
        "more flickers, less is stiffer."
    )

    def score(self, case: Case) -> dict[str, float]:
        if case.truth is None or len(case.frames) < 3:
            return {}
        made: dict[str, list[float]] = {}
        true: dict[str, list[float]] = {}
        for number in range(1, len(case.frames) - 1):
            shown, real = _second_difference(case.frames, number), _second_difference(case.truth, number)
            for region, mask in case.regions[number].items():
                if mask is None or mask.any():
                    made.setdefault(region, []).append(float(shown.mean() if mask is None else shown[mask].mean()))
                    true.setdefault(region, []).append(float(real.mean() if mask is None else real[mask].mean()))
        return {
            region: float(np.mean(values) / np.mean(true[region]))
            for region, values in made.items()
            if np.mean(true[region]) > LEAST
        }


def _second_difference(frames: np.ndarray, number: int) -> np.ndarray:
    """``(S, S) float32`` grey levels, the mean over the colours."""
    before, now, after = (frames[number + step].astype(np.int16) for step in (-1, 0, 1))
    return np.abs(before - 2 * now + after).mean(2, dtype=np.float32)
