"""Reads what :mod:`durian.synthetic.scene_files` writes, and older scenes: a 4 × 4 grid whose JSON has no roles."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from durian.errors import InvalidRequest, UnreadableMedia

OLD_COLUMNS = 4
OLD_ROLES = ("portrait",) * 2 + ("reference",) * 2 + ("target",) * 12
"""Tiles in a row, and the role of each, where the description does not say."""
OLD_FPS = 12.0


@dataclass(frozen=True)
class StoredItem:
    """What changes hands: its ``attribute``, its ``labels``, and the numbers of the ``tiles`` that show its owner."""

    attribute: str
    labels: tuple[int, ...]
    tiles: tuple[int, ...]


@dataclass(frozen=True)
class StoredScene:
    """A scene from disk; N tiles of S × S pixels.

    Attributes:
        name: the file's number.
        kind: one of :data:`durian.synthetic.scenes.KINDS`.
        tiles: ``(N, S, S, 3) uint8`` RGB.
        labels: ``(N, S, S) uint8``, each pixel's :class:`~durian.synthetic.geometry.Label`.
        roles: of each tile, ``portrait``, ``reference`` or ``target``.
        items: what changes hands.
        masks: by attribute ``(N, S, S) uint8``, how much of each pixel the item covers; hard where the scene has no
            soft masks.
        fps: of the targets.
        bare: ``(F, S, S, 3) uint8`` the targets without the items, or ``None``.
        about: the whole description.
    """

    name: str
    kind: str
    tiles: np.ndarray
    labels: np.ndarray
    roles: tuple[str, ...]
    items: tuple[StoredItem, ...]
    masks: Mapping[str, np.ndarray]
    fps: float
    bare: np.ndarray | None
    about: Mapping[str, object]

    def tiles_of(self, role: str) -> list[int]:
        """Numbers of the tiles with a role."""
        return [number for number, other in enumerate(self.roles) if other == role]


def scene_descriptions(folder: Path) -> list[Path]:
    """The scenes' JSON files, by number.

    Raises:
        InvalidRequest: there are none.
    """
    found = sorted(path for path in folder.glob("*.json") if path.stem.isdecimal())
    if not found:
        raise InvalidRequest(
            f"{folder.name} holds no scenes: give a folder of NNNNN.webp, .png and .json files, as durian synth "
            "render makes it."
        )
    return found


def read_scene(path: Path) -> StoredScene:
    """Read a scene by its JSON file.

    Raises:
        UnreadableMedia: a file is missing, broken or does not fit the others.
    """
    try:
        about = json.loads(path.read_text())
        columns, roles = about.get("columns", OLD_COLUMNS), tuple(about.get("roles", OLD_ROLES))
        tiles = cut(_pixels(path.with_suffix(".webp"), "RGB"), columns, len(roles))
        labels = cut(_pixels(path.with_suffix(".png")), columns, len(roles))
        items = _items(about, roles)
        return StoredScene(
            name=path.stem,
            kind=about.get("kind", "triplet"),
            tiles=tiles,
            labels=labels,
            roles=roles,
            items=items,
            masks={item.attribute: _masks(path, item, labels, columns) for item in items},
            fps=float(about.get("fps", OLD_FPS)),
            bare=_bare(path, roles.count("target")),
            about=about,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableMedia(f"Scene {path.stem} cannot be read ({error}): render it again.") from error


def scene_files(path: Path) -> list[Path]:
    """All files of the scene of a JSON file, that one included, by name."""
    return sorted(file for file in path.parent.glob(f"{path.stem}*") if file.suffix in (".json", ".png", ".webp"))


def cut(grid: np.ndarray, columns: int, count: int) -> np.ndarray:
    """The first ``count`` square tiles of a grid ``(R * S, columns * S[, C])``, row by row: ``(count, S, S[, C])``.

    Raises:
        ValueError: the grid does not hold as many.
    """
    size, rest = divmod(grid.shape[1], columns)
    rows, odd = divmod(grid.shape[0], max(size, 1))
    if rest or odd or rows * columns < count:
        raise ValueError(f"{grid.shape[1]}×{grid.shape[0]} pixels do not hold {count} tiles in rows of {columns}")
    cells = grid.reshape(rows, size, columns, size, *grid.shape[2:]).swapaxes(1, 2)
    return np.ascontiguousarray(cells.reshape(rows * columns, size, size, *grid.shape[2:])[:count])


def _items(about: Mapping, roles: tuple[str, ...]) -> tuple[StoredItem, ...]:
    if "items" in about:
        return tuple(
            StoredItem(item["attribute"], tuple(item["labels"]), tuple(item["shots"])) for item in about["items"]
        )
    references = tuple(number for number, role in enumerate(roles) if role == "reference")
    return (StoredItem(about["attribute"], tuple(about["labels"]), references),)


def _masks(path: Path, item: StoredItem, labels: np.ndarray, columns: int) -> np.ndarray:
    soft = path.with_name(f"{path.stem}-{item.attribute}.png")
    if soft.is_file():
        return cut(_pixels(soft), columns, len(labels))
    return np.isin(labels, item.labels).astype(np.uint8) * 255


def _pixels(path: Path, mode: str | None = None) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as picture:
        # A palette picture's values are its classes.
        return np.asarray(picture.convert(mode) if mode else picture)


def _bare(path: Path, targets: int) -> np.ndarray | None:
    bare = path.with_name(f"{path.stem}-bare.webp")
    return cut(_pixels(bare, "RGB"), math.ceil(math.sqrt(targets)), targets) if bare.is_file() else None
