"""Tests, without a network, of whether a face wears an item; a hole cut in error harms more than one cut by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from durian.face.geometry import OUTER_LIPS
from durian.segmentation.classic.beard import CHIN, MOUSTACHE, hairiness, under_nose

if TYPE_CHECKING:
    from durian.segmentation.classic.named_masks import ClassicMasks

NAMED_LEEWAY = 2.0
"""Log-odds by which an item that somebody names may miss its threshold."""

GLASSES_WEIGHTS = (3.6, 5.75)
GLASSES_THRESHOLD = 6.4
"""Logistic fit of lower rims and bridge on 112 real portraits and 400 synthetic scenes; above the threshold lie 18 of
the 20 real pairs of glasses and no bare face."""


def signs_of_glasses(starts: ClassicMasks) -> float:
    """Log-odds above the threshold that a rim runs under both eyes and a bridge over the nose."""
    lower, bridge = GLASSES_WEIGHTS
    return lower * starts.lenses.lower + bridge * starts.lenses.bridge - GLASSES_THRESHOLD


HAT_THRESHOLD = 0.75
"""Logistic fit on 112 real portraits and 200 synthetic scenes; above the threshold lie half of the real hats and one
bare head in a hundred (dyed violet)."""


def signs_of_a_hat(starts: ClassicMasks) -> float:
    """Log-odds above the threshold that the crown has another colour than the hair beside the face, no hair's colour,
    or a brim."""
    return starts.hat_score - HAT_THRESHOLD


BEARD_BIAS = -0.1
BEARD_WEIGHTS = (1.73, -4.7, 1.0, 0.9, -1.35)
BEARD_THRESHOLD = 1.6
"""Logistic fit on the same pictures; above the threshold lie ten of thirteen real beards and one laughing face in the
shade."""


def signs_of_a_beard(starts: ClassicMasks) -> float:
    """Log-odds above the threshold that chin and upper lip are darker and rougher than the cheeks."""
    jaw = starts.jaw
    lips = jaw.polygon(OUTER_LIPS, 0.02) | under_nose(jaw)
    rough = hairiness(jaw)
    skin = max(1.0, float(jaw.skin_model.centre[0]))
    measured = []
    for polygon in (MOUSTACHE, CHIN):
        zone = jaw.polygon(polygon) & ~lips
        if zone.sum() < 5:
            return -np.inf
        measured.append((
            min(float(np.median(rough[zone])), 10.0) / 5,
            float(np.median(jaw.lab[..., 0][zone])) / skin,
            float(np.median(jaw.texture[zone])) / 5,
        ))  # fmt: skip
    (rough_lip, dark_lip, _), (rough_chin, dark_chin, texture_chin) = measured
    features = (rough_lip, dark_lip, rough_chin, texture_chin, dark_chin)
    return BEARD_BIAS + float(np.dot(BEARD_WEIGHTS, features)) - BEARD_THRESHOLD
