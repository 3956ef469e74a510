"""Completes long hair where a shoulder, a collar, a hand or something held up hides it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.face import eye_distance
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL, smoothstep
from durian.layers.completion.hair import strands
from durian.layers.fill import fill
from durian.layers.skin import polygon
from durian.masks import HALF
from durian.request import Attribute
from durian.segmentation.person import person_mask

WORKING_UNIT = 90.0
"""Outer-eye distance in pixels at which ends are made; in a larger picture they are then enlarged."""
LOWER_LIP, NOSE_BRIDGE = 17, 168
BESIDE_HEAD = 1.3
"""Distance from the skull's centre, in its radii, from which on no ear is: what cuts hair there below the eyes is a
hand, or what that holds."""
HANGING = 0.6
"""Weight of straight down against the direction that strands have, which is 1 where all of them have the same."""
SMOOTH = 0.15
"""Scale of the flow of hair, in outer-eye distances."""
CROSSES = 0.35
"""Cosine between the strands and the way out of the hair from which on an outline crosses them, and ends them."""
LENGTH = (0.12, 0.55)
"""Length of the shortest and of the longest lock that goes on, in outer-eye distances. Taste."""
LOCK, STRAND = 0.09, 0.02
"""Widths of a lock and of a strand, in outer-eye distances."""
EDGE = 0.05
"""How far within an outline hair has none of what is beside it, in outer-eye distances."""
SURE = 200
"""Of a mask, from which on a pixel is nothing but hair."""
MOST_GAP = 0.5
"""Length, in outer-eye distances along the strands, up to which what lies between two parts of hair hides hair."""
CALM = 0.35
"""Distance from what goes on, in outer-eye distances, within which what is beside it is made plain."""
STRAIGHT = (0.5, 0.62)
"""Share of strands in :data:`SMOOTH` around a place that lie alike, between which hair has curls, which end in no locks
and end by themselves, and is straight."""
TIP = 0.25
"""Length over which a strand thins out, in outer-eye distances."""

_cache = ContentCache(entries=8)


def with_loose_ends(attribute: Attribute) -> Attribute:
    """The attribute with hair that runs out in locks where something in front of it cut it.

    Only hair that comes down to the mouth goes on, over what its picture shows of its wearer and what that holds, not
    over the background: there hair ends by itself. Parts that hang together only behind something wide are left out.
    """
    if attribute.name != "hair" or attribute.landmarks is None:
        return attribute
    key = content_hash([attribute.mask, attribute.landmarks])
    changed = _cache.get(attribute.image, lambda _: _changed(attribute), key=key)
    return replace(attribute, **changed) if changed else attribute


def _changed(attribute: Attribute) -> dict[str, Any]:
    """The picture and mask with ends, or nothing where hair has none."""
    landmarks = np.asarray(attribute.landmarks, np.float32)
    factor = min(1.0, WORKING_UNIT / eye_distance(landmarks))
    height, width = attribute.mask.shape
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    small = cv2.resize(attribute.image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    hair = cv2.resize(attribute.mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    person = cv2.resize(person_mask(attribute.image), size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    points = landmarks * np.float32(factor)
    ends, source = hanging_ends(small, hair, person, points)
    loose = _detached(np.maximum(hair, ends) > 0.5, points)
    if not (ends > 0.02).any() and not loose.any():
        return {}
    colours = _mirrored(attribute, source, factor, eye_distance(landmarks))
    share = np.clip(cv2.resize(ends, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    loose = cv2.resize(loose.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    image = _calm(attribute, share, eye_distance(landmarks))
    # The outline that was cut is half of what cut it, and was found at a lower resolution: without a line between.
    pixel, edge = int(np.ceil(1 / factor)), max(1, round(EDGE * eye_distance(landmarks)))
    mask = np.maximum(attribute.mask, np.rint(255 * share).astype(np.uint8))
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((2 * pixel + 1,) * 2))
    near = cv2.dilate(share, np.ones((2 * edge + 1,) * 2))
    mask = np.where(near > 0.02, joined, mask)
    # Of what is left out its edge goes too, sharp or soft.
    loose, around = (cv2.dilate(loose, np.ones((2 * reach + 1,) * 2)) > 0 for reach in (pixel, pixel + edge))
    loose |= around & (mask <= HALF)
    image += np.minimum(near, mask / np.float32(255))[..., None] * (colours - image)
    return {"image": np.rint(image).astype(np.uint8), "mask": np.where(loose, np.uint8(0), mask)}


def _calm(attribute: Attribute, share: np.ndarray, unit: float) -> np.ndarray:
    """The picture ``(H, W, 3) float32`` without what is seen around hair that goes on with a ``share (H, W)``: on a
    dotted shirt dots would be taken for strands."""
    image = attribute.image.astype(np.float32)
    reach = 2 * max(1, round(CALM * unit)) + 1
    around = cv2.dilate((share > 0.02).astype(np.uint8), np.ones((reach, reach))) > 0
    kept = cv2.dilate((attribute.mask > 8).astype(np.uint8), np.ones((3, 3))) > 0
    # The face stays: its light is measured on it.
    kept |= polygon(np.asarray(attribute.landmarks)[FACE_OVAL], kept.shape) > 0
    behind = fill(image, (~around & ~kept).astype(np.float32))
    calm = cv2.GaussianBlur((around & ~kept).astype(np.float32), (0, 0), max(0.02 * unit, 0.5)) * ~kept
    return image + calm[..., None] * (behind - image)


def _mirrored(attribute: Attribute, source: np.ndarray, factor: float, unit: float) -> np.ndarray:
    """The hair of a picture beyond where it ends, ``(H, W, 3) float32``, from the places ``source (h, w, 2)`` in a
    picture ``factor`` times as large."""
    height, width = attribute.mask.shape
    image = attribute.image.astype(np.float32)
    map_x, map_y = ((cv2.resize(source[..., k], (width, height)) + 0.5) / factor - 0.5 for k in (0, 1))
    sure = attribute.mask > SURE
    sure = cv2.erode(sure.astype(np.uint8), np.ones((3, 3)))
    there = cv2.remap(sure.astype(np.float32), map_x, map_y, cv2.INTER_LINEAR)
    there = cv2.GaussianBlur(there, (0, 0), max(0.01 * unit, 0.5)) * there
    found = cv2.remap(image, map_x, map_y, cv2.INTER_CUBIC).clip(0, 255)
    beyond = fill(image, sure.astype(np.float32))
    return beyond + there[..., None] * (found - beyond)


def hanging_ends(
    image: np.ndarray, hair: np.ndarray, person: np.ndarray, landmarks: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Where hair goes on below its cut ends.

    Args:
        image: ``(h, w, 3) float32``, 0-255.
        hair: ``(h, w) float32`` in [0, 1].
        person: ``(h, w) float32`` in [0, 1], the wearer.
        landmarks: ``(478, 3)`` pixels.
        seed: of the locks.

    Returns:
        How much of each pixel is hair then, ``(h, w) float32`` in [0, 1], 0 where hair is seen; and the place whose
        hair is the mirror image of what goes on there, ``(h, w, 2) float32``.
    """
    unit, shape = eye_distance(landmarks), hair.shape
    seen = hair > 0.5
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    places = np.stack([x, y], -1)
    flow, alike = _flow(image, seen, unit)
    cut = _cut(seen, person, flow, _may_be_cut(seen, places, landmarks), unit)
    if not cut.any():
        return np.zeros(shape, np.float32), places
    steps = int(np.ceil(max(MOST_GAP, LENGTH[1]) * unit))
    above, start = _followed(seen, -flow, steps)
    below, _ = _followed(seen, flow, steps)
    at = (start[..., 0], start[..., 1], cv2.INTER_LINEAR)
    length = cv2.remap(_locks(shape, unit, seed), *at, borderMode=cv2.BORDER_REPLICATE) * unit
    around = cv2.dilate(cut.astype(np.float32), np.ones((3, 3)))
    free = (polygon(landmarks[FACE_OVAL], shape) <= 0) & ~seen & (cv2.remap(around, *at) > 0.5)
    straight = smoothstep(cv2.remap(alike, *at, borderMode=cv2.BORDER_REPLICATE), *STRAIGHT)
    ends = smoothstep((length - above) / (TIP * unit), -0.5, 0.5) * straight * free
    ends = np.maximum(ends, (above + below <= MOST_GAP * unit) & free & (person > 0.5))
    ends = cv2.GaussianBlur(ends.astype(np.float32), (0, 0), 0.5) * ~seen
    return ends, (2 * start - places - EDGE * unit * flow).astype(np.float32)


