"""Lens transmittance and added light: ``seen = transmittance * behind + added``, for each colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.geometry.mesh import smoothstep
from durian.layers.glasses_view import FrontView
from durian.layers.lens_outlines import LensOutlines

CLEAR, CLEAR_ALL_OVER = (0.4, 0.6), (0.27, 0.42)
"""Transmittance of a lens's darkest colour, at its lower rim and all over, between which it comes to be taken for
clear: what is missing then is the frame's shadow and the hollow of the eye. The first is told against the cheek just
below, which is in the same light. In photographs dark lenses let 0.15 through all over, clear ones 0.29 or more."""
ACROSS_RIM = 0.12
"""How far on both sides of a rim that is, units."""
SHOULDER = 0.06
"""Of the skin's brightness, how much brighter than the fit a pixel may be before it is taken for a reflection."""
GLEAM = (1.12, 1.4)
"""Brightness, as a factor of the skin behind, between which what is seen in a clear lens comes to be a reflection."""
EYE_CONTRAST = (0.2, 0.5)
"""How much darker than the lens around it an eye must look, as a share, to be surely seen through it."""
ROUNDS = 8
"""Of reweighting."""


@dataclass(frozen=True)
class LensLight:
    """``through`` ``(h, w, 3) float32`` in [0, 1]; ``added`` ``(h, w, 3) float32``, 0-255; ``plain`` ``(h, w, 3)``
    how the lens looks before bare skin, without what it mirrors."""

    through: np.ndarray
    added: np.ndarray
    plain: np.ndarray


def lens_light(view: FrontView, outlines: LensOutlines) -> LensLight:
    """Fit the lens model to the inside of each lens; what comes out goes on under the rims.

    What is behind is the skin around continued, without the eye and the brow, which a clear lens shows and a dark one
    hides; light that is added is what is left over, never the reference's own eye.
    """
    through, added, plain = np.ones_like(view.image), np.zeros_like(view.image), view.behind.copy()
    halves = [outlines.inner * (side * view.across > 0) for side in (-1, 1)]
    halves = [half for half in halves if (half > 0.5).sum() >= 12]
    if not halves:
        return LensLight(through, added, plain)
    fits = [_Lens.of(view, half) for half in halves]
    # A pair is of one make; the half whose shade is less is less deceived by it.
    clear = max(fit.clear for fit in fits)
    seen = max(fit.seen_through for fit in fits)
    for half, fit in zip(halves, fits, strict=True):
        side = np.sign((half * view.across).sum())
        share = (side * view.across > 0)[:, None] & (outlines.outer[..., None] > 0)
        own, light = fit.split(view, clear, seen)
        through, added = np.where(share, own, through), np.where(share, light, added)
        plain = np.where(share, fit.fit * fit.behind, plain)
    return LensLight(*(part.astype(np.float32) for part in (through, added, plain)))


@dataclass(frozen=True)
class _Lens:
    """One lens: ``fit`` ``(h, w, 3)`` its smooth brightness as a share of the skin ``behind``, how ``clear`` it is, and
    whether the eye is ``seen_through`` it, 0 to 1 both."""

    fit: np.ndarray
    behind: np.ndarray
    clear: float
    seen_through: float

    @classmethod
    def of(cls, view: FrontView, lens: np.ndarray) -> _Lens:
        behind = np.clip(view.behind, 8, 255)
        bare = (lens > 0.9) & (np.maximum(view.eyes, view.brows) < 0.5)
        if bare.sum() < 12:
            bare = lens > 0.5
        fit = _smooth_fit(np.clip(view.image, 0, 255) / behind, bare)
        all_over = smoothstep(np.median(fit[bare], 0).min(), *CLEAR_ALL_OVER)
        seen_through = _seen_through(view, lens, fit, behind)
        # An eye that is plainly seen through a lens that is not dark is in a hollow, not behind a tint.
        clear = float(all_over) * max(seen_through, float(smoothstep(_across_rim(view, lens, bare), *CLEAR)))
        return cls(fit, behind, clear, seen_through)

    def split(self, view: FrontView, clear: float, seen_through: float) -> tuple[np.ndarray, np.ndarray]:
        """The lens's transmittance and added light, ``(h, w, 3)`` each."""
        face = np.maximum(view.eyes, view.brows)
        through = self.fit * seen_through
        through = through + clear * (1 - through)
        base = np.clip(self.fit + clear * (1 - self.fit), 0, 1) * self.behind
        # What hides the face keeps all its reflections; of what shows it only what is brighter than a face can be.
        hiding = np.clip(view.image - through * self.behind, 0, 255)
        gleam = smoothstep((view.image / np.maximum(base, 1)).min(2), *GLEAM) * (1 - face)
        # Of a turned head a lens also shows what is beside it.
        gleam *= view.face
        gleam = cv2.GaussianBlur(cv2.morphologyEx(gleam, cv2.MORPH_OPEN, np.ones((3, 3))), (0, 0), 0.7)
        showing = np.clip(base - through * self.behind, 0, 255)
        showing = showing + np.clip(view.image - base, 0, 255) * gleam[..., None]
        shown = max(clear, seen_through)
        return through, hiding + shown * (showing - hiding)


