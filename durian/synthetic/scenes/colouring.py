"""A person's skin, hair, iris and lip colours, which go together by the amount of melanin.

All colours are linear RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from durian.synthetic.base.wear import Colour, linear

SKIN_AT = (0.0, 0.25, 0.5, 0.75, 1.0)
SKIN_TONES = ((0.75, 0.54, 0.44), (0.66, 0.43, 0.32), (0.45, 0.26, 0.17), (0.22, 0.112, 0.066), (0.085, 0.042, 0.026))
"""Reflectance of skin from the least to the most melanin."""
UNDERTONE, LIGHTNESS = 0.035, 0.05
"""Spread of skin between rosy and olive, and between light and dark, in natural logarithms."""

EUMELANIN, PHEOMELANIN = (0.419, 0.697, 1.37), (0.187, 0.4, 1.05)
"""Absorption of hair's brown and red pigment, per unit of concentration (d'Eon et al., "An energy-conserving hair
reflectance model", 2011)."""
MANY_HAIRS = 6.1
"""Colour of a mass of hair of absorption a is exp(-6.1 √a) (Chiang et al., "A practical and controllable hair and fur
model for production path tracing", 2016, equation 9, at an azimuthal roughness of 0.3)."""
BLACK_HAIR, LIGHTEST_AT = 1.3, (0.025, 0.6)
"""Concentration of eumelanin in black hair, and the least there is in people with the least and with half of the skin's
melanin."""
BLONDER = 1.35
"""Exponent of chance: above 1 light hair comes oftener than dark, as far as there is any."""
RED_HEADS = 0.08
"""Share among people with little melanin."""
RED_PIGMENT = (0.12, 0.34)
DYED = 0.08
HAIR_DYES = tuple(
    linear(text)
    for text in ("#e9dcc0", "#d8b98a", "#b4512a", "#7a1f24", "#16131a", "#d58a9b", "#3a5f8f", "#6a4a86", "#2f6f66")
)
"""Bleached, copper, wine red, blue-black; pink, blue, violet, teal."""

IRISES = tuple(
    linear(text) for text in ("#2a160c", "#45260f", "#6b4218", "#86682e", "#6d7a4a", "#5b7f86", "#5d84a8", "#8fa9b8")
)
"""From dark brown by hazel and green to light blue: neighbours mix."""
LIPS = ((0.94, 0.56, 0.59), (0.92, 0.61, 0.67), (0.95, 0.69, 0.79), (1.0, 0.74, 0.90), (1.08, 0.80, 0.98))
"""Factor of the skin's colour on bare lips, at melanin of :data:`SKIN_AT`."""
LIPSTICKS = ((0.75, 0.22, 0.25), (0.60, 0.20, 0.30), (0.95, 0.42, 0.50), (0.85, 0.33, 0.30), (0.80, 0.45, 0.48))
"""The same of red, berry, rose, coral and nude; on dark skin with 1.3 times the red."""


@dataclass(frozen=True)
class Colouring:
    """``tone`` of the skin, ``hair`` as it is worn and as it grows, ``iris``, and ``lips`` and
    ``lipstick``, factors of the tone; each ``(r, g, b)``."""

    tone: Colour
    hair: Colour
    natural_hair: Colour
    iris: Colour
    lips: Colour
    lipstick: Colour


def sample_colouring(rng: np.random.Generator) -> Colouring:
    """Colours of somebody: all tones of skin alike often; hair and irises are dark where skin is."""
    melanin = float(rng.random())
    natural, dyed, dye = sample_hair_colour(rng, melanin), rng.random() < DYED, HAIR_DYES[rng.integers(len(HAIR_DYES))]
    return Colouring(
        tone=skin_tone(melanin, rng),
        hair=dye if dyed else natural,
        natural_hair=natural,
        iris=sample_iris(rng, melanin),
        lips=_colour(bare_lips(melanin) * np.exp(rng.normal(0, 0.04, 3))),
        lipstick=_lipstick(rng, melanin),
    )


def skin_tone(melanin: float, rng: np.random.Generator | None = None) -> Colour:
    """Skin with a share of melanin in [0, 1]; a little redder, yellower, lighter or darker if there is chance."""
    logarithms = np.log(np.array(SKIN_TONES))
    tone = np.array([np.interp(melanin, SKIN_AT, logarithms[:, channel]) for channel in range(3)])
    if rng is not None:
        tone += rng.normal(0, UNDERTONE) * np.array([0.6, -0.6, 0.2]) + rng.normal(0, UNDERTONE / 2, 3)
        tone += rng.normal(0, LIGHTNESS)
    return _colour(np.minimum(np.exp(tone), 0.85))


def hair_colour(eumelanin: float, pheomelanin: float = 0.0) -> Colour:
    """Hair with these concentrations of its two pigments: (0.03, 0) is blond, (1.3, 0) black, (0.02, 0.3) red."""
    absorption = eumelanin * np.array(EUMELANIN) + pheomelanin * np.array(PHEOMELANIN)
    return _colour(np.clip(np.exp(-MANY_HAIRS * np.sqrt(absorption)), 0.004, 0.85))


def sample_hair_colour(rng: np.random.Generator, melanin: float) -> Colour:
    """Hair of somebody with so much melanin in their skin."""
    fair = np.clip(1.15 - 2 * melanin, 0, 1)
    lightest = LIGHTEST_AT[1] * (LIGHTEST_AT[0] / LIGHTEST_AT[1]) ** fair
    eumelanin = lightest * (BLACK_HAIR / lightest) ** (rng.random() ** BLONDER)
    red = rng.random() < RED_HEADS * 2 * fair
    pheomelanin = rng.uniform(*RED_PIGMENT) if red else 0.15 * eumelanin * rng.random()
    return hair_colour(min(eumelanin, 0.08) if red else eumelanin, pheomelanin)


def sample_iris(rng: np.random.Generator, melanin: float) -> Colour:
    """Irises of somebody with so much melanin in their skin."""
    lightest = (len(IRISES) - 1) * np.clip(1.25 - 2 * melanin, 0.12, 1)
    place = lightest * rng.random()
    first = min(int(place), len(IRISES) - 2)
    return _mixed(IRISES[first : first + 2], place - first, rng, 0.1)


def bare_lips(melanin: float) -> np.ndarray:
    """``(3,)`` factor of the skin's colour on lips."""
    return np.array([np.interp(melanin, SKIN_AT, np.array(LIPS)[:, channel]) for channel in range(3)])


def _lipstick(rng: np.random.Generator, melanin: float) -> Colour:
    stick = np.array(LIPSTICKS[rng.integers(len(LIPSTICKS))])
    return _colour(stick * np.array([1 + 0.3 * melanin, 1, 1]) * np.exp(rng.normal(0, 0.08, 3)))


def _mixed(pair: tuple[Colour, ...], share: float, rng: np.random.Generator, spread: float) -> Colour:
    mixed = np.array(pair[0]) * (1 - share) + np.array(pair[1]) * share
    return _colour(mixed * np.exp(rng.normal(0, spread, 3)))


def _colour(values: np.ndarray) -> Colour:
    r, g, b = (float(value) for value in values)
    return r, g, b
