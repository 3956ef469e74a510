"""Many animations from one CSV, each row as the options of ``durian animate``; a bad row stops only itself."""

from __future__ import annotations

import argparse
import csv
import logging
import re
import sys
import time
from pathlib import Path

from durian.cli import animate
from durian.cli.parser import make_parser
from durian.errors import DurianError, InvalidRequest, UnreadableMedia

ITEM_COLUMNS = ("mask", "name", "click", "strength", "trim", "layer", "item-face")
SWITCHES = ("uncrop", "no-label", "no-normalise-lips", "sound")
PATHS = ("portrait", "attribute", "mask", "out", "gif", "frames-zip", "bundle")
MAX_ROWS = 10_000

log = logging.getLogger(__name__)


def run_batch(arguments: argparse.Namespace) -> dict[str, object]:
    """Run all rows of ``arguments.batch``.

    A column is named like an option without its dashes; a second item's columns end in 2 (``attribute2``,
    ``name2``), and so on. Several clicks of a cell are separated by spaces, erased kinds too. Files are relative to
    the CSV. Other options on the command line hold for rows that leave them out.

    Returns:
        ``requests``, ``done`` (a report for each), ``failed`` (``row``, counted from 1 below the header, and
        ``error``) and ``seconds``.

    Raises:
        UnreadableMedia: the CSV cannot be read.
    """
    from tqdm import tqdm

    rows = _read(arguments.batch)
    started = time.perf_counter()
    done, failed, outs = [], [], set()
    for number, row in enumerate(tqdm(rows, unit="request", file=sys.stderr), start=1):
        try:
            row_arguments = _parse(row, number, arguments)
            if row_arguments.out.resolve() in outs:
                raise InvalidRequest(f"{row_arguments.out.name} was written by an earlier row: give another out.")
            animation = animate.animate(row_arguments, animate.prepare(row_arguments))
            outs.add(row_arguments.out.resolve())
            done.append({"row": number, **animate.report(animation)})
        except DurianError as error:
            failed.append({"row": number, "error": str(error)})
        except Exception as error:
            # A row that meets a fault of ours must not cost the others their turn.
            log.exception("Row %d failed.", number)
            failed.append({"row": number, "error": f"Something broke inside ({type(error).__name__}: {error})."})
    for failure in failed:
        print(f"row {failure['row']}: {failure['error']}", file=sys.stderr)
    seconds = round(time.perf_counter() - started, 3)
    return {"requests": len(rows), "done": done, "failed": failed, "seconds": seconds}


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            rows = [row for row in reader if any(isinstance(v, str) and v.strip() for v in row.values())]
    except FileNotFoundError as error:
        raise UnreadableMedia(f"{path.name} does not exist: give a CSV with a header and a row per request.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableMedia(f"{path.name} cannot be read as CSV: save it as comma-separated UTF-8 text.") from error
    if not rows:
        raise UnreadableMedia(f"{path.name} holds no requests: give a header and a row for each.")
    if len(rows) > MAX_ROWS:
        raise UnreadableMedia(f"{path.name} holds {len(rows)} requests: split it into files of at most {MAX_ROWS}.")
    return rows


def _parse(row: dict[str, str], number: int, defaults: argparse.Namespace) -> argparse.Namespace:
    """A row as parsed arguments, above those of the command line.

    Raises:
        InvalidRequest: a column or value that no option knows.
    """
    if "" in row:
        raise InvalidRequest("The row has more cells than the header: quote cells that hold commas.")
    folder = defaults.batch.resolve().parent
    cells = {k.strip().lower().replace("_", "-"): (v or "").strip() for k, v in row.items()}
    argv, items = ["animate"], {}
    for column, cell in cells.items():
        name, index = re.fullmatch(r"(.*?)(\d*)", column).groups()
        if not cell:
            continue
        if name == "attribute" or name in ITEM_COLUMNS:
            items.setdefault(int(index or 1), {})[name] = cell
        elif index:
            raise InvalidRequest(f"The column {column!r} is not known: columns are named like animate's options.")
        else:
            argv += _option(name, cell, folder)
    for index in sorted(items):
        item = items[index]
        if "attribute" not in item:
            raise InvalidRequest(f"Item {index} has {', '.join(item)} but no attribute: name its reference picture.")
        argv += _option("attribute", item.pop("attribute"), folder)
        for name, cell in item.items():
            argv += _option(name, cell, folder)
    if "out" not in cells or not cells["out"]:
        argv += ["--out", str(folder / f"{defaults.batch.stem}-{number:03}.mp4")]
    return _above(make_parser().parse_args(argv), defaults)


def _option(name: str, cell: str, folder: Path) -> list[str]:
    if name in SWITCHES:
        return [f"--{name}"] if cell.lower() in ("1", "yes", "true", "x") else []
    if name in ("click", "erase"):
        return [part for value in cell.split() for part in (f"--{name}={value}",)]
    if name in PATHS or (name == "motion" and (folder / cell).is_file()):
        cell = str(animate.absolute(Path(cell), folder))
    return [f"--{name}={cell}"]


def _above(row: argparse.Namespace, defaults: argparse.Namespace) -> argparse.Namespace:
    """The row's arguments, and the command line's where the row left the parser's default."""
    plain = make_parser().parse_args(["animate"])
    for name, value in vars(defaults).items():
        if name not in ("batch", "out") and getattr(row, name) == getattr(plain, name):
            setattr(row, name, value)
    return row
