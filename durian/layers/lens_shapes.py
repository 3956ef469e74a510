"""Plain shapes of lenses: closed, without dents, from round to square, wing or drop.

A mask's edge takes brows, folds and hair along, or leaves a corner out. What a lens may look like is a superellipse
whose upper and lower halves are of their own squareness, narrower at one end, tilted and bent.
"""

from __future__ import annotations

import numpy as np

from durian.jit import kept_jit

BOUNDS = (
    (-0.15, -0.15, np.log(0.12), np.log(0.08), 1.7, 1.7, -0.3, -0.35, -0.4),
    (0.15, 0.15, np.log(0.5), np.log(0.42), 6.0, 6.0, 0.3, 0.35, 0.4),
)
"""Least and most of a shape's parameters: place across and down (units), logarithms of half the width and height,
exponents of the upper and the lower half, how much narrower it is at the top, tilt and bend."""
TOLERANCE = 0.015
"""Distance, units, from which on what lies beside a shape pulls at it no more than what lies a little off."""
HALVINGS = 24
"""Of the interval in which a radius is looked for."""
DIFFERENCE = 1e-4
"""Share of a parameter over which it is seen how radii change with it."""


def plain_radii(contours: list[np.ndarray], weights: list[np.ndarray], longest: float) -> np.ndarray:
    """The plain shape that most of some contours agree on.

    Args:
        contours: radii ``(N,)``, units, at angles evenly round from away from the nose, a quarter turn later down.
        weights: how far to believe each of these, ``(N,)`` each.
        longest: radius that a shape has at the most, units.

    Returns:
        Its radii, ``(N,)``.
    """
    from scipy.optimize import least_squares

    angles = np.arange(len(contours[0])) * (2 * np.pi / len(contours[0]))
    median = np.median(contours, 0)
    across, down = (np.ptp(median * part) / 2 for part in (np.cos(angles), np.sin(angles)))
    start = np.array([0, 0, np.log(across), np.log(down), 2.6, 2.6, 0, 0, 0])
    start = np.clip(start, np.array(BOUNDS[0]) + 1e-6, np.array(BOUNDS[1]) - 1e-6)

    def misfit(shape: np.ndarray) -> np.ndarray:
        own = _radii(shape, angles, longest)
        return np.concatenate([weight * (own - contour) for contour, weight in zip(contours, weights, strict=True)])

    # Halved radii have steps: differences over less than many of them would be noise, another one on each processor.
    found = least_squares(
        misfit, start, bounds=BOUNDS, loss="cauchy", f_scale=TOLERANCE, max_nfev=40, diff_step=DIFFERENCE
    )
    return _radii(found.x, angles, longest)


def _radii(shape: np.ndarray, angles: np.ndarray, longest: float) -> np.ndarray:
    """Where rays from the origin leave a shape, ``(N,)`` units."""
    return _halved(np.asarray(shape, np.float64), np.cos(angles), np.sin(angles), float(longest))


@kept_jit(nogil=True)
def _halved(shape, cos, sin, longest):
    """:func:`_radii` along rays ``cos (N,)``, ``sin (N,)``, each halved on its own."""
    across, down, _, _, upper, lower, taper, tilt, bend = shape
    half_width, half_height = np.exp(shape[2]), np.exp(shape[3])
    radii = np.empty(len(cos))
    for n in range(len(cos)):
        inside, outside = 0.0, longest
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            x, y = middle * cos[n] - across, middle * sin[n] - down
            v = (y - tilt * x - bend * x * x / half_width) / half_height
            u = x / (half_width * (1 + taper * min(max(v, -1.3), 1.3)))
            exponent = upper if v < 0 else lower
            if abs(u) ** exponent + abs(v) ** exponent < 1:
                inside = middle
            else:
                outside = middle
        radii[n] = inside
    return radii
