"""Contact sheets: rows of pictures in one PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from durian.evaluation.data.tasks import Task

COLUMNS = 4
"""Frames of a clip that a sheet shows."""


def write_case_sheet(path: Path, task: Task, clips: Sequence[np.ndarray]) -> None:
    """A row for each of ``clips`` ``(F, S, S, 3) uint8``: the portrait, its references, and frames evenly spread."""
    inputs = [task.image, *(attribute.image for attribute in task.attributes)]
    rows = [[*inputs, *(clip[index] for index in spread(len(clip)))] for clip in clips]
    if rows:
        write_sheet(path, rows)


def spread(frames: int, columns: int = COLUMNS) -> list[int]:
    """Numbers of as many frames as a row has, the first and the last among them."""
    return [int(number) for number in np.linspace(0, frames - 1, columns)]


def write_sheet(path: Path, rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Write ``rows`` of equally large ``(H, W, 3) uint8`` pictures; the folder is made when it is missing."""
    from durian.media import write_image

    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(np.vstack([np.hstack(list(row)) for row in rows]), path)
