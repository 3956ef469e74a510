"""A dressed portrait put back into its photograph at that photograph's own resolution."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import Crop, paste_back
from durian.settings import get_settings

CHANGED = (2.0, 6.0)
"""Levels by which a still differs from the photograph, between which it comes to be shown instead of it."""
AROUND = 0.004
"""How far around what differs the still is shown, softly, as a share of its side: the rims of an item are as fine as
the still."""

SMALLEST = 512
"""Pixels of a still's side at least: below it items are cut out more coarsely than they look."""
FEWEST = 8
"""Pixels of a still that differ side by side, below which it is nothing worn: at the corners of eyes and lips a pixel
may be drawn anew."""


def fitting_size(side: float) -> int:
    """Even side in pixels of the still for a crop of ``side`` pixels of a photo: as many, within what is rendered."""
    return round(min(max(side, SMALLEST), get_settings().max_size) / 2) * 2


def dressed_photo(still: np.ndarray, photo: np.ndarray, crop: Crop) -> np.ndarray:
    """The photograph with what a still has changed in it; everything else is the photograph's own, to the bit.

    Args:
        still: ``(S, S, 3) uint8``, the crop of the photograph with items on.
        photo: ``(H, W, 3) uint8``, of any size.
        crop: where in ``photo`` the still was cut, in its pixels.

    Returns:
        ``(H, W, 3) uint8``.
    """
    size = len(still)
    difference = np.abs(still.astype(np.float32) - crop.apply(photo, size)).max(-1)
    share = np.clip((difference - CHANGED[0]) / (CHANGED[1] - CHANGED[0]), 0, 1)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats((share > 0).astype(np.uint8))
    share *= (statistics[:, cv2.CC_STAT_AREA] >= FEWEST)[labels]
    reach = max(1, round(AROUND * size))
    share = cv2.dilate(share, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    share = cv2.GaussianBlur(share, (0, 0), reach / 2)
    levels = np.rint(255 * np.repeat(share[..., None], 3, 2)).astype(np.uint8)
    weight = paste_back(levels, np.zeros_like(photo), crop)
    result = photo.copy()
    rows, columns = (np.flatnonzero(weight[..., 0].any(axis)) for axis in (1, 0))
    if not len(rows):
        return result
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    own, made = photo[part].astype(np.float32), paste_back(still, photo, crop)[part]
    result[part] = np.rint(own + (made - own) * (weight[part] / np.float32(255))).astype(np.uint8)
    return result
