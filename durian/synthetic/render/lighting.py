"""Light sources: a key light, a rim light, and the surroundings.

Radiance is given such that a white wall in surroundings of 1 is 1, and one that faces a lamp of colour 1 is 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from durian.synthetic.base.compiled import inlined
from durian.synthetic.base.person import Light

FILL = 0.3
"""Radiance of a broad soft source opposite the key light, relative to the surroundings: a wall that the key light
hits."""
PANELS = 3
"""Windows and walls that stand out of the surroundings; where they are is drawn from a seed."""
PANE = (0.085, 0.11)
"""Half the width and height of a pane of the window behind the camera; it has two by two. Tangents, seen from the
head."""
BAR, BLUR = 0.012, 0.02
"""Half the width of the bars between panes, and how far its edges fade."""
LEAN = 0.12
"""By how much its uprights lean, as it is seen from below and aside."""


class Lamp(NamedTuple):
    """A distant light: unit ``direction (3,)`` towards it, ``colour (3,)``, and its ``radius``, the tangent of half
    its angle."""

    direction: np.ndarray
    colour: np.ndarray
    radius: float


class Surroundings(NamedTuple):
    """Radiance of every direction: a gradient from ``ground (3,)`` to ``sky (3,)`` and lobes: unit ``directions (L,
    3)``, ``colours (L, 3)`` and ``sharpness (L,)`` of exp(sharpness · (cosine − 1)). ``window (2,)``: where behind the
    camera a window stands that smooth glass shows, x and y of its direction."""

    ground: np.ndarray
    sky: np.ndarray
    directions: np.ndarray
    colours: np.ndarray
    sharpness: np.ndarray
    window: np.ndarray


def unit(vector: np.ndarray) -> np.ndarray:
    """``(..., 3) float32`` of length one."""
    vector = np.asarray(vector, np.float64)
    return (vector / np.linalg.norm(vector, axis=-1, keepdims=True)).astype(np.float32)


def key_lamp(light: Light) -> Lamp:
    """The light that casts shadows; soft ones are as wide as a window, hard ones as a bulb."""
    return Lamp(unit(light.direction), np.array(light.colour, np.float32), 0.02 + 0.33 * light.softness)


def rim_lamp(light: Light) -> Lamp:
    """A light from behind, opposite the key; black where the light has none."""
    side = -math.copysign(0.85, light.direction[0])
    return Lamp(unit([side, 0.35, -0.55]), np.array(light.rim_colour, np.float32) * np.float32(0.6 * light.rim), 0.1)


def surroundings(light: Light, seed: int) -> Surroundings:
    """Sky and ground, the wall opposite the key light, and panels drawn from ``seed``."""
    rng = np.random.default_rng([seed, 0x5D])
    ambient = light.ambient * np.array(light.ambient_colour)
    away = -1.2 * unit(light.direction)[0]
    azimuth, height = rng.uniform(-2.6, 2.6, PANELS), rng.uniform(-0.1, 0.7, PANELS)
    level = np.cos(height)
    panels = np.stack([np.sin(azimuth) * level, np.sin(height), np.cos(azimuth) * level], axis=1)
    strength = rng.uniform(0.1, 0.7, (PANELS, 1)) * (1 + rng.normal(0, 0.06, (PANELS, 3)))
    return Surroundings(
        ground=(light.ambient * np.array(light.ground)).astype(np.float32),
        sky=ambient.astype(np.float32),
        directions=unit(np.concatenate([[[away, 0.2, 0.9]], panels])),
        colours=np.concatenate([[FILL * ambient], strength * ambient]).astype(np.float32),
        sharpness=np.concatenate([[1.5], rng.uniform(4, 12, PANELS)]).astype(np.float32),
        window=rng.uniform([-0.4, -0.35], [0.4, 0.05]).astype(np.float32),
    )


@inlined
def radiance(around: Surroundings, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Radiance that comes from direction (x, y, z)."""
    up = 0.5 + 0.5 * y
    up = up * up * (3 - 2 * up)
    r = around.ground[0] + (around.sky[0] - around.ground[0]) * up
    g = around.ground[1] + (around.sky[1] - around.ground[1]) * up
    b = around.ground[2] + (around.sky[2] - around.ground[2]) * up
    for lobe in range(len(around.sharpness)):
        d, c = around.directions[lobe], around.colours[lobe]
        strength = math.exp(around.sharpness[lobe] * (d[0] * x + d[1] * y + d[2] * z - 1))
        r += strength * c[0]
        g += strength * c[1]
        b += strength * c[2]
    return r, g, b


@inlined
def window_seen(around: Surroundings, x: float, y: float, z: float) -> float:
    """How much of a pane of the window behind the camera is seen in direction (x, y, z), in [0, 1]."""
    if z < 0.2:
        return 0.0
    up = y / z - around.window[1]
    across = x / z - around.window[0] - LEAN * up
    return _pane(across, PANE[0]) * _pane(up, PANE[1])


@inlined
def _pane(place: float, half: float) -> float:
    """Within one of two panes side by side, along one direction."""
    from_bar, from_edge = abs(place) - BAR, BAR + 2 * half - abs(place)
    return min(1.0, max(0.0, min(from_bar, from_edge) / BLUR + 0.5))
