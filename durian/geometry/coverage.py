"""Coverage of each pixel by a polygon."""

from __future__ import annotations

import numpy as np

from durian.jit import kept_jit

SCANLINES = 8
"""Lines per row of pixels; along a line the covered length is exact."""


@kept_jit(nogil=True)
def coverage(polygon, shares):
    """Fill ``shares`` with the part of each pixel that lies inside a polygon, without any width of its own.

    Inside is what the contour runs around in its own sense (positive area in y-down pixels): where opposite sides
    have crossed, as lips that touch may, nothing is covered.

    Args:
        polygon: ``(K, 2) float32`` corners in order; pixel centres are at integers.
        shares: ``(H, W) float32``, written, 0 to 1.
    """
    height, width = shares.shape
    count = polygon.shape[0]
    crossings, senses = np.empty(count, np.float32), np.empty(count, np.int64)
    shares[:] = 0
    for line in range(height * SCANLINES):
        y = np.float32((line + 0.5) / SCANLINES - 0.5)
        found = 0
        for k in range(count):
            ax, ay = polygon[k, 0], polygon[k, 1]
            bx, by = polygon[(k + 1) % count, 0], polygon[(k + 1) % count, 1]
            if (ay <= y) == (by <= y):
                continue
            x = ax + (y - ay) / (by - ay) * (bx - ax)
            place = found
            while place > 0 and crossings[place - 1] > x:
                crossings[place], senses[place] = crossings[place - 1], senses[place - 1]
                place -= 1
            crossings[place], senses[place] = x, 1 if by < ay else -1
            found += 1
        winding = 0
        for k in range(found - 1):
            winding += senses[k]
            if winding <= 0:
                continue
            start, end = max(crossings[k], -0.5), min(crossings[k + 1], width - 0.5)
            for x in range(int(np.floor(start + 0.5)), min(width, int(np.ceil(end + 0.5)))):
                inside = min(end, x + 0.5) - max(start, x - 0.5)
                if inside > 0:
                    shares[line // SCANLINES, x] += inside / SCANLINES
