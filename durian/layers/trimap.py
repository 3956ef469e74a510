"""Trimaps: surely inside an item, surely outside, and the band between, in which the picture decides."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.layers.fill import fill

OUT, UNKNOWN, IN = 0.0, 0.5, 1.0
"""Values of a trimap."""


@dataclass(frozen=True)
class Band:
    """How far from a mask's outline its edge may be, in distances of the outer eye corners.

    Attributes:
        inside, outside: on both sides of the outline, whatever the picture shows.
        reach: outside, where strands go on beyond it.
        is_solid: nothing shows through within the outline, so that holes in the mask are faults of the mask.
    """

    inside: float
    outside: float
    reach: float
    is_solid: bool


BANDS = {
    "hair": Band(inside=0.08, outside=0.08, reach=0.3, is_solid=False),
    "hat": Band(inside=0.05, outside=0.05, reach=0.05, is_solid=True),
    "glasses": Band(inside=0.015, outside=0.03, reach=0.03, is_solid=False),
    "beard": Band(inside=0.06, outside=0.05, reach=0.05, is_solid=False),
    "other": Band(inside=0.05, outside=0.05, reach=0.05, is_solid=True),
}
"""Of each kind of item. On photographs the parser's outline of a hat lies within 0.03 of the hat's, hair's within
0.06; loose strands end within 0.3."""
SURE = (0.1, 0.9)
"""Shares below and above which a parser's word is taken, if the outline is not near."""
STRAND = 0.15
"""Share of the way from the colour behind to the hair's from which on a pixel may hold a strand."""
FINE, DETAIL = 0.015, 0.06
"""Size of a strand, in distances of the outer eye corners, and its least contrast as a share of the way."""
FALSE_ALARMS = 0.08
"""Share of pixels farther off that look like strands as well, from which on none are looked for near them."""
MOSTLY_BEHIND, GAP_ALARMS = 0.5, 0.01
"""Share of the way from the colour behind to the hair's below which a pixel within its outline may show what is behind;
and the share of pixels deep within that look so as well, from which on none are looked for near them."""
SPECK, HOLE = 0.1, 0.6
"""Sides of the largest holes in a solid thing that are faults, in distances of the outer eye corners: whatever the
parser says, and where it is unsure."""
APART = 30.0
"""Distance of those colours (levels, RGB) from which on strands can be told."""


def band_of(kind: str) -> Band:
    """The band of an item; names that are not known are other things."""
    return BANDS.get(kind, BANDS["other"])


def trimap(share: np.ndarray, unit: float, kind: str = "hair", image: np.ndarray | None = None) -> np.ndarray:
    """Tell sure pixels from those that only the picture can tell.

    Args:
        share: ``(H, W) float32`` in [0, 1]: a mask, or how sure a parser is of the item.
        unit: distance of the outer eye corners, pixels.
        kind: of item, one of :data:`BANDS`; others count as ``"other"``.
        image: ``(H, W, 3) uint8`` or ``float32``, 0-255, on which loose strands are followed; none are if left out.

    Returns:
        ``(H, W) float32`` of :data:`OUT`, :data:`UNKNOWN` and :data:`IN`.
    """
    band = band_of(kind)
    mask = solid_mask(share, unit) if band.is_solid else share > 0.5
    depth, beyond = _distance(mask), _distance(~mask)
    inside, outside = (max(1.0, width * unit) for width in (band.inside, band.outside))
    sure_in = depth > inside
    if not band.is_solid:
        # Deep within, what a parser is unsure of may be a gap; beyond that it is its own weakness.
        sure_in &= (share > SURE[1]) | (depth > 3 * inside)
    unsure = (share > SURE[0]) & (beyond <= 2 * outside)
    unknown = ~sure_in & (mask | (beyond <= outside) | unsure)
    if image is not None and band.reach > band.inside and not band.is_solid:
        gaps = _gaps(image, sure_in, ~unknown & ~sure_in, depth, max(1.0, band.reach * unit))
        sure_in, unknown = sure_in & ~gaps, unknown | gaps
    if image is not None and band.reach > band.outside:
        unknown |= _strands(image, sure_in, unknown, beyond, max(1.0, band.reach * unit), unit)
    return np.where(sure_in, IN, np.where(unknown, UNKNOWN, OUT)).astype(np.float32)


