"""Dyes, and the names of patterns (:mod:`durian.synthetic.prints`).

A cloth's texture coordinates are centimetres across and along it, so that weave and pattern have one size everywhere.
"""

from __future__ import annotations

import numpy as np

from durian.synthetic.wear import Colour, linear, near_colour

PATTERNS = ("plain", "stripes", "checks", "dots")

DYES = tuple(
    linear(text)
    for text in (
        *("#17171a", "#2b2c31", "#55575c", "#8e8f90", "#c9c7c2", "#ece8df"),  # black to off-white
        *(
            "#1c2740",
            "#2d4a78",
            "#6f93b8",
            "#27474e",
            "#23513b",
            "#5d6b3e",
            "#8c9a6b",
        ),  # navy, denim, sky, petrol, greens
        *("#5b1a22", "#9c2b2f", "#c4604b", "#d9a21f", "#b98a54", "#6d4a32", "#d3bd97"),  # burgundy to camel
        *("#a4556b", "#dba3a8", "#5e4773", "#a99bbd"),  # rose, blush, plum, lilac
    )
)
"""Colours in which clothes are sold, by eye; the first row is drawn as often as all others together."""
NEUTRAL_DYES = DYES[:6]
LEATHERS = tuple(linear(text) for text in ("#1c1817", "#3b2519", "#6b4226", "#8f6238"))
FELTS = tuple(
    linear(text) for text in ("#1b1a1b", "#3a3734", "#6a5d50", "#4a2f22", "#8a7357", "#2a3344", "#b9ab95", "#5a2226")
)
FURS = tuple(
    linear(text) for text in ("#84694f", "#5e5044", "#93502a", "#1d1a19", "#d8d0c4", "#35241b", "#85817b", "#a58a68")
)
"""Wolf, raccoon, fox, black, white, sable, grey, lynx."""
STRAWS = tuple(linear(text) for text in ("#d9c08a", "#c9a866", "#e6d7b0", "#b48a52", "#efe6d0"))

BLACK = linear("#17171a")


def sample_dye(rng: np.random.Generator) -> Colour:
    """A colour for cloth."""
    neutral = rng.random() < 0.5
    choices = NEUTRAL_DYES if neutral else DYES[len(NEUTRAL_DYES) :]
    return near_colour(choices[rng.integers(len(choices))], rng)


def sample_accent(colour: Colour, rng: np.random.Generator) -> Colour:
    """A second colour that can be told from the first: of a dozen dyes, the first that is twice as bright or half
    so."""
    for _ in range(12):
        accent = sample_dye(rng)
        if not 0.5 < (sum(accent) + 0.02) / (sum(colour) + 0.02) < 2:
            return accent
    return linear("#ece8df") if sum(colour) < 0.6 else BLACK
