"""One training sample: the inputs of the networks and their targets."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Sample:
    """The paper's tuple ``(I_attr, M_attr, I_port, M_port, K)`` and its target frames.

    S is the side of all pictures in pixels, F the number of target frames. Pictures are whole: masking is the
    trainer's, as it is the pipeline's.

    Pictures of keypoints that nobody asked for have no pixels: ``(0, 0, 3)``.

    Attributes:
        attribute: ``(S, S, 3) uint8`` picture of somebody with the item.
        attribute_mask: ``(S, S) uint8``, 255 where the item is.
        attribute_keypoints: ``(S, S, 3) uint8`` keypoint picture of that face.
        portrait: ``(S, S, 3) uint8`` picture of the person to animate.
        hole: ``(S, S) uint8``, 255 where the portrait must not be seen: ``M_port``, expanded.
        portrait_keypoints: ``(S, S, 3) uint8``.
        targets: ``(F, S, S, 3) uint8`` frames to be made.
        keypoints: ``(F, S, S, 3) uint8`` of the targets.
        inside: ``(F, S, S) uint8``, how much of each target's pixel the item covers; for measuring.
        category: ``hair``, ``glasses``, ``hat`` or ``beard``.
        has_truth: the item came from another person (triplet), not from the same clip.
        clip: name of the clip it was drawn from.
        drafts: ``(F, S, S, 3) uint8`` rough versions of the targets, for a model that begins with them.
    """

    attribute: np.ndarray
    attribute_mask: np.ndarray
    attribute_keypoints: np.ndarray
    portrait: np.ndarray
    hole: np.ndarray
    portrait_keypoints: np.ndarray
    targets: np.ndarray
    keypoints: np.ndarray
    inside: np.ndarray
    category: str
    has_truth: bool
    clip: str
    drafts: np.ndarray | None = None


KEYPOINTS = ("attribute_keypoints", "portrait_keypoints", "keypoints")
"""Fields that are drawings of faces, which take a third of the time that a sample takes."""
PICTURES = tuple(field.name for field in fields(Sample) if field.name not in ("category", "has_truth", "clip"))
"""Fields that become tensors, if they are there; a batch has them stacked, ``(B, ...) uint8``, and lists of the others.
"""
