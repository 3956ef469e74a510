"""Real photographs for the evaluations: their selection, the items worn in them, and head crops of a fixed size."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from durian.content_hash import content_hash
from durian.errors import DurianError, InvalidRequest
from durian.face import Crop, require_face
from durian.face.geometry import eye_distance
from durian.geometry.head import Head

KINDS = ("hair", "glasses", "hat", "beard")
"""Kinds of items that photographs are searched for."""
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
LEAST_HAIR = 0.5
"""Area in squares of the outer-eye distance below which a head is bald: presence checks take hair for granted."""
HEAD_SIDE = 512
"""Pixels of the longer side of a head's box in larger photographs: figures do not depend on an upload's size."""
ROOM = 3.0
"""Side of what is kept of a photograph, in longer sides of the head's box: more than a default crop shows."""


@dataclass(frozen=True)
class Photographs:
    """Selection of a folder's photographs.

    Attributes:
        split: a CSV of ``file`` (relative to the folder) and ``split``; without it all pictures count.
        part: of the split: ``train``, ``validation`` or ``test``.
        kinds: items that are looked for, of :data:`KINDS`.
        stills: a CSV of ``file`` and ``kind`` that says what is worn; nothing is then looked for.
    """

    split: Path | None = None
    part: str = "test"
    kinds: tuple[str, ...] = KINDS
    stills: Path | None = None


@dataclass(frozen=True)
class HeadPhoto:
    """The square of a photograph around its largest face: ``image`` ``(S, S, 3) uint8`` with an even S, ``landmarks``
    ``(478, 3) float32`` pixels of it."""

    image: np.ndarray
    landmarks: np.ndarray


def photograph_paths(folder: Path, photographs: Photographs) -> list[Path]:
    """The pictures of the chosen part, by name.

    Raises:
        InvalidRequest: there are none, or the split names one that is not there.
    """
    if photographs.split is None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.name[0] != ".")
    else:
        rows = _rows(photographs.split, ("file", "split"))
        names = {row["file"] for row in rows if row["split"] == photographs.part}
        paths = sorted(_inside(folder, name) for name in names if Path(name).suffix.lower() in ENDINGS)
    if not paths:
        where = folder.name if photographs.split is None else f"part {photographs.part} of {photographs.split.name}"
        raise InvalidRequest(f"There are no photographs in {where}: give a folder of {', '.join(ENDINGS)} files.")
    return paths


def case_name(folder: Path, path: Path, *more: str) -> str:
    """A name of a photograph's case that is unique in its folder and fit for a file's."""
    return "-".join([*path.relative_to(folder).with_suffix("").parts, *more]).replace(" ", "_")


def items_worn(folder: Path, photographs: Photographs) -> dict[Path, frozenset[str] | None]:
    """Items of the wanted kinds that each photograph shows, by its path; ``None`` where no usable face is seen.

    The list of ``stills`` is believed where there is one, and only its photographs are named; otherwise the project's
    own presence check says so.
    """
    if photographs.stills is None:
        from durian.evaluation.data.workers import score_all

        paths = photograph_paths(folder, photographs)
        return dict(zip(paths, score_all(partial(_seen, kinds=photographs.kinds), paths, 1, "photo"), strict=True))
    allowed = None if photographs.split is None else set(photograph_paths(folder, photographs))
    found: dict[Path, frozenset[str] | None] = {}
    for row in _rows(photographs.stills, ("file", "kind")):
        if row["kind"] not in KINDS:
            raise InvalidRequest(f"{row['kind']!r} in {photographs.stills.name} is no kind: use {', '.join(KINDS)}.")
        path = _inside(folder, row["file"])
        if row["kind"] in photographs.kinds and (allowed is None or path in allowed):
            found[path] = (found.get(path) or frozenset()) | {row["kind"]}
    return dict(sorted(found.items()))


def first_of(paths: Sequence[Path], folder: Path, limit: int | None, seed: int) -> list[Path]:
    """At most ``limit`` of ``paths``, drawn by the seed and in their own order: names of one source lie together."""
    if limit is None or len(paths) <= limit:
        return list(paths)
    drawn = sorted(paths, key=lambda path: content_hash([seed, str(path.relative_to(folder))]))[:limit]
    return [path for path in paths if path in drawn]


def read_photo(path: Path) -> np.ndarray:
    """A photograph at the size that portraits are worked on, ``(H, W, 3) uint8``.

    Raises:
        UnreadableMedia, LimitExceeded: the file.
    """
    from durian.media import read_picture
    from durian.settings import get_settings

    return read_picture(path, get_settings().portrait_megapixels).image


def read_head_photo(path: Path) -> HeadPhoto:
    """The surroundings of a photograph's largest head, reduced so that the head's box is :data:`HEAD_SIDE` long.

    Smaller heads keep their pixels, exactly.

    Raises:
        UnreadableMedia, LimitExceeded: the file; NoFaceFound: its face.
    """
    photo = read_photo(path)
    face = require_face(photo, what=path.name)
    left, top, right, bottom = head_box(face.landmarks)
    longer = max(right - left, bottom - top)
    height, width = photo.shape[:2]
    side = int(min(height, width, ROOM * longer)) // 2 * 2
    # Whole pixels from the photograph's corner, so that nothing is resampled where the size stays.
    corner_x = int(np.clip(round((left + right - side) / 2), 0, width - side))
    corner_y = int(np.clip(round((top + bottom - side) / 2), 0, height - side))
    crop = Crop(corner_x + (side - 1) / 2, corner_y + (side - 1) / 2, side)
    size = 2 * round(side * min(1.0, HEAD_SIDE / longer) / 2)
    return HeadPhoto(crop.apply(photo, size), crop.points(face.landmarks, size))


def head_box(landmarks: np.ndarray) -> tuple[float, float, float, float]:
    """``(left, top, right, bottom)`` in pixels around the face mesh ``(478, 3)`` and the skull behind it."""
    head = Head(landmarks)
    turn = np.linspace(0, 2 * np.pi, 64)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    across = np.array([down[1], -down[0]])
    skull = (
        head.centre[:2] + np.outer(np.cos(turn) * head.radii[0], across) + np.outer(np.sin(turn) * head.radii[1], down)
    )
    points = np.concatenate([landmarks[:, :2], skull])
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return float(left), float(top), float(right), float(bottom)


def _seen(path: Path, kinds: tuple[str, ...]) -> frozenset[str] | None:
    from durian.segmentation import worn

    try:
        head = read_head_photo(path)
    except DurianError:
        return None
    masks = worn(head.image, head.landmarks, kinds)
    unit = eye_distance(head.landmarks)
    areas = {name: (mask > 127).sum() / unit**2 for name, mask in masks.items()}
    return frozenset(name for name, area in areas.items() if area > (LEAST_HAIR if name == "hair" else 0))


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest(f"{path.name} cannot be read: give a CSV of {' and '.join(columns)}.") from error
    if not rows or any(row.get(column) is None for row in rows for column in columns):
        raise InvalidRequest(f"{path.name} is empty or lacks a column: give a CSV of {' and '.join(columns)}.")
    return rows


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise InvalidRequest(f"{name} is not in {folder.name}: give the folder that the list was made for.")
    return path
