"""Strands from hairs' paths: widths that taper to a tip, shades, greying."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from durian.synthetic.base.geometry import Label, Strands, SurfacePoints
from durian.synthetic.base.wear import smoothstep

GREY = np.array([0.365, 0.36, 0.35])
"""Linear RGB of a hair without pigment."""
GREY_SPREAD = 0.3
"""How much hairs of one head differ in how grey they are."""
DARKEST, LIGHTEST = 0.5, 2.0
"""Of a hair, relative to its colour."""
LEAST_COLOUR = 1e-3
"""Tints multiply the colour: of a colour of nothing no tint makes grey."""


def as_strands(
    path: np.ndarray,
    roots: SurfacePoints,
    *,
    width: np.ndarray | float,
    bright: np.ndarray,
    grey: np.ndarray,
    colour: Sequence[float],
    label: Label,
    binding: str,
    root_shade: np.ndarray | float,
    tip: float = 0.3,
    tip_from: float = 0.45,
) -> Strands:
    """Strands along ``path (S, K, 3)``.

    Args:
        path: where they run.
        roots: where they grow.
        width: cm, one, ``(S,)`` or ``(S, K)``, before they run out to a tip.
        bright: ``(S,)`` brightness or ``(S, 3)`` tint relative to the colour; extremes are cut off.
        grey: ``(S,)`` in [0, 1]: how much of their colour they have lost.
        colour: linear RGB of hair that has not.
        label, binding, root_shade: as in :class:`Strands`.
        tip: width of a tip relative to the root.
        tip_from: where along a strand it begins to get thinner.
    """
    count, points = path.shape[:2]
    profile = 1 - (1 - tip) * smoothstep(np.linspace(0, 1, points), tip_from, 1)
    colour = np.asarray(colour, np.float32)
    width = np.asarray(width, np.float32)
    width = np.broadcast_to(width[:, None] if width.ndim == 1 else width, (count, points))
    bright = np.clip(bright if bright.ndim == 2 else bright[:, None], DARKEST, LIGHTEST)
    colourless = GREY / np.maximum(colour, LEAST_COLOUR)
    tint = bright * (1 + grey[:, None] * (colourless - 1))
    return Strands(
        points=np.ascontiguousarray(path, np.float32),
        width=(width * profile).astype(np.float32),
        tint=tint.astype(np.float32),
        roots=roots,
        label=label,
        binding=binding,
        root_shade=root_shade,
        colour=colour,
    )


def greyed(colour: Sequence[float], grey: float) -> np.ndarray:
    """Linear RGB ``(3,)`` of hair of a colour as a whole where ``grey`` of it is lost."""
    return np.asarray(colour) + grey * (GREY - colour)


def turned_grey(mean: np.ndarray | float, leader: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``(S,)`` in [0, 1]: how grey each hair is where hair is ``mean`` grey, one or ``(S,)``; at 0 none is.

    Tufts, numbered by ``leader (S,)``, turn together.
    """
    count = len(leader)
    uneven = 0.5 * rng.normal(size=count)[leader] + rng.normal(size=count)
    mean = np.broadcast_to(mean, count)
    return np.clip(mean + GREY_SPREAD * np.minimum(1, 4 * mean) * uneven, 0, 1)
