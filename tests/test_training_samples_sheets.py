"""Contact sheets of samples and of augmentation's ranges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_samples_made import RED, clip, triplet

from durian.media import read_image
from durian.training.data.batch_sheet import (
    CAPTION_HEIGHT,
    HIDDEN,
    TILE,
    caption_of,
    write_batch_sheet,
)
from durian.training.data.dataset import Samples, SamplingSettings
from durian.training.data.pairs import PairSettings


@pytest.fixture
def sample(tmp_path):
    settings = SamplingSettings().without_augmentation()
    return Samples([clip(tmp_path, "film", items=("glasses",))], 96, 5, settings=settings)[0]


def test_a_row_shows_the_item_and_hides_it(tmp_path, sample):
    path = write_batch_sheet(tmp_path / "sheets" / "batch.png", [sample, sample])
    sheet = read_image(path)
    # Six tiles of references, and two of each of four targets.
    assert sheet.shape == (2 * (TILE + CAPTION_HEIGHT), 14 * TILE, 3)
    row = sheet[CAPTION_HEIGHT : CAPTION_HEIGHT + TILE]
    tiles = [row[:, TILE * number : TILE * (number + 1)].astype(int) for number in range(14)]
    y, x = np.argwhere(sample.attribute_mask > 127).mean(0).astype(int) * 2
    assert np.abs(tiles[1][y, x] - RED).max() < 40
    assert (tiles[1][4, 4] == HIDDEN).all()
    assert (tiles[4][y, x] == HIDDEN).all()
    assert np.abs(tiles[4][4, 4] - sample.portrait[2, 2]).max() <= 1
    assert np.abs(tiles[6] - tiles[12]).max() > 10  # first and last target


def test_rows_of_different_length_fit_on_one_sheet(tmp_path, sample):
    short = replace(sample, **{name: getattr(sample, name)[:1] for name in ("targets", "keypoints", "inside")})
    sheet = read_image(write_batch_sheet(tmp_path / "batch.png", [short, sample]))
    assert sheet.shape[1] == 14 * TILE
    assert np.ptp(sheet[CAPTION_HEIGHT:TILE, 8 * TILE :]) == 0


def test_captions_tell_what_a_sample_is(tmp_path, sample):
    sample = replace(sample, hole=np.full((96, 96), 255, np.uint8), inside=np.zeros((5, 96, 96), np.uint8))
    assert caption_of(sample) == "glasses, pseudo pair, film: hole 100.0% of the portrait, item 0.0% of targets"
    true = Samples([triplet(tmp_path, "scene", "hat")], 96, settings=SamplingSettings(PairSettings(true_share=1)))[0]
    assert caption_of(true).startswith("hat, true pair, scene: hole ")
