"""Fits a collar to what is seen of one, where hair or a beard hid the rest of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import cv2
import numpy as np

from durian.layers.body import NECK_LENGTH
from durian.layers.shoulders import BodyFrame

COLLAR_HALF, FLATTEST = 0.45, 0.04
"""Distance from a neck's middle at which a collar meets the shoulder, and how much higher than in the middle it is
there at least if nobody sees it, in face widths. Taste."""
WIDEST = 0.5
"""Distance from a neck's middle beyond which nothing is taken for skin that nobody sees, in face widths."""
LOWEST = np.arange(0.02, 1.3, 0.04)
"""How far below the chin a collar may reach, in face widths: from a polo neck to a low neckline."""
ROUND = 2.0
POWERS = (1.0, 1.5, ROUND, 3.0, 5.0)
"""Of the distance from the middle with which a collar rises: pointed, round, and nearly square."""
ASIDE = (-0.2, -0.1, 0.0, 0.1, 0.2)
"""How far beside the neck's middle a collar's lowest point may lie, in face widths: bodies turn."""
LEVEL_PRICE, ASIDE_PRICE, SHAPE_PRICE = 0.02, 0.05, 0.003
"""What the squares of a collar lower or higher than usual and of one aside, in face widths, and of one that is not
round, in doublings of its power, cost beside the area that it tells wrong, in squared face widths."""
MOST_PLACES = 4000
"""Places that are looked at, at most."""


@dataclass(frozen=True)
class Collar:
    """A collar's ``lowest`` point below the chin and how far ``aside`` of the neck's middle it is, in face widths, and
    the ``power`` of the distance from there with which it rises to the ``shoulders``, left and right, as high as those
    are below the chin."""

    shoulders: tuple[float, float]
    lowest: float = NECK_LENGTH
    aside: float = 0.0
    power: float = ROUND

    def below(self, aside: np.ndarray) -> np.ndarray:
        """How far below the chin it is at places ``aside`` of the neck's middle, in face widths, ``float32``."""
        left, right = (np.float32(height) for height in self.shoulders)
        from_lowest = aside - np.float32(self.aside)
        half = np.where(from_lowest < 0, COLLAR_HALF + self.aside, COLLAR_HALF - self.aside).astype(np.float32)
        rise = (np.abs(from_lowest) / half) ** np.float32(self.power)
        return self.lowest + (np.where(from_lowest < 0, left, right) - self.lowest) * rise


def neck_above_collar(
    body: np.ndarray, frame: BodyFrame, source: np.ndarray | None = None, bare: np.ndarray | None = None
) -> np.ndarray:
    """Where a body is skin: down to a collar that meets the shoulders as high as they are.

    Args:
        body: ``(S, S)``, where neck and clothes are, or are to be.
        frame: the body's.
        source: ``(S, S) bool``, where neck or clothes are seen; the collar is as most are if left out.
        bare: ``(S, S) bool``, what of that is skin.

    Returns:
        ``(S, S) float32`` in {0, 1}.
    """
    aside, along = frame.places(body.shape)
    collar = Collar((_shoulder(body, frame, -1), _shoulder(body, frame, 1)))
    near = np.abs(aside) < WIDEST
    if source is not None and bare is not None:
        seen = source & near & (along < LOWEST[-1])
        collar = _fitted(collar, aside[seen], along[seen], bare[seen], frame.width)
    return ((along < collar.below(aside)) & near).astype(np.float32)


def _shoulder(body: np.ndarray, frame: BodyFrame, sign: int) -> float:
    """How far below the chin a ``body (S, S)`` begins where a collar meets the shoulder, in face widths."""
    down = np.arange(0.0, NECK_LENGTH - FLATTEST, 0.01)
    places = frame.pixels(np.stack([np.full_like(down, sign * COLLAR_HALF), down], -1))
    met = cv2.remap(body.astype(np.float32), places[:, :1], places[:, 1:], cv2.INTER_NEAREST)[:, 0] > 0.5
    return float(down[met.argmax()] if met.any() else down[-1])


def _fitted(usual: Collar, aside: np.ndarray, along: np.ndarray, bare: np.ndarray, width: float) -> Collar:
    """The collar that best parts the skin, ``bare (N,) bool``, from the clothes that are seen at ``(N,)`` places."""
    step = max(1, len(bare) // MOST_PLACES)
    area = step / width**2
    aside, along, bare = aside[::step], along[::step], bare[::step]
    best, least = usual, np.inf
    for middle, power, lowest in product(ASIDE, POWERS, LOWEST):
        collar = replace(usual, lowest=float(lowest), aside=middle, power=power)
        wrong = area * ((along < collar.below(aside)) != bare).sum()
        cost = wrong + LEVEL_PRICE * (lowest - NECK_LENGTH) ** 2 + ASIDE_PRICE * middle**2
        cost += SHAPE_PRICE * np.log2(power / ROUND) ** 2
        if cost < least:
            best, least = collar, cost
    return best
