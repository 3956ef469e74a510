"""Finds locks beside hair that its mask and the person's matte missed."""

from __future__ import annotations

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.layers.fill import fill
from durian.layers.skin import colour_distance
from durian.masks import HALF, signed_distance

REACH = 0.4
"""Distance from hair, in outer-eye distances, up to which locks are looked for."""
DIFFERENT = 14.0
"""Colour distance (CIE Lab) from the background beside hair from which on something is no background."""
NEARER = 0.6
"""Share of its distance from the background's colour by which a lock's is nearer to the hair's."""
THICK = 0.1
"""Half the width, in outer-eye distances, of what is no lock: a flag or a door in the hair's colour."""
STRAND = 0.07
"""Growth of what is found, in outer-eye distances: a strand's edges are half background."""

_found = ContentCache(entries=4)


def stray_hair(image: np.ndarray, hair: np.ndarray, person: np.ndarray, unit: float) -> np.ndarray:
    """Where hair goes on outside of its mask, before the background.

    Only what is surely not the rest of the person is looked at. Where the background itself has the hair's colours some
    of it is taken along, which does little harm, since what is found is only ever replaced by background.

    Args:
        image: ``(S, S, 3)``, 0-255.
        hair: ``(S, S) uint8``.
        person: ``(S, S) float32`` in [0, 1], the person's matte.
        unit: outer-eye distance, pixels.

    Returns:
        ``(S, S) bool``, kept by content; not to be written into.
    """
    return _found.get(image, lambda _: _stray_hair(image, hair, person, unit), key=content_hash([hair, person, unit]))


def _stray_hair(image: np.ndarray, hair: np.ndarray, person: np.ndarray, unit: float) -> np.ndarray:
    away = signed_distance(hair)
    free = (hair <= HALF) & (person < 0.5)
    around, beyond = free & (away <= REACH * unit), free & (away > REACH * unit) & (person < 0.04)
    inside = hair > 230
    if not inside.any() or not around.any() or not beyond.any():
        return np.zeros(hair.shape, bool)
    image = image.astype(np.float32)
    from_background = colour_distance(image, fill(image, beyond.astype(np.float32)))
    from_hair = colour_distance(image, fill(image, inside.astype(np.float32)))
    found = around & (from_background > DIFFERENT) & (from_hair < NEARER * from_background)
    thick = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, _disc(THICK * unit))
    found &= cv2.dilate(thick, _disc(THICK * unit)) == 0
    disc = _disc(STRAND * unit)
    grown = cv2.dilate((found | (hair > HALF)).astype(np.uint8), disc)
    # A lock hangs on the hair; what is found apart from it is something else.
    _, parts = cv2.connectedComponents(grown)
    held = np.zeros(parts.max() + 1, bool)
    held[parts[hair > HALF]] = True
    held[0] = False
    return (cv2.dilate((found & held[parts]).astype(np.uint8), disc) > 0) & free


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
