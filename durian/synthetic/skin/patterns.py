"""Patterns in space that skin is painted with: clouds and spots, at places of the neutral head."""

from __future__ import annotations

import math

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares, inlined
from durian.synthetic.base.noise import noise

PERIOD = 4096.0
"""Patterns of different people lie so far apart at most, in features."""
SHARPEST = 0.62
"""Smallest radius of a spot, in texels; smaller ones are drawn so large and fainter, so that they cover as much."""
RISE = 4.0
"""How fast a spot comes out as the density grows beyond that at which it appears."""


def clouds(
    points: np.ndarray, size: float | tuple[float, float, float], rng: np.random.Generator, octaves: int = 1
) -> np.ndarray:
    """Smooth noise ``(n,) float32`` in about [-1, 1].

    Args:
        points: ``(n, 3) float32``, cm.
        size: of its features, cm, the same or one for each axis.
        rng: where the pattern comes from.
        octaves: each is half as large and half as strong as the one before.
    """
    offset = rng.uniform(0, PERIOD, 3)
    found = np.empty(len(points), np.float32)
    frequency = 1 / np.broadcast_to(np.asarray(size, np.float64), 3)
    in_shares(_clouds, len(points), points, frequency, offset, octaves, found)
    return found


def spots(
    points: np.ndarray,
    spacing: float,
    radius: tuple[float, float],
    density: np.ndarray,
    rng: np.random.Generator,
    texel: float,
) -> np.ndarray:
    """Round spots: how much of each place they cover, ``(n,) float32`` in [0, 1].

    Args:
        points: ``(n, 3) float32``, cm.
        spacing: cm between spots where they are as dense as they can be.
        radius: smallest and largest, cm; at most half the spacing.
        density: ``(n,)`` share of the spots that are there, in [0, 1]; they come one after the other as it grows.
        rng: where they lie.
        texel: size of a texel, cm.
    """
    offset = rng.integers(0, int(PERIOD), 3)
    found = np.zeros(len(points), np.float32)
    low, high = (r / spacing for r in radius)
    dense = np.ascontiguousarray(density, np.float32)
    in_shares(_spots, len(points), points, 1 / spacing, offset, low, high, SHARPEST * texel / spacing, dense, found)
    return found


@compiled
def _clouds(
    first: int,
    last: int,
    points: np.ndarray,
    frequency: np.ndarray,
    offset: np.ndarray,
    octaves: int,
    found: np.ndarray,
) -> None:
    for n in range(first, last):
        x, y, z = points[n, 0] * frequency[0], points[n, 1] * frequency[1], points[n, 2] * frequency[2]
        value, strength = 0.0, 1.0
        for _ in range(octaves):
            value += strength * noise(x + offset[0], y + offset[1], z + offset[2])
            x, y, z, strength = 2 * x, 2 * y, 2 * z, strength / 2
        found[n] = value


@inlined
def _dice(i: int, j: int, k: int, which: int) -> float:
    """A number in [0, 1) of a cell (multiplications and shifts as in xxHash's finish)."""
    h = (i * 374761393 + j * 668265263 + k * 2147483647 + which * 3266489917) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 2246822519) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 3266489917) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65536.0


@compiled
def _spots(
    first: int,
    last: int,
    points: np.ndarray,
    frequency: float,
    offset: np.ndarray,
    smallest: float,
    largest: float,
    sharpest: float,
    density: np.ndarray,
    found: np.ndarray,
) -> None:
    for n in range(first, last):
        if density[n] <= 0:
            continue
        x, y, z = points[n, 0] * frequency, points[n, 1] * frequency, points[n, 2] * frequency
        # A spot reaches half a cell beyond its own: eight cells are near enough.
        i, j, k = math.floor(x - 0.5), math.floor(y - 0.5), math.floor(z - 0.5)
        for near in range(8):
            a, b, c = i + (near & 1), j + (near >> 1 & 1), k + (near >> 2)
            p, q, r = a + offset[0], b + offset[1], c + offset[2]
            there = min(1.0, RISE * (density[n] - _dice(p, q, r, 0)))
            if there <= 0:
                continue
            dx, dy, dz = x - a - _dice(p, q, r, 1), y - b - _dice(p, q, r, 2), z - c - _dice(p, q, r, 3)
            size = smallest + (largest - smallest) * _dice(p, q, r, 4) ** 2
            drawn = min(0.5, max(size, sharpest))
            distance = (dx * dx + dy * dy + dz * dz) / (drawn * drawn)
            if distance < 1:
                share = there * (1 - distance) ** 2 * min(1.0, size / drawn) ** 3 * (0.5 + 0.5 * _dice(p, q, r, 5))
                found[n] = max(found[n], min(1.0, 1.6 * share))
