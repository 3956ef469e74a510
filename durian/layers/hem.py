"""Ends a scarf in a round hem where the lower edge of its picture cuts it off straight."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.masks import HALF
from durian.request import Attribute

EDGE_ROWS = 3
"""Rows at the frame in which a scarf is looked for that is cut there, and of which the last are often soft."""
LEAST_CUT = 0.4
"""Width, in face widths, from which on it counts as cut."""
DROP = 0.25
"""How far a hem hangs down in its middle, in widths of the cut, and at most in face widths. Taste."""
MOST_DROP = 0.45


def hemmed(attribute: Attribute) -> Attribute:
    """The scarf as if its picture went on below it: its lower edge is round, and its folds go on to there.

    Only hats of somebody whose face is seen have one.
    """
    if attribute.name != "hat" or attribute.landmarks is None:
        return attribute
    mask = attribute.mask
    cut = np.flatnonzero((mask[-EDGE_ROWS:] > HALF).all(0))
    width = Head(np.asarray(attribute.landmarks, np.float32)).width
    if len(cut) < LEAST_CUT * width:
        return attribute
    first, last = int(cut[0]), int(cut[-1])
    half = (last - first + 1) / 2
    drop = min(2 * DROP * half, MOST_DROP * width)
    room = int(np.ceil(drop)) + EDGE_ROWS
    room = min(room, len(mask) - 1)
    x = (np.arange(mask.shape[1]) - (first + last) / 2) / half
    hem = drop * np.sqrt(np.clip(1 - x**2, 0, 1))
    below = np.clip(hem[None] - np.arange(room)[:, None], 0, 1)
    grown = np.concatenate([mask, np.rint(255 * below).astype(np.uint8)])
    # The last rows of a mask are soft although the scarf goes on there.
    grown[len(mask) - EDGE_ROWS : len(mask)][:, cut] = 255
    image = cv2.copyMakeBorder(attribute.image, 0, room, 0, 0, cv2.BORDER_REFLECT_101)
    return replace(attribute, image=image, mask=grown)
