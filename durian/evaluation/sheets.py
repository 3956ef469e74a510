"""Contact sheets: rows of pictures in one PNG, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_sheet(path: Path, rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Write ``rows`` of equally large ``(H, W, 3) uint8`` pictures; the folder is made when it is missing."""
    from durian.media import write_image

    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(np.vstack([np.hstack(list(row)) for row in rows]), path)
