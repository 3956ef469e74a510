"""Many animations from one CSV, each row as the options of ``durian animate``; a bad row stops only itself."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path

from durian.cli import animate
from durian.cli.arguments import Parser
from durian.cli.combinations import check_batch, check_together
from durian.cli.outputs import check_outputs, files_read, files_written, option, place
from durian.cli.parser import animate_options, make_parser
from durian.cli.progress import progress
from durian.cli.table import Table, read_table
from durian.cli.values import Number
from durian.errors import DurianError, InvalidRequest, UnreadableMedia
from durian.motion import PRESETS
from durian.schema import shown

ITEM_COLUMNS = ("attribute", "mask", "name", "click", "strength", "trim", "layer", "item-face")
"""Columns that may be numbered, for a second item and more."""
SWITCHES = ("uncrop", "no-label", "no-normalise-lips", "sound")
YES = ("1", "yes", "y", "true", "on", "x", "✓", "ja", "wahr", "oui", "vrai")
NO = ("0", "no", "n", "false", "off", "nein", "falsch", "non", "faux")
"""Values of a switch's cell, as English, German and French spreadsheets write it; an empty one says nothing."""
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
PATHS = ("portrait", "attribute", "mask", "out", "gif", "frames-zip", "bundle")
NUMBERS = tuple(name for name, kind in animate_options().items() if isinstance(kind, Number))
NOT_OF_A_ROW = ("help", "json", "verbose", "batch")
MAX_ROWS = 10_000

log = logging.getLogger(__name__)


def run_batch(arguments: argparse.Namespace) -> dict[str, object]:
    """Run all rows of ``arguments.batch``.

    A column is named like an option without its dashes; a second item's columns end in 2 (``attribute2``,
    ``name2``), and so on. Several clicks of a cell are separated by spaces, erased kinds too. A switch's cell is one of
    :data:`YES` and :data:`NO`. Where cells are not separated by commas, one number may have a decimal comma; a list
    (crop, click, blend) has points, for its commas stand between its numbers. Files are relative to the CSV. Other
    options on the command line hold for rows that leave them out. All rows are looked through before the first is
    rendered.

    Returns:
        ``requests``, ``done`` (a report for each), ``failed`` (``row``, counted from 1 below the header, and
        ``error``) and ``seconds``.

    Raises:
        UnreadableMedia: the CSV cannot be read.
        InvalidRequest: a column that no option knows, or one that is there twice; or a result's file for all rows.
    """
    check_batch(arguments)
    table = _read(arguments.batch)
    started = time.perf_counter()
    rows, failed = _parsed(table, arguments)
    done = []
    with progress("request") as show:
        for count, (number, row) in enumerate(rows.items(), start=1):
            try:
                prepared = animate.prepare(row)
                done.append({"row": number, **animate.report(animate.animate(row, prepared), prepared)})
            except DurianError as error:
                failed[number] = str(error)
            except Exception as error:
                # A row that meets a fault of ours must not cost the others their turn.
                log.exception("Row %d failed.", number)
                failed[number] = f"Something broke inside ({type(error).__name__}: {error})."
            show(count, len(rows))
    failures = [{"row": number, "error": failed[number]} for number in sorted(failed)]
    for failure in failures:
        print(f"row {failure['row']}: {failure['error']}", file=sys.stderr)
    seconds = round(time.perf_counter() - started, 3)
    return {"requests": len(table.rows), "done": done, "failed": failures, "seconds": seconds}


def _read(path: Path) -> Table:
    known = set(animate_options()) - set(NOT_OF_A_ROW)

    def is_known(cell: str) -> bool:
        name, index = _column(cell)
        return name in known and (index == 1 or name in ITEM_COLUMNS)

    table = read_table(path, is_known)
    if not table.rows:
        raise UnreadableMedia(f"{path.name} holds no requests: give a header and a row for each.")
    if len(table.rows) > MAX_ROWS:
        raise UnreadableMedia(
            f"{path.name} holds {len(table.rows)} requests: split it into files of at most {MAX_ROWS}."
        )
    unknown = [cell for cell in table.header if cell and not is_known(cell)]
    if unknown:
        raise InvalidRequest(
            f"{path.name} has a column {unknown[0]!r}, which is not known: name columns like animate's options "
            f"({', '.join(sorted(known))}), and those of a second item attribute2, name2 and so on."
        )
    columns = Counter(_column(cell) for cell in table.header if cell)
    (name, index), count = columns.most_common(1)[0]
    if count > 1:
        what = f"{name}{index if index > 1 else ''}"
        todo = f"number those of another item, such as {name}{index + 1}" if name in ITEM_COLUMNS else "leave one"
        raise InvalidRequest(f"{path.name} has the column {what!r} {count} times: {todo}.")
    return table


