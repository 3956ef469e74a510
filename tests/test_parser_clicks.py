"""The network that clicks go through."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from durian.segmentation.parser.classes import BACKGROUND, CLASSES, HAIR, HAT
from durian.segmentation.parser.click_network import of_same_class
from durian.segmentation.parser.clicked import draw_clicks
from durian.segmentation.parser.network import INPUTS, ParserNetwork
from durian.segmentation.parser.running import clicked_mask, save_network


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    return save_network(ParserNetwork(), tmp_path_factory.mktemp("parser"), {})


def test_clicks_are_discs_on_two_channels():
    drawn = draw_clicks(np.array([[40, 50], [90, 20]]), np.array([1, 0]), 128)
    assert drawn[0, 50, 40] == 1 == drawn[1, 20, 90]
    assert drawn[1, 50, 40] == 0 == drawn[0, 20, 90]
    assert set(np.unique(drawn)) == {0, 1}


def test_what_is_of_the_class_that_was_clicked():
    """Left is a hat, right hair, 3 to 1 sure; the included click is half on either, the excluded one on the right."""
    shares = torch.zeros(1, len(CLASSES), 2, 4)
    shares[:, HAT, :, :2] = shares[:, HAIR, :, 2:] = 0.75
    shares[:, BACKGROUND] = 0.25
    clicks = torch.zeros(1, 2, 2, 4)
    clicks[0, 0, 0, 1:3] = 1
    clicks[0, 1, 1, 3] = 1
    found = of_same_class(shares, clicks)
    assert torch.allclose(found[0, 0], torch.tensor(0.375 * 0.75 + 0.25**2))
    assert torch.allclose(found[0, 1, :, 2:], torch.tensor(0.75**2 + 0.25**2))
    assert torch.allclose(found[0, 1, :, :2], torch.tensor(0.25**2))
    assert not of_same_class(shares, torch.zeros_like(clicks)).any()


def test_every_input_has_its_say(weights):
    rng = np.random.default_rng(0)
    inputs = rng.random((INPUTS, 64, 64), np.float32)
    clicks = draw_clicks(np.array([[20, 20], [50, 40]]), np.array([1, 0]), 64)
    before = (rng.random((64, 64)) < 0.5).astype(np.float32)
    mask = clicked_mask(weights, inputs, clicks, before)
    assert mask.shape == (64, 64)
    assert 0 <= mask.min() <= mask.max() <= 1
    others = [(1 - inputs, clicks, before), (inputs, clicks[::-1], before), (inputs, clicks, 1 - before)]
    for other in others:
        assert np.abs(clicked_mask(weights, *other) - mask).max() > 1e-3
