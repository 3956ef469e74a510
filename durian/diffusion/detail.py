"""Transfer of a draft's fine detail to the model's result, where the model changed only the draft's tone.

The detail is finer than latents hold, and at the draft's own size. One step of a small model gives the mean of what is
possible, so that edges it is not sure of are soft. Where it moved nothing, the draft's edges are right and only their
light is not.
"""

from __future__ import annotations

import cv2
import numpy as np

SAME, OTHER = 10.0, 40.0
"""Levels, of 255, by which a decoded frame may differ from its decoded draft with all of the draft's detail kept, and
from which on none is. Between them it fades."""
JUDGED_OVER, TONE_OVER = 2.0, 12.0
"""Standard deviations, in pixels of a 256 px frame, of the blurs of that difference: over which it is judged, so that
a soft edge in place of a sharp one counts little, and of the tone that the draft is given. With less of either,
durian-mini's fog around heads shows on photos. On clips held out of its training, detail costs 0.4 dB of the 0.8 that
its frames are better than their drafts."""


def keep_detail(made: np.ndarray, restored: np.ndarray, draft: np.ndarray) -> np.ndarray:
    """A decoded frame, or its draft in the frame's tone: ``made + w · (draft + blurred(made - restored) - made)``.

    Where the model changed nothing that is the draft itself; where it made something else, the frame alone.

    Args:
        made: ``(S, S, 3) uint8``, the frame.
        restored: ``(S, S, 3) uint8``, the draft through the autoencoder and back.
        draft: ``(P, P, 3) uint8``, P at least S.

    Returns:
        ``(P, P, 3) uint8``.
    """
    side, unit = len(draft), len(made) / 256
    difference = made.astype(np.float32) - restored
    apart = np.abs(_blurred(difference, JUDGED_OVER * unit)).max(2)
    kept = np.clip((OTHER - apart) / (OTHER - SAME), 0, 1)
    tone = _blurred(difference, TONE_OVER * unit)
    if side != len(made):
        tone, kept, made = (cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC) for one in (tone, kept, made))
        kept = np.clip(kept, 0, 1)
    frame = made + kept[..., None] * (draft + tone - made)
    return np.clip(np.round(frame), 0, 255).astype(np.uint8)


def at_size(frames: np.ndarray, size: int) -> np.ndarray:
    """``(F, P, P, 3) uint8`` at ``size`` pixels, averaged over areas; as they are where they have that size."""
    if frames.shape[1] == size:
        return frames
    return np.stack([cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA) for frame in frames])


def _blurred(difference: np.ndarray, deviation: float) -> np.ndarray:
    return cv2.GaussianBlur(difference, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)
