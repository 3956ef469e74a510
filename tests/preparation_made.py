"""Videos and scenes of two real people, made on the spot, for tests of what prepares clips."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from durian.media import write_video
from durian.synthetic.base.geometry import Label
from durian.synthetic.scenes.scene_files import columns_of, tiled

SIDE = 320
TILE = 256
COLLINS, HOPPER = (224.0, 130.0, 300.0), (256.0, 170.0, 330.0)
"""Centre and side of a square around each face in its photo."""


def close_up(photo: np.ndarray, square: tuple[float, float, float], side: int = SIDE) -> np.ndarray:
    """``(side, side, 3) uint8`` of a photo."""
    x, y, extent = square
    scale = side / extent
    matrix = np.array([[scale, 0, side / 2 - x * scale], [0, scale, side / 2 - y * scale]])
    return cv2.warpAffine(photo, matrix, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)


def moving(picture: np.ndarray, frames: int, speed: float = 1.0) -> Iterator[np.ndarray]:
    """A picture that drifts to the right and sways."""
    for number in range(frames):
        shift = np.array([[1.0, 0, speed * number], [0, 1.0, 2 * np.sin(number)]])
        yield cv2.warpAffine(picture, shift, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def make_video(path: Path, parts: Sequence[Iterator[np.ndarray]], fps: float = 12) -> Path:
    """A video of parts that follow each other without transition."""
    return write_video((frame for part in parts for frame in part), path, fps)


def make_scene(
    folder: Path,
    number: int,
    tiles: Sequence[np.ndarray],
    roles: Sequence[str],
    labels: np.ndarray,
    soft: dict[str, np.ndarray] | None = None,
    **about: object,
) -> Path:
    """A scene's files.

    Args:
        folder: where to.
        number: of the scene.
        tiles: ``(S, S, 3) uint8``.
        roles: of each.
        labels: ``(N, S, S) uint8``.
        soft: masks ``(N, S, S) uint8`` by attribute.
        about: what the description says besides.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, columns = folder / f"{number:05d}.json", columns_of(len(tiles))
    Image.fromarray(tiled(tiles, columns)).save(path.with_suffix(".webp"), lossless=True)
    Image.fromarray(tiled(list(labels), columns)).save(path.with_suffix(".png"))
    for name, masks in (soft or {}).items():
        Image.fromarray(tiled(list(masks), columns)).save(path.with_name(f"{path.stem}-{name}.png"))
    people = [int(role == "reference") + 40 for role in roles]
    description = {
        "kind": "triplet",
        "fps": 10.0,
        "size": tiles[0].shape[0],
        "columns": columns,
        "roles": list(roles),
        "frames": [{"person": person} for person in people],
        "items": [{"attribute": "hat", "shots": [n for n, role in enumerate(roles) if role == "reference"]}],
    }
    path.write_text(json.dumps(description | about))
    return path


def hat_labels(count: int, worn: Sequence[int], side: int = TILE) -> np.ndarray:
    """``(count, side, side) uint8``: a hat in the upper third of the worn ones, hair in a stripe below, of all."""
    labels = np.zeros((count, side, side), np.uint8)
    labels[:, side // 3 : side // 2, : side // 8] = Label.HAIR
    labels[list(worn), : side // 3] = Label.HAT
    return labels