def _column(cell: str) -> tuple[str, int]:
    """A heading as an option's name, and the number of the item it is about."""
    heading = re.sub(r"[\s_]+", "-", cell.lower())
    digits = re.findall(r"[0-9]{0,3}\Z", heading)[0]
    return heading.removesuffix(digits), int(digits or 1)


def _parsed(table: Table, defaults: argparse.Namespace) -> tuple[dict[int, argparse.Namespace], dict[int, str]]:
    """Rows that may run, and why the others may not, by number. Nothing that is read or written twice is written."""
    parser = make_parser()
    rows, failed = {}, {}
    for number, cells in enumerate(table.rows, start=1):
        try:
            rows[number] = _parse(parser, table, cells, number, defaults)
        except DurianError as error:
            failed[number] = str(error)
    readers = {place(path): number for number, row in reversed(rows.items()) for path in files_read(row)}
    writers: dict[str, int] = {}
    for number, row in list(rows.items()):
        try:
            check_outputs(row)
            for name, path in files_written(row).items():
                if (other := writers.get(place(path))) is not None:
                    raise InvalidRequest(f"{path.name} is written by row {other}: give another {option(name)}.")
                if (other := readers.get(place(path))) is not None:
                    raise InvalidRequest(f"{path.name} is read by row {other}: give another {option(name)}.")
            writers |= {place(path): number for path in files_written(row).values()}
        except DurianError as error:
            failed[number] = str(error)
            del rows[number]
    return rows, failed


def _parse(
    parser: Parser, table: Table, cells: list[str], number: int, defaults: argparse.Namespace
) -> argparse.Namespace:
    """A row as parsed arguments, above those of the command line.

    Raises:
        InvalidRequest: a cell without a column, a value that its option does not take, or no portrait.
    """
    if any(cell for cell, column in zip(cells, [*table.header, *[""] * len(cells)]) if not column):
        raise InvalidRequest(
            "The row has a cell without a heading: name its column, and quote cells that hold the separator."
        )
    folder = defaults.batch.resolve().parent
    argv, given = ["animate"], set()
    items: dict[int, dict[str, str]] = {}
    for column, cell in zip(table.header, cells):
        name, index = _column(column)
        if not cell:
            continue
        if table.separator != "," and name in NUMBERS and DECIMAL_COMMA.fullmatch(cell):
            cell = cell.replace(",", ".")
        if name in ITEM_COLUMNS:
            items.setdefault(index, {})[name] = cell
        elif name in SWITCHES:
            given.add(name.replace("-", "_"))
            argv += [f"--{name}"] if _is_yes(cell, name) else []
        else:
            argv += _option(name, cell, folder)
    for index in sorted(items):
        item = items[index]
        if "attribute" not in item:
            raise InvalidRequest(f"Item {index} has {', '.join(item)} but no attribute: name its reference picture.")
        argv += _option("attribute", item.pop("attribute"), folder)
        for name, cell in item.items():
            argv += _option(name, cell, folder)
    if not any(part.startswith("--out=") for part in argv):
        argv += ["--out", str(folder / f"{defaults.batch.stem}-{number:03}.mp4")]
    row = parser.parse_args(argv)
    row.given |= given
    check_together(_above(row, defaults))
    if row.portrait is None and row.example is None:
        raise InvalidRequest("The row has no portrait: fill its column portrait or example.")
    return row


def _is_yes(cell: str, column: str) -> bool:
    word = cell.casefold()
    if word in YES or word in NO:
        return word in YES
    raise InvalidRequest(f"{shown(cell)} cannot be {column}: give yes or no.")


def _option(name: str, cell: str, folder: Path) -> list[str]:
    if name in ("click", "erase"):
        return [f"--{name}={value}" for value in cell.split()]
    if name in PATHS or (name == "motion" and cell not in PRESETS):
        # Joined as texts, since a path would lose a slash at its end.
        cell = os.path.join(folder, cell)
    return [f"--{name}={cell}"]


def _above(row: argparse.Namespace, defaults: argparse.Namespace) -> argparse.Namespace:
    """The row's arguments, and the command line's where the row left something out."""
    left_out = defaults.given - row.given - {"batch", "given"}
    # Who is animated is one choice, whichever of the two columns makes it.
    if row.given & {"portrait", "example"}:
        left_out -= {"portrait", "example"}
    for name in left_out:
        setattr(row, name, getattr(defaults, name))
    return row
