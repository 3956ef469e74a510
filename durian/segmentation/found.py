"""What is found in a picture by itself: by the parser where its weights are, else by the classic starts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from durian.errors import InvalidRequest
from durian.segmentation.interface import START_NAMES
from durian.segmentation.parser.heads import ParsedHead, parsed_head
from durian.segmentation.parser.weights import find_parser
from durian.segmentation.starts import Starts, starts_of


def best_starts(image: np.ndarray, landmarks: np.ndarray) -> ParsedHead | Starts:
    """Everything known about one face's items, shared by everybody who looks at the same picture.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 3)`` of the face.
    """
    weights = find_parser()
    return starts_of(image, landmarks) if weights is None else parsed_head(image, landmarks, weights)


def worn(image: np.ndarray, landmarks: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The masks of what a face wears.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 3)`` of the face.
        names: of :data:`START_NAMES`; ``"other"`` is allowed and is never worn.

    Returns:
        One ``(H, W) uint8`` mask for each name, empty where nothing of that name is worn.

    Raises:
        InvalidRequest: an unknown name.
    """
    starts = best_starts(image, landmarks)
    result = {}
    for name in names:
        if name not in (*START_NAMES, "other"):
            raise InvalidRequest(f"{name!r} cannot be worn: use one of {', '.join(START_NAMES)}.")
        is_worn = name != "other" and starts.is_worn(name)
        result[name] = starts.mask(name) if is_worn else np.zeros(image.shape[:2], np.uint8)
    return result
