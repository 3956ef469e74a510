"""Backdrops behind a person: drawn from a seed, lit by the same light, blurred by the lens."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from durian.synthetic.backdrops import outdoors, rooms, streets, walls
from durian.synthetic.backdrops.painting import Backdrop, defocused, grid
from durian.synthetic.base.person import Light

DISC = 7.0
"""Pixels of a blurred disc's radius at which its edge is sharp enough to be enlarged: scenes are painted that
coarsely."""
SMALLEST = 48
"""Least pixels along the side of a scene."""
WHITEST = 4.0
"""Light beyond which nothing gets brighter: windows and lamps."""


@dataclass(frozen=True)
class Kind:
    """A kind of backdrop.

    ``paint(rng, side)`` makes its scene, or ``paint(rng, side, radius)`` where it has points of light; ``share`` of
    all backdrops; ``defocus``: least and greatest radius to which a point blurs, share of the picture's side;
    ``reach``: least and greatest share of the key light that falls on it.
    """

    paint: Callable[..., Backdrop]
    share: float
    defocus: tuple[float, float]
    reach: tuple[float, float] = (0.2, 0.8)
    has_sparks: bool = False


KINDS = {
    "studio": Kind(walls.studio, 0.20, (0.002, 0.02), (0.3, 0.9)),
    "plaster": Kind(walls.plaster, 0.09, (0.002, 0.012)),
    "concrete": Kind(walls.concrete, 0.03, (0.002, 0.015)),
    "brick": Kind(walls.brick, 0.04, (0.002, 0.02)),
    "tiles": Kind(walls.tiles, 0.02, (0.002, 0.02)),
    "boards": Kind(walls.boards, 0.04, (0.002, 0.02)),
    "wallpaper": Kind(walls.wallpaper, 0.03, (0.002, 0.015)),
    "curtain": Kind(walls.curtain, 0.05, (0.003, 0.02)),
    "room": Kind(rooms.room, 0.20, (0.004, 0.035), (0.15, 0.7)),
    "street": Kind(streets.street, 0.07, (0.006, 0.04), (0.4, 1.0)),
    "leaves": Kind(outdoors.leaves, 0.08, (0.011, 0.045), (0.4, 1.0), True),
    "park": Kind(outdoors.park, 0.05, (0.009, 0.035), (0.5, 1.0), True),
    "night": Kind(outdoors.night, 0.05, (0.012, 0.04), (0.05, 0.3), True),
    "crowd": Kind(outdoors.crowd, 0.05, (0.018, 0.04), (0.3, 0.8)),
}
"""Shares add up to one."""


def backdrop(seed: int, light: Light, size: int, kind: str | None = None) -> np.ndarray:
    """A picture of what is behind somebody.

    Args:
        seed: what it is; the same at any size.
        light: what falls on it.
        size: pixels along a side.
        kind: one of ``KINDS``; drawn from the seed if left out.

    Returns:
        ``(size, size, 3) float32`` linear light.

    Raises:
        KeyError: there is no such kind.
    """
    import cv2

    rng = np.random.default_rng([seed, 0xBD])
    drawn = rng.choice(len(KINDS), p=[one.share for one in KINDS.values()])
    one = KINDS[kind] if kind else list(KINDS.values())[drawn]
    low, high = one.defocus
    defocus = low * (high / low) ** rng.random()
    reach, falloff = rng.uniform(*one.reach), rng.uniform(0.1, 0.7)
    mood = np.exp(rng.normal(0, 0.22) + rng.normal(0, 0.07, 3)).astype(np.float32)
    side = int(min(size, max(SMALLEST, math.ceil(DISC / defocus))))
    scene = one.paint(rng, side, defocus) if one.has_sparks else one.paint(rng, side)

    fallen = _fallen(light, reach, falloff, side)
    level = fallen.mean(axis=(0, 1))
    seen = mood * (scene.reflectance * fallen + scene.glow * level)
    seen = np.minimum(defocused(seen, defocus * side), WHITEST)
    return seen if side == size else np.maximum(cv2.resize(seen, (size, size), interpolation=cv2.INTER_CUBIC), 0)


def _fallen(light: Light, reach: float, falloff: float, side: int) -> np.ndarray:
    """Light that falls on what is behind, ``(side, side, 3)``: more of it on the side that the key light comes
    from."""
    x, y = grid(side)
    direction = np.asarray(light.direction) / np.linalg.norm(light.direction)
    nearer = np.exp(falloff * direction[0] * (2 * x - 1)) * np.exp(-0.7 * falloff * direction[1] * (2 * y - 1))
    key = reach * max(0.25, 0.5 + 0.5 * direction[2]) * nearer
    sky = light.ambient * (0.75 * np.array(light.ambient_colour) + 0.25 * np.array(light.ground))
    return sky.astype(np.float32) + key[..., None].astype(np.float32) * np.array(light.colour, np.float32)
