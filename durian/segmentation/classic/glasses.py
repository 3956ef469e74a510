"""The named start for glasses: both lenses with their rims, the bridge, and the temples towards the ears."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face.geometry import LEFT_BROW, RIGHT_BROW
from durian.masks import signed_distance
from durian.segmentation.classic.colour import ColourModel
from durian.segmentation.classic.graphcut import SEED_ODDS, cut
from durian.segmentation.classic.hair import connected_to
from durian.segmentation.classic.head import HeadCrop, grow_region
from durian.segmentation.classic.lenses import Lenses

GLASSES_ROOM = (1.5, 0.9, 1.1)
GLASSES_SIDE = 320

RIM_INSIDE, RIM_OUTSIDE, RIM_BELOW = 0.025, 0.16, 0.07
"""How far from the fitted outline the rim may reach inwards, outwards and, on the lower half, downwards, in outer-eye
distances (thick acetate; the wings of a cat-eye frame)."""

RIM_BONUS, RIM_FALL_ABOVE, RIM_FALL_BELOW = 0.5, 11.0, 25.0
"""Log-odds of a rim at the outline and how they fall per outer-eye distance outwards."""

FOREIGN = 1.5
"""Log-odds that a colour unlike this face's skin adds near an outline."""

HINGE = 0.3
"""As far from a lens, in outer-eye distances, a temple's own colour is trusted outside the face's outline."""

CLEAR_BRIDGE, BRIDGE_WIDTH = 0.4, 0.035
"""Bridge evidence above which it is drawn as seen, this wide in outer-eye distances."""

RIM_SURE = 0.09
"""Distance from the outline beyond which a rim must be unlike skin, in outer-eye distances."""

SMOOTHNESS = 0.3
"""Below 1: temples and wire rims are thin."""

GAP = 0.05
"""Half the widest gap between outline and rim that is closed, in outer-eye distances."""

TEMPLE_HALF_WIDTH = 0.07
EAR_TOPS = (127, 356)


def glasses_head(image: np.ndarray, landmarks: np.ndarray) -> HeadCrop:
    """The face in the window glasses are cut in."""
    return HeadCrop(image, landmarks, GLASSES_ROOM, GLASSES_SIDE)


def glasses_region(head: HeadCrop, lenses: Lenses) -> np.ndarray:
    """Glasses as ``(h, w) bool`` in the head's window, given where the lenses are."""
    unit = head.working_unit
    inside = head.fill(lenses.outlines[0]) | head.fill(lenses.outlines[1])
    distance = signed_distance(inside.astype(np.uint8) * 255) / unit
    odds = np.full(inside.shape, -SEED_ODDS, np.float32)

    rim = np.abs(distance) < RIM_INSIDE
    unlike_skin = np.minimum(head.skin_distance, head.shaded_skin_distance)
    # The shaded side of a face must not pass for a frame's colour.
    unlike_shadow = np.minimum(unlike_skin, head.shadow_distance)
    frame = ColourModel(head.bins, (rim & (unlike_shadow > 2.0)).astype(np.float32)).log_density(head.bins)
    skin = ColourModel(head.bins, head.cheeks.astype(np.float32)).log_density(head.bins)
    skin = np.maximum(skin, -5.0 - 0.3 * np.minimum(unlike_shadow, 20.0) ** 2)
    colour = np.clip(frame - skin, -3, 3)

    middle = np.mean([outline.mean(axis=0) @ head.axes[1] for outline in lenses.outlines])
    y, x = np.mgrid[: inside.shape[0], : inside.shape[1]]
    lower_half = x * head.axes[1][0] + y * head.axes[1][1] > middle
    around = distance <= np.where(lower_half, RIM_BELOW, RIM_OUTSIDE)
    outer = (distance > 0.0) & around
    fall = np.where(lower_half, RIM_FALL_BELOW, RIM_FALL_ABOVE)
    odds[outer] = (colour + RIM_BONUS - fall * distance)[outer]
    temples = _temples(head, lenses)
    for area in (_bridge(head, lenses), temples):
        area = area & (distance > 0.015)
        odds[area] = np.maximum(odds[area], colour[area] - 0.3)
    # Within the face nothing but frames, brows and a fringe is that unlike skin: parts of another colour count too.
    foreign = np.clip((unlike_shadow - 4.0) / 2.0, 0, FOREIGN) * (head.oval | (temples & (distance < HINGE)))
    # Far out only what surely is no skin counts: the wings of a frame, not a shade under the brow.
    foreign = np.where(outer & (distance > RIM_SURE) & (foreign < 0.7 * FOREIGN), -FOREIGN, foreign)
    parts = (outer | temples) & (distance > 0)
    odds[parts] += foreign[parts]
    if lenses.bridge > CLEAR_BRIDGE:
        line = np.zeros(inside.shape, np.uint8)
        start, end = np.rint(lenses.bridge_line).astype(int).tolist()
        cv2.line(line, start, end, 1, max(1, round(BRIDGE_WIDTH * unit)))
        odds[line == 1] = 3.0
    brows = (head.polygon(LEFT_BROW, 0.02) | head.polygon(RIGHT_BROW, 0.02)) & (distance > 0.02)
    odds[brows] -= 2.0
    odds[distance <= 0.0] = SEED_ODDS
    region = cut(odds, head.lab, smoothness=SMOOTHNESS)
    # Between a fitted outline and a rim farther out lies lens, skin-coloured: close that gap.
    side = 2 * max(1, round(GAP * unit)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx((region & around).astype(np.uint8), cv2.MORPH_CLOSE, kernel) == 1
    return connected_to(region | (closed & around), inside, smallest=0.0)


def _bridge(head: HeadCrop, lenses: Lenses) -> np.ndarray:
    """Between the lenses, as high as their upper two thirds."""
    left, right = lenses.outlines
    axis_right, axis_down = head.axes
    inner_left = left[(left @ axis_right).argmax()]
    inner_right = right[(right @ axis_right).argmin()]
    heights = np.concatenate([left, right]) @ axis_down
    top, bottom = heights.min(), np.percentile(heights, 66)
    corners = []
    for point, level in ((inner_left, top), (inner_right, top), (inner_right, bottom), (inner_left, bottom)):
        corners.append(point + axis_down * (level - point @ axis_down))
    return head.fill(np.array(corners))


def _temples(head: HeadCrop, lenses: Lenses) -> np.ndarray:
    """Strips from the outer ends of the lenses to the ears."""
    axis_right, axis_down = head.axes
    result = np.zeros(head.small.shape[:2], bool)
    for outline, ear, side in zip(lenses.outlines, EAR_TOPS, (-1, 1), strict=True):
        upper = outline[(outline @ axis_down) < np.percentile(outline @ axis_down, 60)]
        hinge = upper[(upper @ axis_right * side).argmax()]
        strip = head.fill(np.array([hinge, head.points[ear], hinge]))
        result |= grow_region(strip, TEMPLE_HALF_WIDTH * head.working_unit)
    return result
