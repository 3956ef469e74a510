"""Masks of real portraits that people drew: one small picture of labels for each, without the photograph.

A folder has ``masks.csv`` (``picture``, its ``sha256``, ``split``, ``size``) and ``SPLIT/FOLDER__NAME.png``, in which
every pixel is the number of a label.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import numpy as np

from durian.errors import InvalidRequest

LABELS = ("background", "skin", "hair", "beard", "frame", "lens", "hat", "clothes", "unsure")
"""Names of the labels by number; lips and ears are skin, and undecided pixels are unsure."""
UNSURE = LABELS.index("unsure")
ITEMS = {"hair": ("hair",), "beard": ("beard",), "glasses": ("frame", "lens"), "hat": ("hat",)}
"""Labels of the items that have names."""


@dataclass(frozen=True)
class DrawnMask:
    """``labels`` ``(h, w) uint8`` numbers of :data:`LABELS`, of the whole upright photograph ``picture``, smaller."""

    picture: Path
    labels: np.ndarray

    def item(self, name: str) -> np.ndarray:
        """Where an item of :data:`ITEMS` is, ``(h, w) bool``."""
        return np.isin(self.labels, [LABELS.index(label) for label in ITEMS[name]])

    @property
    def decided(self) -> np.ndarray:
        """Pixels whose label was decided, ``(h, w) bool``."""
        return self.labels != UNSURE


def read_drawn_masks(folder: Path, pictures: Path, part: str) -> list[DrawnMask]:
    """The masks of a part, by their pictures' names.

    Args:
        folder: of the masks.
        pictures: the folder that ``picture`` is relative to.
        part: a ``split`` of ``masks.csv``: train, validation or test.

    Raises:
        InvalidRequest: no such part, or a photograph that is missing or another one.
    """
    try:
        with (folder / "masks.csv").open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == part]
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest(f"{folder.name} has no masks.csv of drawn masks: give a folder of them.") from error
    if not rows:
        raise InvalidRequest(f"{folder.name} has no masks of the part {part}: name another part.")
    found = []
    for row in sorted(rows, key=lambda row: row["picture"]):
        picture = pictures / row["picture"]
        if not picture.is_file() or _digest(picture) != row["sha256"]:
            raise InvalidRequest(f"{row['picture']} is not the photograph that was drawn on: give the same files.")
        path = folder / part / (str(Path(row["picture"]).with_suffix("")).replace("/", "__") + ".png")
        found.append(DrawnMask(picture, _labels(path)))
    return found


def _labels(path: Path) -> np.ndarray:
    """The numbers of an indexed PNG, ``(h, w) uint8``, not its palette's colours."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            labels = np.asarray(picture)
    except (OSError, UnidentifiedImageError) as error:
        raise InvalidRequest(f"{path.name} cannot be read: give a PNG of label numbers.") from error
    if labels.ndim != 2 or labels.dtype != np.uint8 or labels.max() >= len(LABELS):
        raise InvalidRequest(f"{path.name} has no labels: give a PNG of one channel, numbers 0 to {len(LABELS) - 1}.")
    return labels


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
