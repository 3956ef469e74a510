"""The common base of worn things' looks: a style, its numbers, and how missing numbers and chance are filled in.

A look says everything about a thing: the same look gives the same mesh. Styles are kept in registries, by name; each
knows the range of its numbers, and its shape changes continuously with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from durian.errors import InvalidRequest

Colour = tuple[float, float, float]
"""Linear RGB."""

NONE = "none"
"""The style of what is not worn."""


class Numbers(Mapping[str, float]):
    """A mapping that cannot change and can be a key, as looks are."""

    def __init__(self, values: Mapping[str, float] | None = None) -> None:
        self._items = tuple(sorted((str(name), float(value)) for name, value in (values or {}).items()))

    def __getitem__(self, name: str) -> float:
        return dict(self._items)[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._items)

    def __eq__(self, other: object) -> bool:
        return dict(self._items) == dict(other) if isinstance(other, Mapping) else NotImplemented

    def __repr__(self) -> str:
        return repr(dict(self._items))


@dataclass(frozen=True)
class Look:
    """One worn thing: its style, the style's numbers (what is left out is the middle of its range), and a seed for
    what has no name."""

    style: str = NONE
    parameters: Mapping[str, float] = field(default_factory=Numbers)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", Numbers(self.parameters))

    @property
    def is_worn(self) -> bool:
        """Whether there is anything."""
        return self.style != NONE

    def rng(self) -> np.random.Generator:
        """The look's own chance, from its beginning."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True)
class Style:
    """How a style is made, and the ranges of its numbers; ``build`` takes them by name."""

    build: Callable[..., Any]
    ranges: Mapping[str, tuple[float, float]]

    def sample(self, rng: np.random.Generator) -> Numbers:
        """Numbers drawn evenly from their ranges."""
        return Numbers({name: rng.uniform(*limits) for name, limits in self.ranges.items()})

    def complete(self, given: Mapping[str, float]) -> dict[str, float]:
        """All numbers, those not given being the middle of their range.

        Raises:
            InvalidRequest: the style has no number of that name.
        """
        unknown = [name for name in given if name not in self.ranges]
        if unknown:
            raise InvalidRequest(f"There is no number {unknown[0]!r} here: use {', '.join(self.ranges)}.")
        return {name: given.get(name, (low + high) / 2) for name, (low, high) in self.ranges.items()}


def styled(**ranges: tuple[float, float]) -> Callable[[Callable[..., Any]], Style]:
    """Make a function that builds something a :class:`Style` with these ranges."""
    return lambda build: Style(build, ranges)


Found = TypeVar("Found")


def style_of(look: Look, styles: Mapping[str, Found]) -> Found:
    """The style of a look.

    Raises:
        InvalidRequest: there is none of that name.
    """
    if look.style not in styles:
        raise InvalidRequest(f"There is no style {look.style!r}: use {', '.join([NONE, *styles])}.")
    return styles[look.style]


def linear(text: str) -> Colour:
    """Linear RGB of a colour written as ``"#rrggbb"`` (sRGB)."""
    encoded = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return tuple(
        float(value) for value in np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    )


def near_colour(colour: Colour, rng: np.random.Generator, spread: float = 0.12) -> Colour:
    """A colour like this one, a little lighter or darker, warmer or colder: its channels times log-normal numbers."""
    factor = np.exp(rng.normal(0, spread) + rng.normal(0, spread / 3, 3))
    return tuple(float(value) for value in np.clip(np.asarray(colour) * factor, 0.004, 0.85))


def smoothstep(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between; reversed if ``high`` is the lower."""
    share = np.clip((np.asarray(value, np.float64) - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def smooth_maximum(a: np.ndarray, b: np.ndarray, softness: float) -> np.ndarray:
    """The larger of two, rounded where they are within about ``softness`` of each other; never below either."""
    return (a + b + np.sqrt((a - b) ** 2 + softness**2)) / 2


def ripples(points: np.ndarray, wavelength: float, rng: np.random.Generator, waves: int = 6) -> np.ndarray:
    """Smooth noise of about unit strength: plane waves of random directions.

    Args:
        points: ``(..., D)``, cm.
        wavelength: cm; those of the waves lie within a factor of 1.6 of it.
        rng: where directions and phases come from.
        waves: how many.
    """
    directions = rng.normal(size=(waves, points.shape[-1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    frequency = 2 * np.pi / wavelength * 1.6 ** rng.uniform(-1, 1, waves)
    phase = points @ (directions * frequency[:, None]).T + rng.uniform(0, 2 * np.pi, waves)
    return np.sin(phase).sum(axis=-1) * np.sqrt(2 / waves)
