"""Tone mapping: from linear light to the encoded values of a picture."""

from __future__ import annotations

import numpy as np

EXPOSURE = 1.05
SHOULDER, WHITE = 0.28, 0.06
"""Bright light is pressed together: x (1 + 0.06 x) / (1 + 0.28 x), which is 0.83 at 1 and reaches 1 at 1.4."""
CONTRAST = 0.22
"""Share of an S-curve in the encoded picture, as cameras have it."""


def develop(light: np.ndarray) -> np.ndarray:
    """Encoded values ``float32`` in [0, 1] of linear light, any shape; monotonous."""
    light = np.maximum(light, 0) * np.float32(EXPOSURE)
    encoded = np.minimum(light * (1 + WHITE * light) / (1 + SHOULDER * light), 1) ** np.float32(1 / 2.2)
    return encoded + np.float32(CONTRAST) * (encoded * encoded * (3 - 2 * encoded) - encoded)
