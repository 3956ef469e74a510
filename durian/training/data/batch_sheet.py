"""Contact sheets of training samples, to be checked before a training run is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from durian.clips import ClipFrame
from durian.masks import outline, overlay
from durian.training.data.augmentation import BEST_JPEG, Changes, ReferenceChanges, apply_changes, draw_changes
from durian.training.data.sample import Sample

TILE, CAPTION_HEIGHT = 192, 22
"""Pixels."""
HIDDEN = 128
"""Grey in place of what a mask hides, as the network sees it."""
TARGETS_SHOWN = 4
RANDOM_DRAWS = 12
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


def write_range_sheet(path: Path, frame: ClipFrame, ranges: ReferenceChanges, seed: int = 0) -> Path:
    """A frame at both ends of every range, and as chance changes it.

    Args:
        path: of a picture to write.
        frame: its masks are outlined.
        ranges: of the changes.
        seed: of the random ones.
    """
    from durian.media import write_image

    rng = np.random.default_rng(seed)
    shown = [*ends_of(ranges).items()]
    shown += [(f"drawn {number}", draw_changes(ranges, rng)) for number in range(RANDOM_DRAWS)]
    tiles = [_captioned(_outlined(apply_changes(frame, changes)), name) for name, changes in shown]
    columns = 6
    tiles += [np.full_like(tiles[0], PAPER)] * (-len(tiles) % columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_image(np.vstack([np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]), path)


def caption_of(sample: Sample) -> str:
    """Description of a sample in one line."""
    kind = "true pair" if sample.has_truth else "pseudo pair"
    hole, inside = ((mask > 127).mean() for mask in (sample.hole, sample.inside))
    return f"{sample.category}, {kind}, {sample.clip}: hole {hole:.1%} of the portrait, item {inside:.1%} of targets"


def ends_of(ranges: ReferenceChanges) -> dict[str, Changes]:
    """The largest changes of each kind by itself, by name; first none at all."""
    ends = {"unchanged": Changes()}
    if ranges.shift:
        ends["shifted up left"], ends["shifted down right"] = (
            Changes(shift=(sign * ranges.shift, sign * ranges.shift)) for sign in (-1, 1)
        )
    if ranges.scale > 1:
        ends["smallest"], ends["largest"] = Changes(scale=1 / ranges.scale), Changes(scale=ranges.scale)
    if ranges.rotation:
        ends["turned"], ends["turned back"] = Changes(rotation=ranges.rotation), Changes(rotation=-ranges.rotation)
    for name in ("exposure", "falloff", "warmth", "saturation"):
        if amount := getattr(ranges, name):
            ends |= {f"{name} {sign * amount:+g}": Changes(**{name: sign * amount}) for sign in (-1, 1)}
    if ranges.blur:
        ends["most blurred"] = Changes(blur=ranges.blur)
    if ranges.quality < BEST_JPEG:
        ends[f"JPEG {ranges.quality}"] = Changes(quality=ranges.quality)
    return ends


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


def _outlined(frame: ClipFrame) -> np.ndarray:
    image = frame.image
    for mask in frame.masks.values():
        image = outline(image, mask)
    return _tile(image)


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
