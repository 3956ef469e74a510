"""``durian wear``: a picture of the whole photo, changed where the items are and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from durian.engine.dressed_photo import dressed_photo
from durian.face import Crop, require_face
from durian.media import read_image
from durian.media.metadata import read_metadata

pytestmark = pytest.mark.usefixtures("own_engine")

KEYS = {"out", "width", "height", "renderer", "seed", "fit"}


def test_a_photo_keeps_its_size_and_all_that_no_item_touches(run, photos: Path, tmp_path: Path):
    photo = Image.open(photos / "collins.png").convert("RGB")
    large = tmp_path / "large.png"
    photo.resize((photo.width * 3 + 1, photo.height * 3 + 1), Image.Resampling.BICUBIC).save(large)
    out = tmp_path / "worn.png"
    code, printed, _ = run(
        "wear", "--portrait", large, "--attribute", photos / "hopper.png", "--mask", photos / "cap.png",
        "--name", "hat", "--size", 256, "--no-label", "-o", out, "--json",
    )  # fmt: skip
    assert code == 0
    report = json.loads(printed.strip().splitlines()[-1])
    assert set(report) == KEYS
    given, worn = read_image(large), read_image(out)
    assert (report["width"], report["height"]) == (given.shape[1], given.shape[0])
    assert worn.shape == given.shape
    face = require_face(given).landmarks
    difference = np.abs(worn.astype(int) - given).max(-1)
    chin, brow = (int(face[point, 1]) for point in (152, 9))
    left, right = int(face[:, 0].min()), int(face[:, 0].max())
    assert difference[:brow, left:right].mean() > 10  # the cap
    assert not difference[(brow + chin) // 2 : chin, left:right].any()  # nose and mouth
    assert not difference[-5:].any()
    assert read_metadata(out)["seed"] == 0


def test_what_is_drawn_more_coarsely_leaves_the_rest_of_the_photo_sharp():
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (300, 260, 3), dtype=np.uint8)
    crop = Crop(130.0, 140.0, 200.0)
    still = crop.apply(photo, 64)
    still[20:30, 24:40] = (200, 20, 20)
    worn = dressed_photo(still, photo, crop)
    # A pixel of the still is 200 / 64 of the photo; the square begins at 30 + 24 · 200 / 64 and so on.
    left, right, top, bottom = 105, 155, 102.5, 133.75
    middle = worn[int(top) + 8 : int(bottom) - 8, left + 8 : right - 8]
    assert np.abs(middle.astype(int) - (200, 20, 20)).max() <= 2
    far = np.ones(photo.shape[:2], bool)
    far[int(top) - 16 : int(bottom) + 16, left - 16 : right + 16] = False
    assert np.array_equal(worn[far], photo[far])
    assert np.array_equal(dressed_photo(crop.apply(photo, 64), photo, crop), photo)
    # Two pixels that were drawn anew, as at the corner of an eye, are nothing worn.
    speck = crop.apply(photo, 64)
    speck[40, 30:32] = (200, 20, 20)
    assert np.array_equal(dressed_photo(speck, photo, crop), photo)


def test_a_portrait_is_asked_for(run, tmp_path: Path):
    code, _, error = run("wear", "-o", tmp_path / "out.png")
    assert code == 2
    assert error.strip() == "durian: No portrait was given: use --portrait FILE or --example NAME."


def test_an_example_is_worn(run, tmp_path: Path):
    out = tmp_path / "out.webp"
    code, printed, _ = run("wear", "--example", "hopper-cap", "--size", 128, "-o", out, "--json")
    assert code == 0
    assert json.loads(printed.strip().splitlines()[-1])["renderer"] == "preview"
    assert read_image(out).ndim == 3
