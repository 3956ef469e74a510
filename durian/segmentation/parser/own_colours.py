"""Corrects the shares of classes by the colours that each class has in this very picture.

A network that has seen a few hundred heads takes white fur, a dark jacket or grass for hair now and then. The picture
knows better: what the network is sure of shows which colours hair, skin, clothes and background have here. Bayes' rule
joins the two, as in GrabCut (Rother et al. 2004), with colour histograms.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.segmentation.parser.classes import BACKGROUND, BEARD, CLOTHES, EARRINGS, GLASSES, HAIR, HAT, LIPS, SKIN

GROUPS = ((BACKGROUND,), (SKIN, LIPS), (HAIR,), (BEARD,), (GLASSES,), (HAT,), (EARRINGS,), (CLOTHES,))
"""Classes that share their colours: lips are little, and as red as some skin."""
WEIGHT = 1.2
"""How much the logarithm of a colour's likelihood counts beside the network's."""
MOST_AGAINST = 6.0
"""Logarithm by which a colour may speak against a class, at most."""
BINS, SPREAD = 25, 0.8
"""Bins of each channel of CIE Lab, and the deviation of a colour, in bins; grey is the middle of one."""
SURE = 0.6
"""Share from which on a pixel shows a class's colour."""
FEWEST = 0.04
"""Area, in squares of the distance of the outer eye corners, below which a class's colours are not known."""
UNSEEN = 0.01
"""Probability of all colours that a class has not shown."""
HAIR_NEAR, HAIR_FADE, HAIR_FAR = 1.6, 0.125, 0.03
"""Distance from between the eyes at which hair is half believed in when its colours are collected, and over which that
fades, in distances of the outer eye corners; and how much hair farther off counts: mistakes lie there, on shoulders,
and dyed ends."""


def by_own_colours(
    picture: np.ndarray, inside: np.ndarray, shares: np.ndarray, eyes: np.ndarray, unit: float
) -> np.ndarray:
    """Shares of the classes where the colours in the picture have their say, ``(S, S, 9) float32`` that add up to 1.

    Classes of which too little is sure keep the shares that they have; the others divide the rest among them.

    Args:
        picture: ``(S, S, 3) uint8`` RGB, a window.
        inside: ``(S, S) bool``, where the window shows the picture and not its mirror image.
        shares: ``(S, S, 9) float32``, the network's.
        eyes: ``(2,)`` pixels of the window, the middle between the eyes.
        unit: distance of the outer eye corners, pixels of the window.
    """
    bins = colour_bins(picture)
    rows, columns = np.indices(bins.shape, dtype=np.float32)
    away = np.hypot(columns - np.float32(eyes[0]), rows - np.float32(eyes[1])) / np.float32(unit)
    near = HAIR_FAR + (1 - HAIR_FAR) / (1 + np.exp(np.clip((away - HAIR_NEAR) / HAIR_FADE, -30, 30)))
    likelihoods = {}
    for group in GROUPS:
        share = shares[..., group].sum(axis=-1)
        weight = np.where(inside & (share > SURE), share**2, 0) * (near if group == (HAIR,) else 1)
        if weight.sum() > FEWEST * unit**2:
            likelihoods[group] = colour_likelihoods(bins, weight)
    if len(likelihoods) < 2:
        return shares
    best = np.max(list(likelihoods.values()), axis=0)
    joined, known = np.zeros_like(shares), [number for group in likelihoods for number in group]
    for group, likelihood in likelihoods.items():
        against = np.maximum(WEIGHT * (likelihood - best), -MOST_AGAINST)
        joined[..., group] = shares[..., group] * np.exp(against).astype(np.float32)[bins][..., None]
    before, after = (part[..., known].sum(axis=-1, keepdims=True) for part in (shares, joined))
    result = shares.copy()
    result[..., known] = joined[..., known] * (before / np.maximum(after, 1e-12))
    return result


def colour_bins(picture: np.ndarray) -> np.ndarray:
    """The number of each pixel's colour, ``(S, S) int``."""
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 1.0), cv2.COLOR_RGB2LAB).astype(np.int32) * BINS // 256
    return (lab[..., 0] * BINS + lab[..., 1]) * BINS + lab[..., 2]


def colour_likelihoods(bins: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Logarithm of how likely each colour is among pixels that have a weight, ``(BINS³,) float32``."""
    from scipy.ndimage import gaussian_filter

    counts = np.bincount(bins.ravel(), weight.ravel(), BINS**3).reshape((BINS,) * 3)
    counts = gaussian_filter(counts.astype(np.float32), SPREAD, mode="nearest").ravel()
    return np.log(counts / counts.sum() + UNSEEN / BINS**3)
