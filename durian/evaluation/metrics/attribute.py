"""Metrics of the item: overlap with the true one, and distance of the mean colours."""

from __future__ import annotations

import numpy as np

from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Metric
from durian.evaluation.metrics.overlap import intersection_over_union

LEAST_OVERLAP = 0.5
"""Between true mask and what the parser finds in the true frame: below it is blind to the item, as to a hat that looks
like hair, and says nothing about who rendered it."""


class AttributeOverlap(Metric):
    """The parser (:mod:`durian.segmentation.parser`) reaches 0.8 on true frames, so that is about the ceiling."""

    name, title = "attribute_iou", "Attribute IoU"
    higher_is_better, best = True, 1.0
    kind, needs_truth = "pairwise", True
    definition = (
        "Intersection over union of the item's true mask and the mask that the face parser finds in the rendered "
        "frame, in the middle of a clip; 0 where it finds none, left out where it misses the item of the true frame."
    )

    def available(self) -> str | None:
        from durian.segmentation.parser.weights import FILE, find_parser

        if find_parser() is None:
            return f"The face parser's weights are not on this machine: put {FILE} into weights/parser/."
        return None

    def score(self, case: Case) -> dict[str, float]:
        if case.truth is None or case.inside is None:
            return {}
        overlaps = [
            intersection_over_union(mask, case.inside[number])
            for number, mask in case.parsed.items()
            if intersection_over_union(case.parsed_truth[number], case.inside[number]) >= LEAST_OVERLAP
            and case.inside[number].any()
        ]
        return {"all": float(np.mean(overlaps))} if overlaps else {}


class AttributeColour(Metric):
    """Of the mean colours, so that strands and folds in other places cost nothing."""

    name, title, unit = "attribute_colour", "Attribute colour", "ΔE"
    higher_is_better, best = False, 0.0
    kind, needs_truth = "pairwise", True
    definition = (
        "CIEDE2000 difference of the mean CIELAB colours of rendered and true frame inside the item's true mask: "
        "1 is just visible, 10 another shade."
    )

    def score(self, case: Case) -> dict[str, float]:
        from skimage.color import deltaE_ciede2000

        if case.truth is None or case.inside is None:
            return {}
        frames = [number for number, mask in enumerate(case.inside) if mask.any()]
        if not frames:
            return {}
        made, true = (
            np.stack([_mean_colour(pictures[number][case.inside[number]]) for number in frames])
            for pictures in (case.frames, case.truth)
        )
        return {"inside": float(deltaE_ciede2000(true, made).mean())}


def _mean_colour(pixels: np.ndarray) -> np.ndarray:
    """``(3,)`` CIELAB of ``(N, 3) uint8`` sRGB."""
    from skimage.color import rgb2lab

    return rgb2lab(pixels).mean(0, dtype=np.float64)
