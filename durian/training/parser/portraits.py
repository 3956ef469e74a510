"""Real portraits without masks as examples: labels where parser and classic starts agree, all else left out.

The renderer's people are not real ones. A few real portraits, labelled by the parser itself where graph cuts and the
person matte say the same, show it what real skin, hair and eyes without glasses look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from durian.masks import HALF
from durian.segmentation.classic.named_masks import ClassicMasks
from durian.segmentation.parser.classes import BACKGROUND, BEARD, GLASSES, HAIR, HAT, SKIN
from durian.segmentation.parser.heads import window_inputs
from durian.segmentation.parser.window import HeadWindow
from durian.segmentation.person import person_mask
from durian.training.parser.examples import IGNORED
from durian.training.parser.photos import Photos

SIDE, UNIT, PLACE = 320, 0.13, (0.5, 0.42)
"""Of the square that is cut from a portrait, as of :data:`durian.segmentation.parser.heads.HEAD_SIDE`."""
SURELY_NO_HAT = -1.3
"""Log-odds of a hat below which there is none; above, what looks like hair may be one. Fur, a beanie and a scarf that
the parser had taken for hair, and went on to learn as hair, have -1.0 and more, dyed hair -1.6."""
SURE_OF_HAT = 0.7
"""Share of a hat that the parser does not give up although the classic start sees none."""
SURE_PERSON, SURE_BACKGROUND = 230, 25
"""Person matte from which on, and up to which, the parser must agree with it."""


def label_portraits(paths: Sequence[Path], weights: Path) -> Photos:
    """Portraits with a face, labelled; those without one are left out.

    Args:
        paths: picture files.
        weights: the parser's file.

    Raises:
        UnreadableMedia: a file is not a picture.
    """
    from durian.face import detect_faces
    from durian.media import read_image

    found = []
    for path in paths:
        image = read_image(path)
        faces = detect_faces(image)
        if not faces:
            continue
        landmarks = np.asarray(faces[0].landmarks, np.float64)[:, :2]
        window = HeadWindow.around(landmarks, SIDE, SIDE * UNIT, PLACE)
        picture = window.take(image)
        inside = faces[0].landmarks.copy()
        inside[:, :2] = window.points(landmarks)
        classes = label(picture, inside, weights)
        classes[window.take(np.full(image.shape[:2], 255, np.uint8), cv2.BORDER_CONSTANT) < 250] = IGNORED
        found.append((picture, classes, np.full_like(classes, 255), inside[:, :2], person_mask(picture)))
    rgb, classes, share, points, person = (np.stack(part) for part in zip(*found))
    return Photos(rgb, classes, share, points.astype(np.float32), person)


def label(picture: np.ndarray, landmarks: np.ndarray, weights: Path) -> np.ndarray:
    """``(S, S) uint8`` as :attr:`Photos.classes`: 16 times the class, :data:`IGNORED` where nobody is sure.

    Args:
        picture: ``(S, S, 3) uint8``; S is a multiple of 32.
        landmarks: ``(478, 3)`` pixels.
        weights: the parser's file.
    """
    from durian.segmentation.parser.running import parse

    whole = HeadWindow(np.array([[1.0, 0, 0], [0, 1.0, 0]]), len(picture))
    shares = parse(weights, window_inputs(picture, landmarks[:, :2], whole))
    starts = ClassicMasks(picture, landmarks)
    unsure = shares[..., HAT] > SURE_OF_HAT if not starts.is_worn("hat") else np.zeros(picture.shape[:2], bool)
    if not starts.is_worn("glasses"):
        shares[..., GLASSES] = 0
    if not starts.is_worn("hat") and starts.hat_score < SURELY_NO_HAT:
        shares[..., HAT] = 0
    classes = shares.argmax(axis=2)
    for name, number in (("glasses", GLASSES), ("hat", HAT), ("beard", BEARD), ("hair", HAIR)):
        seen = starts.mask(name) > HALF if starts.is_worn(name) else np.zeros_like(unsure)
        unsure |= seen != (classes == number)
    if starts.hat_score >= SURELY_NO_HAT:
        unsure |= classes == HAIR
    person = person_mask(picture)
    unsure |= (person > SURE_PERSON) & (classes == BACKGROUND)
    unsure |= (person < SURE_BACKGROUND) & (classes != BACKGROUND)
    return np.where(unsure, np.uint8(IGNORED), (16 * classes + SKIN).astype(np.uint8))
