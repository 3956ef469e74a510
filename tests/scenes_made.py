"""Scenes on disk, laid out as ``durian synth render`` writes them, of two real faces; the hat is a square."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from durian.synthetic.base.geometry import Label
from durian.synthetic.scenes.scene_files import columns_of, tiled

SIDE, TARGETS = 256, 3
HAT = (slice(10, 50), slice(60, 160))
"""Where the hat is in every tile that shows one."""
HAT_COLOUR = (200, 40, 40)


def face_tiles(collins: np.ndarray, hopper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two people, ``(256, 256, 3) uint8``."""
    squares = (collins[:300, 70:370], hopper[:400, 50:450])
    return tuple(np.asarray(Image.fromarray(square).resize((SIDE, SIDE))) for square in squares)


def write_made_scene(folder: Path, number: int, portrait: np.ndarray, reference: np.ndarray) -> Path:
    """A triplet: two portraits, two references, :data:`TARGETS` frames of the portrait with the hat."""
    wearing = [picture.copy() for picture in (reference, *[portrait] * TARGETS)]
    for picture in wearing:
        picture[HAT] = HAT_COLOUR
    tiles = [portrait, portrait, wearing[0], wearing[0], *wearing[1:]]
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[HAT] = 255
    masks = [np.zeros_like(mask)] * 2 + [mask] * (2 + TARGETS)
    labels = [np.where(mask > 0, Label.HAT, Label.FACE).astype(np.uint8) for mask in masks]
    columns = columns_of(len(tiles))
    path = folder / f"{number:05d}.json"
    Image.fromarray(tiled(tiles, columns)).save(path.with_suffix(".webp"), lossless=True)
    Image.fromarray(tiled(labels, columns)).save(path.with_suffix(".png"))
    Image.fromarray(tiled(masks, columns)).save(path.with_name(f"{path.stem}-hat.png"))
    Image.fromarray(tiled([portrait] * TARGETS, columns_of(TARGETS))).save(
        path.with_name(f"{path.stem}-bare.webp"), lossless=True
    )
    item = {"attribute": "hat", "labels": [int(Label.HAT)], "shots": [2, 3]}
    about = {"kind": "triplet", "items": [item], "columns": columns, "fps": 8.0, "pose_gap": np.pi / 6}
    about |= {"roles": ["portrait"] * 2 + ["reference"] * 2 + ["target"] * TARGETS, "light_gap": {"total": 1.5}}
    path.write_text(json.dumps(about))
    return path
