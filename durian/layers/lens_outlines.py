"""Outlines of both lenses' rims in a front view: closed, smooth, alike on both sides.

A mask ends near a rim, on the brow's side often beyond it. Rays go from the middle of each lens outwards; on each the
rim has an outer edge and a thickness, and the cheapest pair of closed contours through all rays is found by dynamic
programming, for both lenses together.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.geometry.mesh import smoothstep
from durian.layers.glasses_view import FrontView
from durian.layers.lens_shapes import plain_radii

ANGLES, STEP = 180, 0.01
"""Rays from a lens's middle outwards, and the distance of the samples along them, units."""
RADIUS = 0.62
"""Length of the rays, units."""
OPENED = 0.5
"""Of a lens's height, what bridges and sides are thinner than."""
INWARDS, OUTWARDS = 0.09, 0.05
"""How far inside and outside the mask's edge a rim's outer edge may run, units."""
THICKEST, BESIDE = 0.15, 0.03
"""The broadest rim, and the bands on both sides of it that are to look otherwise, units."""
EDGE_COLOUR, EDGE_GAIN = 30.0, 3.0
"""Colour distance (CIE Lab) at which an edge of a rim counts fully, and how much that is, in samples of a rim that is
seen fully."""
THICKNESS_PRICE, OFFSET_PRICE, USUAL_PRICE = 0.22, 0.06, 0.10
"""What a sample of thickness and of distance from the mask's edge costs, and the square of the difference from the
usual thickness, in the same."""
USUAL_PERCENTILE = 25
"""Of the thicknesses found first: shadows only make rims thicker."""
LEAST_USUAL = 0.9
"""Of the usual thickness, the least that a rim has."""
ALIKE_PRICE = (0.15, 0.4)
"""What the squares of one lens's difference from both cost, in place and thickness, in the same."""
ROOM = 1
"""Samples outside a rim's edge over which it still fades."""
STEP_PRICE = 0.5
"""What a sample of change from a ray to the next costs, in the same."""
BROW_DOUBT = 0.8
"""Factor of the evidence for a rim that is seen over a brow."""
RIM_GAP = 50
"""Degrees round a lens over which a rim that is not seen goes on: a gleam, a brow, a colour like the skin's."""
LENS_EDGE = 0.3
"""Opacity of a lens's own edge, two samples broad, where it has no rim."""
LEAST_RIM = 40
"""Degrees round a lens over which a rim is seen at the least."""
BESIDE_CONTOUR = 2
"""Samples on both sides of its contour within which a rim may be seen."""
RIM_SEEN = (0.25, 0.7)
"""Evidence between which a rim comes to be there."""
SMOOTH = 2.0
"""Standard deviation of the filter along a contour, rays."""
OWN_SMOOTH = 5.0
"""The same for what a contour has beside its plain shape."""
MASK_TRUST = 0.5
"""How far to believe the mask's shape beside a contour."""
SURE_GAIN, LEAST_TRUST = 4.0, 0.03
"""Gain of a ray on which a rim is seen without doubt, and how far to believe one that is not seen."""
LENS_SPAN = (0.06, 0.9)
"""Where across a lens may be, units."""


@dataclass(frozen=True)
class LensOutlines:
    """``outer`` ``(h, w) float32`` the lenses with their rims; ``inner`` what of them lies inside the rims; ``rim``
    between the two, as far as there is one: where some glasses have none it is the lens's own edge, a faint line."""

    outer: np.ndarray
    inner: np.ndarray
    rim: np.ndarray


@dataclass(frozen=True)
class Rim:
    """One lens's rim: its ``outer`` edge and ``thickness`` on each of its ``rays``, samples ``(ANGLES,)``; ``seen`` is
    how well, the mean gain of a ray."""

    rays: Rays
    outer: np.ndarray
    thickness: np.ndarray
    seen: float


