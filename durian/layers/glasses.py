"""Glasses taken apart: an opaque frame in its own colours, and lenses that let through and add light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from durian.geometry.glasses import SIDE_LENGTH, GlassesSurface
from durian.geometry.mesh import smoothstep
from durian.layers.bridge import bridge, gap_between
from durian.layers.evened_out import alike, evened_out
from durian.layers.fill import fill
from durian.layers.glasses_view import FrontView, front_view
from durian.layers.lens_light import lens_light
from durian.layers.lens_outlines import STEP, LensOutlines, Rim, find_rims, lens_outlines
from durian.layers.skin import colour_distance
from durian.request import Attribute

CONTRAST_SHARES, CONTRAST_LIMITS = (0.35, 0.7), (22.0, 55.0)
"""Shares of the frame's own colour distance (CIE Lab) from the skin behind, at which something comes to be seen as
frame: before a black frame a shadow is skin. That distance is taken to be within the second."""
EDGE_BAND, CONTRAST_PERCENTILE = 0.07, 82
"""How far inside the mask's edge most frames are, units, and which of the colour distances there is the frame's."""
LENS_CONTRAST = (6.0, 16.0)
"""Colour distance (CIE Lab) from a tinted lens at which something comes to be seen as its frame."""
DARK = (0.35, 0.65)
"""How much dark lenses hide, between which their frame comes to be as opaque where it looks like skin."""
BRIDGE_REACH, HINGE_REACH = 0.24, 0.14
"""How far from the middle, and from the hinges, something beside the rims belongs to the frame, units."""
BRIDGED = 0.6
"""Opacity above which a frame is whole between the lenses."""
SURE = 0.85
"""Opacity from which a pixel shows the frame alone."""
THIN = (2.5, 6.0)
"""Pixels between which a rim comes to be broad enough to be of its own colour all over."""
BLUR, LEAST_OWN = 0.8, 0.55
"""Standard deviation of a photograph's blur at its own size, pixels, by which skin is mixed into a thin rim, and the
least share of a rim's colour that is taken for its own."""
PURE_REACH, PURE = 0.05, (0.6, 0.95)
"""How far around, units, the colour is looked for that is farthest from the skin's, and shares of its distance between
which a pixel comes to show the frame alone."""
SIDE_WIDTH = (0.012, 0.075)
"""Half the height of a side is that of the frame beside its hinge, within these, units."""
SIDE_COLOUR = 25.0
"""Colour distance (CIE Lab) from the frame at the hinge up to which something beyond it is a side, and no hair."""
LEAST_EVIDENCE = 0.01
"""What a pixel of a frame counts for its colour where nothing in the picture says that it is there."""
SIDE_BROADER = 3.0
"""How many times as high as the rims below the lenses a side is at most: more is hair, or the shadow of a brow."""
SIDE_MOST = 0.3
"""Height of a mask beyond the hinge up to which it is a side, units."""
SIDE_SHADE = 0.25
"""How much darker a side gets towards the ear."""
SIDE_END = 0.75
"""Where along a side it begins to vanish behind the ear, a share."""


@dataclass(frozen=True)
class GlassesTexture:
    """``texture`` ``(h, w, 6) uint8`` of :func:`durian.geometry.raster.blend_through`, in the pixels of ``view``.

    ``frame`` ``(h, w) float32`` how opaque the frame is, ``lens`` ``(h, w) float32`` where the lenses are.
    """

    texture: np.ndarray
    view: FrontView
    frame: np.ndarray
    lens: np.ndarray


def take_apart(attribute: Attribute, surface: GlassesSurface, scale: float, evens_out: bool = True) -> GlassesTexture:
    """Glasses as a texture of their front view.

    Args:
        attribute: the reference with its mask and landmarks.
        surface: where they lie in the reference.
        scale: pixels of the texture per unit of ``surface``.
        evens_out: make both lenses alike, however crooked the glasses sit or the picture shows them.
    """
    view = front_view(attribute, surface, scale)
    evidence = frame_evidence(view)
    rims = find_rims(view, evidence)
    if evens_out:
        view, rims = evened_out(view, rims)
        evidence = frame_evidence(view)
    outlines = lens_outlines(view, evidence, rims)
    light = lens_light(view, outlines)
    core = (outlines.inner > 0.9) & (np.maximum(view.eyes, view.brows) < 0.5)
    if core.any() and np.median(evidence[core]) > 0.5:
        # Before a tinted lens the skin's colour tells nothing of where its rim ends: the lens's own does.
        unlike = smoothstep(colour_distance(view.image, light.plain), *LENS_CONTRAST).astype(np.float32)
        evidence = np.where(outlines.outer > 0.5, np.minimum(evidence, unlike), evidence)
        rims = find_rims(view, evidence)
        rims = alike(rims, view.mask.shape[1]) if evens_out else rims
        outlines = lens_outlines(view, evidence, rims)
        light = lens_light(view, outlines)
    inside = outlines.inner > 0.9
    hides = 1 - float(light.through[inside].mean()) if inside.any() else 0.0
    frame = _frame(view, outlines, evidence, float(smoothstep(hides, *DARK)), evens_out)
    if evens_out and len(rims) == 2:
        frame, evidence = _with_bridge(view, rims, outlines, frame, evidence)
    thickness = float(np.median([rim.thickness for rim in rims])) * STEP if rims else 0.0
    colour = _frame_colour(view, frame, evidence, thickness)
    frame, colour = _with_sides(view, rims, frame, colour, evidence)
    lens = outlines.outer * (1 - frame)
    hidden = frame[..., None] + lens[..., None] * (1 - light.through)
    added = frame[..., None] * colour + lens[..., None] * light.added
    texture = np.concatenate([added, 255 * hidden], -1)
    return GlassesTexture(np.clip(texture + 0.5, 0, 255).astype(np.uint8), view, frame, outlines.inner)


