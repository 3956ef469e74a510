"""The bridge from lens to lens, which all glasses have and few masks: a line found on the nose, or a usual one."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from durian.layers.glasses_view import FrontView
from durian.layers.lens_outlines import STEP, Rim

HEIGHTS = (-0.16, 0.1)
"""Between which bridges run above (negative) and below the middles of the lenses, units."""
ARCHES = (-0.08, -0.05, -0.025, 0.0)
"""How much higher a bridge's middle is than its ends, units."""
THICKNESSES = (0.015, 0.03, 0.05)
"""Of bridges, units."""
SEEN, OVER_RIM = (7.0, 14.0), 0.02
"""Colour distance (CIE Lab) from the nose above and below between which a bridge comes to be seen, and how far it goes
on over the rims, units."""
USUAL = -0.03, -0.03
"""Height and arch of a bridge that is not seen."""
HIDDEN_SHARE = 0.3
"""Of a bridge, what a gleam may hide."""


def bridge(view: FrontView, rims: tuple[Rim, ...], usual: float) -> tuple[np.ndarray, float]:
    """Where the bridge is, and how surely it is seen there and not only taken for granted.

    Args:
        view: of the glasses, both lenses alike.
        rims: both.
        usual: thickness of a bridge that is not seen, units.

    Returns:
        ``(h, w) float32`` how opaque it is, and a number in [0, 1].
    """
    row = float(np.mean([rim.rays.middle[1] for rim in rims]))
    gap = gap_between(view, rims)
    reach = max(gap, 0) + OVER_RIM
    columns = np.flatnonzero(np.abs(view.across) < max(gap, 0.03))
    lab = cv2.cvtColor(view.image[:, columns] / 255, cv2.COLOR_RGB2LAB)
    sums = np.concatenate([np.zeros_like(lab[:1]), np.cumsum(lab, 0)])
    along = view.across / reach
    best, found = 0.0, None
    for thickness in THICKNESSES:
        for height in np.arange(*HEIGHTS, STEP):
            for arch in ARCHES:
                middle = row + (height + arch * (1 - along[columns] ** 2)) * view.scale
                seen = _contrast(sums, middle, thickness * view.scale)
                if seen > best:
                    best, found = seen, (height, arch, thickness)
    sure = float(np.clip((best - SEEN[0]) / (SEEN[1] - SEEN[0]), 0, 1))
    height, arch, thickness = found if found is not None and sure > 0.5 else (*USUAL, usual)
    middle = row + (height + arch * (1 - along**2)) * view.scale
    off = np.abs(np.arange(len(view.mask))[:, None] - middle)
    drawn = np.clip(thickness * view.scale / 2 + 0.5 - off, 0, 1) * np.clip(
        (reach - np.abs(view.across)) * view.scale, 0, 1
    )
    return drawn.astype(np.float32), sure


def gap_between(view: FrontView, rims: tuple[Rim, ...]) -> float:
    """Half the distance between the rims of both lenses, units."""
    nasal = [(-rim.outer * np.cos(rim.rays.angles)).max() * STEP for rim in rims]
    away = [abs(np.interp(rim.rays.middle[0], np.arange(len(view.across)), view.across)) for rim in rims]
    return float(np.mean(np.subtract(away, nasal)))


def _contrast(sums: np.ndarray, middle: np.ndarray, thickness: float) -> float:
    """Colour distance of a line from what is above and below, the lesser of the two, where it is not hidden."""
    edges = np.stack([np.rint(middle + part * thickness).astype(int) for part in (-1.5, -0.5, 0.5, 1.5)])
    edges = np.clip(np.maximum.accumulate(edges, 0) + np.arange(4)[:, None], 0, len(sums) - 1)
    columns = np.arange(sums.shape[1])
    above, line, below = (
        (sums[end, columns] - sums[start, columns]) / np.maximum(end - start, 1)[:, None]
        for start, end in pairwise(edges)
    )
    distance = np.minimum(*(np.linalg.norm(line - beside, axis=1) for beside in (above, below)))
    return float(np.quantile(distance, HIDDEN_SHARE))
