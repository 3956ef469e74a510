"""Scenes on disk: a grid of tiles, a grid of classes, soft masks, and a description.

``NNNNN.webp`` holds the tiles in rows (four a row where there are sixteen): portraits, references, targets.
``NNNNN.png`` is a palette picture of the same grid: each pixel's :class:`~durian.synthetic.base.geometry.Label`, glass
counting as lens. ``NNNNN-hat.png`` (one for each item that changes hands, or for what somebody wears in a clip) says
how much of each pixel the item covers. ``NNNNN-bare.webp`` shows the targets alone, without the items.
``NNNNN.json`` is written last: a scene that has one is whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from durian.media.files import atomic_output
from durian.synthetic.base.geometry import Label
from durian.synthetic.base.person import Person
from durian.synthetic.scenes.filming import Film
from durian.synthetic.scenes.scenes import ITEM_LABELS, Item, Shot
from durian.synthetic.studio.studio import Picture

WEBP_QUALITY, WEBP_EFFORT = 90, 4
GLASS = 128
"""Share of a pixel, of 255, from which on it counts as seen through glass."""
PALETTE = np.array(
    [
        *((30, 30, 40), (230, 180, 150), (200, 150, 120), (240, 140, 110), (90, 50, 20)),  # background ... brow
        *((250, 250, 250), (40, 120, 220), (220, 60, 90), (120, 20, 30), (255, 255, 200)),  # sclera ... teeth
        *((240, 200, 120), (20, 20, 20), (110, 70, 40), (70, 40, 90)),  # nose, lash, hair, beard
        *((20, 220, 220), (120, 230, 230), (240, 160, 20), (250, 230, 40), (60, 100, 180)),  # frame ... cloth
    ],
    np.uint8,
)
"""Colours in which class maps are shown, by :class:`Label`."""


def scene_path(folder: Path, number: int) -> Path:
    """The description of a scene; the other files stand beside it."""
    return folder / f"{number:05d}.json"


def write_scene(film: Film, folder: Path) -> Path:
    """Write a scene's files, the description last; returns its path."""
    from PIL import Image

    path = scene_path(folder, film.scene.number)
    columns = columns_of(len(film.pictures))
    _save_webp(tiled([picture.rgb for picture in film.pictures], columns), path.with_suffix(".webp"))
    if film.bare:
        bare = tiled([picture.rgb for picture in film.bare], columns_of(len(film.bare)))
        _save_webp(bare, path.with_name(f"{path.stem}-bare.webp"))
    classes = Image.fromarray(tiled([class_map(picture) for picture in film.pictures], columns))
    classes.putpalette(PALETTE.tobytes())
    classes.save(path.with_suffix(".png"), optimize=True)
    for name in masked_attributes(film):
        mask = tiled([picture.coverage[name] for picture in film.pictures], columns)
        Image.fromarray(mask).save(path.with_name(f"{path.stem}-{name}.png"), optimize=True)
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(describe(film, columns), separators=(",", ":")))
    return path


def columns_of(tiles: int) -> int:
    """Tiles in a row of a scene's grid."""
    return math.ceil(math.sqrt(tiles))


def tiled(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Tiles ``(S, S[, C])`` in rows of so many; places left over are zero."""
    size = tiles[0].shape[0]
    rows = math.ceil(len(tiles) / columns)
    grid = np.zeros((rows * size, columns * size, *tiles[0].shape[2:]), tiles[0].dtype)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        grid[row * size : (row + 1) * size, column * size : (column + 1) * size] = tile
    return grid


def class_map(picture: Picture) -> np.ndarray:
    """``(S, S) uint8`` classes, with glass in front of everything else but frames."""
    glass = (picture.lens >= GLASS) & (picture.classes != Label.FRAME)
    return np.where(glass, np.uint8(Label.LENS), picture.classes)


def masked_attributes(film: Film) -> list[str]:
    """Attributes whose soft masks are written: those that change hands, in a clip those that are worn."""
    if film.scene.items:
        return [item.attribute for item in film.scene.items]
    person = film.scene.shots[0].person
    return [name for name in ITEM_LABELS if getattr(person, name).is_worn]


def describe(film: Film, columns: int) -> dict[str, object]:
    """The content of ``NNNNN.json``. ``attribute``, ``labels``, ``style`` and ``portrait_had`` are those of the first
    item, ``items`` names all; ``landmarks`` are x and y in pixels of the tile; angles are radians, lights as
    :class:`~durian.synthetic.base.person.Light`.
    """
    plot = film.scene
    portrait = plot.shots[0].person
    items = [_item(item, portrait) for item in plot.items]
    first = items[0] if items else {"attribute": "none", "labels": [], "style": "none", "portrait_had": "none"}
    return {
        **{name: first[name] for name in ("attribute", "labels", "style", "portrait_had")},
        "kind": plot.kind,
        "number": plot.number,
        "seed": plot.seed,
        "items": items,
        "roles": [shot.role for shot in plot.shots],
        "columns": columns,
        "size": int(film.pictures[0].rgb.shape[0]),
        "bare": bool(film.bare),
        "manner": plot.manner,
        "fps": round(plot.fps, 3),
        "pose_gap": round(plot.pose_gap, 4),
        "light_gap": plain({**asdict(plot.light_gap), "total": plot.light_gap.total}),
        "landmarks": [np.round(picture.landmarks.astype(float), 2).tolist() for picture in film.pictures],
        "frames": [_frame(shot) for shot in plot.shots],
    }


def _item(item: Item, portrait: Person) -> dict[str, object]:
    return {
        "attribute": item.attribute,
        "labels": [int(label) for label in ITEM_LABELS[item.attribute]],
        "style": item.look.style,
        "portrait_had": getattr(portrait, item.attribute).style,
        "shots": list(item.shots),
    }


def _frame(shot: Shot) -> dict[str, object]:
    view, person = shot.view, shot.person
    return {
        **{name: round(float(getattr(view, name)), 4) for name in ("yaw", "pitch", "roll", "scale", "cx", "cy")},
        **{name: getattr(person, name).style for name in ("hair", "beard", "glasses", "hat", "earrings", "cloth")},
        "person": person.seed,
        "light": plain(asdict(view.light)),
        "expression": {name: round(float(amount), 3) for name, amount in view.expression.items() if abs(amount) > 5e-4},
    }


def plain(value: object) -> object:
    """Numbers of any kind as JSON has them, rounded to four places."""
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return round(float(value), 4)
    return int(value) if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else value


def _save_webp(image: np.ndarray, path: Path) -> None:
    from PIL import Image

    Image.fromarray(image).save(path, quality=WEBP_QUALITY, method=WEBP_EFFORT)
