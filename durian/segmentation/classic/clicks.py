"""Correction of a mask by one click: a local cut whose reach grows with the distance to the mask's edge.

Somebody who corrects a mask clicks in the middle of what is wrong, so that distance says how large the mistake is.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.masks import HALF
from durian.segmentation.classic.colour import ColourModel, bin_index, to_lab
from durian.segmentation.classic.graphcut import SEED_ODDS, cut
from durian.segmentation.classic.head import Window, soften, window_around

LOCAL_SIDE = 176
"""Side of the window a click is worked out in, in pixels."""

REACH = 2.6
"""A click's reach in distances to the mask's edge (this and the next tuned on 48 synthetic scenes below 400)."""

SMALLEST_REACH = 0.012
"""Least reach as a share of the picture's longer side: a click on the very edge still does something."""

SEED_SHARE = 0.33
"""Radius of the certain disc round a click, as a share of its reach."""

SMALLEST_DISC = 2.0
"""Least radius of that disc in pixels of the picture, so that every click shows."""

COLOUR_SHARE = 0.12
"""Radius within which the clicked colour is taken, as a share of the reach."""

KEEP, KEEP_RISE = 0.5, 1.5
"""Log-odds for a pixel to stay as it is, at the click and per reach away from it."""

PUSH, ALIKE, CONTRAST = 1.5, 1.0, 0.8
"""Weights of the click's place, of likeness to its colour, and of likeness to either side's colours."""

FAR = 1.6
"""Reaches from the click at which it says nothing any more."""

COLOUR_SPREAD = np.array([16.0, 6.0, 7.0])
"""How far from the clicked colour in L, a, b (8-bit Lab) still counts as the same thing."""

COARSE_SIDE = 512


