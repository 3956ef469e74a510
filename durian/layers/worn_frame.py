"""The frame of glasses that somebody wears, in the picture: rims, bridge and temples, and lenses beyond the face."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.glasses import SIDE_LENGTH, GlassesSurface
from durian.geometry.mesh import BROWS, EYES, FACE_OVAL
from durian.layers.skin import polygon

WIDEST_LINE, WIDEST_TEMPLE = 0.2, 0.12
"""Width of the thickest rim and of the thickest temple, in outer-eye distances: what is narrower and unlike both its
sides is a line."""
EDGE = 0.03
"""How far on both sides of the mask's edge a frame surely is, in outer-eye distances."""
CONTRAST_SHARE, CONTRAST_PERCENTILE, LEAST_CONTRAST = 0.5, 75, 14.0
"""Of the contrasts (CIE Lab) at the edge which is the frame's, the share of it from which on a line is frame, and the
least."""
ALIKE, ALIKE_SHARE = 22.0, 0.5
"""Distance (CIE Lab) from the frame's colour up to which something is frame, and the most as a share of the
frame's own distance from the skin."""
COLOURS = 3
"""Of a frame: tortoise shell, or metal with its gleam and its shade."""
DEPTH_STEP, THICKNESS = 0.01, (0.02, 0.15)
"""Steps in which a rim's thickness is measured, and its limits, in outer-eye distances."""
MOSTLY = 0.5
"""Share of the pixels at one distance from the mask's edge that look like frame, from which on the rim is so thick."""
INWARDS, OUTWARDS = 0.03, 0.05
"""How far inside of a rim of usual thickness, and outside of the mask, the frame may go on, in outer-eye distances."""
GAP = 0.03
"""Half the width of gaps in a frame that are closed, in outer-eye distances."""
FEATURE_MARGIN = 0.05
"""How far around their landmarks eyes and brows may look like a frame, in outer-eye distances."""
TEMPLE_HALF, TEMPLE_END, SHORTEST = 0.1, 1.4, 0.35
"""Half the height of the strip from the hinge in which a temple is looked for, in outer-eye distances; its length as a
factor of the way to the ear's landmark, which lies before the ear, and at the least, in the same distances."""
LONGEST = 1.2
"""How far around the mask anything of the frame may be, in outer-eye distances."""
FRONTAL = 0.2
"""How far outwards, in outer-eye distances, a temple runs that is seen from straight in front."""
LEAST_STROKE = 0.12
"""Length, in outer-eye distances, from which on a line in that strip is a temple, and no crease or lock."""
LEAST_BEGUN = 0.15
"""Length of a temple, in outer-eye distances, that says where it goes on."""
OTHERWISE = 0.2
"""How far from the mask a temple is found that has another colour than the rims, in outer-eye distances."""
BEYOND = 0.1
"""How far outside the landmarks' oval a face may go on, in outer-eye distances."""


