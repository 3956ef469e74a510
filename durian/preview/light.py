"""An item's own pixels, cut out and lit for its new wearer."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.alignment import NO_FACE_BOXES, mask_box
from durian.geometry.head import Head
from durian.geometry.mesh import BROWS, EYES, FACE_OVAL, OUTER_LIPS
from durian.layers.colours import foreground_colours
from durian.layers.face_light import FaceLight, head_coordinates
from durian.layers.hat_outline import smooth_outline
from durian.layers.mattes import soft_matte
from durian.layers.skin import polygon, skin_pixels
from durian.preview.matte import without_forehead
from durian.preview.sample import Sample
from durian.preview.under_glasses import without_glasses
from durian.request import Attribute

LIGHT_SHARE = 0.2
"""How much of the faces' difference in brightness and colour cast is taken as light; the rest is skin.

On rendered triplets, where the truth is known, 0.45 made hats 0.3 dB worse than no change at all."""
SLOPE_SHARE = 0.3
"""How much of the difference between the gradients across the two faces goes on over the item.

With all of it hats turned white above bright foreheads: 0.1 to 0.2 dB worse inside items of rendered triplets."""
MATTED_NAMES = frozenset({"hair", "hat", "beard", "other"})
UNDER_GLASSES = frozenset({"hair", "hat"})
"""Items that the same face's glasses may lie on."""
MATTE_BAND = 0.06
"""Half the width of the band along an outline in which a mask is refined, in outer-eye distances."""
HAIRLINE = 0.12
"""How far above the landmarks' outline a forehead may go on, in outer-eye distances."""
LIGHT_LIMIT = 0.6
"""Largest change, natural logarithm."""
EXPOSURE_LIMIT = 1.8
"""The same of a photograph's exposure: an item in a black picture is still seen."""


def cut_out(attribute: Attribute, scale: float) -> tuple[np.ndarray, Sample]:
    """An item as a texture, in its own light.

    Args:
        attribute: the reference, its mask and landmarks.
        scale: crop pixels of the portrait per pixel of the reference; large references are shrunk to it.

    Returns:
        ``(h, w, 4) float32`` straight (not premultiplied) colours and alpha 0-255, and the part of the reference that
        it was cut from.
    """
    from durian.segmentation import worn

    sample = Sample.of(attribute, scale)
    image, alpha, landmarks, to_texture = sample.image, sample.alpha, sample.landmarks, sample.to_texture
    glasses, matte = None, alpha
    if attribute.name in UNDER_GLASSES and landmarks is not None:
        mask = worn(attribute.image, attribute.face_landmarks, ["glasses"])["glasses"]
        image, alpha, glasses = without_glasses(sample, mask, attribute.name == "hair")
    if attribute.name in MATTED_NAMES:
        face = None if landmarks is None else face_and_forehead(landmarks, alpha.shape)
        barred = None if landmarks is None else _never_covered(landmarks, alpha)
        barred = barred if glasses is None else barred | glasses
        share, unit = alpha, _unit(attribute, to_texture, landmarks)
        alpha = matte = soft_matte(image, share, unit, attribute.name, barred)
        if attribute.name == "hair" and face is not None and landmarks is not None:
            alpha = matte = without_forehead(image, alpha, face, skin_pixels(landmarks, alpha.shape))
        if attribute.name == "hat":
            alpha = smooth_outline(matte, share, unit, landmarks)
            # Within a smooth outline there may be bits of what is behind, which the matte knows.
            matte = np.minimum(matte, alpha)
    # Colours beyond a soft edge are those of the item inside it, never of the reference's background.
    return np.concatenate([foreground_colours(image, matte), alpha[..., None] * 255], -1), sample


