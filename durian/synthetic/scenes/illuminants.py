"""Random light of real kinds of illumination, and a distance between two lights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from durian.synthetic.base.person import Light

PRIMARIES = np.array([650.0, 545.0, 440.0])
"""Wavelengths (nm) at which a black body's radiance goes with temperature as its linear sRGB does: within 4 % at
illuminant A's 2856 K."""
PLANCK = 1.4388e7
"""Second radiation constant, nm K."""
DAYLIGHT = 6500.0
"""Kelvin of sRGB's white."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Of linear RGB (ITU-R BT.709)."""
BALANCED = 0.75
"""Share of a light's colour that a camera's white balance takes away."""
TINT = 0.025
"""Spread of lamps about the black body's colours, logarithm."""
LEVEL, LEVEL_SPREAD = 1.25, 0.16
"""Light on a white wall that faces the key light as cameras expose for it, and the spread of its logarithm: most of
it left by meters that were misled."""


def black_body(kelvin: float) -> np.ndarray:
    """Linear RGB ``(3,)`` of a glowing body, luminance 1; white at 6500 K."""
    colour = (np.exp(PLANCK / (PRIMARIES * DAYLIGHT)) - 1) / (np.exp(PLANCK / (PRIMARIES * kelvin)) - 1)
    return colour / (colour @ LUMINANCE)


@dataclass(frozen=True)
class Illumination:
    """A kind of light: ranges of its numbers.

    Attributes:
        share: of all pictures.
        azimuth: degrees from the front to the side, either way.
        height: degrees above the horizon.
        softness: of the key light.
        kelvin, ambient_kelvin: colours of the key light and of the surroundings.
        fill: light of the surroundings relative to all there is.
        ground: brightness of what is below, relative to the surroundings.
        rim: strength of the light from behind, and how many have one.
    """

    share: float
    azimuth: tuple[float, float]
    height: tuple[float, float]
    softness: tuple[float, float]
    kelvin: tuple[float, float]
    ambient_kelvin: tuple[float, float]
    fill: tuple[float, float]
    ground: tuple[float, float] = (0.3, 0.6)
    rim: tuple[float, float] = (0.2, 0.7)
    rims: float = 0.0


ILLUMINATIONS = {
    "window": Illumination(0.20, (25, 80), (5, 35), (0.7, 1.0), (5000, 7500), (4500, 6500), (0.2, 0.45)),
    "room": Illumination(0.17, (5, 50), (25, 60), (0.5, 0.9), (3200, 5000), (3200, 5500), (0.35, 0.55), rims=0.2),
    "overcast": Illumination(0.15, (0, 60), (35, 65), (1.0, 1.0), (6000, 7500), (6500, 8500), (0.55, 0.75)),
    "studio": Illumination(
        0.15, (20, 55), (20, 45), (0.5, 1.0), (5200, 6000), (5200, 6000), (0.15, 0.42), rim=(0.3, 1.2), rims=0.55
    ),
    "sun": Illumination(
        0.11, (5, 75), (15, 55), (0.0, 0.08), (4600, 5800), (7500, 11000), (0.2, 0.38), rim=(0.3, 0.8), rims=0.15
    ),
    "ring": Illumination(0.06, (0, 8), (0, 15), (0.4, 0.7), (4500, 6500), (3500, 6000), (0.2, 0.4)),
    "lamp": Illumination(0.05, (0, 50), (45, 68), (0.2, 0.5), (2600, 3400), (2600, 4500), (0.22, 0.4)),
    "backlight": Illumination(
        0.06, (0, 60), (10, 50), (0.8, 1.0), (5500, 7500), (5500, 7500), (0.55, 0.75), rim=(0.9, 2.0), rims=1.0
    ),
    "evening": Illumination(
        0.05, (25, 75), (0, 40), (0.3, 0.9), (2200, 15000), (2200, 20000), (0.18, 0.4), rim=(0.5, 1.6), rims=0.6
    ),
}
"""Shares add up to one."""
NEON, GLIMMER = 0.3, 0.1
"""Spread of the logarithm of the channels of coloured lamps, and of what they leave to the surroundings, in the
evening."""


