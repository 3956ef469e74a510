"""Regions in which frames are compared: the whole picture, inside the item, and away from it."""

from __future__ import annotations

import cv2
import numpy as np

MARGIN = 6 / 256
"""Share of the picture's side around the item that counts neither as inside nor as outside: 6 px of 256."""


def regions_of(item: np.ndarray) -> dict[str, np.ndarray | None]:
    """``all``, ``inside`` the item and ``outside``, farther than :data:`MARGIN` from it.

    Args:
        item: ``(S, S) bool``.
    """
    if not item.any():
        return {"all": None, "inside": item, "outside": ~item}
    distance = cv2.distanceTransform((~item).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return {"all": None, "inside": item, "outside": distance > MARGIN * len(item)}
