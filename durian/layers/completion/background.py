"""Completion of the background behind a person."""

from __future__ import annotations

import cv2
import numpy as np

from durian.layers.completion.detail import detail
from durian.layers.completion.exemplar import synthesise
from durian.layers.fill import blurred, fill

SURE = 0.98
"""Share of a pixel that must be known for it to be taken as an example."""
EDGE_BLUR, FADES_OVER = 0.012, 0.08
"""Width along the edge between seen and made up over which their colours are averaged, and over which what is made up
departs from the colours that it meets there, as shares of the picture's side."""
SHIFT = 40.0
"""How much lighter or darker a patch may be taken in a sky or on a wall, in levels: their light goes on as it does in
the smooth continuation."""
ROUGH = 12.0
"""How much it counts against a match that it is rougher or smoother than what is seen nearest, in levels for each time
that it is so by a factor of e."""
ROUGH_WINDOW = 7
"""Side of the square whose mean detail says how rough it is, pixels: a patch's."""


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
    # Among all that is seen something flat is always nearest to a mean of everything: rocks would end in a haze.
    rough = ROUGH * np.log1p(detail(image, source, ROUGH_WINDOW))[..., None]
    made = synthesise(smooth, ~source, source, seed, rough, SHIFT)
    # A membrane meets what is seen by itself; patches may not.
    made = np.clip(made, 0, 255) if np.array_equal(made, smooth) else join(image, made, source)
    weight = known[..., None]
    return np.where(weight >= 1, image, made + weight * (image - made)).astype(np.float32)


def join(image: np.ndarray, made: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """A completed picture without an edge along what is seen: its colours there are those that it meets.

    Patches go on with a texture, but a dark door that ends behind hair leaves the hair's outline as its edge. The
    difference along the edge, averaged over its near surroundings, is carried inwards by a membrane and fades.

    Args:
        image: ``(S, S, 3) float32`` 0-255.
        made: ``(S, S, 3) float32`` 0-255, the same where it is completed.
        seen: ``(S, S) bool`` where ``image`` is to be shown.

    Returns:
        ``(S, S, 3) float32`` 0-255, ``image`` where it is seen.
    """
    image, made = image.astype(np.float32, copy=False), made.astype(np.float32, copy=False)
    if seen.all():
        return image.copy()
    if not seen.any():
        return np.clip(made, 0, 255)
    along = max(2.0, EDGE_BLUR * len(image))
    hidden = cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, 3)
    into_seen = cv2.distanceTransform(seen.astype(np.uint8), cv2.DIST_L2, 3)
    edge = (hidden > 0) & (hidden < 1.5)
    outer = _mean_of(image, (into_seen > 0) & (into_seen < 1.5), along)
    inner = _mean_of(made, edge, along)
    jump = fill(outer - inner, edge.astype(np.float32))
    fading = np.exp(-((hidden / (FADES_OVER * len(image))) ** 2))[..., None].astype(np.float32)
    return np.where(seen[..., None], image, np.clip(made + fading * jump, 0, 255)).astype(np.float32)


def _mean_of(picture: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """Mean of the picture's pixels in a region around each pixel, ``(S, S, 3) float32``."""
    weight = where.astype(np.float32)
    total = np.maximum(blurred(weight, sigma), 1e-4)
    return np.stack(
        [blurred(np.ascontiguousarray(plane) * weight, sigma) / total for plane in np.moveaxis(picture, -1, 0)], -1
    )
