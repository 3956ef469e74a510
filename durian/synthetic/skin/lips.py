"""Lips: their outline, colour, fine lines and shine; and the outline of the nose."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from durian.synthetic.base.geometry import Label
from durian.synthetic.base.person import Person
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.skin.atlas import Atlas, Layers, chance
from durian.synthetic.skin.patterns import clouds

RIGHT_OUTLINE = (
    (0.0, -2.50), (0.32, -2.44), (0.66, -2.38), (1.1, -2.50), (1.7, -2.79), (2.2, -3.16), (2.56, -3.50),
    (2.25, -3.78), (1.8, -4.06), (1.05, -4.33), (0.45, -4.42), (0.0, -4.43),
)  # fmt: skip
"""Half of the lips' edge from the middle of the upper to the middle of the lower one, (|x|, y) seen from the front:
landmarks 51 to 57, with a bow of Cupid."""
SLIT = ((0.0, -3.36), (0.8, -3.33), (1.6, -3.40), (2.5, -3.52))
"""Where lips meet, (|x|, y)."""
FRONT, BOX = 8.5, (3.3, -5.2, -1.8)
"""z in front of which lips lie; |x| up to which, and y between which their surroundings are looked at."""
CURVE_STEPS = 8

SOFT, CRISP = 0.13, 0.045
"""How far (cm) the colour of bare and of made-up lips runs out over their edge, to either side."""
LINES = (0.11, 1.6, 1.6)
"""Size of vertical lines, cm."""
LINE_SHADE, LINE_DEPTH = 0.13, 0.010
SLIT_SHADE, SLIT_WIDTH = 0.45, 0.13
"""How much darker lips are where they meet, and over which distance (cm)."""
UPPER_SHADE = 0.14
ROLL_HEIGHT, ROLL_AT, ROLL_WIDTH, ROLL_LIGHT = 0.025, -0.10, 0.09, 0.08
"""The pale roll along the upper edge: cm high, at so many cm inside, so wide, and pigment it lacks."""
PALE = 0.45
"""Share of their own colour that lips have lost at 85."""
GLOSS, LIPSTICK_GLOSS = 1.0, 0.7
"""Factor of highlights, and what lipstick adds."""

NOSE_EDGE = (
    (4.35, 0.0), (4.2, 0.62), (3.4, 0.80), (2.4, 1.02), (1.5, 1.28), (0.8, 1.62), (0.1, 1.90), (-0.5, 1.93),
    (-0.95, 1.70), (-1.2, 1.30), (-1.32, 0.60), (-1.38, 0.0),
)  # fmt: skip
"""Half the width of the nose as (y, |x|), from its root to the lip, by eye."""
NOSE_FRONT = 8.8


class _Mouth(NamedTuple):
    """Texels around the lips: ``index (m,)`` of the atlas; how far inside the edge (cm, negative outside), and how far
    above where lips meet, ``(m,) float32``."""

    index: np.ndarray
    inside: np.ndarray
    above: np.ndarray


@lru_cache(maxsize=4)
def _mouth(atlas: Atlas) -> _Mouth:
    x, y, z = atlas.points.T
    index = np.flatnonzero((z > FRONT) & (np.abs(x) < BOX[0]) & (y > BOX[1]) & (y < BOX[2]))
    x, y = np.abs(x[index]), y[index]
    return _Mouth(index, inside_lips(x, y), (y - np.interp(x, *np.transpose(SLIT))).astype(np.float32))


def inside_lips(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far (cm) places seen from the front are inside the neutral lips' edge, ``float32``; negative outside."""
    outline = _outline()
    begin, way = outline[:-1], np.diff(outline, axis=0)
    places = np.stack([np.abs(x), y], axis=-1)[:, None]
    along = np.clip(((places - begin) * way).sum(-1) / (way**2).sum(-1), 0, 1)
    apart = np.linalg.norm(places - begin - along[..., None] * way, axis=-1).min(axis=1)
    middle = SLIT[0][1]
    angle = np.arctan2(outline[:, 1] - middle, outline[:, 0])
    radius = np.hypot(outline[:, 0], outline[:, 1] - middle)
    order = np.argsort(angle)
    edge = np.interp(np.arctan2(y - middle, np.abs(x)), angle[order], radius[order])
    return np.where(np.hypot(x, y - middle) < edge, apart, -apart).astype(np.float32)


def _outline() -> np.ndarray:
    """``(k, 2)``: a smooth curve through ``RIGHT_OUTLINE``, which goes on straight to its mirror image."""
    points = np.array(RIGHT_OUTLINE)
    mirrored = points * [-1, 1]
    padded = np.concatenate([mirrored[1:2], points, mirrored[-2:-1]])
    a, b, c, d = (padded[k : len(padded) - 3 + k, None] for k in range(4))
    f = np.linspace(0, 1, CURVE_STEPS, endpoint=False)[:, None]
    curve = 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def is_nose(points: np.ndarray) -> np.ndarray:
    """``(N,) bool``: which points of the neutral head belong to the nose."""
    x, y, z = points.T
    heights, widths = np.transpose(NOSE_EDGE[::-1])
    return (z > NOSE_FRONT) & (np.abs(x) < np.interp(y, heights, widths, left=0, right=0))


def paint_lips(layers: Layers, person: Person) -> None:
    """Colour, relief and labels of mouth and nose."""
    atlas, mouth = layers.atlas, _mouth(layers.atlas)
    rng, where = chance(person.seed, "lips"), mouth.index
    points = atlas.points[where]
    old = float(smoothstep(person.age, 35, 85))
    soft = SOFT + (CRISP - SOFT) * person.makeup
    ragged = 0.5 * soft * clouds(points, 0.35, rng)
    share = smoothstep(mouth.inside + ragged, -0.9 * soft, 1.1 * soft)
    colour = np.asarray(person.lips, np.float32)
    colour = colour + np.float32(PALE * old * (1 - person.makeup)) * (1 - colour)
    lines = clouds(points, LINES, rng) + 0.5 * clouds(points, tuple(0.5 * size for size in LINES), rng)
    upper = smoothstep(mouth.above, -0.05, 0.1)
    shade = 1 + LINE_SHADE * (1 - 0.5 * person.makeup) * lines - UPPER_SHADE * upper
    shade *= 1 - SLIT_SHADE * np.exp(-((mouth.above / SLIT_WIDTH) ** 2)) * smoothstep(mouth.inside, -0.1, 0.1)
    # Lips have neither freckles nor beards.
    layers.pigment[where] *= (1 - share).astype(np.float32)
    layers.blood[where] *= (1 - share).astype(np.float32)
    tint = layers.tint[where]
    layers.tint[where] = tint + share[:, None].astype(np.float32) * (shade[:, None].astype(np.float32) * colour - tint)
    layers.height[where] += (LINE_DEPTH * (1 + old) * share * lines).astype(np.float32)
    roll = np.exp(-(((mouth.inside - ROLL_AT) / ROLL_WIDTH) ** 2)) * upper * smoothstep(np.abs(points[:, 0]), 2.2, 1.0)
    layers.height[where] += (ROLL_HEIGHT * (1 - 0.7 * old) * roll).astype(np.float32)
    layers.pigment[where] -= (ROLL_LIGHT * roll).astype(np.float32)
    gloss = GLOSS * (1 - 0.3 * old) + LIPSTICK_GLOSS * person.makeup * rng.uniform(0, 1)
    layers.gloss[where] += (share * (gloss - layers.gloss[where])).astype(np.float32)
    layers.label[is_nose(atlas.points)] = Label.NOSE
    layers.label[where[mouth.inside > 0]] = Label.LIPS
