"""Exemplar-based completion of a hole from known patches, coarse to fine (Wexler et al. 2007, Barnes et al. 2009).

It begins as a smooth continuation. At each size of a pyramid every patch that reaches into the hole looks for the known
patch most like it, and these vote on the hole's pixels, again and again. A patch may be taken a little lighter or
darker than it is, so that light which changes slowly goes on as in the smooth continuation.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.geometry.mesh import smoothstep
from durian.layers.completion import patches
from durian.layers.completion.detail import detail
from durian.layers.completion.melded import melded
from durian.layers.completion.peeling import peeled

REACH = 3
"""Patches of 7 x 7 pixels (Wexler et al. 2007)."""
FEWEST_SOURCES = 24
"""Known patches at a size of the pyramid, below which it starts at a finer one."""
SMALLEST = 24
"""Shortest side of the coarsest picture, pixels."""
DEEPEST = 4.0
"""Depth of a hole in the coarsest picture, pixels: patches there see its edge from everywhere."""
ROUNDS = (12, 8, 4, 2, 1)
"""Votes at each size, coarsest first; the last number is for all finer ones."""
SHIFT, SHIFT_PRICE = 12.0, 0.3
"""How much lighter or darker a patch may be taken where all is smooth, in levels, and what the square of it costs."""
SMOOTH, TEXTURED = 1.5, 4.0
"""Mean detail in levels within a sixteenth of a picture, up to which it is smooth, and from which it has a texture."""
FARTHER = 1.12
"""How much less a patch counts with each pixel that it is farther from what is known."""


@dataclass(frozen=True)
class Level:
    """One size of the pyramid: ``picture (H, W, 3) float32``, ``hole`` and ``source`` ``(H, W) bool``, and how far a
    patch may be shifted there, ``limit (H, W) float32``; ``guide (H, W, G) float32``."""

    picture: np.ndarray
    hole: np.ndarray
    source: np.ndarray
    limit: np.ndarray
    guide: np.ndarray


def synthesise(
    picture: np.ndarray,
    hole: np.ndarray,
    source: np.ndarray,
    seed: int,
    guide: np.ndarray | None = None,
    shift: float = SHIFT,
) -> np.ndarray:
    """Fill a hole with patches.

    Args:
        picture: ``(H, W, 3) float32`` 0-255, in the hole a first guess.
        hole: ``(H, W) bool``.
        source: ``(H, W) bool`` pixels that patches may be taken from; those of the hole never are.
        seed: of the random search.
        guide: ``(H, W, G) float32``, in levels, what else a patch's middle should have in common with its match's.
        shift: levels by which a patch may be taken lighter or darker where all is smooth, more than 0.

    Returns:
        ``(H, W, 3) float32``, equal to ``picture`` outside the hole, and everywhere if there is nothing to take.
    """
    source = source & ~hole
    guide = np.zeros((*hole.shape, 0), np.float32) if guide is None else guide
    levels = _pyramid(picture, hole, source, guide, shift * _smoothness(picture, source))
    if not hole.any() or not levels:
        return picture.copy()
    state = np.array([np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(seed + 1)], np.uint64)
    rng = np.random.default_rng(seed)
    matches = None
    for number, level in enumerate(reversed(levels)):
        rounds = ROUNDS[min(number, len(ROUNDS) - 1)]
        finest = number == len(levels) - 1
        result, matches = _filled_level(level, shift, matches, rounds, finest, state, rng)
    return np.where(hole[..., None], result, picture)


def _pyramid(
    picture: np.ndarray, hole: np.ndarray, source: np.ndarray, guide: np.ndarray, limit: np.ndarray
) -> list[Level]:
    """Sizes finest first, as far as they have sources; none if there are not even at full size."""
    levels: list[Level] = []
    while min(hole.shape) >= SMALLEST or not levels:
        level = Level(np.ascontiguousarray(picture, np.float32), hole, source, limit, guide)
        if min(hole.shape) <= 2 * REACH or _centres(source).sum() < FEWEST_SOURCES:
            break
        levels.append(level)
        if cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3).max() <= DEEPEST:
            break
        size = (hole.shape[1] + 1) // 2, (hole.shape[0] + 1) // 2
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        hole = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
        guide = (
            np.stack([cv2.resize(plane, size) for plane in np.moveaxis(guide, -1, 0)] or [], -1)
            if guide.size
            else np.zeros((size[1], size[0], 0), np.float32)
        )
        limit = cv2.resize(limit, size, interpolation=cv2.INTER_AREA)
        source = (cv2.resize(source.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99) & ~hole
    return levels


def _smoothness(picture: np.ndarray, source: np.ndarray) -> np.ndarray:
    """How smooth what is known is about each pixel, ``(H, W) float32``: 0 where it has a texture, 1 where it has none
    and may go on lighter or darker."""
    texture = detail(picture, source, max(3, max(source.shape) // 16 | 1))
    return (1 - smoothstep(texture, SMOOTH, TEXTURED)).astype(np.float32)


def _centres(source: np.ndarray) -> np.ndarray:
    """Centres of patches that are sources all over, ``(H, W) bool``."""
    side = 2 * REACH + 1
    return cv2.erode(source.astype(np.uint8), np.ones((side, side)), borderValue=0) > 0


def _filled_level(level, shift, matches, rounds, finest, state, rng):
    height, width = level.hole.shape
    side = 2 * REACH + 1
    reached = cv2.dilate(level.hole.astype(np.uint8), np.ones((side, side))) > 0
    is_target = np.zeros_like(reached)
    inner = (slice(REACH, height - REACH), slice(REACH, width - REACH))
    is_target[inner] = reached[inner]
    targets = np.argwhere(is_target).astype(np.int32)
    source = _centres(level.source)
    match_y, match_x = _first_matches(matches, source, is_target, rng)
    start = level.picture
    if matches is None:
        guess, guess_y, guess_x = peeled(start, level.hole, level.source, source, REACH, rng)
        found = is_target & (guess_y >= 0)
        match_y[found], match_x[found] = guess_y[found], guess_x[found]
        start = start + (1 - level.limit / shift)[..., None] * (guess - start)
    depth = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 3)
    nearness = (FARTHER ** -np.minimum(depth, 60)).astype(np.float32)
    picture = np.ascontiguousarray(start.reshape(height, width * 3)).copy()
    limit, price = level.limit, np.float32(SHIFT_PRICE)
    cost = np.full((height, width), np.float32(1e30))
    total, votes = np.zeros_like(picture), np.zeros((height, width), np.float32)
    uniform, narrow = np.ones((side, side), np.float32), _narrow_window(side)

    def weights() -> np.ndarray:
        spread = max(float(np.percentile(cost[is_target], 75)), 1.0)
        return nearness * np.exp(-np.minimum(cost / (2 * spread), 30))

    def renewed(window: np.ndarray) -> None:
        means, weight = _means(picture, height, width), weights()
        patches.vote(picture, means, targets, level.hole, REACH, limit, match_y, match_x, weight, window, total, votes)
        known = level.hole & (votes > 0)
        values = picture.reshape(height, width, 3)
        values[known] = total.reshape(height, width, 3)[known] / votes[known][:, None]

    if matches is not None:
        cost[is_target] = 1.0
        renewed(uniform)
    for turn in range(rounds):
        means = _means(picture, height, width)
        patches.cost_all(picture, means, level.guide, targets, REACH, limit, price, match_y, match_x, cost)
        widest = max(height, width) if matches is None or not finest else 8
        sweeps = 2 if not finest else 1
        patches.search(
            picture,
            means,
            level.guide,
            targets,
            source,
            REACH,
            limit,
            price,
            sweeps,
            widest,
            state,
            match_y,
            match_x,
            cost,
            is_target,
        )
        renewed(narrow if finest and turn == rounds - 1 else uniform)
    made = picture.reshape(height, width, 3)
    if finest:
        made = melded(made, level.hole, targets, (match_y, match_x), weights(), narrow)
    return made, (match_y, match_x, is_target)


def _means(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    side = 2 * REACH + 1
    return cv2.blur(picture.reshape(height, width, 3), (side, side)).reshape(height, width * 3)


def _narrow_window(side: int) -> np.ndarray:
    """The last vote listens to the middle of patches: the mean of all is soft."""
    line = cv2.getGaussianKernel(side, 1.2)
    return (line @ line.T).astype(np.float32)


def _first_matches(matches, source, is_target, rng):
    """Matches at random, or those of the next coarser size."""
    height, width = source.shape
    places = np.argwhere(source).astype(np.int32)
    drawn = places[rng.integers(0, len(places), (height, width))]
    match_y, match_x = np.ascontiguousarray(drawn[..., 0]), np.ascontiguousarray(drawn[..., 1])
    if matches is None:
        return match_y, match_x
    coarse_y, coarse_x, was_target = matches
    rows = np.minimum(np.arange(height) // 2, coarse_y.shape[0] - 1)[:, None]
    columns = np.minimum(np.arange(width) // 2, coarse_y.shape[1] - 1)[None]
    y, x = np.mgrid[:height, :width]
    found_y = (coarse_y[rows, columns] - rows) * 2 + y
    found_x = (coarse_x[rows, columns] - columns) * 2 + x
    inside = (found_y >= 0) & (found_x >= 0) & (found_y < height) & (found_x < width)
    usable = inside & was_target[rows, columns]
    usable &= source[np.where(inside, found_y, 0), np.where(inside, found_x, 0)]
    match_y[usable], match_x[usable] = found_y[usable], found_x[usable]
    return match_y.astype(np.int32), match_x.astype(np.int32)