def apply_click(
    image: np.ndarray, mask: np.ndarray, point: np.ndarray, label: int, settled: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """The mask after one more click.

    Args:
        image: ``(H, W, 3) uint8``.
        mask: ``(H, W) uint8`` before the click, neither empty nor changed.
        point: ``(2,)`` pixels.
        label: 1 to include, 0 to exclude.
        settled: points ``(N, 2)`` and labels ``(N,)`` of earlier clicks, which the new one must not undo.
    """
    reach = REACH * distance_to_edge(mask, point, label)
    longer = max(image.shape[:2])
    reach = max(reach, SMALLEST_REACH * longer, 4.0)
    x, y = float(point[0]), float(point[1])
    margin = 2.2 * reach
    window = window_around(image.shape, x - margin, y - margin, x + margin + 1, y + margin + 1, LOCAL_SIDE)
    part = window.take(image)
    before = window.take(mask) > HALF
    after = _local_cut(part, before, window, point, label, reach, settled)
    return _blend(image, mask, window, part, before, after)


def distance_to_edge(mask: np.ndarray, point: np.ndarray, label: int) -> float:
    """Pixels from a click to the nearest pixel that already is as the click wants; 0 when the click's own is."""
    scale = min(1.0, COARSE_SIDE / max(mask.shape))
    coarse = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else mask
    wrong = (coarse <= HALF) if label else (coarse > HALF)
    if wrong.all():
        return 0.1 * max(mask.shape)
    x = int(np.clip(round((float(point[0]) + 0.5) * scale - 0.5), 0, coarse.shape[1] - 1))
    y = int(np.clip(round((float(point[1]) + 0.5) * scale - 0.5), 0, coarse.shape[0] - 1))
    if not wrong[y, x]:
        return 0.0
    return float(cv2.distanceTransform(wrong.astype(np.uint8), cv2.DIST_L2, 5)[y, x]) / scale


def _local_cut(
    part: np.ndarray,
    before: np.ndarray,
    window: Window,
    point: np.ndarray,
    label: int,
    reach: float,
    settled: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    lab = to_lab(part)
    bins = bin_index(lab)
    scale = window.size[0] / window.width
    away = _distance(before.shape, window.to_working(point[None])[0]) / (reach * scale)
    sign = 1.0 if label else -1.0
    disc = away <= max(SEED_SHARE, SMALLEST_DISC / reach)
    clicked = np.median(lab[away <= max(COLOUR_SHARE, 1.5 / (reach * scale))], axis=0)
    offset = np.sqrt((((lab - clicked) / COLOUR_SPREAD) ** 2).sum(axis=-1))
    alike = 2.2 * (1.0 - np.minimum(offset, 2.5))
    # What the window holds of either side tells more than one colour, where it holds enough of it.
    wanted = before if label else ~before
    near = np.exp(-(away**2)) * (offset < 1.5) + 0.6 * wanted * (away > 0.5)
    rest = (~wanted) * np.clip(away - 0.6, 0, 1)
    contrast = ColourModel(bins, near).log_density(bins) - ColourModel(bins, rest).log_density(bins)
    contrast = np.clip(contrast, -3, 3) if rest.sum() > 20 else 0.0

    weight = np.clip(FAR - away, 0, 1)
    keep = np.where(before, 1.0, -1.0) * (KEEP + KEEP_RISE * np.clip(away - 0.3, 0, 1.5))
    odds = keep + sign * weight * (PUSH + ALIKE * alike + CONTRAST * contrast)
    odds[(away > 2.0) & before] = SEED_ODDS
    odds[(away > 2.0) & ~before] = -SEED_ODDS
    # A click only ever adds (or only takes away): what already is as it wants stays.
    odds[before if label else ~before] = sign * SEED_ODDS
    for other, other_label in zip(*settled, strict=True):
        spot = _distance(before.shape, window.to_working(other[None])[0]) <= 2.0
        odds[spot] = SEED_ODDS if other_label else -SEED_ODDS
    odds[disc] = sign * SEED_ODDS
    after = cut(odds.astype(np.float32), lab)
    return _touching(after, before, label, disc)


def _touching(after: np.ndarray, before: np.ndarray, label: int, disc: np.ndarray) -> np.ndarray:
    """Keep of the change only the piece under the click."""
    changed = (after != before).astype(np.uint8)
    _, labels = cv2.connectedComponents(changed, connectivity=4)
    under = np.unique(labels[disc & (changed == 1)])
    return np.where(np.isin(labels, under) & (changed == 1), bool(label), before)


def _blend(
    image: np.ndarray, mask: np.ndarray, window: Window, part: np.ndarray, before: np.ndarray, after: np.ndarray
) -> np.ndarray:
    """Write the change into the whole mask; soft edges elsewhere stay as they were."""
    changed = (after != before).astype(np.uint8)
    if not changed.any():
        return mask.copy()
    fresh = soften(part, after, 3)
    place = cv2.GaussianBlur(cv2.dilate(changed, np.ones((5, 5), np.uint8)).astype(np.float32), (0, 0), 1.0)
    size = (window.width, window.height)
    fresh = cv2.resize(fresh, size, interpolation=cv2.INTER_LINEAR)
    place = cv2.resize(place, size, interpolation=cv2.INTER_LINEAR)
    area = (slice(window.y, window.y + window.height), slice(window.x, window.x + window.width))
    result = mask.copy()
    result[area] = np.rint(mask[area] * (1 - place) + 255 * np.clip(fresh, 0, 1) * place).astype(np.uint8)
    return result


def _distance(shape: tuple[int, int], centre: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return np.hypot(x - centre[0], y - centre[1])


def enforce(mask: np.ndarray, points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Every clicked pixel as it was asked for; the last of two clicks on one pixel wins."""
    for (x, y), label in zip(points, labels, strict=True):
        column = int(np.clip(round(float(x)), 0, mask.shape[1] - 1))
        row = int(np.clip(round(float(y)), 0, mask.shape[0] - 1))
        if (mask[row, column] > HALF) != bool(label):
            mask[row, column] = 255 if label else 0
    return mask


def object_at(image: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Something of one colour family under a click, where nothing is known about the picture, ``(H, W) uint8``."""
    window = _whole_window(image)
    part = window.take(image)
    lab = to_lab(part)
    bins = bin_index(lab)
    diagonal = float(np.hypot(*part.shape[:2]))
    away = _distance(part.shape[:2], window.to_working(np.asarray(point)[None])[0]) / diagonal
    disc = away <= max(0.012, 1.0 / diagonal)
    clicked = np.median(lab[disc], axis=0)
    offset = np.sqrt((((lab - clicked) / COLOUR_SPREAD) ** 2).sum(axis=-1))
    inside = (offset < 1.5) * np.exp(-((away / 0.15) ** 2))
    outside = (offset >= 1.5) * (0.2 + away)
    contrast = ColourModel(bins, inside).log_density(bins) - ColourModel(bins, outside).log_density(bins)
    odds = np.clip(contrast, -3, 3) + 1.0 - 9.0 * away - np.clip(offset - 2.0, 0, 2)
    odds[disc] = SEED_ODDS
    region = cut(odds.astype(np.float32), lab)
    _, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=4)
    region = np.isin(labels, np.unique(labels[disc & region])) & region
    return window.put(image, soften(part, region, 3))


def object_in_front(image: np.ndarray) -> np.ndarray:
    """The region that differs from the picture's border: an item on a plain ground, ``(H, W) uint8``."""
    window = _whole_window(image)
    part = window.take(image)
    lab = to_lab(part)
    bins = bin_index(lab)
    rim = np.ones(part.shape[:2], bool)
    thickness = max(2, min(part.shape[:2]) // 25)
    rim[thickness:-thickness, thickness:-thickness] = False
    inside = (~rim).astype(np.float32)
    background = ColourModel(bins, rim.astype(np.float32)).log_density(bins)
    for _ in range(3):
        odds = np.clip(ColourModel(bins, inside).log_density(bins) - background, -4, 4)
        inside = (~rim) / (1 + np.exp(-odds))
    odds = np.where(rim, -SEED_ODDS, odds).astype(np.float32)
    return window.put(image, soften(part, cut(odds, lab), 3))


def _whole_window(image: np.ndarray) -> Window:
    height, width = image.shape[:2]
    return window_around(image.shape, 0, 0, width, height, 320)
