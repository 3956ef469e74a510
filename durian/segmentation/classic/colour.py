"""Colour models: smoothed Lab histograms, and skin as seen on one face."""

from __future__ import annotations

import cv2
import numpy as np

BINS = (32, 24, 24)
"""Lightness in steps of 8; a and b in steps of 4, from 80 to 176, where photographs live."""

CHROMA_START, CHROMA_STEP = 80, 4
SMOOTHING = 1.0
"""Blur of the histogram in bins: colours near the samples count too."""

FLOOR = 2e-5
"""Density of a colour never seen (1 / number of bins): what is unknown is nobody's."""


def to_lab(image: np.ndarray) -> np.ndarray:
    """OpenCV's 8-bit Lab, slightly smoothed so that grain does not look like colour."""
    return cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 0.8), cv2.COLOR_RGB2LAB)


def bin_index(lab: np.ndarray) -> np.ndarray:
    """The flat histogram bin of each pixel, ``(h, w) int32``."""
    lightness = lab[..., 0].astype(np.int32) >> 3
    chroma = np.clip((lab[..., 1:].astype(np.int32) - CHROMA_START) // CHROMA_STEP, 0, BINS[1] - 1)
    return (lightness * BINS[1] + chroma[..., 0]) * BINS[2] + chroma[..., 1]


class ColourModel:
    """How likely a colour is, from weighted sample pixels."""

    def __init__(self, bins: np.ndarray, weights: np.ndarray):
        """Fit.

        Args:
            bins: any shape, :func:`bin_index` of the samples.
            weights: same shape, at least 0.
        """
        from scipy.ndimage import gaussian_filter

        counts = np.bincount(bins.ravel(), weights.ravel(), minlength=int(np.prod(BINS)))
        self.mass = float(counts.sum())
        density = gaussian_filter(counts.reshape(BINS), SMOOTHING, mode="constant").ravel()
        self._log_density = np.log(density / max(density.sum(), 1e-9) + FLOOR).astype(np.float32)

    def log_density(self, bins: np.ndarray) -> np.ndarray:
        """Natural logarithm of the density at each pixel, ``float32``."""
        return self._log_density[bins]


def overlap(bins: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Bhattacharyya coefficient of the colours of two regions, in [0, 1].

    Args:
        bins: ``(h, w)``, :func:`bin_index` of the picture.
        first: ``(h, w) bool``; ``second`` likewise.
    """
    from scipy.ndimage import gaussian_filter

    densities = []
    for region in (first, second):
        counts = np.bincount(bins[region], minlength=int(np.prod(BINS))).reshape(BINS).astype(np.float32)
        smooth = gaussian_filter(counts, 1.5 * SMOOTHING)
        densities.append(smooth / max(float(smooth.sum()), 1e-9))
    return float(np.sqrt(densities[0] * densities[1]).sum())


class SkinModel:
    """One face's skin: a few Gaussians in Lab, so that the lit and the shaded side both count."""

    COMPONENTS = 3
    CHROMA_SPREAD = (3.5, 4.0)
    """Smallest standard deviations of a and b (8-bit Lab; grain, make-up and JPEG on 20 portraits)."""

    SHADOWS = (0.75, 0.55)
    """Light left in a soft and in a deep shadow; chroma falls with it."""

    def __init__(self, samples: np.ndarray):
        """Fit to ``(n, 3)`` Lab samples."""
        samples = samples.astype(np.float32)
        if len(samples) > 3000:
            samples = samples[:: len(samples) // 3000]
        # Highlights and stray hair are the outliers of a face: the middle of each channel is skin.
        centre = np.median(samples, axis=0)
        # Light falls on dark skin in smaller steps.
        self.spread = np.array([2.5 + 0.05 * centre[0], *self.CHROMA_SPREAD])
        deviation = np.maximum(1.4826 * np.median(np.abs(samples - centre), axis=0), self.spread)
        samples = samples[(np.abs(samples - centre) < 2.5 * deviation).all(axis=1)]
        criteria = (cv2.TERM_CRITERIA_MAX_ITER, 8, 0)
        cv2.setRNGSeed(0)
        count = min(self.COMPONENTS, len(samples))
        _, labels, self.means = cv2.kmeans(samples, count, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
        self.deviations = np.stack([
            np.maximum(samples[labels[:, 0] == k].std(axis=0), self.spread) for k in range(count)
        ])  # fmt: skip
        self.centre = centre

    def distance(self, lab: np.ndarray, shadows: bool = False) -> np.ndarray:
        """Standard deviations to the nearest component (or its shadow), ``(h, w) float32``."""
        lab = lab.astype(np.float32)
        neutral = np.array([0.0, 128.0, 128.0])
        best = np.full(lab.shape[:-1], np.inf)
        for light in (1.0, *(self.SHADOWS if shadows else ())):
            for mean, deviation in zip(self.means, self.deviations, strict=True):
                d = (((lab - neutral - (mean - neutral) * light) / deviation) ** 2).sum(axis=-1)
                best = np.minimum(best, d)
        return np.sqrt(best).astype(np.float32)
