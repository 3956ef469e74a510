"""Masks found without clicks: by the parser where its weights are, else by the classic starts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from durian.errors import InvalidRequest
from durian.segmentation.classic.named_masks import WORN, classic_masks
from durian.segmentation.interface import START_NAMES, NamedMasks
from durian.segmentation.parser.classes import BACKGROUND, CLOTHES, HAIR, SKIN
from durian.segmentation.parser.heads import known_head, parsed_head
from durian.segmentation.parser.weights import find_parser


def named_masks(image: np.ndarray, landmarks: np.ndarray, weights: Path | None = None) -> NamedMasks:
    """Everything known about one face's items, shared by everybody who looks at the same picture.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 3)`` of the face.
        weights: the parser's file; found by itself if left out.
    """
    weights = weights or find_parser()
    return classic_masks(image, landmarks) if weights is None else parsed_head(image, landmarks, weights)


def named_mask(image: np.ndarray, landmarks: np.ndarray, name: str, weights: Path | None = None) -> np.ndarray:
    """The mask of an item that somebody says is there, ``(H, W) uint8``, empty where it is not; do not write into it.

    Where the parser sees none, as of hats that look like hair, the classic start says where it is, if that would bet
    on it.
    """
    starts = named_masks(image, landmarks, weights)
    if starts.is_seen(name):
        return starts.mask(name)
    classic = classic_masks(image, landmarks)
    if name in WORN and classic.is_worn(name):
        return classic.mask(name)
    return np.zeros(image.shape[:2], np.uint8)


def certainty_of(image: np.ndarray, landmarks: np.ndarray | None, name: str, mask: np.ndarray) -> float | None:
    """The parser's certainty of a mask that it found by name, in [0, 1].

    ``None`` where the mask came from elsewhere, was changed since, or the picture is no longer remembered: this never
    looks for anything anew.
    """
    weights = find_parser()
    if landmarks is None or weights is None or name not in START_NAMES:
        return None
    head = known_head(image, landmarks, weights)
    return head.certainty(name) if head is not None and head.has_found(name, mask) else None


def body_parts(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray | None:
    """Where a picture shows a face's skin, hair, clothes and background, as far around the head as its hair reaches.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 3)`` of the face.

    Returns:
        Shares of the four, ``(H, W, 4) uint8``, 255 for all of a pixel, all 0 where nobody looked or something else
        is; ``None`` without the parser's weights.
    """
    weights = find_parser()
    classes = SKIN, HAIR, CLOTHES, BACKGROUND
    return None if weights is None else parsed_head(image, landmarks, weights).shares(classes)


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
    starts = named_masks(image, landmarks)
    result = {}
    for name in names:
        if name not in (*START_NAMES, "other"):
            raise InvalidRequest(f"{name!r} cannot be worn: use one of {', '.join(START_NAMES)}.")
        is_worn = name != "other" and starts.is_worn(name)
        result[name] = starts.mask(name) if is_worn else np.zeros(image.shape[:2], np.uint8)
    return result
