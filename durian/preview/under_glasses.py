"""Hair and hats as they are under the glasses that their reference wears, so that no rim or temple comes along."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.mesh import FACE_OVAL, smoothstep
from durian.layers.completion import complete_hair
from durian.layers.fill import fill
from durian.layers.skin import polygon
from durian.preview.sample import Sample

MARGIN = 0.03
"""How far around its mask a frame may go on, in outer-eye distances."""

UNDERNEATH = (0.5, 0.8)
"""Shares of the item around between which it comes to be under the glasses."""
ON_FACE = (0.75, 0.95)
"""The same on the face, where skin is under most of the glasses."""
PURE = 0.9
"""Share of a pixel from which on its colour is the item's, or has nothing of it."""


def without_glasses(
    sample: Sample, mask: np.ndarray, is_hair: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sample's picture and alpha with what is around the glasses gone on over them, and where nothing of the item is
    under them.

    Args:
        sample: of a reference that shows a face.
        mask: ``(H, W) uint8``, the glasses in the reference.
        is_hair: the item goes on with its strands.

    Returns:
        ``(h, w, 3) float32``, 0-255, ``(h, w) float32`` in [0, 1] and ``(h, w) bool``; the sample's own, and nowhere,
        if no glasses are worn.
    """
    if not mask.any():
        return sample.image, sample.alpha, np.zeros(sample.alpha.shape, bool)
    height, width = sample.alpha.shape
    matrix = sample.to_texture
    scale = min(matrix[0, 0], matrix[1, 1])
    # Averaged before it is sampled: a temple is thinner than a pixel of a large reference that is shrunk.
    mask = cv2.GaussianBlur(mask, (0, 0), 0.5 / scale) if scale < 1 else mask
    there = cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR)
    reach = max(1, round(MARGIN * eye_distance(sample.face_landmarks)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    glasses = cv2.dilate((there > 64).astype(np.uint8), disc) > 0
    around = (~glasses).astype(np.float32)
    # What goes on is smooth: the item's edge is where it is half there, not all the way to the other lens.
    share = fill(sample.alpha[..., None], around)[..., 0]
    face = polygon(sample.face_landmarks[FACE_OVAL], share.shape)
    least, whole = (outside + face * (on - outside) for outside, on in zip(UNDERNEATH, ON_FACE, strict=True))
    alpha = np.where(glasses, smoothstep(share, least, whole), sample.alpha)
    # Of each its own colours: skin that is half hair, or hair that is half skin, would be a grey haze in the item.
    beside = (cv2.dilate(glasses.astype(np.uint8), disc) == 0).astype(np.float32)  # where no rim is blurred into them
    item, rest = (_gone_on_with(sample.image, beside * part) for part in (sample.alpha, 1 - sample.alpha))
    if is_hair:
        item = complete_hair(sample.image, beside * sample.alpha, glasses * alpha)
    under = rest + alpha[..., None] * (item - rest)
    image = np.where(glasses[..., None], under, sample.image)
    return image.astype(np.float32), alpha.astype(np.float32), glasses & (share < least)


def _gone_on_with(image: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The colours of an ``image (h, w, 3)`` where something has nearly all of the ``weight (h, w)``, smoothly on over
    everything, ``(h, w, 3) float32``."""
    return fill(image, (weight > PURE).astype(np.float32))
