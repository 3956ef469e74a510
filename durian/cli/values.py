"""Types of option values: numbers with their ranges, and files; one sentence for a value that does not fit.

A range stands where it holds for the page and the API too, and is looked up there when a value was given: the parser
itself imports nothing heavy.
"""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
"""Numbers as everybody writes them: no other script's digits, no underscores, and neither NaN nor infinity."""


class Number:
    """The type of an option that takes a number."""

    def __init__(self, find_kind: Callable[[], Any]) -> None:
        self._find_kind = find_kind

    @cached_property
    def kind(self) -> Any:
        """The annotation that says which numbers are accepted."""
        return self._find_kind()

    def __call__(self, text: str, option: str = "this") -> float | int:
        """The number that ``text`` is.

        Args:
            text: as it was typed.
            option: how a sentence names the option.

        Raises:
            InvalidRequest: it is none, or out of the range.
        """
        from durian.schema import checked

        return checked(self.kind, as_number(text), option)


def like(module: str, name: str) -> Number:
    """The type of ``name`` in a module: an annotation, or a dataclass's field such as ``RenderOptions.fps``."""

    def find() -> Any:
        from importlib import import_module
        from typing import get_type_hints

        owner, _, field = name.partition(".")
        found = getattr(import_module(module), owner)
        return get_type_hints(found, include_extras=True)[field] if field else found

    return Number(find)


def whole(least: int, most: int) -> Number:
    """Whole numbers from ``least`` to ``most``."""
    return Number(lambda: _between(int, least, most))


def real(least: float, most: float) -> Number:
    """Numbers from ``least`` to ``most``."""
    return Number(lambda: _between(float, least, most))


def whole_within(module: str, name: str, least: int = 0) -> Number:
    """Whole numbers between the two that ``name`` of a module holds, or from ``least`` to the one."""

    def find() -> Any:
        from importlib import import_module

        bounds = getattr(import_module(module), name)
        return _between(int, *(bounds if isinstance(bounds, tuple) else (least, bounds)))

    return Number(find)


def as_number(text: str) -> float | int | str:
    """The number that a text is, or the text itself."""
    text = text.strip()
    if WHOLE.fullmatch(text):
        return int(text)
    if NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def file_path(text: str) -> Path:
    """A file's path: not empty, and no folder's."""
    if text.strip() and os.path.basename(text) in ("", ".", ".."):
        from durian.schema import shown

        raise argparse.ArgumentTypeError(
            f"{shown(f'{Path(text).name}/')} names a folder: give a file, without the slash behind it"
        )
    return folder_path(text)


def folder_path(text: str) -> Path:
    """A path that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} names nothing: give a path")
    return Path(text)


def _between(kind: type, least: float, most: float) -> Any:
    from typing import Annotated

    from pydantic import Field

    from durian.schema import Real, Whole

    return Annotated[Whole if kind is int else Real, Field(ge=least, le=most)]


REQUEST, SOAK = "durian.request", "durian.soak.running"
SIZE, FRAMES, FPS, SEED = (like(REQUEST, f"RenderOptions.{name}") for name in ("size", "frames", "fps", "seed"))
FACE = like(REQUEST, "FaceNumber")
PREPARATION = "durian.training.preparation.settings"
SCENE_SIZE = whole_within("durian.synthetic.scenes.scene_set", "SIZES")
FIRST_SCENE, SCENES = (whole_within("durian.synthetic.scenes.scene_set", "MOST_SCENES", least) for least in (0, 1))
WORKERS = whole(0, 256)
SECONDS = real(0, 86_400)
MINUTES = real(0, 1_000_000)
COUNT = whole(1, 10_000_000)
"""Numbers that several options take."""
