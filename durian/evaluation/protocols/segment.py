"""Clicks needed for a mask: a named start, then simulated clicks, against true masks of synthetic scenes.

The usual protocol of interactive segmentation (Sofiiuk et al. 2021): each click goes to the centre of the largest
error region, the point of it farthest from its edge; at most 20.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from durian.errors import InvalidRequest
from durian.evaluation.metrics.overlap import intersection_over_union, soft_intersection_over_union
from durian.masks import HALF

MOST_CLICKS = 20
REPORTED = (0, 1, 3, 5, 10)
TARGET = 0.85

FIRST_TEST_SCENE = 400
"""Scenes from here on are kept for testing; earlier ones were used for tuning."""


def evaluate_segment(
    data_dir: str | Path,
    limit: int | None = None,
    kind: str = "auto",
    first: int = FIRST_TEST_SCENE,
    last: int | None = None,
    on_scene: Callable[[int, int], None] | None = None,
) -> dict:
    """Measure a segmenter on synthetic scenes.

    Args:
        data_dir: folder of scenes, ``NNNNN.webp`` (tiles), ``NNNNN.png`` (labels) and ``NNNNN.json``.
        limit: at most this many scenes.
        kind: which segmenter.
        first: first scene number; a folder without any from there on is used whole.
        last: last scene number.
        on_scene: called with (scenes done, scenes in all).

    Returns:
        ``iou``: mean intersection over union after ``"0"`` (the named start), ``"1"``, ``"3"``, ``"5"``, ``"10"``
        clicks; ``clicks_to_85``: mean clicks to 85 % (20 where never reached); ``reached_85``: share of scenes that
        got there; ``scenes``; ``by_attribute``: the same per attribute. Stubble, which hardly covers a pixel, is apart:
        ``stubble`` has its ``scenes`` and the ``soft_iou`` of named starts, where a folder has soft masks.

    Raises:
        InvalidRequest: no scenes in the folder.
        UnreadableMedia: one cannot be read.
    """
    from durian.face import detect_faces
    from durian.segmentation import get_segmenter

    scenes = _scenes(Path(data_dir), first, last)[:limit]
    segmenter = get_segmenter(kind)
    results, stubble = defaultdict(list), []
    for i, path in enumerate(scenes):
        image, covered, attribute, style = read_reference(path)
        faces = detect_faces(image)
        landmarks = faces[0].landmarks if faces else None
        segmenter.set_image(image)
        start = segmenter.named(attribute, landmarks)
        if style == "stubble":
            stubble.append(soft_intersection_over_union(start, covered))
        else:
            results[attribute].append(click_scores(segmenter, start, covered > HALF))
        if on_scene is not None:
            on_scene(i + 1, len(scenes))
    report = _summary([scores for group in results.values() for scores in group])
    report["by_attribute"] = {attribute: _summary(group) for attribute, group in sorted(results.items())}
    if stubble:
        report["stubble"] = {"scenes": len(stubble), "soft_iou": round(float(np.mean(stubble)), 4)}
    return report


def click_scores(
    segmenter, start: np.ndarray, truth: np.ndarray, decided: np.ndarray | None = None, most: int = MOST_CLICKS
) -> list[float]:
    """Intersection over union after 0, 1, ... ``most`` clicks; fewer once they have reached :data:`TARGET`.

    Args:
        segmenter: with its picture set.
        start: ``(H, W) uint8`` named start.
        truth: ``(H, W) bool``.
        decided: ``(H, W) bool``, where the truth is known; everywhere if left out.
        most: clicks.
    """
    decided = np.ones_like(truth) if decided is None else decided
    mask, points, labels, truth = start, [], [], truth & decided
    scores = [intersection_over_union((mask > HALF) & decided, truth)]
    for _ in range(most):
        click = next_click((mask > HALF) & decided, truth)
        if click is None:
            scores.append(scores[-1])
            continue
        points.append(click[:2])
        labels.append(click[2])
        mask = segmenter.predict(np.array(points, np.float32), np.array(labels), start=start)
        scores.append(intersection_over_union((mask > HALF) & decided, truth))
        if len(scores) > max(REPORTED) and max(scores) >= TARGET:
            break
    return scores


def next_click(mask: np.ndarray, truth: np.ndarray) -> tuple[int, int, int] | None:
    """``(x, y, label)`` at the centre of the largest error, or ``None`` when there is none.

    Args:
        mask: ``(H, W) bool``; ``truth`` likewise.
    """
    best, click = 0.0, None
    for error, label in ((truth & ~mask, 1), (mask & ~truth, 0)):
        # A border of zeros, so that errors at the picture's edge have their centre inside.
        padded = np.pad(error.astype(np.uint8), 1)
        depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        if depth[row, column] > best:
            best, click = float(depth[row, column]), (int(column), int(row), label)
    return click


def read_reference(path: Path) -> tuple[np.ndarray, np.ndarray, str, str]:
    """A scene's first picture of the item's owner, whatever the size of its pictures, S.

    Returns:
        the picture ``(S, S, 3) uint8`` RGB; how much of each pixel the item covers, ``(S, S) uint8``, 0 or 255 where a
        scene has no soft mask; its attribute and style.

    Raises:
        UnreadableMedia: a file is missing, damaged, or not of the size that the description tells.
    """
    from durian.synthetic.scenes.scene_reading import read_scene

    scene = read_scene(path)
    attribute, style = scene.about["attribute"], scene.about["style"]
    shot = next(number for number in scene.items[attribute] if scene.roles[number] == "reference")
    return scene.tiles[shot], scene.masks(attribute)[shot], attribute, style


def _scenes(folder: Path, first: int, last: int | None) -> list[Path]:
    paths = [path for path in sorted(folder.glob("*.json")) if path.stem.isdigit() and _has_truth(path)]
    if not paths:
        raise InvalidRequest(f"There are no scenes in {folder}: give a folder of NNNNN.webp, .png and .json files.")
    if last is not None:
        paths = [path for path in paths if int(path.stem) <= last]
    return [path for path in paths if int(path.stem) >= first] or paths


def _has_truth(path: Path) -> bool:
    """Scenes without an item have nothing to find; labels say nothing of stubble, soft masks do."""
    about = json.loads(path.read_text())
    if about.get("attribute", "none") == "none":
        return False
    return about.get("style") != "stubble" or path.with_name(f"{path.stem}-beard.png").is_file()


def _summary(scores: list[list[float]]) -> dict:
    clicks = [next((i for i, s in enumerate(scene) if s >= TARGET), MOST_CLICKS) for scene in scores]
    return {
        "scenes": len(scores),
        "iou": {str(k): round(float(np.mean([scene[k] for scene in scores])), 4) for k in REPORTED},
        "clicks_to_85": round(float(np.mean(clicks)), 2),
        "reached_85": round(float(np.mean([max(scene) >= TARGET for scene in scores])), 3),
    }
