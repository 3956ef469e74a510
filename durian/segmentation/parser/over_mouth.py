"""Leaves out of a hat or a scarf what covers the mouth: a mask worn on the face is no part of what is on the head."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import FACE_OVAL
from durian.segmentation.parser.own_colours import colour_bins, colour_likelihoods

NOSE_TIP = 4
COVERED = 0.4
"""Mean share of the hat over the face from the nose down from which on something covers the mouth. Of 24 hats and
scarves (train and validation) the one with a mask has 0.7, all others 0."""
CORE, REACH = 0.12, 0.25
"""How far within the face's outline nothing is the hat's, and how far beyond it what covers the mouth may go on where
it has its colours, in distances of the outer eye corners."""
SMOOTH, CLEAR = 0.06, 0.2
"""Standard deviation over which colours are judged, in the same unit, and the logarithm from which on they are more
likely the cover's than the hat's."""


def without_cover(picture: np.ndarray, share: np.ndarray, points: np.ndarray, unit: float) -> np.ndarray:
    """The share of a hat without what covers the mouth, ``(S, S) float32``; itself where nothing does.

    Args:
        picture: ``(S, S, 3) uint8`` RGB, a window in which the head is upright.
        share: ``(S, S) float32`` in [0, 1].
        points: ``(478, 2)`` landmarks, pixels of the window.
        unit: distance of the outer eye corners, pixels.
    """
    face = cv2.fillPoly(np.zeros(share.shape, np.uint8), [np.rint(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    rows = np.arange(len(share))[:, None]
    core = cv2.erode(face, _disc(CORE * unit)) > 0
    lower = core & (rows > points[NOSE_TIP, 1])
    if not lower.any() or share[lower].mean() < COVERED:
        return share
    below = rows > points[[33, 263], 1].mean()
    core &= below
    zone = (cv2.dilate(face, _disc(REACH * unit)) > 0) & below
    bins = colour_bins(picture)
    likely = [colour_likelihoods(bins, share * there + 1e-6)[bins] for there in (core, ~zone)]
    covers = cv2.GaussianBlur(likely[0] - likely[1], (0, 0), max(SMOOTH * unit, 0.5)) > CLEAR
    return np.where(core | (zone & covers), np.float32(0), share)


def _disc(radius: float) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(radius)) + 1,) * 2)
