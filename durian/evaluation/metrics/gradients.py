"""Position and strength of edges compared with the true frames."""

from __future__ import annotations

import cv2
import numpy as np

from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Metric

STABILITY = 170.0
"""The constant of the paper for grey levels 0 to 255; differences of weaker edges hardly count."""
ACROSS = np.array([[1, 0, -1]] * 3, np.float64) / 3
"""Prewitt's filter."""


class GradientSimilarity(Metric):
    """The mean, not the paper's deviation, so that it can be taken in regions; at full size, not at half."""

    name, title = "gradients", "Gradient similarity"
    higher_is_better, best = True, 1.0
    kind, needs_truth = "pairwise", True
    definition = (
        "Gradient magnitude similarity (Xue et al. 2014, eq. 4; Prewitt, c = 170, full size), averaged over pixels."
    )

    def score(self, case: Case) -> dict[str, float]:
        if case.truth is None:
            return {}
        found: dict[str, list[float]] = {}
        for frame, truth, regions in zip(case.frames, case.truth, case.regions, strict=True):
            similarity = gradient_similarity(frame, truth)
            for name, region in regions.items():
                if region is None or region.any():
                    found.setdefault(name, []).append(float(similarity[... if region is None else region].mean()))
        return {name: float(np.mean(values)) for name, values in found.items()}


def gradient_similarity(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Similarity of the gradients' magnitudes of two pictures ``(H, W, 3) uint8``, ``(H, W) float64`` in (0, 1]."""
    first, second = _magnitude(image), _magnitude(truth)
    return (2 * first * second + STABILITY) / (first**2 + second**2 + STABILITY)


def _magnitude(image: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.hypot(cv2.filter2D(grey, -1, ACROSS), cv2.filter2D(grey, -1, ACROSS.T))
