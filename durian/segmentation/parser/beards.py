"""Completes beards: shares of the beard class, symmetric over the face, where beards grow.

A thin or grey beard is one of which the network is nowhere quite sure; cut off at a half, scraps are left of it.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import FACE_OVAL
from durian.face.geometry import INNER_LIPS, OUTER_LIPS

FAINTEST = 0.3
"""Certainty below which nothing of a beard is seen: then the network sees a shadow."""
SURE_AT = 90
"""Percentile of what is seen at all that says how sure the network is of a beard."""
ON_FACE, BEYOND = 0.28, 0.5
"""Shares of that from which a pixel belongs to it: on the face skin shows through, beyond it other things lie near."""
MIRRORED = 0.8
"""How far one side of a face stands for the other."""
FRONTAL = (0.5, 0.75)
"""Narrower side of a face as a share of the wider one, between which its sides begin to look alike, and do."""
LOPSIDED = 0.08
"""How far beyond the other side's beard one may hang, in distances of the outer eye corners."""
JAW = 0.06
"""Softness of the face's outline, in the same unit."""
HOLE = 0.03
"""Area of holes and specks, in squares of it."""

MIDLINE = (168, 6, 197, 195, 5, 4, 2, 164, 200, 199, 175, 152)
SIDES = ((58, 288), (172, 397), (136, 365), (150, 379), (61, 291))
NOSE = (195, 48, 64, 98, 97, 2, 326, 327, 294, 278)


def certainty(share: np.ndarray) -> float:
    """How sure the network is of a beard where it sees one, in [0, 1]."""
    seen = share[share > FAINTEST / 2]
    return float(np.percentile(seen, SURE_AT)) if seen.size > 9 else 0.0


def whole_beard(share: np.ndarray, points: np.ndarray, unit: float, sure: float) -> np.ndarray:
    """Shares of a beard so that a half is its edge.

    Args:
        share: ``(side, side) float32`` as the network gives them, in an upright window.
        points: ``(478, 2)`` landmarks in that window.
        unit: distance of the outer eye corners in its pixels.
        sure: what :func:`certainty` says of it.

    Returns:
        ``(side, side) float32`` in [0, 1]; what lies on lips stays as it was, mouth and nose have no beard.
    """
    if sure < FAINTEST:
        return share
    shape = share.shape
    oval = cv2.GaussianBlur(_inside(points[list(FACE_OVAL)], shape), (0, 0), JAW * unit + 0.5)
    alike = _alike(points)
    even = share
    if alike > 0:
        other = _mirrored(share, points)
        even = np.maximum(share, MIRRORED * alike * other * oval)
        # Beyond the jaw a shoulder or collar of the hair's colour is on one side only.
        reach = np.ones((2 * max(1, round(LOPSIDED * unit)) + 1,) * 2)
        seen = np.clip(cv2.dilate(other, reach) / (BEYOND * sure), 0, 1)
        even = even * (1 - alike * (1 - oval) * (1 - seen))
    edge = sure * (BEYOND + oval * (ON_FACE - BEYOND))
    whole = np.clip(even / (2 * edge), 0, 1).astype(np.float32)
    lips = _inside(points[list(OUTER_LIPS)], shape) > 0
    whole = _without_specks(np.where(lips, share, whole), lips, HOLE * unit**2)
    none = np.maximum(_inside(points[list(INNER_LIPS)], shape), _inside(_hull(points[list(NOSE)]), shape))
    return whole * (1 - none)


def _alike(points: np.ndarray) -> float:
    """How much alike the two sides of a face look, by how far it is turned, in [0, 1]."""
    middle = points[list(MIDLINE), 0].mean()
    left, right = (np.abs(points[list(side), 0] - middle).mean() for side in zip(*SIDES, strict=True))
    ratio = min(left, right) / max(left, right, 1e-6)
    return float(np.clip((ratio - FRONTAL[0]) / (FRONTAL[1] - FRONTAL[0]), 0, 1))


def _mirrored(share: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Shares as on the other side of the face, ``(side, side) float32``."""
    slope, start = np.polyfit(points[list(MIDLINE), 1], points[list(MIDLINE), 0], 1)
    y, x = np.mgrid[: share.shape[0], : share.shape[1]].astype(np.float32)
    middle = (slope * y + start).astype(np.float32)
    left, right = (np.array(side) for side in zip(*SIDES, strict=True))
    at = slope * points[:, 1] + start
    ratio = float(np.abs(points[right, 0] - at[right]).mean() / max(np.abs(points[left, 0] - at[left]).mean(), 1e-6))
    offset = x - middle
    source = middle - np.where(offset < 0, offset * ratio, offset / max(ratio, 1e-6))
    return cv2.remap(share, source.astype(np.float32), y, cv2.INTER_LINEAR, borderValue=0)


def _without_specks(whole: np.ndarray, lips: np.ndarray, area: float) -> np.ndarray:
    """Shares without islands and holes smaller than ``area`` pixels; the mouth is no hole."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats((whole > 0.5).astype(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < area
    small[0] = False
    whole = np.where(small[parts], np.minimum(whole, 0.2), whole)
    _, gaps, stats, _ = cv2.connectedComponentsWithStats((whole <= 0.5).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < area
    small[np.unique(gaps[lips])] = small[0] = False
    return np.where(small[gaps], np.float32(1), whole).astype(np.float32)


def _inside(outline: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    filled = np.zeros(shape, np.uint8)
    cv2.fillPoly(filled, [np.rint(outline).astype(np.int32)], 1)
    return filled.astype(np.float32)


def _hull(points: np.ndarray) -> np.ndarray:
    return cv2.convexHull(points.astype(np.float32))[:, 0]