def sample_light(rng: np.random.Generator, kind: str | None = None) -> Light:
    """A light drawn at random; ``kind``, one of ``ILLUMINATIONS``, is drawn as well if left out.

    Most faces are lit well, from the front or a side; few are dramatic.

    Raises:
        KeyError: there is no such kind.
    """
    drawn = rng.choice(len(ILLUMINATIONS), p=[one.share for one in ILLUMINATIONS.values()])
    kind = kind or list(ILLUMINATIONS)[drawn]
    one = ILLUMINATIONS[kind]
    azimuth = math.radians(rng.uniform(*one.azimuth)) * rng.choice((-1, 1))
    height = math.radians(rng.uniform(*one.height))
    direction = (math.sin(azimuth) * math.cos(height), math.sin(height), math.cos(azimuth) * math.cos(height))
    kelvin, ambient_kelvin = _between(rng, one.kelvin), _between(rng, one.ambient_kelvin)
    balance = black_body(math.sqrt(kelvin * ambient_kelvin)) ** BALANCED
    spread, wash = (NEON, GLIMMER) if kind == "evening" else (TINT, TINT)
    key, around, behind, below = (
        _luminous(black_body(temperature) / balance * np.exp(rng.normal(0, width, 3)))
        for temperature, width in (
            (kelvin, spread),
            (ambient_kelvin, wash),
            (rng.choice((kelvin, ambient_kelvin)), spread),
            (0.85 * ambient_kelvin, wash),
        )
    )
    fill, level = rng.uniform(*one.fill), LEVEL * math.exp(rng.normal(0, LEVEL_SPREAD))
    ground, rim = rng.uniform(*one.ground), rng.uniform(*one.rim) * (rng.random() < one.rims)
    return Light(
        direction=_triple(direction),
        colour=_triple((1 - fill) * level * key),
        ambient=float(fill * level),
        ambient_colour=_triple(around),
        rim=float(rim * level),
        ground=_triple(ground * below),
        softness=float(rng.uniform(*one.softness)),
        rim_colour=_triple(behind),
    )


def _between(rng: np.random.Generator, kelvin: tuple[float, float]) -> float:
    """A temperature, evenly in mired, as colours are seen."""
    return 1 / rng.uniform(1 / kelvin[1], 1 / kelvin[0])


def _luminous(colour: np.ndarray) -> np.ndarray:
    return colour / (colour @ LUMINANCE)


def _triple(values: np.ndarray | tuple[float, ...]) -> tuple[float, float, float]:
    return tuple(float(value) for value in values)


@dataclass(frozen=True)
class LightGap:
    """How far two lights are apart, all at least 0.

    Attributes:
        direction: degrees between their key lights.
        intensity: stops between the light on white walls that face the key lights.
        contrast: stops between the ratios of key light to surroundings.
        colour: stops between the colours of that light: the root of the sum of squares of log2 of red and of blue,
            each relative to green.
    """

    direction: float
    intensity: float
    contrast: float
    colour: float

    @property
    def total(self) -> float:
        """One number to sort by: root of the sum of squares, each in units of a clearly seen difference (45°, one
        stop, two stops, half a stop)."""
        return math.hypot(self.direction / 45, self.intensity, self.contrast / 2, self.colour / 0.5)


LEAST = 1e-3
"""Light and ratios below this are as good as none."""


def light_gap(first: Light, second: Light) -> LightGap:
    """The gap between two lights; 0 between a light and itself, and the same both ways."""
    one, other = _measured(first), _measured(second)
    cosine = float(np.clip(one[0] @ other[0], -1, 1))
    return LightGap(
        direction=math.degrees(math.acos(cosine)) if first.direction != second.direction else 0.0,
        intensity=abs(one[1] - other[1]),
        contrast=abs(one[2] - other[2]),
        colour=math.dist(one[3], other[3]),
    )


def _measured(light: Light) -> tuple[np.ndarray, float, float, np.ndarray]:
    """Direction, and log2 of luminance, of the ratio of key light to surroundings, of red and blue relative to
    green."""
    key, around = np.array(light.colour), light.ambient * np.array(light.ambient_colour)
    both = np.maximum(key + around, LEAST)
    ratio = max(key @ LUMINANCE, LEAST) / max(around @ LUMINANCE, LEAST)
    direction = np.array(light.direction) / np.linalg.norm(light.direction)
    return direction, math.log2(both @ LUMINANCE), math.log2(ratio), np.log2(both[[0, 2]] / both[1])


DRAWN = 300
"""Lights among which one at a wanted gap is looked for."""


def light_at_gap(rng: np.random.Generator, light: Light, gap: float) -> Light:
    """Another light whose :attr:`LightGap.total` from ``light`` is as near to ``gap`` as chance brings; 0 is itself."""
    if gap <= 0:
        return light
    drawn = [sample_light(rng) for _ in range(DRAWN)]
    return min(drawn, key=lambda other: abs(light_gap(light, other).total - gap))
