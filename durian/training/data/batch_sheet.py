"""Contact sheets of training samples, to be checked before a training run is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from durian.masks import outline, overlay
from durian.training.data.sample import Sample

TILE, CAPTION_HEIGHT = 192, 22
"""Pixels."""
HIDDEN = 128
"""Grey in place of what a mask hides, as the network sees it."""
TARGETS_SHOWN = 4
INK, PAPER = (235, 235, 235), 24


def write_batch_sheet(path: Path, samples: Sequence[Sample]) -> Path:
    """One row for each sample: the attribute whole and masked, the portrait whole and with its hole, and targets.

    The masks' outlines are drawn into the whole pictures; over a target lie its keypoints, and the item tinted.

    Args:
        path: of a picture to write.
        samples: of any size.
    """
    from durian.media import write_image

    rows = [_captioned(_row(sample), caption_of(sample)) for sample in samples]
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=PAPER) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_image(np.vstack(rows), path)


def caption_of(sample: Sample) -> str:
    """Description of a sample in one line."""
    kind = "true pair" if sample.has_truth else "pseudo pair"
    hole, inside = ((mask > 127).mean() for mask in (sample.hole, sample.inside))
    return f"{sample.category}, {kind}, {sample.clip}: hole {hole:.1%} of the portrait, item {inside:.1%} of targets"


def _row(sample: Sample) -> np.ndarray:
    tiles = [
        outline(sample.attribute, sample.attribute_mask),
        _masked(sample.attribute, sample.attribute_mask),
        _over(sample.attribute, sample.attribute_keypoints),
        outline(sample.portrait, sample.hole),
        _masked(sample.portrait, 255 - sample.hole),
        _over(sample.portrait, sample.portrait_keypoints),
    ]
    for number in np.unique(np.linspace(0, len(sample.targets) - 1, TARGETS_SHOWN).round().astype(int)):
        target = sample.targets[number]
        tiles += [target, overlay(_over(target, sample.keypoints[number]), sample.inside[number])]
    return np.hstack([_tile(tile) for tile in tiles])


def _masked(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    weight = mask[..., None] / np.float32(255)
    return np.rint(image * weight + HIDDEN * (1 - weight)).astype(np.uint8)


def _over(image: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    return np.where(keypoints.max(2, keepdims=True) > 40, keypoints, (image * 0.6).astype(np.uint8))


def _tile(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_AREA)


def _captioned(picture: np.ndarray, text: str) -> np.ndarray:
    bar = np.full((CAPTION_HEIGHT, picture.shape[1], 3), PAPER, np.uint8)
    cv2.putText(bar, text, (4, CAPTION_HEIGHT - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return np.vstack([bar, picture])
