"""Shadows that lids and lips cast on eyes and mouth, too small for shadow maps and different in every frame."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.wear import smoothstep

RIGHT_UPPER, RIGHT_LOWER = (36, 37, 38, 39), (36, 41, 40, 39)
LEFT_UPPER, LEFT_LOWER = (42, 43, 44, 45), (42, 47, 46, 45)
"""Landmarks along the edges of the lids."""
UPPER_SHADOW, LOWER_SHADOW, CORNER_SHADOW = 0.6, 0.3, 0.5
"""Depth of the shadows of the upper lid with its lashes, of the lower lid, and in the corners."""
SHADOW_UNDER_LID, SHADOW_OVER_LID, SHADOW_IN_CORNER = 0.5, 0.25, 0.5
"""How far they reach, cm."""
EDGE = 0.1
"""The lids' edges are thick: the eyeball begins so far (cm) behind the landmarks."""
REDNESS = (0.93, 1.0, 1.0)
"""Shadows there are lit by skin: exponents per colour."""

UPPER_LIP, LOWER_LIP = (61, 62, 63), (67, 66, 65)
"""Landmarks along the inner edges of the lips."""
TEETH_BEHIND_LIPS = 0.4
"""cm from the lips' inner edge to the front teeth."""
NARROWS = 1.1
"""How quickly light gets lost behind an opening: at a depth of 1 / 1.1 of its height half is left."""
NEVER_DARKER = 0.06
INNER_REDNESS = (0.72, 1.0, 1.0, 1.0)
"""What light there is deep in a mouth has been reflected by gums and tongue: exponents of its red, green and blue, and
of the rim light, which has not."""


def shade_eyes(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """How much light reaches places on the eyeballs.

    Args:
        points: ``(N, 3)`` on either eyeball, head upright, with expression.
        landmarks: ``(68, 3)`` likewise.

    Returns:
        ``(N, 3) float32`` factors of red, green and blue.
    """
    x, y = points[:, 0], points[:, 1]
    lit = np.ones(len(points))
    for side, upper, lower in ((x < 0, RIGHT_UPPER, RIGHT_LOWER), (x >= 0, LEFT_UPPER, LEFT_LOWER)):
        above = np.interp(x[side], *landmarks[list(upper), :2].T) - y[side]
        below = y[side] - np.interp(x[side], *landmarks[list(lower), :2].T)
        corners = landmarks[list(upper), 0]
        aside = np.minimum(x[side] - corners.min(), corners.max() - x[side])
        lit[side] = (
            (1 - UPPER_SHADOW + UPPER_SHADOW * smoothstep(above, -EDGE, SHADOW_UNDER_LID))
            * (1 - LOWER_SHADOW + LOWER_SHADOW * smoothstep(below, -EDGE, SHADOW_OVER_LID))
            * (1 - CORNER_SHADOW + CORNER_SHADOW * smoothstep(aside, -EDGE, SHADOW_IN_CORNER))
        )
    return (lit[:, None] ** np.array(REDNESS)).astype(np.float32)


def shade_mouth(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """How much light reaches places inside the mouth: factors ``(N, 4) float32`` of red, green, blue and the rim light
    for ``points (N, 3)``, head upright, with expression."""
    upper, lower = landmarks[list(UPPER_LIP)], landmarks[list(LOWER_LIP)]
    opening = max(0.0, float((upper - lower)[:, 1].mean()))
    lips = float(np.concatenate([upper, lower])[:, 2].max())
    depth = np.maximum(0, lips - TEETH_BEHIND_LIPS - points[:, 2])
    lit = opening**2 / (opening**2 + (NARROWS * depth) ** 2 + 0.02)
    return (np.maximum(lit, NEVER_DARKER)[:, None] ** np.array(INNER_REDNESS)).astype(np.float32)
