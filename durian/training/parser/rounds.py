"""Rounds of clicks on a network's own masks, as people make them (iterative training; Sofiiuk et al. 2022)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from durian.segmentation.parser.classes import LAYERED
from durian.segmentation.parser.clicked import draw_clicks
from durian.segmentation.parser.network import PICTURE, ParserNetwork
from durian.training.parser.clicking import next_click

NAMED = 0.5
"""Share of the examples that begin with the mask of the class that was meant, as a named start does, and without
clicks; the others begin as they were made."""
MOST_ROUNDS = 3


def rounds_of_clicks(
    network: ParserNetwork, inputs: Tensor, drawn: Tensor, before: Tensor, clicked: Tensor, rng: np.random.Generator
) -> Tensor:
    """Logits ``(B, S, S)`` after one click or more in the largest errors of the masks before.

    All rounds but the last are made without gradients.

    Args:
        network: whose features are held still.
        inputs: ``(B, 5, S, S)``, as of :meth:`ParserNetwork.forward`.
        drawn: ``(B, 2, S, S)`` clicks that were made.
        before: ``(B, S, S)`` masks before them.
        clicked: ``(B, S, S)`` in [0, 1], what is meant.
        rng: where chance comes from.
    """
    with torch.no_grad():
        seen = network.features(inputs)
        shares = network.head(seen[0]).float().softmax(dim=1)
    picture, drawn, before = inputs[:, PICTURE], drawn.clone(), before.clone()
    truth = clicked.cpu().numpy() > 0.5
    for number in np.nonzero(rng.random(len(inputs)) < NAMED)[0].tolist():
        before[number] = _named(shares[number], clicked[number])
        drawn[number] = 0
        _click(drawn, before, truth, number, rng)
    for _ in range(rng.integers(MOST_ROUNDS)):
        with torch.no_grad():
            before = (network.clicks(picture, seen, shares, drawn, before) > 0).float()
        for number in range(len(inputs)):
            _click(drawn, before, truth, number, rng)
    return network.clicks(picture, seen, shares, drawn, before)


def _named(shares: Tensor, clicked: Tensor) -> Tensor:
    """The mask ``(S, S)`` of the class that covers most of what is meant; ``shares (9, S, S)``."""
    of_items = shares[list(LAYERED)]
    return (of_items[int((of_items * clicked).sum(dim=(1, 2)).argmax())] > 0.5).float()


def _click(drawn: Tensor, before: Tensor, truth: np.ndarray, number: int, rng: np.random.Generator) -> None:
    """Draw a click in the largest error of one example's mask, if it has any."""
    found = next_click(before[number].cpu().numpy() > 0.5, truth[number], rng)
    if found is not None:
        disc = draw_clicks(np.array([found[:2]]), np.array([found[2]]), truth.shape[-1])
        drawn[number] = torch.maximum(drawn[number], torch.from_numpy(disc).to(drawn.device))
