"""The segmenter that needs no weights: graph cuts over colour, with the face mesh and the person matte as priors."""

from __future__ import annotations

import numpy as np

from durian.content_hash import content_hash
from durian.long_work import between_steps
from durian.masks import HALF
from durian.segmentation.classic.clicks import apply_click, enforce, object_at, object_in_front
from durian.segmentation.classic.named_masks import classic_masks
from durian.segmentation.interface import NamedMasks, Segmenter, check_image


def largest_face(image: np.ndarray) -> np.ndarray | None:
    """Landmarks of the largest face, or ``None``."""
    from durian.face import detect_faces

    faces = detect_faces(image)
    return faces[0].landmarks if faces else None


class ClassicSegmenter(Segmenter):
    """Named starts from what is known of heads; each click is a local cut on top."""

    name = "classic"

    def __init__(self):
        super().__init__()
        self._last: tuple[str, list[tuple[float, float, int]], np.ndarray] | None = None

    def set_image(self, image: np.ndarray) -> None:
        check_image(image)
        self._image = image
        self._last = None

    def named(self, name: str, landmarks: np.ndarray | None = None) -> np.ndarray:
        self._check_name(name)
        landmarks = largest_face(self.image) if landmarks is None else landmarks
        if landmarks is not None:
            starts = self._starts(landmarks)
            return starts.mask(name).copy() if starts.is_seen(name) else np.zeros(self.image.shape[:2], np.uint8)
        if name in ("hat", "glasses"):
            return object_in_front(self.image)
        return np.zeros(self.image.shape[:2], np.uint8)

    def _starts(self, landmarks: np.ndarray) -> NamedMasks:
        return classic_masks(self.image, landmarks)

    def predict(
        self,
        points: np.ndarray,
        labels: np.ndarray,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        points, labels = self._check_clicks(points, labels, start)
        key = content_hash(start)
        history = [(float(x), float(y), int(label)) for (x, y), label in zip(points, labels, strict=True)]
        done, mask = self._resume(key, history)
        if mask is None:
            mask = np.zeros(self.image.shape[:2], np.uint8) if start is None else start.copy()
        for i in range(done, len(points)):
            if i > done:
                between_steps()
            mask = self._click(mask, points, labels, i)
        self._last = (key, history, mask)
        return enforce(self._with_edges(mask), points, labels)

    def _resume(self, key: str, history: list) -> tuple[int, np.ndarray | None]:
        """How many clicks the last result already holds, and that result."""
        if self._last is None:
            return 0, None
        last_key, last_history, mask = self._last
        if last_key == key and history[: len(last_history)] == last_history:
            return len(last_history), mask
        return 0, None

    def _click(self, mask: np.ndarray, points: np.ndarray, labels: np.ndarray, i: int) -> np.ndarray:
        if not (mask > HALF).any():
            if not labels[i]:
                return mask
            mask = self._item_at(points[i])
            # Clicks made before there was anything to refine count now.
            for earlier in range(i):
                mask = apply_click(
                    self.image, mask, points[earlier], labels[earlier], (points[i : i + 1], labels[i : i + 1])
                )
            return mask
        return apply_click(self.image, mask, points[i], int(labels[i]), (points[:i], labels[:i]))

    def _with_edges(self, mask: np.ndarray) -> np.ndarray:
        """A copy of the mask after the last click, with what only that one needs."""
        return mask.copy()

    def _item_at(self, point: np.ndarray) -> np.ndarray:
        """The item under a first click: one that is worn where something is known, else one colour family."""
        landmarks = largest_face(self.image)
        if landmarks is not None:
            x, y = round(float(point[0])), round(float(point[1]))
            starts = self._starts(landmarks)
            for name in OVER_EACH_OTHER:
                if starts.is_worn(name) and starts.mask(name)[y, x] > HALF:
                    return starts.mask(name).copy()
        return object_at(self.image, point)


OVER_EACH_OTHER = ("glasses", "lips", "beard", "hat", "hair")
"""What lies over what: the first item with the click inside it is the one that was meant."""
