"""The drawn masks are what their table and README say."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).parent / "data" / "masks"
PICTURES = Path(__file__).parents[2] / "shared" / "data"
ROWS = list(csv.DictReader((FOLDER / "masks.csv").open()))
LABELS = 9


def _path(row: dict[str, str]) -> Path:
    return FOLDER / row["split"] / f"{row['picture'].replace('/', '__').rsplit('.', 1)[0]}.png"


def test_every_mask_is_in_the_table_once():
    paths = [_path(row) for row in ROWS]
    assert sorted(paths) == sorted(FOLDER.glob("*/*.png"))
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["picture"])
def test_mask_has_its_size_and_known_labels(row):
    mask = Image.open(_path(row))
    assert mask.mode == "P"
    assert "x".join(map(str, mask.size)) == row["size"]
    assert max(mask.size) <= 512
    labels = np.asarray(mask)
    assert labels.max() < LABELS
    assert (labels == 1).any()


def test_test_masks_owe_nothing_to_a_proposal():
    assert all(row["drawn_from"] == "blank" for row in ROWS if row["split"] == "test")


@pytest.mark.skipif(not PICTURES.is_dir(), reason="the pictures are not here")
def test_masks_belong_to_the_pictures_at_hand():
    splits = {row["file"]: row["split"] for row in csv.DictReader((PICTURES / "split.csv").open())}
    for row in ROWS:
        assert splits[row["picture"]] == row["split"]
        assert hashlib.sha256((PICTURES / row["picture"]).read_bytes()).hexdigest() == row["sha256"]
