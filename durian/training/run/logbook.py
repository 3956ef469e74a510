"""Logs of a training: a line of JSON for each report, and the same as curves and pictures in TensorBoard."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from durian.evaluation.run.sheets import write_sheet

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LINES, CURVES, SHEETS = "log.jsonl", "tensorboard", "sheets"
"""In a stage's folder."""

log = logging.getLogger(__name__)


class Logbook:
    """Writes to a folder; what stands there of later steps, from a run that ended without a checkpoint, goes.

    Args:
        folder: of the stage.
        step: the last one before this run.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._forget_after(step)
        self._curves = _curves(folder / CURVES, step)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step."""
        line = {"step": step, **{name: float(f"{value:.6g}") for name, value in values.items()}}
        with (self._folder / LINES).open("a") as file:
            file.write(json.dumps(line) + "\n")
        if self._curves is not None:
            for name, value in values.items():
                self._curves.add_scalar(name, value, step)

    def show(self, step: int, rows: list[list[np.ndarray]]) -> Path:
        """A sheet of equally large ``(S, S, 3) uint8`` pictures; returns its PNG."""
        path = self._folder / SHEETS / f"{step:07d}.png"
        write_sheet(path, rows)
        if self._curves is not None:
            sheet = np.vstack([np.hstack(row) for row in rows])
            self._curves.add_image("validation", sheet, step, dataformats="HWC")
        return path

    def close(self) -> None:
        """Write what TensorBoard still holds."""
        if self._curves is not None:
            self._curves.close()

    def _forget_after(self, step: int) -> None:
        path = self._folder / LINES
        if path.is_file():
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join(line for line in lines if _step_of(line) <= step))


def read_log(folder: Path) -> list[dict[str, float]]:
    """The lines of a stage's log, in order; none where nothing was written yet."""
    path = folder / LINES
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def _step_of(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except ValueError:
        # The machine went away in the middle of a line.
        return float("inf")


def _curves(folder: Path, step: int) -> SummaryWriter | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        log.warning("TensorBoard is not installed, so numbers go to %s only: pip install tensorboard.", LINES)
        return None
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
