"""Beard zones: parts of the neutral head's lower face as signed distances, cm, positive inside."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.wear import smoothstep

LIP_HALF_WIDTH, LIP_MIDDLE, LIP_HALF_HEIGHT, LIP_FRONT = 2.75, -3.4, 1.12, 8.5
"""Of an ellipse around the lips; they lie in front of z = 8.5."""
UPPER_LIP = ((0.0, -2.44), (0.75, -2.38), (1.7, -2.72), (2.55, -3.4), (3.2, -4.2))
"""Upper edge of the red of the lips as (|x|, y)."""
NOSE_BASE, NOSE_SLOPE = -1.05, 0.26
"""Height of a moustache's upper edge in the middle, and how much it falls to the sides."""
CRISP = 2.5
"""A moustache is only a centimetre high: its edges count as so much further away."""
CHEEK_LINE = ((1.5, 3.6), (3.0, 3.2), (4.2, 1.2), (6.0, -0.9), (8.5, -2.3), (10.5, -3.1), (12.0, -3.4))
"""Upper edge of a beard as (z, y)."""
NECK_LINE = ((1.5, -6.2), (3.0, -6.9), (6.0, -8.1), (9.0, -8.9), (12.0, -9.0))
"""Its lower edge."""
BEHIND = 1.6
"""z behind which no beard grows."""
CHIN_FROM, CHIN_FRONT = -4.65, 6.5
SOUL_PATCH = (0.75, -5.5)
"""Half the width of the tuft below the lip, and the height it reaches down to."""
CHOPS_UNTIL = 3.6
"""|x| in front of which mutton chops end."""


def lips(points: np.ndarray) -> np.ndarray:
    """``(N,)`` about how far (cm) points are inside the lips' outline, seen from the front; negative outside."""
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    outline = 1 - np.hypot(x / LIP_HALF_WIDTH, (y - LIP_MIDDLE) / LIP_HALF_HEIGHT)
    return np.where(z > LIP_FRONT, outline * LIP_HALF_HEIGHT, -9.0)


def moustache_zone(points: np.ndarray, width: float = 3.0) -> np.ndarray:
    """Between nose and upper lip, ``width`` cm to each side."""
    x, y, z = _halves(points)
    above = np.minimum(y - np.interp(x, *np.transpose(UPPER_LIP)) - 0.08, -lips(points))
    below = NOSE_BASE - NOSE_SLOPE * x - y
    zone = np.minimum(CRISP * np.minimum(above, below), width - x)
    return np.where(z > LIP_FRONT, zone, -1.0)


def join_zone(points: np.ndarray, width: float = 3.4) -> np.ndarray:
    """Beside the mouth, from the moustache to the chin, up to ``width`` cm from the middle."""
    x, y, z = _halves(points)
    zone = np.minimum(np.minimum(width - x, -2.3 - y), y + 6.5)
    return np.where(z > 7.0, np.minimum(zone, -lips(points)), -1.0)


def chin_zone(points: np.ndarray, width: float = 2.8, neck: float = 0.0) -> np.ndarray:
    """The chin below the lip, ``width`` cm to each side; ``neck`` cm further down."""
    x, y, z = _halves(points)
    zone = np.minimum(np.minimum(width - x, CHIN_FROM - 0.1 * (width - x) - y), y - _neck_line(z, neck))
    return np.where(z > CHIN_FRONT, zone, -1.0)


def soul_patch_zone(points: np.ndarray) -> np.ndarray:
    """The tuft below the lower lip."""
    x, y, z = _halves(points)
    width, until = SOUL_PATCH
    zone = np.minimum(np.minimum(width - x, -4.5 - y), y - until + 0.3)
    return np.where(z > LIP_FRONT, zone, -1.0)


def cheek_zone(points: np.ndarray, cheeks: float = 0.0, neck: float = 0.0, lip: float = 1.2) -> np.ndarray:
    """Cheeks, jaw and chin without the lips; the upper line ``cheeks`` cm higher, the lower ``neck`` cm lower.

    Distances from the lips count as ``lip`` times as large.
    """
    _, y, z = _halves(points)
    upper = np.interp(z, *np.transpose(CHEEK_LINE)) + cheeks * smoothstep(z, 3.0, 6.0)
    zone = np.minimum(np.minimum(upper - y, y - _neck_line(z, neck)), 2.0 * (z - BEHIND))
    return np.minimum(zone, -lip * lips(points))


def chops_zone(points: np.ndarray, cheeks: float = 0.0, neck: float = 0.0) -> np.ndarray:
    """Sideburns that go on along the jaw and leave the chin free."""
    x, _, _ = _halves(points)
    return np.minimum(cheek_zone(points, cheeks, neck), x - CHOPS_UNTIL)


def _neck_line(z: np.ndarray, neck: float) -> np.ndarray:
    return np.interp(z, *np.transpose(NECK_LINE)) - neck


def _halves(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    return np.abs(x), y, z
