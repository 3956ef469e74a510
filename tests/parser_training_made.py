"""Two photos to train the parser on, of a size that goes fast."""

from __future__ import annotations

import numpy as np

from durian.segmentation.parser.classes import CLASSES, HAT, SKIN
from durian.training.parser.photos import Photos, packed

SIDE = 64
"""Pixels of examples."""


def hatted(picture: np.ndarray) -> Photos:
    """Two photos with a made-up hat: the upper third."""
    import cv2

    from durian.segmentation.classic.segmenter import largest_face

    size = 128
    rgb = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    landmarks = np.asarray(largest_face(picture))[:, :2] * size / len(picture)
    shares = np.zeros((size, size, len(CLASSES)), np.float32)
    shares[: size // 3, :, HAT] = 1
    shares[size // 3 :, :, SKIN] = 1
    classes, share = packed(shares)
    nowhere = np.full_like(landmarks, np.nan)
    person = np.full((size, size), 255, np.uint8)
    return Photos(
        np.stack([rgb, rgb[:, ::-1]]),
        np.stack([classes, classes]),
        np.stack([share, share]),
        np.stack([landmarks, nowhere]).astype(np.float32),
        np.stack([person, person]),
    )
