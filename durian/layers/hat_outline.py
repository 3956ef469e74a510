"""A hat's outline, as smooth as hats are.

A matte follows whatever is beside an outline: before rocks or leaves, or beside dark hair, a cap's edge comes out
ragged. So a hat's matte only says where its edge is on average; the shape of the edge is the mask's, smoothed.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import FACE_OVAL
from durian.layers.skin import polygon
from durian.layers.trimap import solid_mask

SMOOTH = 0.04
"""Scale below which an outline has no detail, in outer-eye distances, as are all lengths here."""
ALONG, REACH = 0.15, 0.06
"""Length of outline over which a matte's edge is averaged, and how far that may move the mask's."""
EDGE, LEAST_EDGE = 0.02, 1.5
"""Width over which alpha rises, and the least, in pixels."""
GAP, ROUND, LOW = 0.25, 0.35, 0.12
"""Gap between a hat and its wearer's face that is closed; radius of the disc that fits everywhere into both together;
and height up to which what stands out beyond that is a bump. What stands out farther is a brim or a bobble."""


def smooth_outline(matte: np.ndarray, share: np.ndarray, unit: float, landmarks: np.ndarray | None) -> np.ndarray:
    """A hat's matte with a smooth outline.

    Args:
        matte: ``(H, W) float32`` in [0, 1], ragged.
        share: ``(H, W) float32`` in [0, 1], the mask that it was solved for.
        unit: distance of the outer eye corners, pixels.
        landmarks: ``(478, 3)`` pixels of the wearer, ``None`` without a face: bumps then stay.

    Returns:
        ``(H, W) float32`` in [0, 1].
    """
    mask = solid_mask(share, unit)
    bumps = np.zeros_like(mask)
    if landmarks is not None:
        bumps = _bumps(mask, polygon(landmarks[FACE_OVAL], mask.shape) > 0.5, unit)
        mask &= ~bumps
    if not mask.any() or mask.all():
        return mask.astype(np.float32)
    inside = mask.astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    depth = cv2.GaussianBlur(depth, (0, 0), max(SMOOTH * unit, 0.5))
    # By how much the matte covers more than the mask does, for each pixel of outline around.
    sharp = np.clip(depth + 0.5, 0, 1)
    more = (matte - sharp) * (np.abs(depth) <= REACH * unit + 1)
    # A matte that took a bump for the hat says nothing about where the hat ends.
    more[cv2.dilate(bumps.astype(np.uint8), _disc(REACH * unit)) > 0] = 0
    length = np.hypot(*np.gradient(cv2.GaussianBlur(sharp, (0, 0), 1.0)))
    more, length = (cv2.GaussianBlur(part.astype(np.float32), (0, 0), ALONG * unit) for part in (more, length))
    depth += np.clip(more / np.maximum(length, 1e-4), -REACH * unit, REACH * unit)
    return np.clip(depth / max(EDGE * unit, LEAST_EDGE) + 0.5, 0, 1).astype(np.float32)


def _bumps(mask: np.ndarray, face: np.ndarray, unit: float) -> np.ndarray:
    """What stands out a little from a hat's ``mask (H, W) bool``, on the side that is not the ``face``'s,
    ``(H, W) bool``."""
    room = int(np.ceil(2 * ROUND * unit))
    head = cv2.copyMakeBorder((mask | face).astype(np.uint8), room, room, room, room, cv2.BORDER_REPLICATE)
    head = cv2.morphologyEx(head, cv2.MORPH_CLOSE, _disc(GAP * unit))
    rounded = cv2.morphologyEx(head, cv2.MORPH_OPEN, _disc(ROUND * unit))
    height = cv2.distanceTransform(1 - rounded, cv2.DIST_L2, 5)[room:-room, room:-room]
    beyond = mask & (height > 0)
    count, parts = cv2.connectedComponents(beyond.astype(np.uint8), connectivity=8)
    highest = np.zeros(count, np.float32)
    np.maximum.at(highest, parts[beyond], height[beyond])
    return beyond & (highest <= LOW * unit)[parts]


def _disc(radius: float) -> np.ndarray:
    reach = max(1, round(radius))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
