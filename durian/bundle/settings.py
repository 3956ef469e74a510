"""The schema by which a bundle's ``settings.json`` is read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from durian.errors import InvalidRequest
from durian.face import Crop
from durian.request import (
    ATTRIBUTE_NAMES,
    Alpha,
    DiffusionOptions,
    Erased,
    ItemName,
    Layer,
    Placement,
    RenderOptions,
    Strength,
    Trim,
)
from durian.schema import Checked, Real, Text, Whole, at_most, checked, shown

SLOWEST, FASTEST = 0.1, 240
"""Frames a second of a motion; driving videos have 1 to 120."""
MOST_ATTRIBUTES = 64
"""Far above any setting of how many may be worn, which has a sentence of its own."""
WIDEST_OPENING = 2.0
"""Of the driver's mouth at rest, in eye distances. Bundles from before lips were normalised tell none."""
MOST_NAME = 100
"""Characters of a motion's name that the page shows."""


@dataclass(frozen=True)
class SavedPortrait(Checked):
    """The portrait's crop, and of which worn items there are masks."""

    crop: Crop
    worn: Annotated[tuple[ItemName, ...], at_most(len(ATTRIBUTE_NAMES))]


@dataclass(frozen=True)
class SavedAttribute(Checked):
    """An item without its pictures."""

    name: ItemName
    strength: Strength
    trim: Trim
    placement: Placement
    layer: Layer | None = None


@dataclass(frozen=True)
class SavedMotion(Checked):
    """A motion without its arrays. Its ``name`` is shown on the page and becomes plain and short."""

    name: str
    fps: Annotated[Real, Field(ge=SLOWEST, le=FASTEST)]
    neutral: Annotated[Whole, Field(ge=0)]
    frames: Annotated[Whole, Field(ge=1)] | None = None
    neutral_opening: Annotated[Real, Field(ge=0, le=WIDEST_OPENING)] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        # A driving video's file name is not ours to refuse.
        plain = "".join(letter if letter.isprintable() else "?" for letter in self.name[:MOST_NAME])
        object.__setattr__(self, "name", plain)


@dataclass(frozen=True)
class SavedSettings(Checked):
    """All of ``settings.json``. Bundles from before there were diffusion options have none."""

    version: Annotated[Whole, Field(ge=1)]
    renderer: Text
    mode: Literal["wear", "blend"]
    blend_start: Alpha
    blend_end: Alpha
    erase: Erased
    options: RenderOptions
    portrait: SavedPortrait
    attributes: Annotated[tuple[SavedAttribute, ...], at_most(MOST_ATTRIBUTES)]
    diffusion: DiffusionOptions = field(default_factory=DiffusionOptions)
    motion: SavedMotion | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def parse(data: bytes, version: int) -> SavedSettings:
    """Read ``settings.json``.

    Args:
        data: the file's content.
        version: the newest that is understood.

    Raises:
        InvalidRequest, LimitExceeded: with one sentence about the first thing that is wrong.
    """
    try:
        settings = json.loads(data, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise InvalidRequest("its settings are damaged.") from error
    made_by = settings.get("version") if isinstance(settings, dict) else None
    if isinstance(made_by, int) and made_by > version:
        raise InvalidRequest("it was made by a newer Durian, so update this one to read it.")
    return checked(SavedSettings, settings, "its settings")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary. JSON may name a key twice, and then readers disagree on what was meant."""
    together: dict[str, Any] = {}
    for name, value in pairs:
        if name in together:
            raise InvalidRequest(f"{shown(name)} is in its settings twice.")
        together[name] = value
    return together
