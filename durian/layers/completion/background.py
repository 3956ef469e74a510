"""Completion of the background behind a person."""

from __future__ import annotations

import numpy as np

from durian.layers.completion.exemplar import synthesise
from durian.layers.fill import fill

SURE = 0.98
"""Share of a pixel that must be known for it to be taken as an example."""


def complete_background(image: np.ndarray, known: np.ndarray, seed: int = 0) -> np.ndarray:
    """Go on with a background: its texture, its edges, its blur and its light.

    Args:
        image: ``(S, S, 3) float32`` 0-255.
        known: ``(S, S) float32`` in [0, 1] how much of each pixel is background that is seen.
        seed: of the search.

    Returns:
        ``(S, S, 3) float32``, equal to ``image`` where ``known`` is 1; with next to nothing known a smooth continuation
        (:func:`durian.layers.fill.fill`), with nothing at all ``image``.
    """
    image = image.astype(np.float32)
    smooth = fill(image, known)
    source = known > SURE
    made = np.clip(synthesise(smooth, ~source, source, seed), 0, 255)
    weight = known[..., None]
    return np.where(weight >= 1, image, made + weight * (image - made)).astype(np.float32)
