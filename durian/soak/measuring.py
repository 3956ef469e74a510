"""Measurements of a process from outside: memory, threads and open files; and the files left in its folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reading:
    """A moment of a process: memory in MB, now and at its peak; threads; open files, sockets among them."""

    resident_mb: float
    peak_mb: float
    threads: int
    open_files: int


@dataclass(frozen=True)
class Left:
    """Files in a folder and below."""

    files: int
    folders: int


def read_process(pid: int) -> Reading | None:
    """The process's reading; ``None`` where the system has no ``/proc`` or the process is gone."""
    folder = Path("/proc") / str(pid)
    try:
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        open_files = len(os.listdir(folder / "fd"))
        resident, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    except (OSError, KeyError):
        return None
    return Reading(resident, peak, int(status["Threads"]), open_files)


def count_left(folder: Path, without: Path | None = None) -> Left:
    """Files (links and hidden ones too) and folders below ``folder``, leaving out the folder ``without``."""
    files = folders = 0
    for path, inner, names in os.walk(folder):
        if without is not None:
            inner[:] = [name for name in inner if Path(path, name) != without]
        folders += len(inner)
        files += len(names)
    return Left(files, folders)
