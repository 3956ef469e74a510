"""Completes hair and hats that the upper edge of their picture cuts off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.head import Head
from durian.layers.completion import complete_hair
from durian.masks import HALF
from durian.request import Attribute

CONTINUED_NAMES = frozenset({"hair", "hat"})
EDGE_ROWS = 3
"""Rows at the frame in which an item is looked for that is cut there."""
LEAST_CUT = {"hair": 0.25, "hat": 0.08}
"""Width, in face widths, from which on an item counts as cut: of hair, strands may leave a picture."""
NEAR_EDGE = {"hair": 0.0, "hat": 0.05}
"""Height below the upper edge, in face widths, in which the outline of what is cut there is not known: masks shun the
edges of pictures, and a hat's outline has no notches."""
RAYS = 360
USUAL_REACH = 1.18
"""How far hair reaches from the skull's centre, in its radii, where no ray shows it. Taste."""
MOST_REACH = 1.9
WORKING_UNIT = 110.0
"""Outer-eye distance in pixels at which the continuation is made; in a larger picture it is then enlarged."""

_cache = ContentCache(entries=8)


def continued(attribute: Attribute) -> Attribute:
    """The attribute as its picture would show it with room above the head.

    Only hair and hats of somebody whose face is seen are gone on with, and only where the upper edge cuts them. Their
    outline there is as far from the skull as it is beside the cut; their texture is their own
    (:func:`durian.layers.completion.complete_hair`).
    """
    if attribute.name not in CONTINUED_NAMES or attribute.landmarks is None:
        return attribute
    head = Head(np.asarray(attribute.landmarks, np.float32))
    if (attribute.mask[:EDGE_ROWS] > HALF).any(0).sum() < LEAST_CUT[attribute.name] * head.width:
        return attribute
    key = content_hash([attribute.mask, attribute.landmarks])
    return replace(attribute, **_cache.get(attribute.image, lambda _: _with_room(attribute, head), key=key))


def _with_room(attribute: Attribute, head: Head) -> dict[str, Any]:
    """The picture, mask and landmarks of an attribute with as much room above as it takes."""
    doubtful = EDGE_ROWS + round(NEAR_EDGE[attribute.name] * head.width)
    outline = _outline(attribute.mask, head, doubtful)
    left = attribute.mask.shape[1]
    top = _highest(outline, head)
    room = int(np.ceil(max(0.0, -top))) + 2 * EDGE_ROWS
    image = np.pad(attribute.image, ((room, 0), (0, 0), (0, 0)), mode="edge")
    y, x = np.mgrid[: room + doubtful, :left].astype(np.float32)
    y -= room
    wanted = np.zeros(image.shape[:2], np.float32)
    wanted[: room + doubtful] = np.clip((_reach_at(outline, x, y, head) - _distance(x, y, head)) * 40 + 0.5, 0, 1)
    mask = np.pad(attribute.mask, ((room, 0), (0, 0)))
    if doubtful == EDGE_ROWS:
        # Where the picture shows it, the mask knows better; its last rows are often soft.
        wanted[room:] *= mask[room:] > HALF
    grown = np.maximum(mask, np.rint(255 * wanted).astype(np.uint8))
    landmarks = np.asarray(attribute.landmarks, np.float32) + np.array([0, room, 0], np.float32)
    return {"image": _completed(image, mask, wanted, room, doubtful, head), "mask": grown, "landmarks": landmarks}


def _completed(
    image: np.ndarray, mask: np.ndarray, wanted: np.ndarray, room: int, doubtful: int, head: Head
) -> np.ndarray:
    """The picture ``(H, W, 3) uint8`` with the item's texture where it is wanted above its old upper edge, and in the
    ``doubtful`` rows below that where its mask ``(H, W) uint8`` leaves it out."""
    near = slice(0, min(len(image), room + int(1.2 * head.width)))
    part, item = image[near].astype(np.float32), mask[near].astype(np.float32) / 255
    unit = float(np.linalg.norm(head.landmarks[33, :2] - head.landmarks[263, :2]))
    factor = min(1.0, WORKING_UNIT / unit)
    size = (max(8, round(part.shape[1] * factor)), max(8, round(part.shape[0] * factor)))
    small, seen, place = (cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (part, item, wanted[near]))
    seen[: int(np.ceil((room + EDGE_ROWS) * size[1] / part.shape[0]))] = 0
    made = complete_hair(small, seen, (place > 0.01).astype(np.float32))
    made = cv2.resize(made, part.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    # Beyond the item its colours go on, so that a soft edge has no other.
    result = image.copy()
    shown = mask[: room + doubtful, :, None] > HALF
    shown[: room + EDGE_ROWS] = False
    made = np.rint(made[: room + doubtful].clip(0, 255)).astype(np.uint8)
    result[: room + doubtful] = np.where(shown, result[: room + doubtful], made)
    return result


def _distance(x: np.ndarray, y: np.ndarray, head: Head) -> np.ndarray:
    return head.skull_distance(np.stack([x, y], -1).astype(np.float32))


def _angles(x: np.ndarray, y: np.ndarray, head: Head) -> np.ndarray:
    """Numbers of the rays from the skull's centre on which pixels lie, 0 to :data:`RAYS`; upwards in the middle."""
    return (np.arctan2(x - head.centre[0], head.centre[1] - y) / (2 * np.pi) + 0.5) * RAYS


def _reach_at(outline: np.ndarray, x: np.ndarray, y: np.ndarray, head: Head) -> np.ndarray:
    return np.interp(_angles(x, y, head), np.arange(RAYS), outline)


def _outline(mask: np.ndarray, head: Head, doubtful: int) -> np.ndarray:
    """How far an item reaches along each ray, in radii of the skull, ``(RAYS,)``; over the cut, and over where it ends
    in the ``doubtful`` upper rows, from side to side."""
    rows, columns = np.nonzero(mask > HALF)
    reach = np.zeros(RAYS)
    ray = _angles(columns, rows, head).astype(int) % RAYS
    np.maximum.at(reach, ray, _distance(columns, rows, head))
    cut = np.zeros(RAYS, bool)
    cut[np.unique(ray[rows < doubtful])] = True
    upper = np.abs(np.arange(RAYS) - RAYS / 2) < RAYS / 4
    known = upper & ~cut & (reach > 1.0)
    # Beside the cut the outline already runs along the frame.
    known &= ~(cv2.dilate(cut.astype(np.uint8)[None], np.ones((1, 5)))[0] > 0)
    if not known.any():
        return np.where(cut | upper, USUAL_REACH, reach)
    numbers = np.arange(RAYS)
    across = np.interp(numbers, numbers[known], reach[known]).clip(1.0, MOST_REACH)
    # Between two sides that are far from each other a head of hair is as round as heads are.
    distance = np.array([np.abs(numbers[known] - number).min() for number in numbers])
    far = np.clip(distance / (RAYS / 8), 0, 1)
    outline = np.where(cut, np.maximum(across + far * 0.5 * (USUAL_REACH - across), reach), reach)
    smooth = cv2.GaussianBlur(np.tile(outline, 3)[None].astype(np.float32), (0, 0), sigmaX=4, sigmaY=0.1)
    return np.where(cut, smooth[0, RAYS : 2 * RAYS], outline)


def _highest(outline: np.ndarray, head: Head) -> float:
    """The smallest y that the outline reaches, pixels; as if the head were upright, with a little to spare."""
    upper = outline[np.abs(np.arange(RAYS) - RAYS / 2) < RAYS / 4]
    return float(head.centre[1] - 1.05 * upper.max() * head.radii[1])
