"""Finds locks beside hair that its mask and the person's matte missed."""

from __future__ import annotations

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.layers.completion.detail import detail
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
FLYAWAY_REACH = 1.0
"""Distance from hair, in outer-eye distances, up to which single hairs are looked for before a plain background."""
FINE, FLYAWAY, LOOP = 0.05, 0.03, 0.06
"""Half the width of single hairs or a bundle of them, their growth once found, and half the width of loops that go with
them, in outer-eye distances."""
FAINT, UNLIKE = 6.0, 24.0
"""How much darker or lighter than what is around it a single hair is at least, and how much darker or lighter than the
background the hair as a whole must be, levels."""
RULED = 0.4
"""Length of a straight line from which on it is none, in outer-eye distances."""
PLAIN, AROUND = 2.0, 0.25
"""Mean detail of a plain background without its single hairs, levels, and half the side of the square in which it is
measured, in outer-eye distances."""

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
    behind, hair_colour = (fill(image, where.astype(np.float32)) for where in (beyond, inside))
    from_background, from_hair = colour_distance(image, behind), colour_distance(image, hair_colour)
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
    locks = cv2.dilate((found & held[parts]).astype(np.uint8), disc) > 0
    nobody = free & (person < 0.04) & (away <= FLYAWAY_REACH * unit)
    return (locks | _flyaways(image, (hair_colour - behind).mean(-1), nobody, unit)) & free


def _flyaways(image: np.ndarray, contrast: np.ndarray, where: np.ndarray, unit: float) -> np.ndarray:
    """Single hairs before a plain background, ``(S, S) bool``: thin lines, darker than it if hair is, lighter if hair
    is. ``contrast (S, S)`` is how much lighter hair is, levels; they are looked for ``where (S, S) bool``."""
    disc = _disc(FINE * unit)
    darker, lighter = ((image, kind) for kind in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN))
    without = np.where((contrast < 0)[..., None], *(cv2.morphologyEx(*way, disc) for way in (darker, lighter)))
    side = 2 * max(1, round(AROUND * unit)) + 1
    plain = detail(without, where, side) < PLAIN
    line = np.abs(image - without).mean(-1) > FAINT
    found = line & where & plain & (np.abs(contrast) > UNLIKE)
    found &= ~_ruled(image.mean(-1), RULED * unit, 2 * FINE * unit)
    # What lies in a small loop is mostly the loop's own blur.
    closed = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, _disc(LOOP * unit), borderValue=0)
    return (cv2.dilate(closed, _disc(FLYAWAY * unit)) > 0) & where


def _ruled(picture: np.ndarray, length: float, width: float) -> np.ndarray:
    """Straight lines of a ``length`` in a ``picture (S, S) float32``, drawn with a ``width``, both in pixels,
    ``(S, S) bool``: edges of doors and walls."""
    drawn = np.zeros(picture.shape, np.uint8)
    segments = cv2.createLineSegmentDetector().detect(np.rint(picture).astype(np.uint8))[0]
    for left, top, right, bottom in [] if segments is None else segments[:, 0]:
        if np.hypot(right - left, bottom - top) >= length:
            start, end = ((round(float(x)), round(float(y))) for x, y in ((left, top), (right, bottom)))
            cv2.line(drawn, start, end, 255, max(1, round(width)))
    return drawn > 0


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