@dataclass(frozen=True)
class Rays:
    """Rays about the ``middle`` of a lens: angle 0 points away from the nose, a quarter turn later is down the face."""

    middle: np.ndarray
    side: int
    step: float

    @property
    def angles(self) -> np.ndarray:
        return np.arange(ANGLES) * (2 * np.pi / ANGLES)

    def take(self, values: np.ndarray) -> np.ndarray:
        """``(ANGLES, R[, C])`` of ``(h, w[, C])``."""
        count = round(RADIUS / STEP)
        radii = self.step * np.arange(count)
        x = (self.middle[0] + self.side * np.cos(self.angles)[:, None] * radii).astype(np.float32)
        y = (self.middle[1] + np.sin(self.angles)[:, None] * radii).astype(np.float32)
        return cv2.remap(values.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def spread(self, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """One value ``(ANGLES,)`` a ray over a picture, ``(h, w) float32``."""
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        angle = np.arctan2(rows - self.middle[1], self.side * (columns - self.middle[0]))
        return np.interp(angle, self.angles, values, period=2 * np.pi).astype(np.float32)

    def inside(self, radii: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """The inside of a contour of one radius ``(ANGLES,)`` a ray, ``(h, w) float32``, its edge a pixel soft."""
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        distance = np.hypot(columns - self.middle[0], rows - self.middle[1])
        return np.clip(self.step * self.spread(radii, shape) - distance + 0.5, 0, 1).astype(np.float32)

    def put(self, profile: np.ndarray, outer: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Values ``(ANGLES, K)`` at so many samples inside a contour ``outer`` ``(ANGLES,)``, ``(h, w) float32``."""
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        ray = np.arctan2(rows - self.middle[1], self.side * (columns - self.middle[0])) * ANGLES / (2 * np.pi) % ANGLES
        distance = np.hypot(columns - self.middle[0], rows - self.middle[1]) / self.step
        depth = self.spread(outer, shape) - distance
        closed = np.concatenate([profile, profile[:1]]).astype(np.float32)
        return cv2.remap(closed, depth.astype(np.float32), ray.astype(np.float32), cv2.INTER_LINEAR)


def find_rims(view: FrontView, evidence: np.ndarray) -> tuple[Rim, ...]:
    """Find the rims of both lenses, of the picture's left one first, or of the one that a mask has.

    Args:
        view: of the glasses.
        evidence: ``(h, w) float32`` in [0, 1], how little each pixel looks like the skin behind.
    """
    both = _lenses_with_rims(view)
    halves = []
    for side in (-1, 1):
        half = both * (side * view.across > 0)
        rows, columns = np.nonzero(half)
        if len(rows):
            middle = np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2
            halves.append((Rays(middle, side, STEP * view.scale), half))
    if not halves:
        return ()
    # A brow may lie behind a rim and looks like one; an eye is no rim.
    believed = 1 - np.maximum(view.eyes, BROW_DOUBT * view.brows)
    known = [rays.take(believed) for rays, _ in halves]
    masks = [_convex(_mask_radius(rays.take(half))) for rays, half in halves]
    trust = [np.maximum(_at(own, mask), MASK_TRUST) for own, mask in zip(known, masks, strict=True)]
    edge = plain_radii([STEP * mask for mask in masks], trust, RADIUS) / STEP
    lab = cv2.cvtColor(view.image / 255, cv2.COLOR_RGB2LAB)
    gains = [
        _gains(rays.take(evidence), own, rays.take(lab), edge) for (rays, _), own in zip(halves, known, strict=True)
    ]
    found = zip(halves, _contours(gains, known, edge), strict=True)
    return tuple(Rim(rays, outer, thickness, seen) for (rays, _), (outer, thickness, seen) in found)


def lens_outlines(view: FrontView, evidence: np.ndarray, rims: tuple[Rim, ...]) -> LensOutlines:
    """Draw rims, as far as there is evidence for them or for those around, ``(h, w) float32``."""
    shape = view.mask.shape
    outer, inner, rim = (np.zeros(shape, np.float32) for _ in range(3))
    if not rims:
        return LensOutlines(outer, inner, rim)
    profile = np.max([_profile(own.rays.take(evidence), own.outer, own.thickness) for own in rims], 0)
    for own in rims:
        outer = np.maximum(outer, own.rays.inside(own.outer, shape))
        inner = np.maximum(inner, own.rays.inside(_convex(own.outer - own.thickness), shape))
        rim = np.maximum(rim, own.rays.put(profile, own.outer + ROOM, shape))
    inner = np.minimum(inner, outer)
    return LensOutlines(outer, inner, rim * (1 - inner))


def _lenses_with_rims(view: FrontView) -> np.ndarray:
    """The mask without bridge and sides, ``(h, w) uint8``; its holes filled."""
    low, high = LENS_SPAN
    away = np.abs(view.across)
    solid = ((view.mask > 0.5) & (away < min(high, view.surface.hinge + 0.02))).astype(np.uint8)
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(solid, contours, -1, 1, cv2.FILLED)
    solid[:, away < low] = 0
    height = solid.sum(0).max()
    width = max(3, round(OPENED * height))
    padded = cv2.copyMakeBorder(solid, width, width, width, width, cv2.BORDER_CONSTANT, value=0)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    opened = opened[width:-width, width:-width]
    # Corners are rounded by that: what is above and below a lens comes back.
    reach = max(3, round(0.25 * height)) | 1
    return cv2.dilate(opened, np.ones((reach, 1), np.uint8)) & solid


def _mask_radius(inside: np.ndarray) -> np.ndarray:
    """Samples from the middle to where the mask of a lens ends on each ray, ``(ANGLES,)``."""
    ended = inside < 0.5
    return np.where(ended.any(1), ended.argmax(1), inside.shape[1] - 1).astype(np.float64)


def _offsets() -> np.ndarray:
    return np.arange(-round(INWARDS / STEP), round(OUTWARDS / STEP) + 1)


def _gains(seen: np.ndarray, known: np.ndarray, lab: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Evidence for a rim of each offset from the mask's edge and each thickness, ``(ANGLES, D, T)``, in samples."""
    count = seen.shape[1]
    sums = [_sums(((seen - 0.5) * known)[..., None])[..., 0], _sums(lab), _sums(known[..., None])[..., 0]]
    beside, ray = round(BESIDE / STEP), np.arange(ANGLES)[:, None, None]
    thickness = np.arange(round(THICKEST / STEP))[None, None]
    end = np.clip(np.round(edge).astype(int)[:, None, None] + _offsets()[None, :, None], 2, count)
    start = np.clip(end - thickness, 1, None)
    before, beyond = np.clip(start - beside, 0, None), np.clip(end + beside, None, count)
    end = np.broadcast_to(end, start.shape)
    rim, lens, skin = (sums[0][ray, b] - sums[0][ray, a] for a, b in ((start, end), (before, start), (end, beyond)))
    colours = [
        (sums[1][ray, b] - sums[1][ray, a]) / np.maximum(b - a, 1)[..., None]
        for a, b in ((start, end), (before, start), (end, beyond))
    ]
    contrasts = (np.linalg.norm(colours[0] - other, axis=-1) for other in colours[1:])
    edges = sum(np.minimum(contrast / EDGE_COLOUR, 1) for contrast in contrasts) * (thickness > 0)
    doubt = (sums[2][ray, beyond] - sums[2][ray, before]) / np.maximum(beyond - before, 1)
    price = THICKNESS_PRICE * thickness + OFFSET_PRICE * np.abs(_offsets())[None, :, None]
    return rim - lens - skin + EDGE_GAIN * doubt * edges - price


def _sums(values: np.ndarray) -> np.ndarray:
    """Running sums along rays, from 0."""
    return np.concatenate([np.zeros_like(values[:, :1]), np.cumsum(values, 1, dtype=np.float64)], 1)


def _contours(
    gains: list[np.ndarray], known: list[np.ndarray], edge: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """The rim's outer edge and its thickness on each ray, samples ``(ANGLES,)``, of each lens, and their mean gain.

    First one pair of contours for both; then each lens, which a crooked head shows a little otherwise, near them.
    """
    both = np.mean(gains, 0)
    steps = np.arange(both.shape[2])
    _, thickness = _cheapest_round(both)
    usual = np.percentile(thickness, USUAL_PERCENTILE)
    offset, thickness = _cheapest_round(both - USUAL_PRICE * (steps - usual) ** 2)
    found = []
    for gain, own_known in zip(gains, known, strict=True):
        moved = (np.arange(both.shape[1]) - offset[:, None])[:, :, None] ** 2
        changed = (steps - thickness[:, None])[:, None] ** 2
        own_offset, own_thickness = _cheapest_round(gain - ALIKE_PRICE[0] * moved - ALIKE_PRICE[1] * changed)
        seen = gain[np.arange(ANGLES), own_offset, own_thickness]
        outer = edge + _offsets()[own_offset]
        trust = _at(own_known, outer) * np.clip(seen / SURE_GAIN, LEAST_TRUST, 1)
        outer, own_thickness = _convex(_rounded(outer, trust, edge)), _closed_smooth(own_thickness, trust)
        found.append((outer, np.maximum(own_thickness, LEAST_USUAL * usual), float(seen.mean())))
    return found


def _rounded(outer: np.ndarray, trust: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """A contour as the plain shape nearest to it, where it is not to be trusted to the mask's, and smoothly what it has
    of its own."""
    wanted = edge + trust * (outer - edge)
    plain = plain_radii([STEP * wanted], [np.maximum(trust, MASK_TRUST)], RADIUS) / STEP
    return plain + _closed_smooth(wanted - plain, np.maximum(trust, MASK_TRUST))


def _at(values: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Of values along rays ``(ANGLES, R)`` those at radii ``(ANGLES,)``."""
    return values[np.arange(ANGLES), np.clip(np.rint(radii), 0, values.shape[1] - 1).astype(int)]


def _cheapest_round(gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best way through ``(ANGLES, D, T)`` gains that ends where it begins, two ``(ANGLES,) int``."""
    _, rows, columns = gain.shape
    jumps = [-STEP_PRICE * np.abs(np.arange(n)[:, None] - np.arange(n)[None]) for n in (rows, columns)]
    score, back = gain[0].copy(), []
    # Twice round: the second lap starts from a settled place, and the first lap's choice is dropped.
    for ray in [*range(1, ANGLES), *range(ANGLES)]:
        options = score[None] + jumps[0][:, :, None]
        from_row = options.argmax(1)
        score = options.max(1)
        options = score[:, None] + jumps[1][None]
        from_column = options.argmax(2)
        score = options.max(2) + gain[ray]
        back.append((np.take_along_axis(from_row, from_column, 1), from_column))
    path = [np.unravel_index(int(score.argmax()), score.shape)]
    for from_row, from_column in back[::-1]:
        path.append((from_row[path[-1]], from_column[path[-1]]))
    chosen = np.array(path[:ANGLES][::-1])
    return chosen[:, 0], chosen[:, 1]


def _profile(seen: np.ndarray, outer: np.ndarray, thickness: np.ndarray) -> np.ndarray:
    """How opaque a rim is at each sample inwards from :data:`ROOM` outside its edge, ``(ANGLES, K)``, gaps closed."""
    depth = np.arange(round(THICKEST / STEP) + 2 * ROOM)
    rays = np.repeat(np.arange(ANGLES, dtype=np.float32)[:, None], len(depth), 1)
    place = (outer[:, None] + ROOM - depth).astype(np.float32)
    within = np.clip(thickness[:, None] + 2 * ROOM - depth, 0, 1) * np.clip(depth / ROOM, 0, 1)
    # A smooth contour runs a little beside a thin rim here and there.
    near = cv2.dilate(seen.astype(np.float32), np.ones((1, 2 * BESIDE_CONTOUR + 1)))
    found, near = (
        within * cv2.remap(part, place, rays, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for part in (seen.astype(np.float32), near)
    )
    gap = 2 * (ANGLES * RIM_GAP // 720) + 1
    closed = cv2.morphologyEx(np.tile(near.astype(np.float32), (3, 1)), cv2.MORPH_CLOSE, np.ones((gap, 1)))
    # What is seen of a rim over a short way only is a crease, or the gleam of a lens's edge.
    least = 2 * (ANGLES * LEAST_RIM // 720) + 1
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((least, 1)))
    smooth = cv2.GaussianBlur(opened, (0, 0), sigmaX=0.01, sigmaY=SMOOTH)[ANGLES : 2 * ANGLES]
    there = smoothstep(smooth, *RIM_SEEN)
    beside = cv2.dilate(np.tile(there.astype(np.float32), (3, 1)), np.ones((2 * BESIDE_CONTOUR + 1,) * 2))
    edge = LENS_EDGE * ((depth >= ROOM) & (depth <= ROOM + 1))
    return np.maximum(np.maximum(found * beside[ANGLES : 2 * ANGLES], there), edge).astype(np.float32)


def _convex(radii: np.ndarray) -> np.ndarray:
    """The convex hull of a contour of one radius a ray, ``(ANGLES,)``."""
    angles = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    radii = np.maximum(radii, 1.0)
    points = np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1).astype(np.float32)
    corners = np.sort(cv2.convexHull(points, returnPoints=False)[:, 0])
    after = np.searchsorted(corners, np.arange(ANGLES), side="right")
    first, second = corners[after - 1], corners[after % len(corners)]
    a, b = angles[first], angles[second]
    gap = (b - a) % (2 * np.pi)
    along = (angles - a) % (2 * np.pi)
    chord = radii[first] * np.sin(along) + radii[second] * np.sin(gap - along)
    hull = radii[first] * radii[second] * np.sin(gap) / np.where(np.abs(chord) > 1e-6, chord, 1)
    return np.maximum(radii, np.where(np.abs(chord) > 1e-6, hull, radii))


def _closed_smooth(values: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Values round a contour ``(ANGLES,)`` without steps, where one is not to be trusted by those around."""
    both = np.stack([values * trust, trust]).astype(np.float32)
    blurred = cv2.GaussianBlur(np.tile(both, 3), (0, 0), sigmaX=OWN_SMOOTH, sigmaY=0.01)[:, ANGLES : 2 * ANGLES]
    return blurred[0] / np.maximum(blurred[1], 1e-6)
