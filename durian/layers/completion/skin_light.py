"""The light on a face's skin, smooth over its surface, from pixels of which not all are skin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

ROUNDS = 8
SPARE = 12
"""Every so many'th pixel of the skin is enough to fit thirty numbers."""
REJECTED = 3.0
"""Deviations from the fit from which on a pixel is not skin."""
SHADE = 7.0
"""Deviations by which skin may be darker than the light on all of it says, and still be skin."""
LEAST_SPREAD = 0.03
"""Natural logarithm of colour by which the evenest skin still varies."""
RIDGE = 2e-3
"""Weight of a plain light, per pixel: what few normals show cannot bend it far."""
DARKEST, BRIGHTEST = 0.85, 1.04
"""How far the light goes on beyond what is seen, in its darkest and brightest places: the fit knows nothing of a crown
that no picture shows, and would make it black."""
SEEN_SHADES = (5, 98)
"""Percentiles of the light on the skin that is seen, which these begin at."""
DARK = 4.0
"""Levels added before the logarithm."""


@dataclass(frozen=True)
class SkinLight:
    """``smooth (S, S, 3) float32`` the logarithm of the colour that skin would have everywhere.

    ``skin (S, S) bool`` pixels that are surely skin in that light, ``shaded (S, S) bool`` also those in some shadow of
    their own, ``on_face (S, S) bool`` those of them that were fitted to, ``coloured (S, S) bool`` all that has skin's
    tint, whatever it is.
    """

    smooth: np.ndarray
    skin: np.ndarray
    on_face: np.ndarray
    shaded: np.ndarray
    coloured: np.ndarray


def logarithm(image: np.ndarray) -> np.ndarray:
    """Colours ``float32`` 0-255 so that light multiplies to a sum."""
    return np.log(np.maximum(image, 0) + DARK)


def colours(logarithms: np.ndarray) -> np.ndarray:
    """The inverse of :func:`logarithm`."""
    return np.exp(logarithms) - DARK


def fit_light(
    image: np.ndarray, candidates: np.ndarray, normals: np.ndarray, beside: np.ndarray | None = None
) -> SkinLight | None:
    """Fit harmonics of second order over normals (Ramamoorthi and Hanrahan 2001), leaving outliers out.

    Args:
        image: ``(S, S, 3) float32`` 0-255.
        candidates: ``(S, S) bool`` pixels of which most are skin.
        normals: ``(S, S, 3) float32``.
        beside: ``(S, S) bool`` more pixels that may be skin, as of the neck, which the fit does not listen to.

    Returns:
        The light, or ``None`` if there are next to no candidates.
    """
    values = logarithm(image)
    basis = _harmonics(normals)
    rows, columns = np.nonzero(candidates)
    if len(rows) < 50:
        return None
    rows, columns = rows[:: max(1, min(SPARE, len(rows) // 500))], columns[:: max(1, min(SPARE, len(rows) // 500))]
    here, seen = basis[rows, columns].astype(np.float64), values[rows, columns].astype(np.float64)
    middle = np.median(seen, 0)
    weight = _kept(seen - middle, 2.0)
    ridge = RIDGE * len(rows) * np.diag([0.0] + [1.0] * (here.shape[1] - 1))
    for _ in range(ROUNDS):
        weighted = here * weight[:, None]
        fit = np.linalg.solve(weighted.T @ here + ridge + 1e-9 * np.eye(here.shape[1]), weighted.T @ seen)
        weight = _kept(seen - here @ fit, 1.0)
    smooth = (basis.reshape(-1, basis.shape[-1]) @ fit.astype(np.float32)).reshape(values.shape)
    kept = (here @ fit)[weight > 0.2]
    smooth = _as_far_as_seen(smooth, kept if len(kept) else middle[None])
    off = seen - here @ fit
    spread = _spread(off, weight)
    off = cv2.GaussianBlur(values, (0, 0), 1.0) - smooth
    possible = candidates if beside is None else candidates | beside
    far = np.sqrt(((off / spread) ** 2).mean(-1))
    coloured = _is_shaded(off, spread)
    return SkinLight(smooth, candidates & (far < REJECTED), candidates & coloured, possible & coloured, coloured)


def _as_far_as_seen(smooth: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Light ``(S, S, 3)``, hardly darker or brighter than on the skin that is ``seen (N, 3)``, and of its tints: each
    channel by itself would end at another place, and a dark crown be blue."""
    level, seen_level = smooth.mean(-1, keepdims=True), seen.mean(-1, keepdims=True)
    low, high = np.percentile(seen_level, SEEN_SHADES)
    tint = np.clip(smooth - level, *np.percentile(seen - seen_level, SEEN_SHADES, axis=0))
    return (np.clip(level, low + np.log(DARKEST), high + np.log(BRIGHTEST)) + tint).astype(np.float32)


def _is_shaded(off: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Where skin's tint is kept and its brightness not too far off, ``(S, S) bool``."""
    level = off.mean(-1)
    tint = np.sqrt((((off - level[..., None]) / spread) ** 2).mean(-1))
    return (tint < REJECTED) & (level > -SHADE * spread.mean()) & (level < REJECTED * spread.mean())


def _kept(off: np.ndarray, width: float) -> np.ndarray:
    """Tukey's weights of residuals ``(N, 3)``, ``(N,)``."""
    spread = np.maximum(1.48 * np.median(np.abs(off), 0), LEAST_SPREAD) * width
    squared = ((off / spread) ** 2).mean(1) / REJECTED**2
    return np.clip(1 - squared, 0, 1) ** 2


def _spread(off: np.ndarray, weight: np.ndarray) -> np.ndarray:
    kept = off[weight > 0.2]
    return np.maximum(1.48 * np.median(np.abs(kept), 0), LEAST_SPREAD) if len(kept) else np.full(3, 0.2)


def _harmonics(normals: np.ndarray) -> np.ndarray:
    x, y, z = (normals[..., k] for k in range(3))
    return np.stack([np.ones_like(x), x, y, z + 0.8, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 2], -1)
