"""The named start for a hat: the region on the head above the brows that is neither skin nor hair."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face.geometry import LEFT_BROW, RIGHT_BROW
from durian.segmentation.classic.colour import ColourModel, overlap
from durian.segmentation.classic.graphcut import SEED_ODDS, cut
from durian.segmentation.classic.hair import SKIN_LIMIT, confident, connected_to, interior, person_odds
from durian.segmentation.classic.head import HeadCrop, grow_region


def hat_seeds(head: HeadCrop) -> np.ndarray:
    """Over the middle of the forehead, where every hat is, ``(h, w) bool``."""
    u, v = head.coordinates
    top_u, top_v = head.place((10,))[0]
    # A turned or bowed head carries its crown along with the forehead, not straight above the eyes.
    return (np.abs(u - top_u) < 0.55) & (v < top_v - 0.2) & (v > top_v - 1.4) & (head.person > 0.85)


def side_samples(head: HeadCrop) -> np.ndarray:
    """Where hair shows under a hat: beside the face from the temples to the jaw, ``(h, w) bool``."""
    _u, v = head.coordinates
    band = grow_region(head.oval, 0.35 * head.working_unit) & ~grow_region(head.oval, 0.04 * head.working_unit)
    return band & (v > 0.1) & (v < 1.1) & (head.person > 0.8) & (head.skin_distance > SKIN_LIMIT)


def hat_region(head: HeadCrop) -> np.ndarray:
    """The hat as ``(h, w) bool`` in the head's window, taking for granted that there is one."""
    u, _v = head.coordinates
    seeds = hat_seeds(head)
    if seeds.sum() < 8:
        return np.zeros(u.shape, bool)
    odds = _spatial_odds(head)
    likely = seeds.astype(np.float32)
    for _ in range(2):
        colour = _colour_odds(head, likely)
        likely = confident(colour + odds) * head.person
        odds = _spatial_odds(head) + _under_brim(head, likely)
    total = colour + odds + CROWN_TRUST * person_odds(head)
    total[interior(head)] = -SEED_ODDS
    region = cut(total, head.lab)
    return connected_to(region, seeds & region, smallest=0.02)


CROWN_TRUST = 0.5
"""How much of the person matte's verdict counts: it cuts into tall hats."""


def _under_brim(head: HeadCrop, likely: np.ndarray) -> np.ndarray:
    """Log-odds added just below what surely is hat: the shaded underside of a brim has a colour of its own."""
    _u, v = head.coordinates
    reach = max(3, round(0.3 * head.working_unit))
    down = head.axes[1]
    shift = np.array([[1, 0, down[0] * reach / 2], [0, 1, down[1] * reach / 2]], np.float32)
    near = cv2.dilate((likely > 0.5).astype(np.uint8), np.ones((reach, reach), np.uint8))
    below = cv2.warpAffine(near, shift, near.shape[::-1]) > 0
    unlike_skin = np.clip((head.skin_distance - 2.0) / 2.0, 0, 1)
    return (1.2 * below * unlike_skin * (v < 0.1)).astype(np.float32)


def _spatial_odds(head: HeadCrop) -> np.ndarray:
    u, v = head.coordinates
    top_v = head.place((10,))[0, 1]
    odds = np.where(v < top_v, 2.5, 0.3).astype(np.float32)
    # From the brows down a hat is its brim, its flaps or nothing.
    odds = np.where(v > -0.35, -0.5 - np.clip((v + 0.35) * 1.8, 0, 4.5), odds).astype(np.float32)
    # Nothing but a brim stands out this far beside the eyes.
    odds[(np.abs(u) > 1.15) & (v > -0.35) & (v < 0.2)] = 0.5
    odds[head.oval & (v > -0.3)] = -5.0
    odds[head.oval & (v <= -0.3)] -= 0.8
    for polygon in (LEFT_BROW, RIGHT_BROW):
        odds[head.polygon(polygon, 0.04)] -= 2.0
    return odds


def _colour_odds(head: HeadCrop, likely: np.ndarray) -> np.ndarray:
    _u, v = head.coordinates
    hat = ColourModel(head.bins, likely * (head.person > 0.5)).log_density(head.bins)
    face = head.oval & (head.skin_distance < SKIN_LIMIT) & (v > -0.3)
    skin = ColourModel(head.bins, face.astype(np.float32)).log_density(head.bins)
    skin = np.maximum(skin, -5.0 - 0.12 * np.minimum(head.skin_distance, 20.0) ** 2)
    hair = ColourModel(head.bins, side_samples(head) * (1 - likely)).log_density(head.bins)
    # Hair is not drawn over the crown of a hat.
    hair = hair - np.clip((-0.6 - v) * 4, 0, 4)
    cloth = (v > 1.8) & (head.person > 0.8)
    cloth = ColourModel(head.bins, cloth.astype(np.float32)).log_density(head.bins) + np.clip((v - 1.6) * 4, -6, 0)
    background = ColourModel(head.bins, (1 - head.person) ** 4).log_density(head.bins)
    background = background + 2 * np.log(np.clip(1 - head.person, 0.01, 1))
    rival = np.maximum.reduce([skin, hair, cloth, background])
    return np.clip(hat - rival, -4, 4)


HAT_BIAS = -8.8
HAT_WEIGHTS = {"overlap": -4.15, "dyed": 1.13, "white": 1.27, "width": 2.4, "height": 1.22, "texture": 1.03}
"""Logistic weights of :func:`hat_score`, fitted on 112 real portraits and 200 synthetic scenes."""


def hat_score(head: HeadCrop, hat: np.ndarray) -> float:
    """Log-odds that what covers the crown is a hat.

    Args:
        head: the analysed face.
        hat: ``(h, w) bool`` of :func:`durian.segmentation.classic.hat.hat_region`.
    """
    u, v = head.coordinates
    crown, sides = hat_seeds(head), side_samples(head)
    if crown.sum() < 8 or not hat.any():
        return -np.inf
    lightness, a, b = np.median(head.lab[crown], axis=0) - (0, 128, 128)
    brim = hat & (v > -1.0) & (v < 0.1)
    features = {
        # With little hair beside the face nothing is known about its colour.
        "overlap": overlap(head.bins, crown, sides) if sides.sum() > 15 else 0.5,
        # No hair grows blue, green or redder than it is yellow.
        "dyed": (max(0.0, -b) + max(0.0, -a) + max(0.0, a - 0.7 * b - 8)) / 10,
        "white": max(0.0, lightness - 190) / 60,
        "width": float(np.ptp(u[brim])) if brim.any() else 0.0,
        "height": float(-v[hat].min()),
        "texture": float(np.median(head.texture[crown])) / 10,
    }
    return HAT_BIAS + sum(HAT_WEIGHTS[name] * value for name, value in features.items())
