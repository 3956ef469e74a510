"""Tools for painting backdrops: a scene of surfaces and lights, noise, and the blur of a lens out of focus.

Places are shares of the picture's side, x to the right and y downwards, so that a scene is the same at any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from durian.synthetic.base.wear import near_colour

Colour = np.ndarray
"""``(3,)`` linear RGB."""

SUBPIXELS = 4
"""Bits after the point of a polygon's corners."""
SUPPORT = 1.5
"""Pixels over which the edge of a lens's disc fades."""
INTERPOLATED = 0.86
"""Standard deviation that cubic interpolation leaves of values with one of 1."""


@dataclass(frozen=True)
class Backdrop:
    """A backdrop's surfaces and lights, S x S pixels.

    ``reflectance (S, S, 3) float32``: of light that falls on it; ``glow (S, S, 3) float32``: what it sends out itself
    (the sky, lamps, windows), in units of the light that falls on a wall.
    """

    reflectance: np.ndarray
    glow: np.ndarray

    @classmethod
    def blank(cls, side: int) -> Backdrop:
        """Nothing at all: black."""
        return cls(np.zeros((side, side, 3), np.float32), np.zeros((side, side, 3), np.float32))

    @property
    def side(self) -> int:
        """Pixels along a side."""
        return len(self.reflectance)

    def polygon(self, corners: Sequence[Sequence[float]], colour: Colour, glow: Colour | float = 0.0) -> None:
        """Paint over a convex polygon of K corners ``(x, y)``."""
        import cv2

        columns, rows = zip(*corners)
        if max(columns) < 0 or min(columns) > 1 or max(rows) < 0 or min(rows) > 1:
            return
        scale, furthest = self.side << SUBPIXELS, 8000 << SUBPIXELS
        half = 1 << SUBPIXELS - 1
        points = [[min(max(round(part * scale) - half, -furthest), furthest) for part in corner] for corner in corners]
        points = np.array(points, np.int32)
        cv2.fillConvexPoly(self.reflectance, points, [float(part) for part in colour], shift=SUBPIXELS)
        shines = [float(part) for part in ((glow,) * 3 if np.ndim(glow) == 0 else glow)]
        cv2.fillConvexPoly(self.glow, points, shines, shift=SUBPIXELS)

    def disc(self, middle: np.ndarray, radii: np.ndarray, colour: Colour, glow: Colour | float = 0.0) -> None:
        """Paint over an upright ellipse."""
        angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        self.polygon(middle + radii * np.stack([np.cos(angle), np.sin(angle)], axis=1), colour, glow)

    def sparks(self, places: np.ndarray, colours: np.ndarray, radius: float) -> None:
        """Add points of light, ``(K, 2)``; each will be as bright as its colour ``(K, 3)`` where a lens has blurred
        it to a disc of this radius."""
        side, area = self.side, np.pi * max((radius * self.side) ** 2, 0.5)
        column, row = np.clip((places * side).astype(int), 0, side - 1).T
        np.add.at(self.glow, (row, column), (colours * area).astype(np.float32))


def tone(rng: np.random.Generator, colours: tuple, spread: float = 0.15) -> Colour:
    """One of some colours, a little changed."""
    return np.array(near_colour(colours[rng.integers(len(colours))], rng, spread), np.float32)


def grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """x ``(1, side)`` and y ``(side, 1)`` of the middles of pixels, float32."""
    middles = ((np.arange(side) + 0.5) / side).astype(np.float32)
    return middles[None], middles[:, None]


def fractal(
    rng: np.random.Generator,
    side: int,
    frequency: float,
    octaves: int = 4,
    stretch: float = 1.0,
    persistence: float = 0.55,
) -> np.ndarray:
    """Noise ``(side, side) float32`` of about unit strength; details that are finer than a pixel are their mean.

    Args:
        rng: where it comes from; as much is drawn for any side.
        side: pixels.
        frequency: cells along the picture's height, of the coarsest octave; each next has twice as many.
        octaves: how many.
        stretch: by which cells are longer in x than in y.
        persistence: strength of an octave relative to the one before.
    """
    import cv2

    total, power = np.zeros((side, side), np.float32), 0.0
    for octave in range(octaves):
        cells = frequency * 2**octave
        shape = (max(2, round(cells)), max(2, round(cells / stretch)))
        values = rng.uniform(-np.sqrt(3), np.sqrt(3), shape).astype(np.float32)
        fine = max(shape) > side
        strength = persistence**octave
        total += strength * cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA if fine else cv2.INTER_CUBIC)
        power += strength**2
    return total / np.float32(INTERPOLATED * np.sqrt(power))


def mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """``(H, W, 3) float32`` from one colour or picture to another, ``share (H, W)`` of the second."""
    return (first + np.asarray(share, np.float32)[..., None] * (np.asarray(second) - first)).astype(np.float32)


def disc_kernel(radius: float) -> np.ndarray:
    """A lens's picture of a point out of focus: a disc of ``radius`` pixels with sum 1, ``(K, K) float32``."""
    reach = int(np.ceil(radius + SUPPORT / 2))
    offsets = np.arange(-reach, reach + 1)
    distance = np.hypot(offsets[:, None], offsets[None])
    kernel = np.clip((radius - distance) / SUPPORT + 0.5, 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def defocused(light: np.ndarray, radius: float) -> np.ndarray:
    """Linear light ``(S, S, 3) float32`` as a lens shows it that is focused elsewhere; ``radius`` in pixels."""
    import cv2

    if radius <= 1 - SUPPORT / 2:  # the kernel is a single pixel
        return light
    return cv2.filter2D(light, -1, disc_kernel(radius), borderType=cv2.BORDER_REFLECT)
