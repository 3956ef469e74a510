"""Real portraits with drawn masks as examples of the parser's training."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from durian.geometry.mesh import OUTER_LIPS
from durian.segmentation.drawn import LABELS, UNSURE, DrawnMask
from durian.segmentation.parser.classes import BACKGROUND, BEARD, CLASSES, CLOTHES, GLASSES, HAIR, HAT, LIPS, SKIN
from durian.segmentation.parser.window import HeadWindow, head_unit
from durian.segmentation.person import person_mask
from durian.training.parser.examples import IGNORED
from durian.training.parser.photos import Photos

SIDE, UNITS, PLACE = 512, (0.13, 0.3), (0.5, 0.42)
"""Of the square that is cut from a portrait, as of :data:`durian.segmentation.parser.heads.HEAD_SIDE`; the distance of
the eye corners in it is such that the square is about as large as the picture."""
CLASS_OF = {
    "background": BACKGROUND,
    "skin": SKIN,
    "hair": HAIR,
    "beard": BEARD,
    "frame": GLASSES,
    "lens": GLASSES,
    "hat": HAT,
    "clothes": CLOTHES,
}
LEAST_HAT = 0.005
"""Share of a picture from which on there is a hat in it."""
EDGE = 0.8
"""Spread of a drawn edge, in pixels of the drawing: nobody draws more exactly."""


def drawn_photos(drawn: Sequence[DrawnMask]) -> Photos:
    """Drawn portraits as photos to learn from, those with hats twice; those without a face are left out.

    Raises:
        UnreadableMedia: a photograph.
    """
    from durian.face import detect_faces
    from durian.media import read_image

    found = []
    for mask in [*drawn, *(mask for mask in drawn if mask.item("hat").mean() > LEAST_HAT)]:
        image = read_image(mask.picture)
        faces = detect_faces(image)
        if faces:
            found.append(_photo(image, faces[0].landmarks, mask))
    rgb, classes, share, points, person = (np.stack(part) for part in zip(*found, strict=True))
    return Photos(rgb, classes, share, points.astype(np.float32), person)


def _photo(image: np.ndarray, landmarks: np.ndarray, mask: DrawnMask) -> tuple[np.ndarray, ...]:
    unit = float(np.clip(head_unit(landmarks) / max(image.shape[:2]), *UNITS))
    window = HeadWindow.around(landmarks, SIDE, SIDE * unit, PLACE)
    factor = np.array(image.shape[1::-1]) / mask.labels.shape[::-1]
    of_labels = HeadWindow(np.hstack([window.matrix[:, :2] * factor, _shifted(window.matrix, factor)]), SIDE)
    parts = _shares(mask.labels, landmarks, factor)
    size = (SIDE, SIDE)
    shares = np.dstack([cv2.warpAffine(part, of_labels.matrix, size, flags=cv2.INTER_LINEAR) for part in parts])
    order = np.argsort(shares, axis=2)[..., ::-1]
    first, second = order[..., 0], order[..., 1]
    most = np.take_along_axis(shares, order[..., :2], axis=2)
    part = most[..., 0] / np.maximum(most.sum(2), 1e-6)
    classes = (16 * first + second).astype(np.uint8)
    decided = cv2.warpAffine(mask.decided.astype(np.uint8) * 255, of_labels.matrix, size, borderValue=0)
    classes[decided < 250] = IGNORED
    points = window.points(landmarks)
    return window.take(image), classes, np.rint(255 * part).astype(np.uint8), points, window.take(person_mask(image))


def _shifted(matrix: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """The last column of a window's matrix for a picture ``factor`` times smaller, pixel centres at integers."""
    return (matrix[:, :2] @ (0.5 * factor - 0.5) + matrix[:, 2])[:, None]


def _shares(labels: np.ndarray, landmarks: np.ndarray, factor: np.ndarray) -> list[np.ndarray]:
    """How much of each pixel a class has, ``(h, w) float32`` each; lips are drawn as skin, and found by landmarks."""
    classes = np.full(labels.shape, BACKGROUND, np.uint8)
    for number, label in enumerate(LABELS):
        if number != UNSURE:
            classes[labels == number] = CLASS_OF[label]
    lips = np.zeros(labels.shape, np.uint8)
    points = (landmarks[list(OUTER_LIPS), :2] + 0.5) / factor - 0.5
    cv2.fillPoly(lips, [np.rint(points).astype(np.int32)], 1)
    classes[(lips > 0) & (classes == SKIN)] = LIPS
    kept = range(len(CLASSES))
    return [cv2.GaussianBlur((classes == number).astype(np.float32), (0, 0), EDGE) for number in kept]