def worn_frame(image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Where a frame hides its wearer, also where the mask leaves it out.

    Args:
        image: ``(h, w, 3) uint8``.
        mask: ``(h, w) uint8``, frame and lenses.
        landmarks: ``(478, 3)`` of the wearer.

    Returns:
        ``(h, w) bool``.
    """
    rows, columns = np.nonzero(mask > 127)
    found = np.zeros(mask.shape, bool)
    if len(rows):
        room = round(LONGEST * eye_distance(landmarks))
        top, left = max(0, int(rows.min()) - room), max(0, int(columns.min()) - room)
        part = slice(top, int(rows.max()) + room + 1), slice(left, int(columns.max()) + room + 1)
        found[part] = _found(image[part], mask[part], landmarks - np.array([left, top, 0], np.float32))
    return found


def _found(image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """:func:`worn_frame` in the part of a picture where it may be."""
    unit = eye_distance(landmarks)
    solid = _solid(mask)
    inside = cv2.distanceTransform(np.pad(solid, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] / unit
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5) / unit
    opening, brows = (np.maximum(*(polygon(landmarks[part], mask.shape) for part in parts)) for parts in (EYES, BROWS))
    features = cv2.dilate(np.maximum(opening, brows), _disc(FEATURE_MARGIN * unit)) > 0
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    line = _lines(lab, WIDEST_LINE * unit)
    edge = (inside < EDGE) & (outside < EDGE) & ~features
    beside = (outside > 2 * EDGE) & (outside < 4 * EDGE)
    if not edge.any() or not beside.any():
        return np.zeros(mask.shape, bool)
    contrast = max(CONTRAST_SHARE * float(np.percentile(line[edge], CONTRAST_PERCENTILE)), LEAST_CONTRAST)
    stands_out = line > contrast
    skin = np.median(lab[beside], 0)
    alike = _alike(lab, lab[edge & stands_out], skin)
    seen = stands_out & alike
    thickness = _thickness(seen, inside, features)
    rim = (inside > 0) & (inside < thickness)
    near = (inside < thickness + INWARDS) & (outside < OUTWARDS) & ((outside <= 0) | ~features)
    # Farther on the edges of ears are lines too.
    lines = (_lines(lab, WIDEST_TEMPLE * unit) > contrast) & ~features & (alike | (outside < OTHERWISE))
    lines &= outside > 0
    temples = _temples(lines, alike & ~features, landmarks, mask, unit)
    candidates = rim | (seen & near) | temples
    frame = _connected(candidates, rim).astype(np.uint8)
    frame = cv2.morphologyEx(frame, cv2.MORPH_CLOSE, _disc(GAP * unit))
    # What a lens shows beyond the face's outline is bent by it.
    beyond = (solid > 0) & (cv2.dilate(polygon(landmarks[FACE_OVAL], mask.shape), _disc(BEYOND * unit)) < 0.5)
    return ((frame > 0) | beyond) & (opening < 0.5)


def _solid(mask: np.ndarray) -> np.ndarray:
    """The mask without holes, ``(h, w) uint8``."""
    solid = (mask > 127).astype(np.uint8)
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(solid, contours, -1, 1, cv2.FILLED)
    return solid


def _lines(lab: np.ndarray, width: float) -> np.ndarray:
    """Contrast of what is narrower than ``width`` pixels with both its sides, ``(h, w) float32`` CIE Lab."""
    disc = _disc(width / 2)
    hats = [
        np.maximum(cv2.morphologyEx(part, cv2.MORPH_TOPHAT, disc), cv2.morphologyEx(part, cv2.MORPH_BLACKHAT, disc))
        for part in cv2.split(lab)
    ]
    return np.linalg.norm(hats, axis=0)


def _alike(lab: np.ndarray, frame: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Where a picture ``(h, w, 3)`` has a colour of a ``frame (N, 3)`` rather than of ``skin (3,)``, ``bool``."""
    if len(frame) < COLOURS:
        return np.zeros(lab.shape[:2], bool)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    cv2.setRNGSeed(0)
    _, _, own = cv2.kmeans(np.float32(frame), COLOURS, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    reach = np.minimum(ALIKE, ALIKE_SHARE * np.linalg.norm(own - skin, axis=1))
    return (np.linalg.norm(lab[:, :, None] - own, axis=-1) < reach).any(-1)


def _thickness(seen: np.ndarray, inside: np.ndarray, features: np.ndarray) -> float:
    """How thick the rims are, in the unit of the depth ``inside (h, w)`` the mask."""
    low, high = THICKNESS
    for depth in np.arange(low, high, DEPTH_STEP):
        ring = (inside > depth) & (inside <= depth + DEPTH_STEP) & ~features
        if not ring.any() or seen[ring].mean() < MOSTLY:
            return float(depth)
    return high


def _temples(lines: np.ndarray, alike: np.ndarray, landmarks: np.ndarray, mask: np.ndarray, unit: float) -> np.ndarray:
    """What of ``lines (h, w) bool`` runs from the hinges towards the ears, and what is ``alike (h, w) bool`` a frame
    where a temple that begins straight goes on, ``(h, w) bool``."""
    surface = GlassesSurface.of_mask(landmarks, mask)
    found = np.zeros(mask.shape, bool)
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    for side in (-1, 1):
        row = _hinge_row(surface, mask, side)
        hinge, end = surface.pixels(side * np.array([[surface.hinge, 0], [surface.hinge + SIDE_LENGTH, 0]]) + [0, row])
        # From the front little is seen of a temple, and the ear's landmark is as near as the hinge.
        towards = (end - hinge + unit * side * FRONTAL * surface.axes[:, 0])[:2]
        length = max(TEMPLE_END * float(np.linalg.norm(towards)) / unit, SHORTEST)
        along = towards / np.linalg.norm(towards)
        x, y = (columns - hinge[0]) / unit, (rows - hinge[1]) / unit
        forth, off = x * along[0] + y * along[1], y * along[0] - x * along[1]
        strip = (forth > -TEMPLE_HALF) & (forth < length) & (np.abs(off) < TEMPLE_HALF)
        own = (
            cv2.morphologyEx((strip & lines).astype(np.uint8), cv2.MORPH_OPEN, _stroke(along, LEAST_STROKE * unit)) > 0
        )
        found |= own
        begun = strip & (forth > 0) & alike & (own | (mask > 127))
        if begun.any() and np.ptp(forth[begun]) > LEAST_BEGUN:
            slope, start = np.polyfit(forth[begun], off[begun], 1)
            half = 2 * float(np.std(off[begun] - slope * forth[begun] - start))
            found |= alike & (forth > 0) & (forth < length) & (np.abs(off - slope * forth - start) < half)
    return found


def _stroke(along: np.ndarray, length: float) -> np.ndarray:
    """A line of so many pixels in the direction of ``along (2,)``, ``(k, k) uint8``."""
    half = max(1, round(length / 2))
    kernel = np.zeros((2 * half + 1,) * 2, np.uint8)
    first, last = (tuple(round(half + sign * half * float(part)) for part in along) for sign in (-1, 1))
    cv2.line(kernel, first, last, 1)
    return kernel


def _hinge_row(surface: GlassesSurface, mask: np.ndarray, side: int) -> float:
    """How far down the temple leaves the front, units."""
    down = np.arange(-0.4, 0.3, 0.01)
    places = np.stack(np.meshgrid(side * (surface.hinge + np.array([-0.03, 0.0, 0.03])), down), -1)
    x, y = np.moveaxis(surface.pixels(places)[..., :2].astype(np.float32), -1, 0)
    there = (cv2.remap(mask, x, y, cv2.INTER_LINEAR) > 127).any(1)
    return float(np.median(down[there])) if there.any() else -0.1


def _connected(candidates: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The parts of ``candidates (h, w) bool`` that touch ``seeds``."""
    _, parts = cv2.connectedComponents(candidates.astype(np.uint8), connectivity=8)
    return candidates & np.isin(parts, np.unique(parts[seeds & (parts > 0)]))


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
