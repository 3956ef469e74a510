"""Both halves of glasses made alike: as they were made, not as they sit, bend and lie in the reference's picture.

What a front view shows of the two lenses differs by what the fit to the reference's head leaves over, by a crooked
seat, and by faults of the mask. Each half's pixels are moved so that its rim comes to lie on one that both share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from durian.layers.glasses_view import FrontView
from durian.layers.lens_outlines import Rim

FADING = 0.08
"""How far beside a rim its movement has faded to a third, units."""
LEAST_SEEN = 0.1
"""What a rim that is not seen at all counts beside the other, gain of a ray."""


def evened_out(view: FrontView, rims: tuple[Rim, ...]) -> tuple[FrontView, tuple[Rim, ...]]:
    """The view with both rims alike, and those; a single lens stays as it is."""
    if len(rims) < 2:
        return view, rims
    shared = alike(rims, view.mask.shape[1])
    height, width = view.mask.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    moved, total = np.zeros((2, height, width), np.float32), np.zeros((height, width), np.float32)
    for own, wanted in zip(rims, shared, strict=True):
        movement, weight = _movement(view, own, wanted)
        moved += weight * movement
        total += weight
    x, y = np.array([columns, rows]) + moved / np.maximum(total, 1)

    def there(part: np.ndarray) -> np.ndarray:
        return cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    parts: dict[str, Any] = {name: there(getattr(view, name)) for name in ("image", "mask", "skin", "eyes", "brows")}
    return replace(view, **parts), shared


def alike(rims: tuple[Rim, ...], width: int) -> tuple[Rim, ...]:
    """Two rims as the mean of both, each the other's mirror image in a view ``width`` pixels wide; the one that is seen
    better counts more. A single rim stays as it is."""
    if len(rims) < 2:
        return rims
    weights = np.maximum([rim.seen for rim in rims], LEAST_SEEN) ** 2
    weights = weights / weights.sum()
    half = (width - 1) / 2
    away = sum(weight * abs(rim.rays.middle[0] - half) for weight, rim in zip(weights, rims, strict=True))
    row, outer, thickness = (
        sum(weight * part for weight, part in zip(weights, parts, strict=True))
        for parts in zip(*((rim.rays.middle[1], rim.outer, rim.thickness) for rim in rims), strict=True)
    )
    result = []
    for rim in rims:
        middle = np.array([half + rim.rays.side * away, row])
        result.append(Rim(replace(rim.rays, middle=middle), outer, thickness, rim.seen))
    return tuple(result)


def _movement(view: FrontView, own: Rim, wanted: Rim) -> tuple[np.ndarray, np.ndarray]:
    """From where each pixel comes if ``own`` is to lie on ``wanted``, ``(2, h, w)`` pixels, and how much that counts,
    ``(h, w)``."""
    shape = view.mask.shape
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    offset = np.array([columns - wanted.rays.middle[0], rows - wanted.rays.middle[1]])
    distance = np.maximum(np.hypot(*offset), 1e-3)
    there, here = (wanted.rays.step * wanted.rays.spread(rim.outer, shape) for rim in (own, wanted))
    there, here = np.maximum(there, 1), np.maximum(here, 1)
    source = np.where(distance < here, distance * there / here, distance + there - here)
    shift = (own.rays.middle - wanted.rays.middle)[:, None, None]
    movement = offset * (source / distance - 1) + shift
    weight = np.exp(-np.maximum(distance - here, 0) / (FADING * view.scale))
    return movement.astype(np.float32), weight.astype(np.float32)
