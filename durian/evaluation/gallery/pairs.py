"""Tables of pairs: the portrait, the items it puts on, and the motion.

Two kinds of header are taken. Either one column holds all items as ``FILE:NAME;FILE:NAME`` (``attributes``), or each
has columns of its own, as in ``animate --batch``: ``attribute``, ``name``, ``attribute2``, ``name2`` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from durian.errors import InvalidRequest
from durian.motion import PRESETS
from durian.request import ATTRIBUTE_NAMES
from durian.schema import shown

MOST_PAIRS = 2000
"""Nobody looks through more; four methods of it are some gigabytes."""
COLUMNS = ("number", "kind", "portrait", "attributes", "motion")
OWN_COLUMN = re.compile(r"(attribute|name)([2-8]?)")
NUMBER = re.compile(r"[\w.-]{1,40}")
LONGEST_KIND = 80
DEFAULT_MOTION = "nod"
FINDABLE = ATTRIBUTE_NAMES[:-1]
"""Kinds of items that are found by their name alone."""


@dataclass(frozen=True)
class Pair:
    """One row. ``motion`` is a preset's name (text) or a driving video (a path); ``items`` are pictures with the name
    of what to take of each. ``told`` is the row's own text, for the key file."""

    number: str
    kind: str
    portrait: Path
    items: tuple[tuple[Path, str], ...]
    motion: str | Path
    told: tuple[str, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All that is read for it."""
        moving = (self.motion,) if isinstance(self.motion, Path) else ()
        return (self.portrait, *(path for path, _ in self.items), *moving)


def is_column(cell: str) -> bool:
    """Whether a table of pairs may have a column of that name."""
    return _column(cell) in COLUMNS or OWN_COLUMN.fullmatch(_column(cell)) is not None


def pairs_of(called: str, header: Sequence[str], rows: Sequence[Sequence[str]], folders: Sequence[Path]) -> list[Pair]:
    """The pairs of a table.

    Args:
        called: how a sentence names the table.
        header, rows: its cells; a row may be longer than the header.
        folders: where pictures and videos may lie; the table can name nothing outside them.

    Raises:
        InvalidRequest: one sentence about the first thing that cannot be used.
    """
    columns = [_column(cell) for cell in header]
    if unknown := [cell for cell in header if not is_column(cell)]:
        known = ", ".join(COLUMNS)
        raise InvalidRequest(
            f"{called} has a column {shown(unknown[0])}, which is not known: use {known}, or instead of attributes "
            "attribute and name, attribute2 and name2 and so on."
        )
    if twice := [column for column in columns if columns.count(column) > 1]:
        raise InvalidRequest(f"{called} has the column {twice[0]} {columns.count(twice[0])} times: leave one.")
    if "portrait" not in columns or not {"attributes", "attribute"} & {*columns}:
        raise InvalidRequest(f"{called} needs the columns portrait and attributes (or attribute and name): add them.")
    if not 0 < len(rows) <= MOST_PAIRS:
        raise InvalidRequest(f"{called} holds {len(rows)} pairs: give 1 to {MOST_PAIRS}.")
    pairs = []
    for place, row in enumerate(rows, start=1):
        try:
            pairs.append(_pair(place, dict(zip(columns, row)), row[len(columns) :], folders))
        except InvalidRequest as error:
            raise InvalidRequest(f"Row {place} of {called}: {error}") from error
    numbers = [pair.number for pair in pairs]
    if twice := [number for number in numbers if numbers.count(number) > 1]:
        raise InvalidRequest(f"{called} has the number {twice[0]} {numbers.count(twice[0])} times: number each anew.")
    return pairs


def _pair(place: int, cells: dict[str, str], beyond: Sequence[str], folders: Sequence[Path]) -> Pair:
    if any(beyond):
        raise InvalidRequest("it has more cells than the header: quote cells that hold the separator.")
    number, kind = cells.get("number") or str(place), cells.get("kind") or "all"
    if not NUMBER.fullmatch(number):
        raise InvalidRequest(f"{shown(number)} cannot be the number: use at most 40 letters, digits, dots and dashes.")
    if len(kind) > LONGEST_KIND or not kind.isprintable():
        raise InvalidRequest(f"{shown(kind)} cannot be the kind: use at most {LONGEST_KIND} plain characters.")
    named = _items(cells)
    if not named:
        raise InvalidRequest("it names nothing to put on: give attributes such as people/a.jpg:hat.")
    for _, name in named:
        if name not in FINDABLE:
            raise InvalidRequest(f"{shown(name)} cannot be found by its name: use one of {', '.join(FINDABLE)}.")
    motion = cells.get("motion") or DEFAULT_MOTION
    return Pair(
        number=number,
        kind=kind,
        portrait=_inside(cells["portrait"], folders),
        items=tuple((_inside(text, folders), name) for text, name in named),
        motion=motion if motion in PRESETS else _inside(motion, folders, f"or one of {', '.join(PRESETS)}"),
        told=(cells["portrait"], *(f"{text}:{name}" for text, name in named), motion),
    )


def _items(cells: dict[str, str]) -> list[tuple[str, str]]:
    """Text and name of each item, as they stand in the row."""
    items = []
    for part in filter(None, map(str.strip, cells.get("attributes", "").split(";"))):
        text, colon, name = part.rpartition(":")
        if not colon:
            raise InvalidRequest(f"{shown(part)} does not say what to take: write it as {part[:40]}:hat.")
        items.append((text, name.strip()))
    for index in ("", *"2345678"):
        text, name = cells.get(f"attribute{index}", ""), cells.get(f"name{index}", "")
        if text or name:
            items.append((text, name))
    return items


def _inside(text: str, folders: Sequence[Path], otherwise: str = "") -> Path:
    """The file that a cell names, below one of the folders or, with that folder's own name, beside the others."""
    for folder in folders:
        home = folder.resolve()
        for start in (home, home.parent):
            try:
                found = (start / text).resolve()
                if found.is_relative_to(home) and found.is_file():
                    return found
            except (OSError, ValueError, RuntimeError):
                continue  # a name too long, or links in a circle: no file
    places = " or ".join(folder.name or str(folder) for folder in folders)
    wanted = f"a file in {places}" + (f", {otherwise}" if otherwise else "")
    raise InvalidRequest(f"{shown(text)} is not there: give {wanted}.")


def _column(cell: str) -> str:
    return cell.strip().lower()
