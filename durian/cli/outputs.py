"""Checks of every output path of a command before any work begins."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from durian.errors import InvalidRequest, OutputFailed


def check_outputs(arguments: argparse.Namespace) -> None:
    """Check every file and folder that a command line asks for.

    Args:
        arguments: as parsed; ``files`` and ``folders`` say which of them are written.

    Raises:
        OutputFailed: one cannot be written; see :mod:`durian.media.destination`.
        InvalidRequest: two are the same file, or one is a file that is read.
    """
    from durian.media.destination import check_file, check_folder

    for name in arguments.folders:
        if (folder := getattr(arguments, name)) is not None:
            check_folder(folder)
    for name, path in files_written(arguments).items():
        if path.name.lower() in arguments.files[name]:
            raise OutputFailed(f"{path.name} is an ending without a name: give one, such as result{path.name}.")
        check_file(path, arguments.files[name])
    taken = {place(path): path for path in files_read(arguments)}
    for name, path in files_written(arguments).items():
        if place(path) in taken:
            raise InvalidRequest(
                f"{path.name} is already used by this request, and --{option(name)} would replace it: "
                "give another name."
            )
        taken[place(path)] = path


def files_written(arguments: argparse.Namespace) -> dict[str, Path]:
    """The files that are asked for, by the argument's name."""
    return {name: path for name in arguments.files if (path := getattr(arguments, name)) is not None}


def files_read(arguments: argparse.Namespace) -> list[Path]:
    """The pictures and videos that are read."""
    named = [getattr(arguments, name, None) for name in ("portrait", "image", "motion")]
    items = [path for item in getattr(arguments, "attributes", None) or () for path in (item.picture, item.mask)]
    return [Path(path) for path in (*named, *items) if path is not None]


def place(path: Path) -> str:
    """The same for two paths that lead to one file."""
    return os.path.realpath(path)


def option(name: str) -> str:
    """An argument's name as it is given."""
    return name.replace("_", "-")
