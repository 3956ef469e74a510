"""Subsurface scattering in skin: red light travels furthest, so that shadows have warm, soft edges.

Screen-space subsurface scattering (Jimenez, Sundstedt and Gutierrez, "Screen-space perceptual rendering of human skin",
2009) with one separable filter: the light that skin receives is blurred along the picture before the skin's colour
meets it.
"""

from __future__ import annotations

import math

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares

NARROW, WIDE = (0.08, 0.045, 0.03), (0.32, 0.13, 0.07)
"""Standard deviations (cm) of two bells per colour; larger than measured skin's, whose mean would hardly show at 256
pixels."""
WIDE_SHARE = 0.5
REACH = 2.5
"""Standard deviations after which the filter ends."""
SAME_SKIN = 0.9
"""cm of distance across which light does not travel: from the nose to the cheek behind it."""


def kernels(pixels_per_cm: float) -> np.ndarray:
    """Filters ``(3, n) float32`` from the middle outwards, for red, green and blue; with their mirror images they sum
    to 1."""
    reach = max(1, math.ceil(REACH * max(WIDE) * pixels_per_cm))
    place = np.arange(reach + 1) / pixels_per_cm

    def bell(width: float) -> np.ndarray:
        width = max(width, 0.25 / pixels_per_cm)  # narrower ones would fall between the pixels
        weights = np.exp(-0.5 * (place / width) ** 2)
        return weights / (2 * weights.sum() - weights[0])

    mixed = [(1 - WIDE_SHARE) * bell(narrow) + WIDE_SHARE * bell(wide) for narrow, wide in zip(NARROW, WIDE)]
    return np.array(mixed, np.float32)


def scatter(light: np.ndarray, share: np.ndarray, distance: np.ndarray, pixels_per_cm: float) -> np.ndarray:
    """Blur the light that skin receives, within skin.

    Args:
        light: ``(H, W, 3) float32`` light times the skin's share of the pixel.
        share: ``(H, W) float32``.
        distance: ``(H, W) float32`` cm to the camera.
        pixels_per_cm: scale of the picture.

    Returns:
        ``(H, W, 3) float32`` light, no longer times the share; 0 where there is no skin.
    """
    weights = kernels(pixels_per_cm)
    across, across_share = np.zeros_like(light), np.zeros_like(light)
    in_shares(_across, len(share), light, share, distance, weights, across, across_share)
    along = np.zeros_like(light)
    in_shares(_along, len(share), across, across_share, share, distance, weights, along)
    return along


@compiled
def _across(
    first: int,
    last: int,
    light: np.ndarray,
    share: np.ndarray,
    distance: np.ndarray,
    weights: np.ndarray,
    across: np.ndarray,
    total: np.ndarray,
) -> None:
    width = share.shape[1]
    reach = weights.shape[1] - 1
    for row in range(first, last):
        for column in range(width):
            if share[row, column] == 0:
                continue
            here = distance[row, column]
            for other in range(max(0, column - reach), min(width, column + reach + 1)):
                if share[row, other] > 0 and abs(distance[row, other] - here) < SAME_SKIN:
                    for c in range(3):
                        weight = weights[c, abs(other - column)]
                        across[row, column, c] += weight * light[row, other, c]
                        total[row, column, c] += weight * share[row, other]


@compiled
def _along(
    first: int,
    last: int,
    across: np.ndarray,
    total: np.ndarray,
    share: np.ndarray,
    distance: np.ndarray,
    weights: np.ndarray,
    along: np.ndarray,
) -> None:
    height, width = share.shape
    reach = weights.shape[1] - 1
    for row in range(first, last):
        for column in range(width):
            if share[row, column] == 0:
                continue
            here = distance[row, column]
            r = g = b = sum_r = sum_g = sum_b = np.float32(0)
            for other in range(max(0, row - reach), min(height, row + reach + 1)):
                if share[other, column] > 0 and abs(distance[other, column] - here) < SAME_SKIN:
                    step = abs(other - row)
                    r += weights[0, step] * across[other, column, 0]
                    g += weights[1, step] * across[other, column, 1]
                    b += weights[2, step] * across[other, column, 2]
                    sum_r += weights[0, step] * total[other, column, 0]
                    sum_g += weights[1, step] * total[other, column, 1]
                    sum_b += weights[2, step] * total[other, column, 2]
            along[row, column, 0] = r / max(sum_r, np.float32(1e-6))
            along[row, column, 1] = g / max(sum_g, np.float32(1e-6))
            along[row, column, 2] = b / max(sum_b, np.float32(1e-6))
