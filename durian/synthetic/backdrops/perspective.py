"""Scenes with depth: rectangles on planes, seen in perspective.

Lengths are metres; the viewer is at the origin, x to the right, y upwards, z away from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from durian.synthetic.backdrops.painting import Backdrop, Colour
from durian.synthetic.base.wear import linear

SKIES = tuple(linear(text) for text in ("#dfe9f2", "#b9d2ea", "#f2f0ea", "#f3dcc0"))

FLOOR = -1.45
"""Height of the floor below the eyes, m."""
NEAREST = 1.4
"""Where walls begin that run away from the viewer, m."""
BEFORE = 0.05
"""Nothing is nearer, m."""
AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Plane:
    """A wall with coordinates: ``origin + u · across + v · up``."""

    origin: tuple[float, float, float]
    across: tuple[float, float, float]
    up: tuple[float, float, float]


@dataclass(frozen=True)
class Setting:
    """A scene with a viewer: ``width`` is what the picture shows at a distance of one metre; ``turn`` is where it
    looks, radians to the right; ``lift`` how far up, as a share of the picture."""

    scene: Backdrop
    width: float
    turn: float
    lift: float

    def rectangle(
        self,
        plane: Plane,
        left: float,
        bottom: float,
        right: float,
        top: float,
        colour: Colour,
        glow: Colour | float = 0.0,
    ) -> None:
        """Paint a rectangle on a plane."""
        cosine, sine = math.cos(self.turn), math.sin(self.turn)
        (ox, oy, oz), (ax, ay, az), (bx, by, bz) = plane.origin, plane.across, plane.up
        corners = []
        for u, v in ((left, bottom), (right, bottom), (right, top), (left, top)):
            x, y, z = ox + u * ax + v * bx, oy + u * ay + v * by, oz + u * az + v * bz
            x, z = x * cosine - z * sine, max(x * sine + z * cosine, BEFORE) * self.width
            corners.append((0.5 + x / z, 0.5 + self.lift - y / z))
        self.scene.polygon(corners, colour, glow)
