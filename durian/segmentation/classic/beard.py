"""The named start for a beard: the lower face where it is not the cheeks' skin, and what hangs on from there."""

from __future__ import annotations

import numpy as np

from durian.face.geometry import INNER_LIPS, OUTER_LIPS
from durian.segmentation.classic.colour import ColourModel
from durian.segmentation.classic.graphcut import SEED_ODDS, cut
from durian.segmentation.classic.hair import confident, connected_to
from durian.segmentation.classic.head import HeadCrop, grow_region

BEARD_ROOM = (1.5, 0.7, 3.2)
BEARD_SIDE = 256

MOUSTACHE = (2, 98, 60, 165, 216, 92, 39, 37, 0, 267, 269, 322, 436, 391, 290, 327)
LOWER_LIP = (14, 87, 178, 88, 95, 146, 91, 181, 84, 17, 314, 405, 321, 375, 324, 318, 402, 317)
CHIN = (18, 83, 182, 194, 211, 170, 176, 148, 152, 377, 400, 395, 431, 418, 406, 313)
JAW_LEFT = (172, 136, 150, 149, 170, 211, 212, 214, 192, 58)
JAW_RIGHT = (397, 365, 379, 378, 395, 431, 432, 434, 416, 288)

SEED_ROUGHNESS = 3.5
"""Roughness (see :func:`hairiness`) above which a spot on chin or upper lip is hair for sure."""

LEAST_SHARE = 0.12
"""Least share of such spots on chin or upper lip for either to be hairy (tuned on scenes below 400)."""


def beard_head(image: np.ndarray, landmarks: np.ndarray) -> HeadCrop:
    """The face in the window beards are cut in."""
    return HeadCrop(image, landmarks, BEARD_ROOM, BEARD_SIDE)


def hairiness(head: HeadCrop) -> np.ndarray:
    """How unlike the cheeks' skin a pixel is, from colour and fine texture, ``(h, w) float32``, skin below 2."""
    smooth_skin = np.median(head.texture[head.cheeks]) if head.cheeks.any() else 2.0
    return np.minimum(head.shaded_skin_distance, 12) + np.clip((head.texture - 1.5 * smooth_skin) / 2.0, 0, 3)


def front_evidence(head: HeadCrop) -> tuple[float, float]:
    """Share of the upper lip and of the chin that is unlike skin, each in [0, 1]; shadows seldom fall there."""
    rough = hairiness(head)
    lips = head.polygon(OUTER_LIPS, 0.02) | under_nose(head)
    shares = []
    for polygon in (MOUSTACHE, CHIN):
        zone = head.polygon(polygon) & ~lips
        shares.append(float((rough[zone] > SEED_ROUGHNESS).mean()) if zone.sum() > 5 else 0.0)
    return shares[0], shares[1]


def under_nose(head: HeadCrop) -> np.ndarray:
    """The nose and its shadow, dark on everybody."""
    _u, v = head.coordinates
    return v < head.place((2,))[0, 1] + 0.05


def beard_region(head: HeadCrop) -> np.ndarray:
    """Beard and moustache as ``(h, w) bool`` in the head's window; empty on a shaven face."""
    rough = hairiness(head)
    moustache, chin = front_evidence(head)
    lips = head.polygon(OUTER_LIPS)
    zone = np.zeros(lips.shape, bool)
    if moustache > LEAST_SHARE:
        zone |= head.polygon(MOUSTACHE)
    if chin > LEAST_SHARE:
        zone |= head.polygon(CHIN)
    seeds = zone & ~lips & ~under_nose(head) & (rough > SEED_ROUGHNESS)
    if seeds.sum() < 6:
        return np.zeros(lips.shape, bool)
    odds = _spatial_odds(head, chin > LEAST_SHARE)
    likely = seeds.astype(np.float32)
    for _ in range(2):
        colour = _colour_odds(head, likely)
        likely = confident(colour + odds) * head.person
    total = colour + odds + np.clip(rough - 3.0, -2, 0.5)
    total[head.polygon(INNER_LIPS)] = -SEED_ODDS
    total[head.person < 0.2] = -SEED_ODDS
    region = cut(total, head.lab, smoothness=0.7)
    return connected_to(region, seeds & region, smallest=0.04)


def _spatial_odds(head: HeadCrop, chin_is_hairy: bool) -> np.ndarray:
    u, v = head.coordinates
    nose = head.place((2,))[0, 1]
    mouth = head.place((13,))[0, 1]
    chin = head.place((152,))[0, 1]
    odds = np.full(u.shape, -SEED_ODDS, np.float32)
    lower = head.oval & (v > nose)
    odds[lower] = -1.5
    if chin_is_hairy:
        # The upper cheek is skin; the line falls from the ear to the mouth's corner.
        corner = np.abs(head.place((61, 291))[:, 0]).mean()
        cheek_line = mouth - 0.55 * np.clip((np.abs(u) - corner) / max(0.85 - corner, 0.1), 0, 1)
        odds[lower & (v > cheek_line)] = -0.3
        near_outline = grow_region(head.oval, 0.14 * head.working_unit)
        sideburn = near_outline & (np.abs(u) > 0.6) & (v > -0.05) & (v <= mouth)
        odds[sideburn] = np.maximum(odds[sideburn], -1.2)
        below = ~head.oval & (v > mouth) & (np.abs(u) < 1.0) & (v < chin + 1.5)
        odds[below] = -0.7 - np.clip((v[below] - chin) * 2.0, 0, 4) - np.clip((np.abs(u[below]) - 0.65) * 6, 0, 4)
        for polygon in (CHIN, JAW_LEFT, JAW_RIGHT):
            odds[head.polygon(polygon)] = 0.3
    else:
        odds[lower & (v > mouth + 0.1)] = -3.0
    odds[head.polygon(MOUSTACHE)] = 0.5
    # A moustache hangs over the upper lip, and the landmarks then take its edge for the lip's.
    lips = head.polygon(OUTER_LIPS)
    odds[lips] = np.where(v[lips] < mouth, -0.8, -2.5)
    return odds


def _colour_odds(head: HeadCrop, likely: np.ndarray) -> np.ndarray:
    _u, v = head.coordinates
    beard = ColourModel(head.bins, likely).log_density(head.bins)
    skin = ColourModel(head.bins, head.cheeks.astype(np.float32)).log_density(head.bins)
    nearest = np.minimum(head.skin_distance, head.shaded_skin_distance)
    skin = np.maximum(skin, -5.0 - 0.25 * np.minimum(nearest, 20.0) ** 2)
    cloth_weight = (v > 1.9) & (head.person > 0.8) & (likely < 0.5) & (head.skin_distance > 3)
    cloth = ColourModel(head.bins, cloth_weight.astype(np.float32)).log_density(head.bins)
    cloth = cloth + np.clip((v - 1.8) * 4, -6, 0)
    red = ColourModel(head.bins, head.polygon(LOWER_LIP).astype(np.float32)).log_density(head.bins)
    red = np.where(head.polygon(OUTER_LIPS, 0.03), red, -20.0)
    background = ColourModel(head.bins, (1 - head.person) ** 4).log_density(head.bins)
    background = background + 2 * np.log(np.clip(1 - head.person, 0.01, 1))
    return np.clip(beard - 0.5 - np.maximum.reduce([skin, cloth, background, red]), -4, 4)
