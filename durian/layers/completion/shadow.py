"""Takes the shadow of hair and hats off the skin beside them."""

from __future__ import annotations

import numpy as np

from durian.layers.completion.skin_light import SkinLight, colours, logarithm
from durian.layers.fill import blurred_within, fill

SOFT = 0.015
"""Blur of the shade that is taken off, in face widths: pores and single hairs stay."""
MOST = 0.7
"""Logarithm of colour by which skin is made brighter at most."""
LEAST_SKIN = 50
"""Pixels of skin below which nobody can tell its shade."""


def without_shadow(image: np.ndarray, light: SkinLight, beside: np.ndarray, width: float) -> np.ndarray:
    """A face in the same light where something shaded it as everywhere else.

    Args:
        image: ``(S, S, 3) float32`` 0-255.
        light: on the face's skin.
        beside: ``(S, S) float32`` in [0, 1] how much of a shadow would go, by how near it is to what cast it.
        width: of the face, pixels.

    Returns:
        ``(S, S, 3) float32`` 0-255, nowhere darker than ``image``, and ``image`` where ``beside`` is 0.
    """
    near = light.shaded & (beside > 0)
    if near.sum() < LEAST_SKIN:
        return image
    values, skin = logarithm(image), light.shaded.astype(np.float32)
    shade = fill(blurred_within(light.smooth - values, skin, max(SOFT * width, 0.7)), skin)
    lift = np.clip(shade, 0, MOST) * beside[..., None]
    return np.where(beside[..., None] > 0, np.clip(colours(values + lift), 0, 255), image).astype(np.float32)
