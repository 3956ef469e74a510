"""Argument parsing: items with their options, numbers in a row, and one sentence for each mistake."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from durian.cli.values import Number, as_number
from durian.errors import DurianError, InvalidRequest

LEAST_LIKENESS = 0.7
"""Of a misspelt word to the one that is proposed for it, as ``difflib`` measures it (taste)."""


@dataclass
class ItemArguments:
    """The options behind one ``--attribute``."""

    picture: Path
    mask: Path | None = None
    name: str | None = None
    clicks: list[tuple[float, float, bool]] = field(default_factory=list)
    strength: float = 1.0
    trim: float = 0.0
    layer: int | None = None
    face: int = 0
    given: set[str] = field(default_factory=set)
    """Of the fields above, those that were given."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving the process, so that a batch survives a bad row.

    What it says names the option, what it takes, the help of the command that was meant, and what is nearest to a
    misspelt word. ``given`` of what it has parsed holds the names (``dest``) of all that was given; the options of an
    item are in the item's own ``given``.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, exit_on_error=False)
        self._given: set[str] = set()
        # All of -0.5, -1e3 and -1,2 are values of the option before them.
        self._negative_number_matcher = re.compile(r"-\.?\d")

    def error(self, message: str) -> NoReturn:
        raise InvalidRequest(f"{message[:1].upper()}{message[1:]}; see python -m {self.prog} --help.")

    def add_subparsers(self, **options: Any) -> Any:
        self._commands = super().add_subparsers(**options)
        return self._commands

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """As argparse's, but nothing may be left over: the command itself knows best what it was given too much."""
        self._given = set()
        try:
            found, left = super().parse_known_args(args, namespace)
        except argparse.ArgumentError as error:
            self.error(_in_words(error))
        found.given = self._given | getattr(found, "given", set())
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

    def _match_argument(self, action: argparse.Action, pattern: str) -> int:
        try:
            return super()._match_argument(action, pattern)
        except argparse.ArgumentError:
            self._error_without_value(action)

    def _error_without_value(self, action: argparse.Action) -> NoReturn:
        wanted = action.metavar or (action.choices and "|".join(action.choices)) or action.dest.upper()
        self.error(f"{_called(action)} is without its value: give {_called(action)} {wanted}")

    def _get_values(self, action: argparse.Action, strings: list[str]) -> Any:
        takes_one = isinstance(action, argparse._StoreAction) and action.option_strings
        if takes_one and action.dest in self._given:
            self.error(f"{_called(action)} is given twice: give it once, with all that belongs to it")
        if action.option_strings and strings == ["--"]:
            # argparse would take it out, and make an empty list of the rest.
            self._error_without_value(action)
        if not isinstance(action, OfItem):
            self._given.add(action.dest)
        return super()._get_values(action, strings)

    def _get_value(self, action: argparse.Action, text: str) -> Any:
        if not isinstance(action.type, Number):
            return super()._get_value(action, text)
        try:
            return action.type(text, _called(action))
        except DurianError as error:
            self.error(str(error).removesuffix("."))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            from durian.schema import shown

            known = [str(choice) for choice in action.choices]
            hint = _nearest(str(value), known)
            self.error(f"{_called(action)} {shown(value)} is not known{hint}: use one of {', '.join(known)}")


def _called(action: argparse.Action) -> str:
    """An option's long name, or what stands for a value in the help."""
    return action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest)


def _in_words(error: argparse.ArgumentError) -> str:
    """Argparse's message about an argument, without its own terms."""
    name = (error.argument_name or "").rpartition("/")[2]
    if error.message.startswith("ignored explicit argument"):
        return f"{name} is a switch and takes no value: leave out what stands behind it"
    if other := re.fullmatch("not allowed with argument (.*)", error.message):
        return f"{name} does not go with {other[1]}: leave out one of them"
    return error.message


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
        item = items[-1]
        if self.dest == "clicks":
            item.clicks.append(values)
        elif self.dest in item.given:
            parser.error(f"{option} is given twice for one --attribute: give it once, behind the one it belongs to")
        else:
            setattr(item, self.dest, values)
        item.given.add(self.dest)


def parse_click(text: str) -> tuple[float, float, bool]:
    """``X,Y`` or ``X,Y,-`` (not part of it), pixels of the upright picture."""
    from durian.prepare import Click

    place, sign = (text[:-2], text[-1]) if text[-2:] in (",-", ",+") else (text, "+")
    x, y = _numbers(place, (2,), "a click: give X,Y in pixels or, for what does not belong, X,Y,-", text, Click)
    return x, y, sign == "+"


def parse_blend(text: str) -> tuple[float, float]:
    """``A`` or ``A,B``: α at the first and the last frame."""
    from durian.request import Alpha
    from durian.schema import checked

    wanted = "a blend: give A or A,B, each from 0 to 1, such as 0.5 or 0,1"
    numbers = _numbers(text, (1, 2), wanted, text, lambda *alphas: [checked(Alpha, alpha) for alpha in alphas])
    return numbers[0], numbers[-1]


def parse_crop(text: str) -> tuple[float, float, float]:
    """``X,Y,SIDE``: centre and side in pixels of the upright picture."""
    from durian.face import Crop

    x, y, side = _numbers(text, (3,), "a crop: give X,Y,SIDE in pixels, with SIDE above 0", text, Crop)
    return x, y, side


def parse_shard(text: str) -> tuple[int, int]:
    """``I/N``, part I of N, from 1."""
    from durian.schema import shown

    part, slash, parts = text.partition("/")
    number, count = as_number(part), as_number(parts)
    if not (slash and isinstance(number, int) and isinstance(count, int) and 1 <= number <= count):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a shard: give I/N, such as 1/4, with I from 1 to N")
    return number, count


def _numbers(
    place: str, counts: Sequence[int], wanted: str, text: str, check: Callable[..., object]
) -> tuple[float, ...]:
    """The numbers of ``place``, separated by commas, as many as ``counts`` allows.

    Args:
        wanted: the words behind "is not", of which ``text`` is the given.
        check: called with the numbers; raises :class:`InvalidRequest` where one is out of its range.
    """
    numbers = tuple(as_number(part) for part in place.split(","))
    try:
        if len(numbers) in counts and not any(isinstance(number, str) for number in numbers):
            check(*numbers)
            return tuple(float(number) for number in numbers)
    except InvalidRequest:
        pass  # The range is in the words.
    from durian.schema import shown

    raise argparse.ArgumentTypeError(f"{shown(text)} is not {wanted}")
