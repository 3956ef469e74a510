"""Makeup: blush, eye shadow and liner; lipstick is in the lips' colour, foundation in the evenness of skin."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from durian.synthetic.base.person import Person
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.head.head import HeadModel
from durian.synthetic.skin.atlas import Atlas, Layers, chance
from durian.synthetic.skin.patterns import clouds

BLUSH = ((5.0, 0.7, 8.0), (1.9, 1.0, 3.0), -0.35)
"""Middle and size of a bell on each cheek, cm, and how much it rises outward, cm per cm."""
BLUSH_BLOOD = 0.55
SHADOWS = ((0.35, 0.22, 0.17), (0.25, 0.16, 0.12), (0.50, 0.33, 0.22), (0.32, 0.20, 0.26), (0.16, 0.16, 0.20),
           (0.22, 0.27, 0.34), (0.60, 0.50, 0.38), (0.45, 0.22, 0.20))  # fmt: skip
"""Linear colours of eye shadow: browns, bronze, plum, smoke, blue, champagne, rust."""
SHADOW_SHARE, SHADOW_HEIGHT = 0.6, 1.15
"""How much it hides, and how far (cm) above the lashes it reaches."""
LINER, LINER_SHARE, LINER_WIDTH = (0.012, 0.010, 0.010), 0.9, 0.11
"""Colour, how much it hides, and how far from the roots of the lashes it reaches, cm."""
LASH_LINE = 0.35
"""How dark the roots of lashes make the lids' edges of somebody without makeup."""
NEAR = 2.2
"""cm from the lashes up to which texels are looked at."""


@lru_cache(maxsize=4)
def _lids(atlas: Atlas, head: HeadModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texels near the lashes, ``(m,)``, and their distances (cm) from the upper and from the lower ones."""
    from scipy.spatial import cKDTree

    index = np.flatnonzero((atlas.points[:, 2] > 6.0) & (np.abs(atlas.points[:, 1] - 3.5) < NEAR))
    roots = head.neutral[head.lashes[:, 0]]
    halves = roots[head.upper_lashes], roots[~head.upper_lashes]
    distance = [cKDTree(half).query(atlas.points[index])[0] for half in halves]
    near = np.minimum(*distance) < NEAR
    return index[near], *(d[near].astype(np.float32) for d in distance)


def paint_makeup(layers: Layers, person: Person, head: HeadModel) -> None:
    """Everything that makeup adds, by ``person.makeup`` in [0, 1]; its colours come from the seed."""
    rng, points, much = chance(person.seed, "makeup"), layers.atlas.points, person.makeup
    where, upper, lower = _lids(layers.atlas, head)
    lined = smoothstep(np.minimum(upper, 1.3 * lower), 2.0 * LINER_WIDTH, 0.0)
    line = LASH_LINE * (0.6 + 0.4 * person.feminine)
    shade, bold = SHADOWS[rng.integers(len(SHADOWS))], rng.uniform(0.45, 1)
    wing, blush = rng.uniform(0.4, 1), rng.uniform(0.3, 1)
    if much > 0:
        x, y = np.abs(points[where, 0]), points[where, 1]
        lid = smoothstep(upper, SHADOW_HEIGHT, 0.1) * smoothstep(y - 3.35, -0.15, 0.25)
        lid *= 0.55 + 0.45 * smoothstep(x, 2.2, 4.2)
        grain = 1 + 0.15 * clouds(points[where], 0.18, rng)
        layers.cover(SHADOW_SHARE * much * bold * lid * grain, shade, where)
        (px, py, pz), (sx, sy, sz), rise = BLUSH
        ax, ay, az = np.abs(points[:, 0]) - px, points[:, 1] - py, points[:, 2] - pz
        bell = np.exp(-((ax / sx) ** 2 + ((ay + rise * ax) / sy) ** 2 + (az / sz) ** 2))
        layers.blood += np.float32(BLUSH_BLOOD * much * blush) * bell
    share = line + (LINER_SHARE * wing - line) * much
    layers.cover(np.clip(share, 0, 1) * lined**1.5, LINER, where)
