"""Masks of the items that a person wears throughout a clip, from the app's parser or from files.

Whether something is worn is decided once for a clip, by most of some frames; then it has a mask in every frame. Masks
are made on pictures larger than the clip's, so that thin frames of glasses survive, and averaged down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from durian.face import Crop
from durian.masks import HALF, read_mask
from durian.segmentation.find_worn import named_masks
from durian.segmentation.parser.window import head_unit
from durian.training.preparation.bars import Area

FINER, LEAST_PARSED = 2, 512
"""Side of the pictures that are parsed and judged, in sides of the clip's and at least in pixels, where the video is
fine enough: about what the parser itself sees."""
PROBES = 7
"""Frames that decide by majority whether something is worn; the parser takes half a second for one."""
LEAST_AREA = {"hair": 0.4, "glasses": 0.05, "hat": 0.3, "beard": 0.1}
"""Least median area of a mask, in squares of the distance of the outer eye corners: a bald head's fringe and specks
teach nothing."""

Masks = dict[str, list[np.ndarray]]
"""For each category that is worn, a mask ``(S, S) uint8`` of every frame."""


def parsed_side(crop: Crop, size: int) -> int:
    """Pixels to a side of the pictures to parse, for a clip of this square of a video and this size."""
    return int(min(max(FINER * size, LEAST_PARSED), max(size, round(crop.side))))


def parsed_masks(
    pictures: Sequence[np.ndarray], landmarks: Sequence[np.ndarray], categories: Sequence[str], size: int
) -> Masks:
    """Masks of what is worn, by the parser (or, without its weights, by the classic starts).

    Args:
        pictures: ``(P, P, 3) uint8`` of each frame, P at least ``size``.
        landmarks: ``(478, 3)`` pixels of each picture.
        categories: of :data:`durian.clips.CATEGORIES`.
        size: S of the masks.
    """
    probes = np.unique(np.linspace(0, len(pictures) - 1, PROBES).astype(int))
    seen = [named_masks(pictures[number], landmarks[number]) for number in probes]
    worn = [name for name in categories if np.mean([starts.is_worn(name) for starts in seen]) > 0.5]
    known = dict(zip(probes.tolist(), seen, strict=True))
    masks: Masks = {name: [] for name in worn}
    for number, (picture, points) in enumerate(zip(pictures, landmarks, strict=True)):
        starts = known.get(number) or named_masks(picture, points)
        for name in worn:
            masks[name].append(cv2.resize(starts.mask(name), (size, size), interpolation=cv2.INTER_AREA))
    return masks


def read_masks(
    folder: Path,
    numbers: Sequence[int],
    crop: Crop,
    shape: tuple[int, ...],
    area: Area,
    categories: Sequence[str],
    size: int,
) -> Masks:
    """Masks of files ``FOLDER/hair/00012.png``, of the video's frame 12; no file means nothing there.

    Args:
        folder: of one video.
        numbers: of the frames, as the video has them.
        crop: the clip's square, in the area's pixels.
        shape: of the video's frames, and so of the masks.
        area: rows and columns of them without black bars.
        categories: names of folders.
        size: S of the masks.

    Raises:
        UnreadableMedia, InvalidRequest: a file is no picture, or of another size than the video.
    """
    masks: Masks = {}
    for name in categories:
        paths = [folder / name / f"{number:05d}.png" for number in numbers]
        if any(path.is_file() for path in paths):
            empty = np.zeros(shape[:2], np.uint8)
            whole = (read_mask(path, shape) if path.is_file() else empty for path in paths)
            masks[name] = [crop.apply(np.ascontiguousarray(mask[area]), size) for mask in whole]
    return masks


def steady_items(masks: Mapping[str, Sequence[np.ndarray]], landmarks: Sequence[np.ndarray]) -> tuple[str, ...]:
    """Categories that are seen in every frame, and large enough to learn from.

    Args:
        masks: of each frame.
        landmarks: ``(478, 3)`` of each frame, in pixels of the masks.
    """
    units = [head_unit(np.asarray(points, np.float64)[:, :2]) for points in landmarks]
    items = []
    for name, of_frames in masks.items():
        areas = [(mask > HALF).sum() / unit**2 for mask, unit in zip(of_frames, units, strict=True)]
        if min(areas) > 0 and np.median(areas) >= LEAST_AREA[name]:
            items.append(name)
    return tuple(items)
