"""Removes parts of a mask that are not connected to the item, or only by a thin line, or that only colours found."""

from __future__ import annotations

import numpy as np


def without_islands(share: np.ndarray, thread: float, least: float) -> np.ndarray:
    """The share of an item without its islands, ``(S, S) float32``.

    Args:
        share: ``(S, S) float32`` in [0, 1].
        thread: half the width, in pixels, up to which what joins two parts is no joint.
        least: area of a part, as a share of the largest one's, from which on it stays.
    """
    import cv2

    reach = max(1, round(thread))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    core = cv2.erode((share > 0.5).astype(np.uint8), disc)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return share
    kept = np.isin(parts, 1 + np.flatnonzero(areas >= least * areas.max())).astype(np.uint8)
    # As far as the part went before it was thinned, and its soft rim.
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (4 * reach + 1,) * 2)
    return np.where(cv2.dilate(kept, wide) > 0, share, np.float32(0))


def without_unseen(share: np.ndarray, seen: np.ndarray, least: float, large: float) -> np.ndarray:
    """The share of an item without small parts that the network hardly took for it, ``(S, S) float32``.

    Args:
        share: ``(S, S) float32`` in [0, 1], corrected by colours: a jacket may have those of hair.
        seen: ``(S, S) float32`` in [0, 1], the network's own.
        least: mean of ``seen`` in a part, from which on it stays.
        large: area of a part, as a share of the largest one's, from which on it stays whatever the network saw.
    """
    import cv2

    _, parts = cv2.connectedComponents((share > 0.5).astype(np.uint8), connectivity=8)
    area = np.bincount(parts.ravel())
    unseen = np.bincount(parts.ravel(), seen.ravel()) < least * area
    unseen &= area < large * area[1:].max(initial=0)
    unseen[0] = False
    return np.where(unseen[parts], np.float32(0), share)
