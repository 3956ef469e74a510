"""Dyes, and the names of patterns (:mod:`durian.synthetic.worn.prints`).

A cloth's texture coordinates are centimetres across and along it, so that weave and pattern have one size everywhere.
"""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.wear import Colour, linear, near_colour

SIMPLE_PATTERNS = ("plain", "stripes", "checks", "dots")
BOLD_PRINTS = ("ornament", "zigzag")
"""Large prints in strong colours, as on wax-printed cotton."""
PATTERNS = (*SIMPLE_PATTERNS, *BOLD_PRINTS)

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
TOWELS = tuple(
    linear(text)
    for text in (
        "#f2f0ec",
        "#f2f0ec",
        "#d9d6d0",
        "#9a9b9d",
        "#4b4d52",
        "#19191b",
        "#e3bfc6",
        "#b5cbd9",
        "#bcd0bb",
        "#d8c6ac",
    )
)
PRINT_INKS = tuple(
    linear(text)
    for text in (
        *("#c8321e", "#e8a317", "#e0601f", "#1d7a6b", "#1f4fa0", "#6b1f5e", "#2f7f35", "#b81f5a", "#2aa1b3"),
        "#efe6d0",  # unprinted cotton
    )
)
DARK_GROUNDS = tuple(linear(text) for text in ("#5a1712", "#131c3a", "#17171a"))
"""Colours of bold prints, by eye from photos of wax prints."""

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


def sample_print(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Ground and accent of a bold print: an ink on another one or on a dark ground."""
    grounds = (*PRINT_INKS, *DARK_GROUNDS)
    ground = grounds[rng.integers(len(grounds))]
    inks = [ink for ink in PRINT_INKS if ink != ground]
    return near_colour(ground, rng), near_colour(inks[rng.integers(len(inks))], rng)
