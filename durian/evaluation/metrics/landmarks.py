"""Motion accuracy: landmarks of rendered frames against those of the true ones."""

from __future__ import annotations

import numpy as np

from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Metric
from durian.face import eye_distance


def landmark_error(found: np.ndarray, true: np.ndarray) -> float:
    """Mean distance of the points in the picture plane, in percent of the true outer-eye distance.

    Args:
        found, true: ``(478, 2 or 3)`` pixels.
    """
    return float(100 * np.linalg.norm(found[:, :2] - true[:, :2], axis=1).mean() / eye_distance(true))


class LandmarkError(Metric):
    """Both are found by the same tracker, so that its own bias is in neither."""

    name, title, unit = "landmarks", "Landmark error", "%"
    higher_is_better, best = False, 0.0
    kind, needs_truth = "pairwise", False
    definition = (
        "Mean distance of MediaPipe's 478 points between rendered and true frames (or, without these, the points "
        "asked for), in percent of the distance of the outer eye corners; frames without a face are left out."
    )

    def score(self, case: Case) -> dict[str, float]:
        errors = [
            landmark_error(found, true)
            for found, true in zip(case.found, case.asked, strict=True)
            if found is not None and true is not None
        ]
        return {"all": float(np.mean(errors))} if errors else {}


class FacesFound(Metric):
    """Share of frames with a face; landmark error and identity leave out the others."""

    name, title, unit = "faces", "Frames with a face", "%"
    higher_is_better, best = True, 100.0
    kind, needs_truth = "reference", False
    definition = "Share of rendered frames in which MediaPipe finds a face."

    def score(self, case: Case) -> dict[str, float]:
        return {"all": 100 * float(np.mean([found is not None for found in case.found]))}
