"""A reference's beard as a texture that is seen through."""

from __future__ import annotations

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.face import eye_distance
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL, OUTER_LIPS, smoothstep
from durian.layers.beard import NOSE, beard_layer, own_parts
from durian.layers.face_light import FaceLight
from durian.layers.fill import blurred
from durian.layers.mattes import soft_matte
from durian.layers.skin import polygon
from durian.preview.beard_light import strand_change
from durian.preview.light import in_colours_of
from durian.preview.opening import box_around
from durian.preview.sample import Sample
from durian.request import Attribute

TIP = (0.2, 0.35)
"""How much shorter a beard that was cut off gets towards its sides, and over what length it runs out, in outer-eye
distances. Taste."""
SOFT_LIPS = 0.008
"""Softness of a beard's edge at its wearer's lips and nose, in outer-eye distances."""
BELOW_CHIN = (-0.1, 0.15)
"""Where about the chin a beard comes to hang in front of long hair, in the same unit."""
WITHIN = 0.08
"""How far within the face's outline, in the same unit, nothing but skin is behind a beard."""

_cuts = ContentCache(entries=4)


def beard_texture(
    attribute: Attribute, scale: float, light: float, wearer: FaceLight | None
) -> tuple[np.ndarray, np.ndarray]:
    """A beard of a reference with a face.

    Args:
        attribute: the reference, its mask and landmarks.
        scale: crop pixels of the portrait per pixel of the reference; large references are shrunk to it.
        light: 0 keeps the strands' colours, 1 moves them to the wearer's light.
        wearer: the portrait's light.

    Returns:
        ``(h, w, 6) uint8`` for :func:`durian.geometry.raster.blend_through`, and the ``(2, 3)`` affine map from
        reference pixels to texture pixels.
    """
    key = content_hash((attribute.mask, attribute.landmarks, attribute.trim, scale))
    sample, matte = _cuts.get(attribute.image, lambda _: _cut_out(attribute, scale), key=key)
    image, landmarks = sample.image, sample.face_landmarks
    change = None
    if light > 0 and wearer is not None:
        own = FaceLight.of(attribute.image.astype(np.float32), attribute.face_landmarks)
        change = strand_change(image, matte, landmarks, own, wearer, light)
    layer = beard_layer(image, matte, landmarks, change)
    if wearer is not None:
        layer = in_colours_of(wearer, layer, light)
    return np.clip(layer + 0.5, 0, 255).astype(np.uint8), sample.to_texture


def _cut_out(attribute: Attribute, scale: float) -> tuple[Sample, np.ndarray]:
    """The part of a reference that holds a beard with its owner's face, and the beard's matte, ``(h, w) float32``; not
    to be written into."""
    sample = Sample.of(attribute, scale, with_face=True)
    bottom = (attribute.image.shape[0] - 1) * sample.to_texture[1, 1] + sample.to_texture[1, 2]
    return sample, _with_tip(_matte(sample), bottom, eye_distance(sample.face_landmarks))


def own_parts_of(driving: np.ndarray, shape: tuple[int, int]) -> tuple[tuple[slice, slice], np.ndarray]:
    """Where a wearer's own lips and nose are in a frame, and how surely, soft at their edges.

    Args:
        driving: ``(478, 3)`` landmarks in the frame's pixels.
        shape: the frame's height and width.

    Returns:
        The part of the frame that holds them, and ``(h, w) float32`` in [0, 1] of that part.
    """
    soft = SOFT_LIPS * eye_distance(driving)
    x0, y0, x1, y1 = box_around(driving[np.concatenate([NOSE, OUTER_LIPS]), :2], 3 * soft + 1, shape)
    parts = own_parts(driving - np.array([x0, y0, 0]), (y1 - y0, x1 - x0))
    return (slice(y0, y1), slice(x0, x1)), blurred(parts, soft)


def over_a_beard(hair: np.ndarray, portrait: np.ndarray) -> np.ndarray:
    """What hides a beard on a portrait: hair that hangs beside the face, and all that is farther out than it; not hair
    that lies on the chest below the opening between the two.

    Args:
        hair: ``(S, S) uint8``.
        portrait: ``(478, 3)`` landmarks at rest, in the same pixels.

    Returns:
        ``(S, S) uint8``.
    """
    head = Head(portrait)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    y, x = np.mgrid[: hair.shape[0], : hair.shape[1]].astype(np.float32)
    below = ((x - portrait[CHIN, 0]) * down[0] + (y - portrait[CHIN, 1]) * down[1]) / eye_distance(portrait)
    middle = int(np.clip(portrait[CHIN, 0], 1, hair.shape[1] - 1))
    left, right = (
        np.maximum.accumulate(hair[:, :middle][:, ::-1], 1)[:, ::-1],
        np.maximum.accumulate(hair[:, middle:], 1),
    )
    outwards = np.concatenate([left, right], 1)
    # Lower down, a beard is no wider than where it comes out from between the hair: a step there would be a spike.
    opening = int(np.clip(portrait[CHIN, 1] + BELOW_CHIN[0] * eye_distance(portrait), 0, len(hair) - 1))
    before = smoothstep(below, *BELOW_CHIN) * (1 - outwards[opening] / np.float32(255))
    return (outwards * (1 - before) + 0.5).astype(np.uint8)


def _matte(sample: Sample) -> np.ndarray:
    """On the face a beard is where its mask is; around it, where hair stands against what is behind, the picture
    tells, ``(h, w) float32``."""
    landmarks, shape = sample.face_landmarks, sample.alpha.shape
    unit = eye_distance(landmarks)
    oval = polygon(landmarks[FACE_OVAL], shape)
    reach = max(1, round(WITHIN * unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    within = blurred(cv2.erode(oval, kernel), 0.5 * WITHIN * unit)
    solved = soft_matte(sample.image, sample.alpha, unit, "beard")
    return (solved + within * (sample.alpha - solved)).astype(np.float32)


def _with_tip(matte: np.ndarray, bottom: float, unit: float) -> np.ndarray:
    """A beard that its picture's lower edge, at row ``bottom``, cuts off, run out in a soft round tip."""
    last = min(int(bottom), len(matte) - 1)
    columns = np.flatnonzero(matte[last] > 0.3)
    if last < bottom - 1.5 or not len(columns):
        return matte
    half = max((columns[-1] - columns[0] + 1) / 2, 1.0)
    across = (np.arange(matte.shape[1]) - (columns[0] + columns[-1]) / 2) / half
    above = (bottom - np.arange(len(matte)))[:, None] / unit - TIP[0] * across[None] ** 2
    return (matte * smoothstep(above, 0, TIP[1])).astype(np.float32)
