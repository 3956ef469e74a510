"""Detail of a draft that the model left as it was: finer than latents hold, and at the draft's own size."""

from __future__ import annotations

import cv2
import numpy as np

SAME, OTHER = 10.0, 40.0
"""Levels, of 255, by which a decoded frame may differ from its decoded draft with all of the draft's detail kept, and
from which on none is. Between them it fades."""
SPREAD = 1.5
"""Standard deviation in pixels of the model's size over which that difference is judged, so that single pixels of
noise decide nothing."""


def keep_detail(made: np.ndarray, restored: np.ndarray, draft: np.ndarray) -> np.ndarray:
    """A decoded frame with what the autoencoder lost of its draft: ``made + w · (draft - restored)``.

    Where the model changed nothing that is the draft itself; where it made something else, the frame alone.

    Args:
        made: ``(S, S, 3) uint8``, the frame.
        restored: ``(S, S, 3) uint8``, the draft through the autoencoder and back.
        draft: ``(P, P, 3) uint8``, P at least S.

    Returns:
        ``(P, P, 3) uint8``.
    """
    side = len(draft)
    difference = made.astype(np.float32) - restored
    apart = cv2.GaussianBlur(np.abs(difference).max(2), (0, 0), SPREAD)
    kept = np.clip((OTHER - apart) / (OTHER - SAME), 0, 1)
    if side != len(made):
        difference, kept, made = (
            cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC) for one in (difference, kept, made)
        )
        kept = np.clip(kept, 0, 1)
    changed = draft + difference
    frame = made + kept[..., None] * (changed - made)
    return np.clip(np.round(frame), 0, 255).astype(np.uint8)


def at_size(frames: np.ndarray, size: int) -> np.ndarray:
    """``(F, P, P, 3) uint8`` at ``size`` pixels, averaged over areas; as they are where they have that size."""
    if frames.shape[1] == size:
        return frames
    return np.stack([cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA) for frame in frames])
