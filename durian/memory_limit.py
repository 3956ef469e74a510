"""The memory that this process may have: the machine's, or less in a container."""

from __future__ import annotations

import os
from pathlib import Path

OWN_GROUPS = Path("/proc/self/cgroup")
ALL_GROUPS = Path("/sys/fs/cgroup")
UNKNOWN_BYTES = 4 * 1024**3
"""Of a machine that does not tell."""


def memory_limit(own: Path = OWN_GROUPS, groups: Path = ALL_GROUPS) -> int:
    """Bytes: the machine's memory, or the least limit of the control groups (of either version) that the process is in.

    Args:
        own: the file that lists the process's groups.
        groups: the folder that holds all groups.
    """
    return min([_of_machine(), *_of_groups(own, groups)])


def _of_machine() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return UNKNOWN_BYTES


def _of_groups(own: Path, groups: Path) -> list[int]:
    """All limits that are set."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top, name = (groups, "memory.max") if not controllers else (groups / "memory", "memory.limit_in_bytes")
        # The groups above have limits too. In a container the top is often its own group, whatever place is told.
        folder = Path(place.strip("/"))
        for group in (folder, *folder.parents):
            try:
                limits.append(int((top / group / name).read_text()))
            except (OSError, ValueError):
                # There is no such group here, or it has "max", no limit.
                continue
    return limits
