"""A folder of drawn masks, of pictures that tests have."""

from __future__ import annotations

import csv
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image


def drawn_folder(root: Path, pictures: dict[str, np.ndarray], labels: dict[str, np.ndarray], split: str) -> Path:
    """Write ``pictures`` ``(H, W, 3)`` into ``root/pictures/faces`` and their ``labels`` into ``root/masks``, which it
    returns."""
    folder, faces = root / "masks" / split, root / "pictures" / "faces"
    folder.mkdir(parents=True)
    faces.mkdir(parents=True)
    rows = []
    for name, picture in pictures.items():
        Image.fromarray(picture).save(faces / f"{name}.png")
        image = Image.fromarray(labels[name], "P")
        image.putpalette([(7 * n) % 256 for n in range(3 * 256)])
        image.save(folder / f"faces__{name}.png")
        digest = sha256((faces / f"{name}.png").read_bytes()).hexdigest()
        rows.append({"picture": f"faces/{name}.png", "sha256": digest, "split": split, "size": "", "strokes": 0})
    with (root / "masks" / "masks.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return root / "masks"
