"""Source files of clips."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path


def files_below(folder: Path, endings: Collection[str]) -> list[str]:
    """Paths of the files below a folder with one of these endings, relative to it, in order; no hidden ones."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in endings and path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found if not path.name.startswith("."))
