"""A reference seen from the other side: its mirror image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from durian.geometry.head import Head
from durian.motion.canonical import mirror
from durian.request import Attribute

MIRRORED_NAMES = frozenset({"hair", "beard"})
"""Kinds that look alike in a mirror; a cap's badge or a monocle would not. On rendered triplets mirroring gives hair
and beards 0.3 dB inside the item, and hats and glasses nothing."""
YAW_GAP, YAW_GAIN = 25.0, 10.0
"""Degrees: mirror when the heads' directions differ by more than the first, and the mirror image differs by at least
the second less."""


def facing_like(attribute: Attribute, portrait: np.ndarray) -> Attribute:
    """The attribute, mirrored if its head is turned the other way than the portrait's.

    ``portrait`` ``(478, 3)`` are the portrait's landmarks.
    """
    if attribute.name not in MIRRORED_NAMES or attribute.landmarks is None:
        return attribute
    wanted, given = yaw(portrait), yaw(attribute.landmarks)
    gap, mirrored_gap = abs(given - wanted), abs(-given - wanted)
    return mirrored(attribute) if gap > YAW_GAP and mirrored_gap < gap - YAW_GAIN else attribute


def mirrored(attribute: Attribute) -> Attribute:
    """The attribute's picture, mask and landmarks flipped left to right; landmarks keep their meaning."""
    landmarks = attribute.landmarks[mirror()].copy()
    landmarks[:, 0] = attribute.image.shape[1] - 1 - landmarks[:, 0]
    return replace(
        attribute,
        image=np.ascontiguousarray(attribute.image[:, ::-1]),
        mask=np.ascontiguousarray(attribute.mask[:, ::-1]),
        landmarks=landmarks,
    )


def yaw(landmarks: np.ndarray) -> float:
    """Turn of a head about its vertical axis in degrees, 0 facing the camera."""
    axes = Head(landmarks).axes
    return float(np.degrees(np.arctan2(axes[2, 0], axes[0, 0])))
