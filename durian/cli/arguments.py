"""How one argument is read: items with their options, numbers in a row, and mistakes as one sentence."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from durian.errors import InvalidRequest

LEAST_LIKENESS = 0.7
"""Of a misspelt word to the one that is proposed for it, as ``difflib`` measures it (taste)."""


@dataclass
class ItemArguments:
    """What follows one ``--attribute``."""

    picture: Path
    mask: Path | None = None
    name: str | None = None
    clicks: list[tuple[float, float, bool]] = field(default_factory=list)
    strength: float = 1.0
    trim: float = 0.0
    layer: int | None = None
    face: int = 0


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving the process, so that a batch survives a bad row.

    What it says names the help of the command that was meant, and what is nearest to a misspelt word.
    """

    def error(self, message: str) -> NoReturn:
        raise InvalidRequest(f"{message[:1].upper()}{message[1:]}; see python -m {self.prog} --help.")

    def add_subparsers(self, **options: Any) -> Any:
        self._commands = super().add_subparsers(**options)
        return self._commands

    def parse_known_args(
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse's, but nothing may be left over: the command itself knows best what it was given too much."""
        found, left = super().parse_known_args(args, namespace)
        commands = getattr(self, "_commands", None)
        if commands is not None and getattr(found, commands.dest) is None:
            self.error(f"no {commands.metavar} was given: use one of {', '.join(commands.choices)}")
        if left:
            # Of --frame=4 and the like, the name alone.
            word = left[0].partition("=")[0]
            hint = _nearest(word, self.option_names()) if commands is None else ": options stand behind the command"
            self.error(f"{word} is not known here{hint}")
        return found, left

    def option_names(self) -> list[str]:
        """Every option, such as ``--portrait`` and ``-o``."""
        return list(self._option_string_actions)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            hint = _nearest(str(value), known)
            raise argparse.ArgumentError(action, f"{value!r} is not known{hint}: use one of {', '.join(known)}")


def _nearest(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, 1, cutoff=LEAST_LIKENESS)
    return f" (did you mean {near[0]}?)" if near else ""


class NewItem(argparse.Action):
    """``--attribute``: the options behind it belong to it."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or []), ItemArguments(values)])


class OfItem(argparse.Action):
    """An option that belongs to the ``--attribute`` before it."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        items = namespace.attributes
        if not items:
            parser.error(f"{option} stands before any --attribute: put it behind the one it belongs to")
        if self.dest == "clicks":
            items[-1].clicks.append(values)
        else:
            setattr(items[-1], self.dest, values)


def parse_click(text: str) -> tuple[float, float, bool]:
    """``X,Y`` or ``X,Y,-`` (not part of it), pixels of the upright picture."""
    place, sign = (text[:-2], text[-1]) if text[-2:] in (",-", ",+") else (text, "+")
    x, y = _numbers(place, (2,), f"{text!r} is not a click: give X,Y or, for what does not belong, X,Y,-")
    return x, y, sign == "+"


def parse_blend(text: str) -> tuple[float, float]:
    """``A`` or ``A,B``: α at the first and the last frame."""
    numbers = _numbers(text, (1, 2), f"{text!r} is not a blend: give A or A,B, such as 0.5 or 0,1")
    return numbers[0], numbers[-1]


def parse_crop(text: str) -> tuple[float, float, float]:
    """``X,Y,SIDE``: centre and side in pixels of the upright picture."""
    wrong = f"{text!r} is not a crop: give X,Y,SIDE in pixels, with SIDE above 0"
    x, y, side = _numbers(text, (3,), wrong)
    if not side > 0:
        raise argparse.ArgumentTypeError(wrong)
    return x, y, side


def parse_output(text: str) -> Path:
    """A file to write; what is written like a folder is not taken for one of that name."""
    if os.path.basename(text) in ("", ".", ".."):
        name = Path(text).name or text
        raise argparse.ArgumentTypeError(
            f"{name} is given like a folder: give a file's name, without a slash behind it"
        )
    return Path(text)


def parse_shard(text: str) -> tuple[int, int]:
    """``I/N``, part I of N, from 1."""
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a shard: give I/N, such as 1/4")
    return int(part), int(parts)


def _numbers(text: str, counts: Sequence[int], wrong: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in counts:
        raise argparse.ArgumentTypeError(wrong)
    return numbers
