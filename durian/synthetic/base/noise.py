"""Noise in space, the same for the same point everywhere: pores, weave, fibres."""

from __future__ import annotations

import math

from durian.synthetic.base.compiled import inlined


@inlined
def _lattice(i: int, j: int, k: int) -> float:
    # A hash of the cell's number to 16 bits (multiplications and shifts as in xxHash's finish).
    h = (i * 374761393 + j * 668265263 + k * 2147483647) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 32767.5 - 1


@inlined
def noise(x: float, y: float, z: float) -> float:
    """Smooth noise in [-1, 1] with features of size one."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    i, j, k = int(i), int(j), int(k)
    low = (_lattice(i, j, k) * (1 - u) + _lattice(i + 1, j, k) * u) * (1 - v)
    low += (_lattice(i, j + 1, k) * (1 - u) + _lattice(i + 1, j + 1, k) * u) * v
    high = (_lattice(i, j, k + 1) * (1 - u) + _lattice(i + 1, j, k + 1) * u) * (1 - v)
    high += (_lattice(i, j + 1, k + 1) * (1 - u) + _lattice(i + 1, j + 1, k + 1) * u) * v
    return low * (1 - w) + high * w


@inlined
def resolved(frequency: float, footprint: float) -> float:
    """How much of a detail a pixel shows: 1 where its period (one over ``frequency``) is wide, 0 below two pixels.

    ``footprint`` is the size of a pixel on the surface, in the unit of the period.
    """
    return min(1.0, max(0.0, 1.5 - 3 * frequency * footprint))