def face_and_forehead(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The face's oval, whose landmarks end below the hairline, grown to it; soft, ``(h, w) float32``."""
    eyes = eye_distance(landmarks)
    reach = 2 * max(1, round(HAIRLINE * eyes)) + 1
    oval = cv2.dilate(polygon(landmarks[FACE_OVAL], shape), np.ones((reach, reach)))
    return cv2.GaussianBlur(oval, (0, 0), 0.03 * eyes + 0.5)


def _never_covered(landmarks: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Brows, eyes and lips that a mask leaves free: to a matte they look like hair, ``(h, w) bool``."""
    parts = np.zeros(alpha.shape, np.float32)
    for part in (*EYES, *BROWS, OUTER_LIPS):
        parts = np.maximum(parts, polygon(landmarks[part], alpha.shape))
    return (parts > 0) & (alpha < 0.5)


def _unit(attribute: Attribute, to_texture: np.ndarray, landmarks: np.ndarray | None) -> float:
    """The outer-eye distance in texture pixels, guessed from the item's size where there is no face."""
    if landmarks is not None:
        return eye_distance(landmarks)
    x0, _, x1, _ = mask_box(attribute.mask)
    return (x1 - x0) * to_texture[0, 0] / NO_FACE_BOXES[attribute.name][0]


def mean_change(own: FaceLight, wearer: FaceLight, light: float) -> np.ndarray:
    """Change of a reference's colours in its wearer's light, natural logarithm ``(3,)``.

    Most of what makes two faces differ is skin. But no skin in a well exposed photograph is darker or brighter than
    :data:`durian.layers.face_light.EXPOSED`: what is beyond is the photograph's exposure, and all of that is followed
    from ``light`` 0.5 on.
    """
    share = light * np.clip(LIGHT_SHARE * (wearer.mean - own.mean), -LIGHT_LIMIT, LIGHT_LIMIT)
    exposure = np.clip(wearer.exposure - own.exposure, -EXPOSURE_LIMIT, EXPOSURE_LIMIT)
    return share + min(1.0, 2 * light) * exposure


def relit(
    image: np.ndarray, landmarks: np.ndarray, attribute: Attribute, wearer: FaceLight, light: float
) -> np.ndarray:
    """Move a reference's colours by the difference between the two faces' light.

    Args:
        image: ``(h, w, 3) float32``, part of the reference.
        landmarks: ``(478, 3)`` pixels of it.
        attribute: the whole reference.
        wearer: the portrait's light.
        light: 0 keeps the colours, 1 moves them to it.
    """
    own = FaceLight.of(attribute.image.astype(np.float32), attribute.face_landmarks)
    mean = mean_change(own, wearer, light)
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width]
    place = head_coordinates(Head(landmarks), np.stack([x.ravel(), y.ravel()], 1))
    # Brightness only: the gradient's colour is mostly noise.
    slope = SLOPE_SHARE * (wearer.gradient - own.gradient).mean(1)
    change = np.clip(np.clip(place, -1, 1) @ slope, -LIGHT_LIMIT, LIGHT_LIMIT).reshape(height, width, 1)
    return np.clip(image * np.exp(mean + light * change), 0, 255).astype(np.float32)


def in_colours_of(wearer: FaceLight, texture: np.ndarray, light: float) -> np.ndarray:
    """A texture as its wearer's photograph would show it if that is black and white or sepia; in colour as it is.

    Args:
        wearer: the portrait's light.
        texture: ``(h, w, 4)`` straight colours and their alpha, or ``(h, w, 6)`` premultiplied ones and how much of
            what is behind them they hide of each colour.
        light: 0 keeps the colours.
    """
    if light == 0 or wearer.tone is None:
        return texture
    colours, hidden = texture[..., :3], texture[..., 3:]
    level, share = colours.mean(-1, keepdims=True), hidden.mean(-1, keepdims=True)
    if hidden.shape[-1] == 3:
        level = level * (255 / np.maximum(share, 1))
    parts = wearer.tone.applied(colours, level), np.broadcast_to(share, hidden.shape)
    return np.concatenate(parts, -1).astype(np.float32)
