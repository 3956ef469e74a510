"""Masks after clicks: a window around the last one as large as the mask needs, run through the click network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from durian.masks import HALF
from durian.segmentation.parser.heads import EDGE, HEAD_PLACE, HEAD_UNIT, to_mask, window_inputs
from durian.segmentation.parser.window import HeadWindow, head_unit

SIDE = 320
"""Pixels of the window's side."""
CLICK_RADIUS = 0.018
"""Radius of a click's disc, as a share of that side; the network was trained with it."""
ROOM = 1.35
"""Side of the window relative to what it must hold: the mask so far and the clicks."""
CLOSEST = 0.42
"""Largest distance of the outer eye corners, as a share of the side."""


def follow_clicks(
    image: np.ndarray, landmarks: np.ndarray, weights: Path, mask: np.ndarray, points: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The mask after clicks, ``(H, W) uint8``, its edge as the network has it, and the box of the picture that it saw.

    :func:`draw_edges` draws the edge there, which is half of the work and which later clicks do not need.

    Args:
        image: ``(H, W, 3) uint8`` RGB.
        landmarks: ``(478, 2 or 3)`` pixels of it.
        weights: the parser's file.
        mask: ``(H, W) uint8`` before the last click.
        points: ``(N, 2)`` pixels, at least one.
        labels: ``(N,)`` 1 to include, 0 to exclude.
    """
    from durian.segmentation.parser.running import clicked_mask

    landmarks = np.asarray(landmarks, np.float64)[:, :2]
    window = _window(landmarks, mask, points)
    clicks = draw_clicks(window.points(points), labels, window.side)
    before = (window.take(mask) > HALF).astype(np.float32)
    clicked = clicked_mask(weights, window_inputs(image, landmarks, window), clicks, before)
    box = left, top, right, bottom = window.bounds(image.shape)
    area = slice(top, bottom), slice(left, right)
    inside = window.put(np.ones_like(clicked), box)
    share = window.put(clicked, box) + (1 - inside) * (mask[area].astype(np.float32) / 255)
    after = mask.copy()
    after[area] = np.rint(255 * share)
    return after, box


def draw_edges(
    image: np.ndarray, landmarks: np.ndarray, mask: np.ndarray, box: tuple[int, int, int, int]
) -> np.ndarray:
    """A mask of :func:`follow_clicks` whose edge follows the picture's inside a box: ``left, top, right, bottom``."""
    left, top, right, bottom = box
    area = slice(top, bottom), slice(left, right)
    drawn = mask.copy()
    drawn[area] = to_mask(image[area], mask[area].astype(np.float32) / 255, EDGE * head_unit(landmarks[:, :2]))
    return drawn


def draw_clicks(points: np.ndarray, labels: np.ndarray, side: int) -> np.ndarray:
    """Discs at clicks, ``(2, side, side) float32``: included, then excluded.

    Args:
        points: ``(N, 2)`` x and y in pixels.
        labels: ``(N,)`` 1 to include, 0 to exclude.
        side: pixels.
    """
    drawn = np.zeros((2, side, side), np.float32)
    radius = max(1, round(CLICK_RADIUS * side))
    for (x, y), label in zip(points, labels, strict=True):
        cv2.circle(drawn[0 if label else 1], (round(float(x)), round(float(y))), radius, 1.0, -1)
    return drawn


def _window(landmarks: np.ndarray, mask: np.ndarray, points: np.ndarray) -> HeadWindow:
    """A square that holds the mask so far and all clicks, upright as the head is."""
    upright = HeadWindow.around(landmarks, SIDE, SIDE * HEAD_UNIT, HEAD_PLACE)
    wanted = [upright.points(points)]
    rows, columns = np.nonzero(mask > HALF)
    if len(rows):
        corners = np.array([[x, y] for x in (columns.min(), columns.max()) for y in (rows.min(), rows.max())])
        wanted.append(upright.points(corners))
    together = np.concatenate(wanted)
    low, high = together.min(axis=0), together.max(axis=0)
    extent = ROOM * float((high - low).max()) / SIDE
    larger = np.clip(1 / max(extent, 1e-6), 0.6, CLOSEST / HEAD_UNIT)
    middle = (low + high) / 2
    matrix = larger * upright.matrix
    matrix[:, 2] += (SIDE - 1) / 2 - larger * middle
    return HeadWindow(matrix, SIDE)
