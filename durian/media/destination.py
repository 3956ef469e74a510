"""Checks, before any work is done, that a result may be written to its destination.

A file's folder must be there: making one for each misspelt path would hide the mistake, and the result with it. A
folder that is asked for as such (a data set, a report) is made with all that leads to it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from durian.errors import OutputFailed
from durian.media.files import discard, output_failure, temporary_beside, written_to


def check_file(path: Path, endings: Sequence[str]) -> None:
    """Check that a file may be written, by writing an empty one beside it.

    Args:
        path: the file; one that is there is replaced, and through a link the one it leads to.
        endings: what its name may end in, lower case, such as ``(".png", ".jpg")``.

    Raises:
        OutputFailed: another ending; a folder that does not exist or is not writable; a name that is a folder's, too
            long, that of a file which is write-protected or no ordinary one, or a link that leads nowhere.
    """
    if path.suffix.lower() not in endings:
        raise OutputFailed(f"{path.name or path} cannot be written: end its name in {_or(endings)}.")
    try:
        check_place(path)
        if path.is_dir():
            raise OutputFailed(f"{path.name} is a folder: give a file's name, such as {path.name}/result{endings[0]}.")
        if path.exists() and not path.is_file():
            raise OutputFailed(f"{path.name} is not an ordinary file, so it is not replaced: give another name.")
        if path.is_file() and not os.access(path, os.W_OK):
            raise OutputFailed(f"{path.name} is write-protected: give another name, or allow writing.")
        _try_writing(temporary_beside(path))
    except OSError as error:
        if isinstance(error, OutputFailed):
            raise
        raise output_failure(path, error) from error


def check_place(path: Path) -> None:
    """Check that the folder of a file is there; of a link, that of the file it leads to.

    Raises:
        OutputFailed: it is not.
    """
    try:
        target = written_to(path)
        is_lost = os.path.islink(path) and (os.path.islink(target) or not target.parent.is_dir())
        is_nowhere = not path.parent.is_dir()
    except OSError as error:
        raise output_failure(path, error) from error
    if is_lost:
        raise OutputFailed(f"{path.name} is a link that leads nowhere: remove it, or give another name.")
    if is_nowhere:
        raise output_failure(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))


def check_folder(path: Path) -> None:
    """Check that a folder may be written to, or made where it is missing; nothing is made yet.

    Raises:
        OutputFailed: it, or what leads to it, is a file or not writable.
    """
    try:
        there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    except OSError as error:
        raise output_failure(path, error) from error
    if not there.is_dir():
        raise OutputFailed(f"{there.name} is a file: give a folder to write to.")
    try:
        _try_writing(temporary_beside(there / "x"))
    except OSError as error:
        raise output_failure(there / path.name, error) from error


def _try_writing(temporary: Path) -> None:
    try:
        temporary.touch(exist_ok=False)
    finally:
        discard(temporary)


def _or(endings: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))
