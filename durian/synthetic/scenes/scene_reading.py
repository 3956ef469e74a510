"""Reading of scenes from their files (:mod:`durian.synthetic.scenes.scene_files` describes those)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from durian.errors import UnreadableMedia
from durian.synthetic.scenes.scene_files import columns_of
from durian.synthetic.scenes.scenes import ITEM_LABELS

OLD_SIZE, OLD_COLUMNS = 256, 4
OLD_ROLES = ("portrait",) * 2 + ("reference",) * 2 + ("target",) * 12
OLD_FPS = 12.0
"""Of scenes whose description does not say: those of the trial, sixteen tiles of one portrait's person and one
reference's, which were made for about a second of motion."""


@dataclass(frozen=True)
class SceneFiles:
    """The content of a scene's files; N is the number of shots, T of targets, S their side in pixels.

    Attributes:
        name: the files' common name, such as ``00012``.
        kind: one of :data:`durian.synthetic.scenes.scenes.KINDS`.
        fps: frames per second of the targets.
        roles: of each shot, ``portrait``, ``reference`` or ``target``.
        people: of each shot, equal numbers for the same person.
        items: for each attribute that changes hands, the shots of its owner.
        tiles: ``(N, S, S, 3) uint8`` RGB.
        labels: ``(N, S, S) uint8``, each pixel's :class:`~durian.synthetic.base.geometry.Label`.
        coverage: for attributes with a soft mask, ``(N, S, S) uint8``, how much of each pixel they cover.
        bare: ``(T, S, S, 3) uint8`` targets without the items, if they were rendered.
        about: the whole description.
    """

    name: str
    kind: str
    fps: float
    roles: tuple[str, ...]
    people: tuple[int, ...]
    items: Mapping[str, tuple[int, ...]]
    tiles: np.ndarray
    labels: np.ndarray
    coverage: Mapping[str, np.ndarray]
    bare: np.ndarray | None
    about: Mapping[str, Any]

    def shots(self, role: str) -> list[int]:
        """Numbers of the shots with a role."""
        return [number for number, other in enumerate(self.roles) if other == role]

    def masks(self, attribute: str) -> np.ndarray:
        """``(N, S, S) uint8``, where an attribute is worn: its soft masks, or else its classes, 0 and 255."""
        if attribute in self.coverage:
            return self.coverage[attribute]
        return np.isin(self.labels, ITEM_LABELS[attribute]).astype(np.uint8) * 255


def read_scene(path: Path) -> SceneFiles:
    """Read a scene by its JSON file, whatever its grid.

    Raises:
        UnreadableMedia: a file is missing, damaged, or not as the description says.
    """
    try:
        about = json.loads(path.read_text())
        roles = tuple(about.get("roles", OLD_ROLES))
        count, size = len(roles), about.get("size", OLD_SIZE)
        columns = about.get("columns", OLD_COLUMNS)
        soft = [name for name in ITEM_LABELS if _beside(path, f"{name}.png").is_file()]
        return SceneFiles(
            name=path.stem,
            kind=about.get("kind", "triplet"),
            fps=float(about.get("fps", OLD_FPS)),
            roles=roles,
            people=_people(about.get("frames", [{}] * count), roles),
            items=_items(about, roles),
            tiles=_tiles(path.with_suffix(".webp"), size, columns, count, "RGB"),
            labels=_tiles(path.with_suffix(".png"), size, columns, count),
            coverage={name: _tiles(_beside(path, f"{name}.png"), size, columns, count) for name in soft},
            bare=_bare(path, size, roles.count("target")),
            about=about,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableMedia(
            f"Scene {path.stem} cannot be read ({error}): give a folder that durian synth render made."
        ) from error


def scene_names(folder: Path) -> list[str]:
    """Names of a folder's scenes, in order."""
    return sorted(path.stem for path in folder.glob("*.json") if path.stem.isdecimal())


def scene_files(path: Path) -> list[Path]:
    """All files of the scene of a JSON file, that one included, by name."""
    return sorted(file for file in path.parent.glob(f"{path.stem}*") if file.suffix in (".json", ".png", ".webp"))


def _people(frames: list[dict], roles: tuple[str, ...]) -> tuple[int, ...]:
    """Small numbers for people, in the order in which they appear."""
    seeds = [frame.get("person", int(role == "reference")) for frame, role in zip(frames, roles, strict=True)]
    order = list(dict.fromkeys(seeds))
    return tuple(order.index(seed) for seed in seeds)


def _items(about: dict, roles: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    if "items" in about:
        return {item["attribute"]: tuple(item["shots"]) for item in about["items"]}
    return {about["attribute"]: tuple(number for number, role in enumerate(roles) if role == "reference")}


def _bare(path: Path, size: int, targets: int) -> np.ndarray | None:
    bare = _beside(path, "bare.webp")
    return _tiles(bare, size, columns_of(targets), targets, "RGB") if bare.is_file() else None


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.stem}-{ending}")


def _tiles(path: Path, size: int, columns: int, count: int, mode: str | None = None) -> np.ndarray:
    """The first ``count`` tiles of a grid, ``(count, size, size[, 3]) uint8``; a palette picture's are its indices."""
    from PIL import Image

    with Image.open(path, formats=("PNG", "WEBP")) as picture:
        grid = np.asarray(picture.convert(mode) if mode else picture)
    rows = -(-count // columns)
    if grid.shape[:2] != (rows * size, columns * size):
        raise ValueError(
            f"{path.name} is {grid.shape[1]}×{grid.shape[0]} pixels where {columns * size}×{rows * size} are told"
        )
    cells = grid.reshape(rows, size, columns, size, *grid.shape[2:]).swapaxes(1, 2)
    return np.ascontiguousarray(cells.reshape(rows * columns, size, size, *grid.shape[2:])[:count])