def _cut(seen: np.ndarray, person: np.ndarray, flow: np.ndarray, low: np.ndarray, unit: float) -> np.ndarray:
    """Pixels of hair ``seen (h, w) bool`` where strands end at something that is no background, ``(h, w) bool``; only
    where it is ``low (h, w) bool``."""
    soft = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), max(0.06 * unit, 0.8))
    outwards = -np.stack([cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)], -1)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=-1, keepdims=True), 1e-6)
    beside = cv2.dilate(((person > 0.5) & ~seen).astype(np.uint8), np.ones((3, 3))) > 0
    return seen & low & beside & ((outwards * flow).sum(-1) > CROSSES)


def _may_be_cut(seen: np.ndarray, places: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Where hair ``seen (h, w) bool`` may be cut: below the mouth, and of long hair beside the head below the eyes,
    ``(h, w) bool``. Nearer to the head it ends by itself, above ears and cheeks, and short hair everywhere."""
    below_mouth, below_eyes = ((places - landmarks[at, :2]) @ _down(landmarks) > 0 for at in (LOWER_LIP, NOSE_BRIDGE))
    if not (seen & below_mouth).any():
        return below_mouth
    return below_mouth | (below_eyes & (Head(landmarks).skull_distance(places) > BESIDE_HEAD))


def _down(landmarks: np.ndarray) -> np.ndarray:
    """The direction from forehead to chin in the picture, unit ``(2,)``."""
    down = Head(landmarks).axes[:2, 1]
    return down / np.linalg.norm(down)


def _flow(image: np.ndarray, seen: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """The direction in which hair hangs, also beyond it, unit vectors ``(h, w, 2) float32``, and how alike strands lie
    there, ``(h, w) float32`` in [0, 1]."""
    guide = strands(image, seen)
    # The outline is an edge of its own, across strands that end there.
    within = guide * cv2.erode(seen.astype(np.float32), np.ones((2 * max(1, round(EDGE * unit)) + 1,) * 2))[..., None]
    sums = [cv2.GaussianBlur(part, (0, 0), SMOOTH * unit) for part in (within, np.linalg.norm(within, axis=-1))]
    alike = np.linalg.norm(sums[0], axis=-1) / np.maximum(sums[1], 1e-4)
    guide = cv2.GaussianBlur(guide / max(float(np.abs(guide).max()), 1e-6), (0, 0), max(SMOOTH * unit, 0.8))
    clear = np.linalg.norm(guide, axis=-1, keepdims=True)
    # Grey changes most across a strand.
    angle = 0.5 * np.arctan2(guide[..., 1], guide[..., 0]) + np.pi / 2
    along = np.stack([np.cos(angle), np.sin(angle)], -1)
    along *= np.where(along[..., 1:] < 0, -1, 1)
    flow = cv2.GaussianBlur(clear * along, (0, 0), max(SMOOTH * unit, 0.8)) + np.array([0, HANGING])
    return (flow / np.linalg.norm(flow, axis=-1, keepdims=True)).astype(np.float32), alike.astype(np.float32)


def _followed(seen: np.ndarray, way: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """How far hair is along a ``way (h, w, 2)`` from each pixel, ``(h, w) float32`` pixels (infinite where ``steps`` do
    not lead to it), and the place where it is met, ``(h, w, 2) float32``."""
    y, x = np.indices(seen.shape).astype(np.float32)
    moves = (~seen).astype(np.float32)
    places, distance = np.stack([x, y], -1) + moves[..., None] * way, moves
    for _ in range(int(np.ceil(np.log2(max(steps, 2))))):  # each time twice as many steps at once
        onwards = (places[..., 0], places[..., 1], cv2.INTER_LINEAR)
        distance = distance + cv2.remap(distance, *onwards, borderMode=cv2.BORDER_REPLICATE)
        places = cv2.remap(places, *onwards, borderMode=cv2.BORDER_REPLICATE)
    met = cv2.remap(seen.astype(np.float32), places[..., 0], places[..., 1], cv2.INTER_LINEAR) > 0.5
    return np.where(met & (distance <= steps), distance, np.inf).astype(np.float32), places


def _locks(shape: tuple[int, int], unit: float, seed: int) -> np.ndarray:
    """How long the lock at each place is, in outer-eye distances, ``(h, w) float32``."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(shape).astype(np.float32)
    parts = [cv2.GaussianBlur(noise, (0, 0), max(scale * unit, 0.6)) for scale in (LOCK, STRAND)]
    mixed = sum(share * part / max(float(part.std()), 1e-6) for share, part in zip((0.8, 0.4), parts, strict=True))
    return LENGTH[0] + (LENGTH[1] - LENGTH[0]) * smoothstep(mixed, -1.8, 1.8)


def _detached(hair: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Parts below the chin that nothing holds, ``(h, w) bool``."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(hair.astype(np.uint8), connectivity=8)
    if count < 3:
        return np.zeros_like(hair)
    rows, columns = np.nonzero(hair)
    level = (np.stack([columns, rows], 1) - landmarks[CHIN, :2]) @ _down(landmarks)
    highest = np.full(count, np.inf)
    np.minimum.at(highest, parts[rows, columns], level)
    loose = highest > 0
    loose[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))] = False
    loose[0] = False
    return loose[parts]
