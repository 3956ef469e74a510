"""The parser as a segmenter: named starts and clicks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from durian.errors import WeightsMissing
from durian.masks import HALF
from durian.segmentation.classic.segmenter import ClassicSegmenter, largest_face
from durian.segmentation.find_worn import named_mask
from durian.segmentation.parser.clicked import draw_edges, follow_clicks
from durian.segmentation.parser.heads import ParsedHead, parsed_head
from durian.segmentation.parser.weights import find_parser

MISSING = "The face parser's weights are not in the weights folder: get them with the project, or choose classic."


class ParserSegmenter(ClassicSegmenter):
    """Named starts and clicks by the parser where there is a face; without one, as the classic segmenter does it."""

    name = "parser"

    def __init__(self, weights: Path | None = None) -> None:
        super().__init__()
        weights = weights or find_parser()
        if weights is None:
            raise WeightsMissing(MISSING)
        self.weights = weights
        self._box: tuple[int, int, int, int] | None = None
        """Where the last click may have moved the mask's edge, whose details are drawn once all clicks are followed."""

    def named(self, name: str, landmarks: np.ndarray | None = None) -> np.ndarray:
        self._check_name(name)
        landmarks = largest_face(self.image) if landmarks is None else landmarks
        if landmarks is None:
            return super().named(name)
        return named_mask(self.image, landmarks, name, self.weights).copy()

    def _starts(self, landmarks: np.ndarray) -> ParsedHead:
        return parsed_head(self.image, landmarks, self.weights)

    def _click(self, mask: np.ndarray, points: np.ndarray, labels: np.ndarray, i: int) -> np.ndarray:
        landmarks = largest_face(self.image)
        if landmarks is None or not ((mask > HALF).any() or labels[: i + 1].any()):
            self._box = None
            return super()._click(mask, points, labels, i)
        mask, self._box = follow_clicks(self.image, landmarks, self.weights, mask, points[: i + 1], labels[: i + 1])
        return mask

    def _with_edges(self, mask: np.ndarray) -> np.ndarray:
        landmarks = largest_face(self.image)
        if self._box is None or landmarks is None:
            return mask.copy()
        return draw_edges(self.image, landmarks, mask, self._box)
