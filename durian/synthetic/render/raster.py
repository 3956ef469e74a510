"""Rasterisation: the nearest triangle at each sample, by a z-buffer.

Corners are snapped to 1/256 of a pixel (in height: of a row of samples) and edges are evaluated in integers, so that
two triangles with a common edge leave no gap between them and cover no sample twice. A sample's winner is the nearest
triangle, the first of equally near ones, however many threads draw.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares, inlined

NOTHING = -1
"""Triangle number of a sample that no triangle covers."""
BITS = 8
STEPS = 1 << BITS
"""Positions a corner can have across a pixel."""
TILE_ROWS, TILE_COLUMNS = 16, 4
"""Size of tiles; of each it is known how near everything that is seen in it is at least."""
VERY_NEAR = np.float32(1e30)
CHECKS, RARELY = 16, 20000
"""This is found out sixteen times while a picture is drawn, or every 20,000 triangles if that is less often."""
EVERYWHERE, UNSURE = 1e9, 1e-4
"""A column beyond all, and the error of where an edge crosses a row, which integers then decide."""


@cache
def pattern(samples: int) -> np.ndarray:
    """Offsets ``(samples,) int64`` of a pixel's samples from its middle, in steps, from its first row to its last.

    Each sample has a row and a column of its own (a rotated grid), so that edges of all directions are smooth. The
    columns are in the order of the multiples of the golden ratio.
    """
    golden = np.arange(samples) * (5**0.5 - 1) / 2 % 1
    offsets = ((np.argsort(np.argsort(golden)) + 0.5) / samples - 0.5) * STEPS
    return np.floor(offsets).astype(np.int64)


def rasterise(
    seen: np.ndarray, triangles: np.ndarray, height: int, width: int, samples: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest triangle of each sample.

    Args:
        seen: ``(3, N) float32`` x and y of the corners in pixels, the middle of the first being at (0.5, 0.5), and
            nearness: what changes linearly over the picture and is larger for what is nearer; triangles with a corner
            at 0 or below are left out.
        triangles: ``(T, 3) int32``; either side is drawn.
        height, width: pixels.
        samples: of each pixel; they lie as :func:`pattern` says.

    Returns:
        ``(height, samples, width) int32`` numbers of triangles or ``NOTHING``, and ``float32`` nearness or 0 likewise.
    """
    rows = height * samples
    index = np.full((rows, width), NOTHING, np.int32)
    nearness = np.zeros((rows, width), np.float32)
    corners = np.empty((seen.shape[1], 2), np.int32)
    in_shares(_snap, len(corners), seen, STEPS, STEPS * samples, corners)
    farthest = np.zeros((-(-rows // TILE_ROWS), -(-width // TILE_COLUMNS)), np.float32)
    in_shares(_draw, len(farthest), corners, seen[2], triangles, pattern(samples), farthest, index, nearness, shares=1)
    return index.reshape(height, samples, width), nearness.reshape(height, samples, width)


@compiled
def _snap(first: int, last: int, seen: np.ndarray, across: int, down: int, corners: np.ndarray) -> None:
    for i in range(first, last):
        corners[i, 0] = np.int32(np.rint(seen[0, i] * np.float32(across)))
        corners[i, 1] = np.int32(np.rint(seen[1, i] * np.float32(down)))


@compiled
def _draw(
    first_tile: int,
    last_tile: int,
    corners: np.ndarray,
    near: np.ndarray,
    triangles: np.ndarray,
    offsets: np.ndarray,
    farthest: np.ndarray,
    index: np.ndarray,
    nearness: np.ndarray,
) -> None:
    width, samples = index.shape[1], len(offsets)
    top, bottom = first_tile * TILE_ROWS, min(len(index), last_tile * TILE_ROWS)
    often = max(RARELY, len(triangles) // CHECKS)
    for t in range(len(triangles)):
        if t % often == often - 1:
            _find_farthest(first_tile, last_tile, nearness, farthest)
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ay, by, cy = np.int64(corners[i, 1]), np.int64(corners[j, 1]), np.int64(corners[k, 1])
        first = max(top, (min(ay, by, cy) + STEPS // 2 - 1) >> BITS)
        last = min(bottom - 1, (max(ay, by, cy) - STEPS // 2) >> BITS)
        if last < first:
            continue
        ax, bx, cx = np.int64(corners[i, 0]), np.int64(corners[j, 0]), np.int64(corners[k, 0])
        lowest, highest = min(ax, bx, cx), max(ax, bx, cx)
        left, right = max(0, lowest >> BITS), min(width - 1, highest >> BITS)
        if right < left or min(near[i], near[j], near[k]) <= 0:
            continue
        if _is_hidden(farthest, first, last, left, right, max(near[i], near[j], near[k])):
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        if area < 0:
            bx, by, cx, cy, j, k, area = cx, cy, bx, by, k, j, -area

        # Twice the areas of the three triangles that the middle of the first pixel makes with the edges. A sample on an
        # edge belongs to the triangle for which the edge points down (or right): the neighbour has it the other way.
        x, y = left * STEPS + STEPS // 2, first * STEPS + STEPS // 2
        of_a = (cx - bx) * (y - by) - (cy - by) * (x - bx) - (not _owns(cx - bx, cy - by))
        of_b = (ax - cx) * (y - cy) - (ay - cy) * (x - cx) - (not _owns(ax - cx, ay - cy))
        of_c = (bx - ax) * (y - ay) - (by - ay) * (x - ax) - (not _owns(bx - ax, by - ay))
        a_right, b_right, c_right = by - cy, cy - ay, ay - by
        a_down, b_down, c_down = (cx - bx) * STEPS, (ax - cx) * STEPS, (bx - ax) * STEPS
        near_a = np.float64(near[i])
        to_b, to_c = (near[j] - near_a) / area, (near[k] - near_a) / area
        from_a, more_from_a, until_a, more_until_a = _span(of_a, a_right, a_down)
        from_b, more_from_b, until_b, more_until_b = _span(of_b, b_right, b_down)
        from_c, more_from_c, until_c, more_until_c = _span(of_c, c_right, c_down)
        sample = first % samples
        for row in range(first, last + 1):
            offset = offsets[sample]
            sample = sample + 1 if sample + 1 < samples else 0
            aside = offset / STEPS
            start = max(0, math.ceil(max(from_a, from_b, from_c, -1.0) - aside - UNSURE))
            end = min(right - left, math.floor(min(until_a, until_b, until_c, float(width)) - aside + UNSURE))
            right_of_middle = start * STEPS + offset
            at_a = of_a + right_of_middle * a_right
            at_b = of_b + right_of_middle * b_right
            at_c = of_c + right_of_middle * c_right
            for column in range(left + start, left + end + 1):
                if (at_a | at_b | at_c) >= 0:
                    here = np.float32(near_a + at_b * to_b + at_c * to_c)
                    if here > nearness[row, column]:
                        nearness[row, column] = here
                        index[row, column] = t
                at_a += a_right * STEPS
                at_b += b_right * STEPS
                at_c += c_right * STEPS
            of_a += a_down
            of_b += b_down
            of_c += c_down
            from_a, from_b, from_c = from_a + more_from_a, from_b + more_from_b, from_c + more_from_c
            until_a, until_b, until_c = until_a + more_until_a, until_b + more_until_b, until_c + more_until_c


@inlined
def _find_farthest(first_tile: int, last_tile: int, nearness: np.ndarray, farthest: np.ndarray) -> None:
    """Of whole tiles; those that the picture's right edge cuts count as empty."""
    height, width = nearness.shape
    for tile in range(first_tile, last_tile):
        for group in range(width // TILE_COLUMNS):
            farthest[tile, group] = VERY_NEAR
        for row in range(tile * TILE_ROWS, min(height, (tile + 1) * TILE_ROWS)):
            for group in range(width // TILE_COLUMNS):
                here = farthest[tile, group]
                for column in range(group * TILE_COLUMNS, (group + 1) * TILE_COLUMNS):
                    here = min(here, nearness[row, column])
                farthest[tile, group] = here


@inlined
def _is_hidden(farthest: np.ndarray, first: int, last: int, left: int, right: int, nearest: float) -> bool:
    """Whether everything around a triangle is nearer than its nearest corner, as far as is known."""
    for tile in range(first // TILE_ROWS, last // TILE_ROWS + 1):
        for column in range(left // TILE_COLUMNS, right // TILE_COLUMNS + 1):
            if nearest > farthest[tile, column]:
                return False
    return True


@inlined
def _span(area: int, right: int, down: int) -> tuple[float, float, float, float]:
    """Columns from which on and until which an edge has its triangle, and how both change from row to row."""
    if right == 0:
        return -EVERYWHERE, 0.0, EVERYWHERE, 0.0
    inverse = 1 / (right * STEPS)
    if right > 0:
        return -area * inverse, -down * inverse, EVERYWHERE, 0.0
    return -EVERYWHERE, 0.0, -area * inverse, -down * inverse


@inlined
def _owns(right: int, down: int) -> bool:
    return down > 0 or (down == 0 and right > 0)


def seen_vertices(index: np.ndarray, triangles: np.ndarray, count: int) -> np.ndarray:
    """``(count,) bool``: corners of the triangles in a picture of triangle numbers."""
    seen = np.zeros(count, bool)
    _mark(index.reshape(-1, index.shape[-1]), triangles, seen)
    return seen


@compiled
def _mark(index: np.ndarray, triangles: np.ndarray, seen: np.ndarray) -> None:
    for row in range(index.shape[0]):
        last = NOTHING
        for column in range(index.shape[1]):
            t = index[row, column]
            if t != last and t != NOTHING:
                seen[triangles[t, 0]] = seen[triangles[t, 1]] = seen[triangles[t, 2]] = True
            last = t