def _strands(
    image: np.ndarray, sure_in: np.ndarray, unknown: np.ndarray, beyond: np.ndarray, reach: float, unit: float
) -> np.ndarray:
    """What has some of the hair's colour and hangs together with it, within ``reach`` pixels, ``(H, W) bool``."""
    far = ~sure_in & ~unknown & (beyond > reach)
    if not sure_in.any() or not far.any():
        return np.zeros_like(sure_in)
    image = image.astype(np.float32)
    way, squared = _way_to_item(image, sure_in, far)
    detail = np.abs(image - cv2.GaussianBlur(image, (0, 0), max(1.0, FINE * unit))).max(axis=-1)
    likely = (way > STRAND) & (squared > APART**2) & (detail > DETAIL * np.sqrt(squared))
    # Where what lies behind has as much to show of its own, such as a striped shirt, nobody can tell.
    around = (2 * round(reach) + 1,) * 2
    alarms = cv2.blur((likely & far).astype(np.float32), around)
    likely &= (beyond <= reach) & (alarms <= FALSE_ALARMS * cv2.blur(far.astype(np.float32), around))
    candidates = (likely | (unknown | sure_in)).astype(np.uint8)
    _, parts = cv2.connectedComponents(candidates, connectivity=8)
    hanging = np.isin(parts, np.unique(parts[sure_in])) & (parts > 0)
    around = cv2.dilate((hanging & likely).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return around & ~sure_in & (beyond <= reach)


def _gaps(image: np.ndarray, sure_in: np.ndarray, sure_out: np.ndarray, depth: np.ndarray, reach: float) -> np.ndarray:
    """What has more of the colour behind than of the hair's, as between curls, within ``reach`` pixels of the hair's
    outline, ``(H, W) bool``."""
    deep = sure_in & (depth > reach)
    if not deep.any() or not sure_out.any():
        return np.zeros_like(sure_in)
    image = image.astype(np.float32)
    way, squared = _way_to_item(image, deep, sure_out)
    likely = sure_in & (way < MOSTLY_BEHIND) & (squared > APART**2)
    # Where hair has such colours of its own, as in highlights, nobody can tell.
    around = (4 * round(reach) + 1,) * 2
    alarms = cv2.blur((likely & deep).astype(np.float32), around)
    likely &= ~deep & (alarms <= GAP_ALARMS * cv2.blur(deep.astype(np.float32), around))
    return (cv2.dilate(likely.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & sure_in


def _way_to_item(image: np.ndarray, item: np.ndarray, behind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each colour of an ``image (H, W, 3) float32`` is on the way from what is seen ``behind (H, W) bool`` to
    the ``item (H, W) bool``, both gone on with, and the square of that way's length, ``(H, W) float32`` each."""
    colour, other = (_continued(image, known) for known in (item, behind))
    difference = colour - other
    squared = np.einsum("hwc,hwc->hw", difference, difference)
    return np.einsum("hwc,hwc->hw", image - other, difference) / np.maximum(squared, 1), squared


def _continued(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The colours of what is ``known (H, W) bool``, smoothly on over everything, ``(H, W, 3) float32``."""
    height, width = known.shape
    size = (max(1, width // 4), max(1, height // 4))
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(image * known[..., None], size, interpolation=cv2.INTER_AREA)
    colours /= np.maximum(weight, 1e-3)[..., None]
    return cv2.resize(fill(colours, (weight > 0.01).astype(np.float32)), (width, height))


def _distance(where: np.ndarray) -> np.ndarray:
    """Of every pixel in ``where`` ``(H, W) bool`` to the nearest one that is not, ``float32`` pixels."""
    return cv2.distanceTransform(where.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def solid_mask(share: np.ndarray, unit: float) -> np.ndarray:
    """A solid thing's mask ``(H, W) bool`` without the holes that are faults: specks, and what a parser is unsure of,
    such as a highlight. The opening of a cap or around a face is neither."""
    mask = share > 0.5
    _, parts, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    left, top, width, height, area = stats.T
    touches = (left == 0) | (top == 0) | (left + width == mask.shape[1]) | (top + height == mask.shape[0])
    mean_share = np.bincount(parts.ravel(), share.ravel(), len(stats)) / np.maximum(area, 1)
    is_fault = (area <= (SPECK * unit) ** 2) | ((area <= (HOLE * unit) ** 2) & (mean_share > SURE[0]))
    return mask | (is_fault & ~touches)[parts]
