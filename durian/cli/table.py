"""Tables as spreadsheets save them: commas, semicolons or tabs; UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media.files import open_regular

MAX_BYTES = 20_000_000
"""Two thousand for each of ten thousand rows."""
SEPARATORS = (",", ";", "\t")
"""Separators of cells in spreadsheets' files: semicolons where the comma is the decimal sign."""
SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n])"?([^\r\n]?)\2*(?:\r\n?|\n)', re.IGNORECASE)
"""A first line by which Excel is told the separator. Where it was saved as a cell, separators follow it."""
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Table:
    """A header and rows, and the separator that was between their cells.

    Cells are without spaces around them; rows of empty cells only are left out. ``header`` ends with the last column
    that has a name. A row may be longer, up to its last cell that holds something, and is never shorter.
    """

    header: list[str]
    rows: list[list[str]]
    separator: str = ","


def read_table(path: Path, is_known: Callable[[str], bool]) -> Table:
    """Read a table, whichever separator and encoding it has.

    Args:
        path: an ordinary file.
        is_known: whether a cell is the name of a column that may be used: the separator is the one that finds most.

    Raises:
        UnreadableMedia: it does not exist, is not a regular file or no such table.
        LimitExceeded: it has more than :data:`MAX_BYTES`.
    """
    text = _decoded(_bytes(path), path.name)
    if told := SEPARATOR_LINE.match(text):
        text = text[told.end() :]
    separators = (told[2] or told[1],) if told else SEPARATORS
    ways = [(cells, each) for each in separators if (cells := _cells(text, each)) is not None]
    if not ways:
        raise _unreadable(path.name)
    cells, separator = max(ways, key=lambda way: sum(map(is_known, way[0][0])) if way[0] else 0)
    if not cells:
        return Table([], [])
    header, *rows = cells
    return Table(header, [row + [""] * (len(header) - len(row)) for row in rows], separator)


def _cells(text: str, separator: str) -> list[list[str]] | None:
    """Rows that hold something, each up to its last such cell; ``None`` where quotes do not go with the separator."""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [[cell.strip() for cell in row] for row in reader]
    except (csv.Error, TypeError):
        # A first line may also tell a separator that none can be, such as a quote.
        return None
    lengths = [max((i for i, cell in enumerate(row, start=1) if cell), default=0) for row in rows]
    return [row[:length] for row, length in zip(rows, lengths) if length]


def _bytes(path: Path) -> bytes:
    with open_regular(path, "CSV with a header and a row per request") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise LimitExceeded(
                f"{path.name} has {size / 1e6:.0f} MB: give a CSV of at most {MAX_BYTES // 1_000_000} MB."
            )
        return file.read()


def _decoded(data: bytes, name: str) -> str:
    """The text; what is neither marked as UTF-16 nor valid UTF-8 is what Excel's plain "CSV" is in western Windows."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Pictures and archives are full of these, and no path may hold one.
        if "\0" not in text:
            # Tools that each put a mark before what they are given leave several.
            return text.lstrip(BYTE_ORDER_MARK)
    raise _unreadable(name)


def _unreadable(name: str) -> UnreadableMedia:
    return UnreadableMedia(f"{name} cannot be read as CSV: save it as comma-separated UTF-8 text.")
