"""A reference's beard as a texture that is seen through."""

from __future__ import annotations

import numpy as np

from durian.face import eye_distance
from durian.geometry.mesh import smoothstep
from durian.layers.beard import beard_layer
from durian.layers.face_light import FaceLight
from durian.preview.light import MATTE_BAND, face_and_forehead, relit
from durian.preview.matte import refined_matte
from durian.preview.sample import Sample
from durian.request import Attribute

TIP = (0.2, 0.35)
"""How much shorter a beard that was cut off gets towards its sides, and over what length it runs out, in outer-eye
distances. Taste."""


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
    sample = Sample.of(attribute, scale, with_face=True)
    image, landmarks = sample.image, sample.landmarks
    face = face_and_forehead(landmarks, sample.alpha.shape)
    matte = refined_matte(image, sample.alpha, MATTE_BAND * eye_distance(landmarks), face)
    bottom = (attribute.image.shape[0] - 1) * sample.to_texture[1, 1] + sample.to_texture[1, 2]
    matte = _with_tip(matte, bottom, eye_distance(landmarks))
    lit = image
    if light > 0 and wearer is not None:
        lit = relit(image, landmarks, attribute, wearer, light)
    layer = beard_layer(image, matte, landmarks, lit)
    return np.clip(layer + 0.5, 0, 255).astype(np.uint8), sample.to_texture


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