def _across_rim(view: FrontView, lens: np.ndarray, bare: np.ndarray) -> float:
    """Of the darkest colour, how bright the lens is above its lower rim as a share of the cheek just below."""
    rows = np.arange(lens.shape[0])[:, None]
    reach = max(2, round(ACROSS_RIM * view.scale))
    kernel = np.ones((2 * reach + 1, 1))
    lowest = np.where((lens > 0.5).any(0), lens.shape[0] - 1 - (lens[::-1] > 0.5).argmax(0), -1)
    above = bare & (rows > lowest - reach) & (lowest > 0)
    cheek = (view.skin > 0.9) & (view.mask < 0.1)
    below = cheek & (cv2.dilate(above.astype(np.uint8), kernel, iterations=2) > 0) & (rows > lowest)
    if above.sum() < 8 or below.sum() < 8:
        return 1.0
    return float((np.median(view.image[above], 0) / np.maximum(np.median(view.image[below], 0), 8)).min())


def _smooth_fit(ratio: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """Ratios ``(h, w, 3)`` as a surface of second order down and first across, fitted where ``bare``.

    Pixels that are brighter than the surface are reflections and lose their weight, round by round.
    """
    y, x = np.nonzero(bare)
    centre, size = np.array([y.mean(), x.mean()]), max(float(np.ptp(y)), float(np.ptp(x)), 1.0) / 2
    rows, columns = np.mgrid[: ratio.shape[0], : ratio.shape[1]]
    v, u = (rows - centre[0]) / size, (columns - centre[1]) / size
    design = np.stack([np.ones_like(u), u, v, v * v], -1)
    points, values = design[bare], ratio[bare]
    result = np.zeros_like(ratio)
    for colour in range(3):
        own, weight = values[:, colour], np.ones(len(values))
        for _ in range(ROUNDS):
            scaled = points * weight[:, None]
            solution = np.linalg.solve(scaled.T @ points + 1e-3 * len(own) * np.eye(4) * [0, 1, 1, 1], scaled.T @ own)
            over = own - points @ solution
            weight = np.where(over > 0, 1 / (1 + (over / SHOULDER) ** 2), 1 / (1 + (over / (3 * SHOULDER)) ** 2))
        # Beyond the pixels it was fitted to a surface of second order runs away.
        low, high = np.percentile(own, [2, 98])
        result[..., colour] = np.clip(design @ solution, low, high)
    return np.clip(result, 0, 1)


def _seen_through(view: FrontView, lens: np.ndarray, fit: np.ndarray, behind: np.ndarray) -> float:
    """Whether an eye is seen through a lens, 0 to 1: something dark where the eye is, and nowhere else."""
    light = (view.image / np.maximum(fit * behind, 1)).mean(2)
    inside = lens > 0.9
    eye, rest = inside & (view.eyes > 0.5), inside & (np.maximum(view.eyes, view.brows) < 0.5)
    if eye.sum() < 12 or rest.sum() < 12:
        return 1.0
    contrast = np.median(light[rest]) - np.percentile(light[eye], 10)
    unrest = np.median(light[rest]) - np.percentile(light[rest], 10)
    return float(smoothstep(np.float32(contrast - unrest), *EYE_CONTRAST))
