"""Room above a head for what is put on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.face import Crop
from durian.face.geometry import CHIN, face_height
from durian.geometry.alignment import aligned_mask, item_mesh
from durian.geometry.mirror import facing_like
from durian.layers.continued import continued
from durian.layers.picture_frame import find_frame
from durian.masks import HALF
from durian.request import Attribute, Placement, Portrait

NAMES = frozenset({"hat", "hair"})
MARGIN = 0.04
"""Room wanted above an item, as a share of the crop's side: for what a nod raises."""
STEP = 1 / 32
"""Share of its side by which a crop is raised at a time: it stays while the outline of a mask is mended."""
BELOW_CHIN = 0.22
"""What is left to be seen below the chin, in face heights."""
MOST_MADE_UP = 0.3
"""Share of the side up to which a crop may rise over its photo's upper edge, where the background is gone on with."""
LOOKED_AT = 256
"""Side in pixels of the picture in which an item is laid on to see how high it reaches."""

_frames, _tops = ContentCache(entries=4), ContentCache(entries=16)


def with_headroom(portrait: Portrait, attributes: Sequence[Attribute], inside: bool = False) -> Portrait:
    """The portrait with its crop raised as far as hats and hair that it puts on need room above.

    Nothing changes where they have room, where less would be left below the chin than a face needs, and for items
    without a face. Of a framed picture nothing beyond its frame is shown.

    Args:
        portrait: as it was found.
        attributes: what it puts on.
        inside: the crop stays inside the photo, for a result that is put back into it.
    """
    crop, rise = portrait.crop, max((_missing(portrait, each) for each in attributes), default=0.0)
    if rise <= 0:
        return portrait
    below = crop.y + crop.side / 2 - portrait.landmarks[CHIN, 1] - BELOW_CHIN * face_height(portrait.landmarks)
    above = crop.y - crop.side / 2 + 0.5
    inside = inside or _frames.get(portrait.image, find_frame) is not None
    most = min(below, above + (0.0 if inside else MOST_MADE_UP * crop.side))
    rise = min(rise, math.floor(most / (STEP * crop.side)) * STEP * crop.side)
    return replace(portrait, crop=Crop(crop.x, crop.y - rise, crop.side)) if rise > 0 else portrait


def _missing(portrait: Portrait, attribute: Attribute) -> float:
    """How far an item reaches over the room there is, in whole steps, pixels of the photo."""
    if attribute.name not in NAMES or attribute.landmarks is None or attribute.strength <= 0:
        return 0.0
    crop = portrait.crop
    key = content_hash([attribute.mask, attribute.landmarks, attribute.trim, portrait.landmarks, crop])
    top = _tops.get(attribute.image, lambda _: _top(portrait, attribute), key=key)
    over = (crop.y - crop.side / 2 - top) / crop.side + MARGIN
    return max(0.0, math.ceil(over / STEP) * STEP * crop.side)


def _top(portrait: Portrait, attribute: Attribute) -> float:
    """The highest row of an item where it lies by itself, in pixels of the photo; infinite where none of it is seen."""
    crop = portrait.crop
    around = Crop(crop.x, crop.y - crop.side / 2, 2 * crop.side)
    landmarks = around.points(portrait.landmarks, LOOKED_AT)
    item = replace(facing_like(continued(attribute), landmarks), placement=Placement())
    rows = np.flatnonzero((aligned_mask(item, item_mesh(item, landmarks), landmarks, LOOKED_AT) > HALF).any(1))
    if not len(rows):
        return math.inf
    return float(around.y - around.side / 2 + rows[0] / LOOKED_AT * around.side)
