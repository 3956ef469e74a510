"""Completes hair that the left, right or lower edge of its picture cuts off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.face import eye_distance
from durian.layers.fill import fill
from durian.masks import HALF
from durian.request import Attribute

ROOM = 0.35
"""How far hair goes on beyond its picture at most, in outer-eye distances. Taste."""
LEAST = 0.35
"""The shortest lock that goes on, as a share of the longest."""
LOCK = 0.09
"""Width of a lock, in outer-eye distances."""
SOFT = 6
"""Pixels over which the end of a lock fades."""
EDGE = 3
"""Rows and columns along an edge in which a mask may be soft."""
SLANT = 0.9
"""How much lower than its mirror image hair is found beyond a side, as a share of the distance to it: two halves alike
would look like a pattern."""
SHOWN = 0.9
"""Share of the hair beside an edge up to which it goes on beyond it: it is its mirror image."""

_cache = ContentCache(entries=8)


def beyond_frame(attribute: Attribute) -> Attribute:
    """The attribute as its picture would show it with room to its left, its right and below.

    Only hair of somebody whose face is seen goes on. Where it leaves the picture it does so round, and in locks.
    """
    if attribute.name != "hair" or attribute.landmarks is None:
        return attribute
    unit = eye_distance(np.asarray(attribute.landmarks))
    inside = attribute.mask > HALF
    if not any((edge > 0).sum() > 2 * LOCK * unit for edge in (inside[:, 0], inside[:, -1], inside[-1])):
        return attribute
    key = content_hash([attribute.mask, attribute.landmarks])
    return replace(attribute, **_cache.get(attribute.image, lambda _: _with_room(attribute, unit), key=key))


def _with_room(attribute: Attribute, unit: float) -> dict[str, Any]:
    """The picture, mask and landmarks of an attribute with what is beyond its edges."""
    height, width = attribute.mask.shape
    room = min(int(np.ceil(ROOM * unit)) + 2, height - 1, width - 1)
    sides = (0, room, room, room)
    inside = attribute.mask > HALF
    left, right = (_depths(each, unit, seed) for seed, each in enumerate((inside, inside[:, ::-1])))
    below = _depths(np.ascontiguousarray(inside[::-1].T), unit, 2)
    y, x = np.mgrid[: height + room, : width + 2 * room].astype(np.float32)
    x -= room
    # How far beyond an edge a pixel is, as a share of how far hair goes on there; both of them at a corner.
    row, column = np.clip(y, 0, height - 1).astype(int), np.clip(x, 0, width - 1).astype(int)
    across = np.where(
        x < 0, -x / np.maximum(left[row], 1e-3), np.maximum(x - width + 1, 0) / np.maximum(right[row], 1e-3)
    )
    down = np.maximum(y - height + 1, 0) / np.maximum(below[column], 1e-3)
    reach = np.maximum(np.where(x < 0, left[row], right[row]), below[column])
    grown = np.clip((1 - np.hypot(across, down)) * np.clip(reach, 1, SOFT) + 0.5, 0, 1)
    # A mask's last rows and columns are often soft, and would show as a line.
    border = np.ones_like(inside)
    border[: height - EDGE, EDGE : width - EDGE] = False
    closed = cv2.morphologyEx(attribute.mask, cv2.MORPH_CLOSE, np.ones((2 * EDGE + 1,) * 2))
    own = np.where(border & (closed > HALF), np.uint8(255), attribute.mask)
    seen = cv2.copyMakeBorder(own, *sides, cv2.BORDER_REFLECT_101).astype(np.float32)
    beyond = (x < 0) | (x > width - 1) | (y > height - 1)
    mask = np.where(beyond, np.rint(seen * grown), seen)
    image = _beside(attribute.image, own, x, y)
    behind = fill(image, ((seen < 8) & ~beyond).astype(np.float32))
    share = np.where(beyond, mask / 255, 1)[..., None]
    image = behind + share * (image - behind)
    landmarks = np.asarray(attribute.landmarks, np.float32) + np.array([room, 0, 0], np.float32)
    return {"image": np.rint(image).astype(np.uint8), "mask": mask.astype(np.uint8), "landmarks": landmarks}


def _beside(image: np.ndarray, mask: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A picture at places that may be beyond its edges, ``(h, w, 3) float32``: there its mirror image, aslant where
    that is hair too."""
    beside = np.maximum(np.maximum(-x, x - image.shape[1] + 1), 0)
    mirrored, slanted, there = (
        cv2.remap(each, x, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
        for each, rows in ((image, y), (image, y + SLANT * beside), (mask, y + SLANT * beside))
    )
    return mirrored + (there / 255)[..., None] * (slanted - mirrored)


def _depths(inside: np.ndarray, unit: float, seed: int) -> np.ndarray:
    """How far hair ``inside (h, w) bool`` goes on beyond the picture's first column in each row, pixels ``(h,)``."""
    height = len(inside)
    shown = np.where(inside.all(1), inside.shape[1], np.argmin(inside, axis=1)).astype(np.float32)
    cut = np.pad(shown > 0, 1, mode="edge").astype(np.uint8)
    # Only where hair ends within the picture does it leave it round.
    away = cv2.distanceTransform(np.repeat(cut[None], 3, 0), cv2.DIST_L2, 3)[1, 1:-1] if not cut.all() else None
    room = ROOM * unit
    noise = np.random.default_rng(seed).standard_normal((1, height)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), max(LOCK * unit, 0.6))[0]
    locks = LEAST + (1 - LEAST) * (noise - noise.min()) / max(float(np.ptp(noise)), 1e-6)
    depth = room * locks
    if away is not None:
        depth *= np.sqrt(np.clip(1 - (1 - np.minimum(away / room, 1)) ** 2, 0, 1))
    depth = np.minimum(depth, SHOWN * shown)
    least = cv2.erode(depth[None].astype(np.float32), np.ones((1, 3)))
    return cv2.GaussianBlur(least, (0, 0), max(0.02 * unit, 0.5))[0]
