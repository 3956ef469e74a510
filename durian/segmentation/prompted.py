"""Segmenters of the Segment Anything kind: prompts, named starts, and answers that go on from the last one."""

from __future__ import annotations

from abc import abstractmethod

import cv2
import numpy as np

from durian.content_hash import content_hash
from durian.masks import HALF, expand
from durian.segmentation.classic.clicks import enforce
from durian.segmentation.classic.segmenter import largest_face
from durian.segmentation.find_worn import named_mask, named_masks
from durian.segmentation.interface import Segmenter

START_LOGIT = 8.0
"""Logit of a start mask's inside when it is given to SAM as its mask prompt."""

AGREEMENT = 0.4
"""Least IoU between SAM's answer to a named start and the built-in one; below it SAM meant something else."""

LEEWAY = 0.2
"""How far (outer-eye distances) SAM's answer may reach beyond the built-in start."""


class PromptedSegmenter(Segmenter):
    """Clicks as prompts of a network; named starts are the built-in ones, sharpened by it."""

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[str, list, np.ndarray] | None = None

    @abstractmethod
    def _ask(
        self, points: np.ndarray, labels: np.ndarray, box: tuple | None, mask_input: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """One forward pass: a soft mask ``(H, W) uint8`` and low-resolution logits ``(1, h, w)``.

        Args:
            points: ``(N, 2)`` pixels of the picture.
            labels: ``(N,)``, 1 to include and 0 to exclude.
            box: left, upper, right and lower edge in the picture's pixels.
            mask_input: logits ``(1, h, w)`` of a mask to go on from.
        """

    @abstractmethod
    def _as_logits(self, mask: np.ndarray) -> np.ndarray:
        """A mask ``(H, W) uint8`` as the network's mask prompt, ``(1, h, w) float32``."""

    def predict(
        self,
        points: np.ndarray,
        labels: np.ndarray,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        points, labels = self._check_clicks(points, labels, start)
        if not len(points) and start is not None:
            return start.copy()
        if start is None and not (labels == 1).any():
            return np.zeros(self.image.shape[:2], np.uint8)
        key = content_hash(start)
        history = [(float(x), float(y), int(label)) for (x, y), label in zip(points, labels, strict=True)]
        mask_input = self._previous_logits(key, history)
        if mask_input is None and start is not None:
            mask_input = self._as_logits(start)
        mask, logits = self._ask(points, labels, None, mask_input)
        self._last = (key, history, logits)
        return enforce(mask, points, labels)

    def named(self, name: str, landmarks: np.ndarray | None = None) -> np.ndarray:
        self._check_name(name)
        landmarks = largest_face(self.image) if landmarks is None else landmarks
        if landmarks is None:
            return np.zeros(self.image.shape[:2], np.uint8)
        prior = named_mask(self.image, landmarks, name)
        # The landmarks outline lips better than SAM does.
        if name == "lips" or not (prior > HALF).any():
            return prior.copy()
        rows, columns = np.nonzero(prior > HALF)
        box = (columns.min(), rows.min(), columns.max(), rows.max())
        points = spread_points(prior > HALF, 3)
        mask, _ = self._ask(points, np.ones(len(points), int), box, self._as_logits(prior))
        limit = expand(prior, LEEWAY * named_masks(self.image, landmarks).unit)
        mask = np.minimum(mask, limit)
        together = ((mask > HALF) & (prior > HALF)).sum() / max(((mask > HALF) | (prior > HALF)).sum(), 1)
        return mask if together >= AGREEMENT else prior.copy()

    def _previous_logits(self, key: str, history: list) -> np.ndarray | None:
        """Logits of the last answer, when these clicks go on from it."""
        if self._last is None:
            return None
        last_key, last_history, logits = self._last
        return logits if last_key == key and history[: len(last_history)] == last_history else None


def asks_for_several(points: np.ndarray, mask_input: np.ndarray | None) -> bool:
    """Whether a prompt is ambiguous, as one click alone is: the network then offers three masks and its own opinion of
    each."""
    return mask_input is None and len(points) <= 1


def softened(logits: np.ndarray) -> np.ndarray:
    """Logits ``(H, W)`` as a soft mask ``(H, W) uint8``."""
    return np.rint(255.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))).astype(np.uint8)


def spread_points(region: np.ndarray, count: int) -> np.ndarray:
    """Up to ``count`` points deep inside a ``(h, w) bool`` region and away from each other, ``(n, 2) float32``."""
    left = np.pad(region, 1).astype(np.uint8)
    points: list[tuple[int, int]] = []
    for _ in range(count):
        depth = cv2.distanceTransform(left, cv2.DIST_L2, 5)
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        if depth[row, column] <= 1 and points:
            break
        points.append((column - 1, row - 1))
        cv2.circle(left, (int(column), int(row)), max(1, round(2.5 * float(depth[row, column]))), 0, -1)
    return np.array(points, np.float32)
