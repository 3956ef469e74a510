"""Dyes and woven or printed patterns.

A cloth's texture coordinates are centimetres across and along it, so that its weave has one size everywhere; a
pattern is worked out from them for each vertex, and meshes that carry one are as fine as it needs.
"""

from __future__ import annotations

import numpy as np

from durian.synthetic.wear import Colour, linear, near_colour, smoothstep

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


def patterned(
    pattern: str, cloth: np.ndarray, period: float, colour: Colour, accent: Colour, softness: float
) -> np.ndarray:
    """Colours ``(..., 3)`` of a pattern.

    Args:
        pattern: one of ``PATTERNS``: stripes run across, checks are gingham, dots stand in staggered rows.
        cloth: ``(..., 2)`` places on the cloth, cm across and along.
        period: of the pattern, cm.
        colour: the ground's.
        accent: the pattern's.
        softness: width of the pattern's edges, cm; about the spacing of the mesh.
    """
    across, along = np.moveaxis(np.asarray(cloth, np.float64), -1, 0)
    if pattern == "plain":
        share = np.zeros(across.shape)
    elif pattern == "stripes":
        share = _bands(along, period, 0.36, softness)
    elif pattern == "checks":
        share = (_bands(across, period, 0.5, softness) + _bands(along, period, 0.5, softness)) / 2
    elif pattern == "dots":
        row = np.floor(along / period)
        x = (across / period + row / 2) % 1 - 0.5
        y = along / period - row - 0.5
        share = smoothstep(np.hypot(x, y) * period - 0.25 * period, softness / 2, -softness / 2)
    else:
        raise ValueError(f"There is no pattern {pattern!r}: use {', '.join(PATTERNS)}.")
    return np.asarray(colour) * (1 - share[..., None]) + np.asarray(accent) * share[..., None]


def _bands(place: np.ndarray, period: float, share: float, softness: float) -> np.ndarray:
    """1 within bands that take up ``share`` of each period, 0 between."""
    from_middle = np.abs(place / period % 1 - 0.5) * period
    return smoothstep(from_middle - share * period / 2, softness / 2, -softness / 2)
