"""Neck and clothes that hair or a beard hid."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, smoothstep
from durian.layers.completion.exemplar import synthesise
from durian.layers.completion.skin import complete_skin, skin_coloured
from durian.preview.fill import fill
from durian.preview.skin import polygon

SURE = 0.98
"""Share of a pixel that must be known, and body, for it to be taken as an example."""
NECK_HALF_WIDTH, NECK_BASE_HALF_WIDTH, NECK_LENGTH = 0.36, 0.44, 0.36
"""A neck where nobody sees one, in face widths: from the chin to its base. Taste."""
APART = 60.0
"""How much clothes in the place of skin count against a match, in levels."""
TOLD = 0.06
"""Distance from what is seen, in face widths, over which it tells skin from clothes."""
COLLAR = 0.02
"""Distance from clothes, in face widths, from which on a neck is nothing but skin."""


def complete_body(
    image: np.ndarray, landmarks: np.ndarray, known: np.ndarray, body: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Go on with neck and clothes, each from its own kind, and with the edge between them.

    Args:
        image: ``(S, S, 3) float32`` 0-255.
        landmarks: ``(478, 3)`` pixels.
        known: ``(S, S) float32`` in [0, 1], 1 where nothing that is taken off hides the picture.
        body: ``(S, S) float32`` in [0, 1] where neck and clothes are, or are to be.
        seed: of the search.

    Returns:
        ``(S, S, 3) float32``: what of the body is not known is made up, elsewhere ``image``.
    """
    image = image.astype(np.float32)
    source = (known > SURE) & (body > SURE)
    hole = (body > 0) & ~(known >= 1)
    if not hole.any():
        return image.copy()
    head = Head(landmarks)
    bare = source & skin_coloured(image, landmarks, known)
    neck = _neck(landmarks, head, source, bare)
    skin, _ = complete_skin(image, landmarks, known * source, bare.astype(np.float32), seed)
    clothes = source & ~cv2.dilate(bare.astype(np.uint8), np.ones((3, 3))).astype(bool)
    start = skin
    if clothes.any():
        cloth = fill(image, clothes.astype(np.float32))
        start = cloth + neck[..., None] * (skin - cloth)
    start = np.where(hole[..., None], start, image).astype(np.float32)
    made = synthesise(start, hole, source, seed, APART * neck[..., None])
    collar = cv2.distanceTransform((neck > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inside = smoothstep(collar, 1.0, 1.0 + COLLAR * head.width)[..., None].astype(np.float32)
    made += inside * (skin - made)
    weight = known[..., None] * hole[..., None]
    made = made + weight * (image - made)
    return np.where(hole[..., None], np.clip(made, 0, 255), image).astype(np.float32)


def _neck(landmarks: np.ndarray, head: Head, source: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """Where the body is skin, ``(S, S) float32``: as seen, as what is near says, and far from it as necks are."""
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    across = np.array([down[1], -down[0]])
    chin = landmarks[CHIN, :2]
    corners = [
        chin + head.width * (along * down + side * wide * across)
        for along, side, wide in (
            (-0.15, -1, NECK_HALF_WIDTH),
            (-0.15, 1, NECK_HALF_WIDTH),
            (NECK_LENGTH, 1, NECK_BASE_HALF_WIDTH),
            (NECK_LENGTH, -1, NECK_BASE_HALF_WIDTH),
        )
    ]
    usual = polygon(np.array(corners, np.float32), source.shape)
    if not source.any():
        return usual
    label = np.repeat((bare & source).astype(np.float32)[..., None], 3, 2)
    told = fill(label, source.astype(np.float32))[..., 0]
    distance = cv2.distanceTransform(1 - source.astype(np.uint8), cv2.DIST_L2, 5)
    near = np.exp(-0.5 * (distance / (TOLD * head.width)) ** 2)
    neck = usual + near * (told - usual)
    return smoothstep(neck, 0.35, 0.65).astype(np.float32)