def frame_evidence(view: FrontView) -> np.ndarray:
    """How little each pixel looks like the skin behind it, by the measure of what is at the mask's edge, ``(h, w)``."""
    distance = colour_distance(view.image, view.behind)
    inside = (view.mask > 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5) / view.scale
    front = (np.abs(view.across) < view.surface.hinge) & (np.maximum(view.brows, view.eyes) < 0.5)
    band = (depth > 0.01) & (depth < EDGE_BAND) & front
    usual = np.percentile(distance[band], CONTRAST_PERCENTILE) if band.any() else CONTRAST_LIMITS[0]
    low, high = np.array(CONTRAST_SHARES) * np.clip(usual, *CONTRAST_LIMITS)
    return smoothstep(distance, low, high).astype(np.float32)


def _frame(view: FrontView, outlines: LensOutlines, evidence: np.ndarray, dark: float, evens_out: bool) -> np.ndarray:
    """How opaque the frame is, ``(h, w) float32``: what is unlike skin, and rims all along, outside the lenses.

    The frame of ``dark`` glasses, in [0, 1], is as opaque as they are: nothing of the face is seen beside them.
    """
    away, hinge = np.abs(view.across), view.surface.hinge
    joint = ((away < BRIDGE_REACH) | (away > hinge - HINGE_REACH)) & (away < hinge + 0.01)
    # Bridges and hinges are above the lenses' middles; what is beside them further down is nose and cheek.
    rows = np.arange(len(view.mask))[:, None]
    joint = joint & (rows < (outlines.outer * rows).sum() / max(float(outlines.outer.sum()), 1.0))
    beside = (
        np.maximum(evidence * (1 - np.maximum(view.brows, view.eyes)), dark) * view.mask * joint * (1 - outlines.outer)
    )
    if evens_out:
        # What is on one side alone is hair or background.
        beside = np.minimum(beside, cv2.dilate(beside[:, ::-1], np.ones((3, 3))))
    rim = np.clip(outlines.outer - outlines.inner, 0, 1)
    return np.maximum(np.maximum(outlines.rim, dark * rim), beside).astype(np.float32)


