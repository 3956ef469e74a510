"""Named starts and clicks against drawn masks of real portraits, and what is found where nothing is worn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from durian.evaluation.data.photographs import head_box
from durian.evaluation.metrics.overlap import intersection_over_union
from durian.evaluation.protocols.segment import click_scores
from durian.masks import HALF
from durian.segmentation.drawn import ITEMS, DrawnMask, read_drawn_masks

CLICKS = (1, 3, 5)
"""Numbers of clicks after which masks are measured."""
LEAST_WORN = 0.005
"""Share of the head's box from which on an item counts as there, drawn or found."""


def evaluate_drawn(
    masks: Path, pictures: Path, part: str, kind: str = "auto", on_picture: Callable[[int, int], None] | None = None
) -> dict:
    """Measure a segmenter on drawn masks.

    Args:
        masks: folder of them (:mod:`durian.segmentation.drawn`).
        pictures: folder of the photographs.
        part: train, validation or test.
        kind: which segmenter.
        on_picture: called with (pictures done, pictures in all).

    Returns:
        For each item that has a name: ``iou``, the mean of those that are worn; ``worn``, how many; ``seen``, the share
        of these that :func:`durian.segmentation.worn` notices; ``false_alarms``, the share of heads without it on which
        something is noticed. For hats also ``hair_in_hat``, the share of found hats' pixels that are drawn as hair.
        ``named_k`` and ``clicked_k``, for k of :data:`CLICKS`: the mean overlap after k clicks in the centre of the
        largest error, beginning with the named start and with nothing. ``pictures``; ``no_face``, how many were left
        out.

    Raises:
        InvalidRequest: no such masks, or another photograph.
    """
    drawn = read_drawn_masks(masks, pictures, part)
    scores: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in ITEMS}
    no_face = 0
    for number, mask in enumerate(drawn, start=1):
        no_face += not _score(mask, kind, scores)
        if on_picture is not None:
            on_picture(number, len(drawn))
    report: dict = {"pictures": len(drawn), "no_face": no_face}
    for name, lists in scores.items():
        report[name] = {what: round(float(np.mean(values)), 4) for what, values in sorted(lists.items())}
        report[name]["worn"] = len(lists["iou"])
    return report


def _score(mask: DrawnMask, kind: str, scores: dict[str, dict[str, list[float]]]) -> bool:
    """Add one picture's figures; whether a face was found."""
    from durian.face import detect_faces
    from durian.media import read_image
    from durian.segmentation import get_segmenter, worn

    image = read_image(mask.picture)
    faces = detect_faces(image)
    if not faces:
        return False
    landmarks = faces[0].landmarks
    size = mask.labels.shape[::-1]
    left, top, right, bottom = head_box(landmarks)
    share = mask.labels.size / (image.shape[0] * image.shape[1])
    least = LEAST_WORN * (right - left) * (bottom - top) * share
    segmenter = get_segmenter(kind)
    segmenter.set_image(image)
    noticed = worn(image, landmarks, tuple(ITEMS))
    for name, lists in scores.items():
        truth, decided = mask.item(name), mask.decided
        alarm = (_shrunk(noticed[name], size) & decided).sum() > least
        if truth.sum() <= least:
            lists["false_alarms"].append(float(alarm))
            continue
        found = _shrunk(segmenter.named(name, landmarks), size) & decided
        lists["iou"].append(intersection_over_union(found, truth & decided))
        lists["seen"].append(float(alarm))
        if name == "hat":
            lists["hair_in_hat"].append(float((found & mask.item("hair")).sum() / max(found.sum(), 1)))
    _score_clicks(mask, cv2.resize(image, size, interpolation=cv2.INTER_AREA), segmenter, least, scores)
    return True


def _score_clicks(
    mask: DrawnMask, image: np.ndarray, segmenter, least: float, scores: dict[str, dict[str, list[float]]]
) -> None:
    """Add the figures of clicks on one picture, ``image`` being of the drawing's size."""
    from durian.face import detect_faces

    faces = detect_faces(image)
    if not faces:
        return
    segmenter.set_image(image)
    for name, lists in scores.items():
        truth = mask.item(name)
        if truth.sum() <= least:
            continue
        starts = {"named": segmenter.named(name, faces[0].landmarks), "clicked": np.zeros(truth.shape, np.uint8)}
        for way, start in starts.items():
            overlaps = click_scores(segmenter, start, truth, mask.decided, max(CLICKS))
            for clicks in CLICKS:
                lists[f"{way}_{clicks}"].append(overlaps[clicks])


def _shrunk(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > HALF
