"""Tells scarves, hoods and veils that go round the neck from hats, brims, straps and masks over the mouth."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import CHIN

WORKING_WIDTH = 100.0
"""Width of a face in pixels at which is looked."""
BELOW_CHIN = 0.08
"""How far below the chin a mask over the mouth may go on, in face widths."""
NECK, STRAP = 0.5, 0.08
"""Length of a row below that, without a gap, from which on something goes round the neck, and how high it must be not
to be a strap, in face widths. Of 24 real hats and scarves with drawn masks (train and validation) the rows of all
scarves are 0.7 long or more, and of the rest only a strap's are 0.2."""


def goes_round_the_neck(hat: np.ndarray, landmarks: np.ndarray) -> bool:
    """Whether something worn as a hat is as wide as a neck below the chin too.

    Args:
        hat: ``(H, W)``, where it lies, ``uint8`` or ``float`` in [0, 1].
        landmarks: ``(478, 3)`` of its wearer, pixels.
    """
    head = Head(np.asarray(landmarks, np.float32))
    scale, chin = WORKING_WIDTH / head.width, head.landmarks[CHIN, :2]
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    upright = scale * np.array([[down[1], -down[0]], [down[0], down[1]]])
    side = 2 * int(np.ceil(scale * np.hypot(*hat.shape))) + 1
    # The chin in the middle of the uppermost row.
    place = np.array([side // 2, -BELOW_CHIN * WORKING_WIDTH]) - upright @ chin
    matrix = np.hstack([upright, place[:, None]])
    soft = cv2.GaussianBlur(hat, (0, 0), 0.5 / scale) if scale < 1 else hat
    below = cv2.warpAffine(soft, matrix, (side, side // 2), flags=cv2.INTER_LINEAR)
    there = below > (127 if hat.dtype == np.uint8 else 0.5)
    least = np.ones((round(STRAP * WORKING_WIDTH), round(NECK * WORKING_WIDTH)), np.uint8)
    return bool(cv2.erode(there.astype(np.uint8), least, borderValue=0).any())
