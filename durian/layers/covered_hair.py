"""Completes hair one side of which a hand or a thing before it covers: that side is the other one's mirror image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN
from durian.geometry.mirror import yaw
from durian.layers.turned import upright_frame
from durian.layers.turned_hair import MirroredHair
from durian.masks import HALF
from durian.request import Attribute
from durian.segmentation import body_parts

SKIN = 0
"""Place of its share in :func:`durian.segmentation.body_parts`."""
NOSE_BRIDGE = 168
BESIDE, BESIDE_EARS = 0.3, 0.62
"""Distances from the head's middle, in face widths, from which on hair lies beside a face, and skin is a hand's."""
LEAST_GAP = 0.12
"""Height of a gap in hair, in face widths, from which on something covers it there."""
THICK, LESS = 0.1, 0.75
"""Width of hair above and below such a gap, in face widths, and share of the other side's hair: less wide it ends by
itself, and with more of it nothing is hidden."""
LEAST_HIDDEN = 0.35
"""How much further down hair comes on the other side, in face widths, where a hand cuts it on this one."""
BELOW = 0.12
"""How far below an end of hair a hand is looked for, in face widths."""
HAND = 0.4
"""Share of that place which is a hand's."""

_cache = ContentCache(entries=8)


def uncovered(attribute: Attribute) -> Attribute:
    """The attribute with hair whose covered side is the mirror image of the other one; others stay as they are."""
    if attribute.name != "hair" or attribute.landmarks is None or not (attribute.mask > HALF).any():
        return attribute
    key = content_hash([attribute.mask, attribute.landmarks])
    changed = _cache.get(attribute.image, lambda _: _changed(attribute), key=key)
    return replace(attribute, **changed) if changed else attribute


def _changed(attribute: Attribute) -> dict[str, Any]:
    side = covered_side(attribute, lambda: body_parts(attribute.image, attribute.face_landmarks))
    if not side:
        return {}
    direction = yaw(attribute.face_landmarks)
    turn = MirroredHair(attribute, direction, direction, side)
    upright, _, _ = turn.upright
    height, width = attribute.mask.shape
    image, mask = (
        cv2.warpAffine(turn.wound(values), upright, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        for values in (attribute.image, attribute.mask)
    )
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    across = upright[0, 0] * x + upright[0, 1] * y + upright[0, 2] - turn.centre[0]
    row = upright[1, 0] * x + upright[1, 1] * y + upright[1, 2] - turn.centre[1]
    there = turn.is_mirrored(across, row)
    share = (there & (mask > 0))[..., None]
    return {
        "image": np.where(share, np.clip(image + 0.5, 0, 255), attribute.image).astype(np.uint8),
        "mask": np.where(there, np.rint(mask), attribute.mask).astype(np.uint8),
    }


def covered_side(attribute: Attribute, find_parts: Callable[[], np.ndarray | None]) -> int:
    """The side of hair that something covers.

    A side is covered where hair ends beside the face and goes on below, or where it ends at a hand and comes further
    down on the other side.

    Args:
        attribute: hair with a face.
        find_parts: gives ``(H, W, 4) uint8``, as :func:`durian.segmentation.body_parts` says; without them no hand is
            seen. Called only where hair ends so that there may be one: of most hair nobody needs to know.

    Returns:
        -1 left, 1 right, 0 none or both.
    """
    head = Head(np.asarray(attribute.landmarks, np.float32))
    upright, _, size = upright_frame(head, attribute.mask.shape)
    points = attribute.face_landmarks[:, :2] @ upright[:, :2].T + upright[:, 2]
    top = round(float(points[NOSE_BRIDGE, 1]))
    away = (np.arange(size[0]) - points[[NOSE_BRIDGE, CHIN], 0].mean()) / head.width
    hair = cv2.warpAffine(attribute.mask, upright, size)[top:] > HALF
    chin = round(float(points[CHIN, 1])) - top

    def hand(side: int) -> np.ndarray:
        parts = find_parts()
        if parts is None:
            return np.zeros_like(hair)
        return (cv2.warpAffine(parts[..., SKIN], upright, size)[top:] > HALF) & (side * away > BESIDE_EARS)

    def is_covered(side: int) -> bool:
        own, other = (hair & (each * away > BESIDE) for each in (side, -side))
        if own.sum() >= LESS * other.sum():
            return False
        if _has_gap(own, other, head.width):
            return True
        return _ends_above(own, other, chin, head.width) and _ends_at_hand(own, hand(side), head.width)

    return int(is_covered(1)) - int(is_covered(-1))


def _has_gap(own: np.ndarray, other: np.ndarray, width: float) -> bool:
    """Whether hair of one side ``(N, W) bool`` ends and goes on below where there is some on the ``other``."""
    amount, near = own.sum(1) / width, round(LEAST_GAP * width)
    rows = np.flatnonzero(amount)
    if not len(rows):
        return False
    first, last = rows[[0, -1]]
    edges = np.flatnonzero(np.diff(np.pad((amount == 0) & other.any(1), 1).astype(np.int8))).reshape(-1, 2)
    return any(
        first < start and end <= last and end - start > near
        and min(amount[max(start - near, 0) : start].max(), amount[end:].max()) > THICK
        for start, end in edges
    )  # fmt: skip


def _ends_above(own: np.ndarray, other: np.ndarray, chin: int, width: float) -> bool:
    """Whether hair of one side ``(N, W) bool`` ends above the row of the ``chin``, and far above that of the ``other``
    side."""
    if not own.any() or not other.any():
        return False
    end, other_end = _end(own), _end(other)
    return end <= chin and other_end - end >= LEAST_HIDDEN * width


def _ends_at_hand(own: np.ndarray, hand: np.ndarray, width: float) -> bool:
    """Whether hair of one side ``(N, W) bool`` ends at a ``hand (N, W) bool``."""
    end = _end(own)
    below = hand[end + 1 : end + 2 + round(BELOW * width)][:, own[max(end - 3, 0) : end + 1].any(0)]
    return bool(below.size) and float(below.mean()) > HAND


def _end(side: np.ndarray) -> int:
    """The last row of hair of one side."""
    return int(np.flatnonzero(side.any(1))[-1])