def _with_bridge(
    view: FrontView, rims: tuple[Rim, ...], outlines: LensOutlines, frame: np.ndarray, evidence: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Frame and evidence with a bridge, if the two halves of the frame do not hang together yet."""
    between = np.abs(view.across) < gap_between(view, rims)
    if not between.any() or frame[:, between].max(0).min() > BRIDGED:
        return frame, evidence
    line, sure = bridge(view, rims, float(np.median(rims[0].thickness)) * STEP)
    line = line * (1 - outlines.inner)
    return np.maximum(frame, line), np.maximum(evidence, sure * line)


def _frame_colour(view: FrontView, frame: np.ndarray, evidence: np.ndarray, thickness: float) -> np.ndarray:
    """The frame's colours, where skin shows beside it or through it those of the frame around, ``(h, w, 3)``.

    Of a rim whose ``thickness``, units, is a few pixels only the pixels along its middle are not mixed with skin.
    """
    certain = np.minimum(frame, evidence)
    if (certain > 0.3).sum() < 8:
        return view.image
    image = _unblurred(view, thickness)
    distance = colour_distance(view.image, view.behind) * (certain > 0.3)
    reach = 2 * max(1, round(PURE_REACH * view.scale)) + 1
    share = distance / np.maximum(cv2.dilate(distance, np.ones((reach, reach))), 1e-3)
    thin = 1 - smoothstep(np.float32(thickness * view.scale), *THIN)
    pure = certain * (1 - thin * (1 - smoothstep(share, *PURE)))
    sure = (pure > min(SURE, np.percentile(pure[certain > 0.3], 60))).astype(np.float32)
    alone = fill(image, sure)
    return image + (1 - smoothstep(pure, 0.4, 0.95))[..., None] * (alone - image)


def _unblurred(view: FrontView, thickness: float) -> np.ndarray:
    """The picture with the skin taken out that its blur mixes into a line of ``thickness``, units, ``(h, w, 3)``."""
    pixels = (thickness - STEP / 2) * min(view.scale, view.surface.unit)
    share = max(math.erf(pixels / (math.sqrt(8) * BLUR)), LEAST_OWN)
    return np.clip(view.behind + (view.image - view.behind) / share, 0, 255)


def _with_sides(
    view: FrontView, rims: tuple[Rim, ...], frame: np.ndarray, colour: np.ndarray, evidence: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lay a straight side of the frame's own colour from each hinge to where the ear hides it.

    What a picture shows of a side is a stub, or lies behind hair; what it shows beside one is background.
    """
    hinge = view.surface.hinge
    rows = np.arange(frame.shape[0])
    ends = [end for end in (_frame_end(view, frame, evidence, side) for side in (-1, 1)) if end is not None]
    if not ends:
        return frame, colour
    frame, colour = frame.copy(), colour.copy()
    middle = float(np.mean([end[0] for end in ends]))
    rim = _rim_width(view, frame)
    height = max(rim, min(SIDE_BROADER * rim, *(end[3] for end in ends)))
    half = float(np.clip(height / 2, *SIDE_WIDTH)) * view.scale
    for side in (-1, 1):
        own = next((end[1] for end in ends if end[2] == side), ends[0][1])
        # A side begins at its rim, wherever the mask says that the front ends.
        ends_at = [_temporal(view, rim) for rim in rims if rim.rays.side == side]
        beyond = side * view.across > min([hinge, *ends_at]) - 0.01
        along = np.clip((side * view.across[beyond] - hinge) / SIDE_LENGTH, 0, 1)
        bar = np.clip(half * (1 - 0.3 * along) + 0.5 - np.abs(rows[:, None] - middle), 0, 1)
        bar = bar * (1 - smoothstep(along, SIDE_END, 1))
        front = side * view.across[beyond] < max([hinge, *ends_at])
        added = np.maximum(bar - frame[:, beyond], 0)[..., None] / np.maximum(bar, 1e-3)[..., None]
        own = own * (1 - SIDE_SHADE * along[:, None])
        colour[:, beyond] = np.where(front[:, None], colour[:, beyond] + added * (own - colour[:, beyond]), own)
        frame[:, beyond] = np.maximum(bar, frame[:, beyond] * front)
    return frame, colour


def _temporal(view: FrontView, rim: Rim) -> float:
    """How far from the middle a lens's rim ends, units."""
    away = abs(float(np.interp(rim.rays.middle[0], np.arange(len(view.across)), view.across)))
    return away + float((rim.outer * np.cos(rim.rays.angles)).max()) * STEP


def _frame_end(
    view: FrontView, frame: np.ndarray, evidence: np.ndarray, side: int
) -> tuple[float, np.ndarray, int, float] | None:
    """Where the frame passes into its side: the middle in pixels, its colour ``(3,)``, and the side's height, units,
    0 where the picture shows none."""
    place = side * view.across - view.surface.hinge
    near = np.flatnonzero((place > -0.06) & (place < -0.01))
    weight = frame[:, near]
    # The upper part alone: below it the rim runs down.
    weight = weight * (np.cumsum(weight, 0) <= 2 * SIDE_WIDTH[1] * view.scale)
    if not len(near) or weight.sum() < 0.5 * len(near):
        return None
    middle = float((weight.sum(1) * np.arange(len(frame))).sum() / weight.sum())
    # A rim is drawn on where the picture hardly shows one.
    sure = weight * (evidence[:, near] + LEAST_EVIDENCE)
    own = (view.image[:, near] * sure[..., None]).sum((0, 1)) / sure.sum()
    # Where the frame goes on beyond the hinge, that is the side itself: round rims are broadest below it.
    seen = _side_seen(view, evidence, own, side)
    height = seen.sum() / max(1, seen.any(0).sum()) / view.scale
    if not seen.size or seen.any(0).mean() <= 0.5 or height >= SIDE_MOST:
        return middle, own, side, 0.0
    return float(np.nonzero(seen)[0].mean()), own, side, float(height)


def _side_seen(view: FrontView, evidence: np.ndarray, own: np.ndarray, side: int) -> np.ndarray:
    """Where just beyond the hinge a side of the frame's ``own`` colour ``(3,)`` is, no skin, ``(h, n) bool``."""
    place = side * view.across - view.surface.hinge
    columns = (place > 0.02) & (place < 0.12)
    unlike = colour_distance(view.image[:, columns], own.reshape(1, 1, 3))
    return (view.mask * evidence > 0.5)[:, columns] & (unlike < SIDE_COLOUR)


def _rim_width(view: FrontView, frame: np.ndarray) -> float:
    """How broad the frame is where it runs along below the lenses, units: the median of its columns' lowest parts."""
    lowest = frame.shape[0] - 1 - (frame[::-1] > 0.5).argmax(0)
    columns = np.flatnonzero((frame > 0.5).any(0) & (np.abs(view.across) < view.surface.hinge - HINGE_REACH))
    rows = np.arange(frame.shape[0])[:, None]
    reach = 2 * SIDE_WIDTH[1] * view.scale
    lower = frame * (rows > lowest - reach)
    return float(np.median(lower[:, columns].sum(0))) / view.scale if len(columns) else 0.0
