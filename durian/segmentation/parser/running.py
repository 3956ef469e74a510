"""The network at work: arrays in, shares out. Imports torch, and so is imported when something is parsed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from durian.segmentation.parser.weights import load_network


def run(weights: Path, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parse one window.

    Args:
        weights: the parser's file.
        inputs: ``(8, S, S) float32`` in [0, 1].

    Returns:
        shares of the classes, ``(S, S, 9) float32`` that add up to 1, and the clicked item's mask, ``(S, S) float32``
        in [0, 1].

    Raises:
        WeightsMissing: the file is not a parser's.
    """
    network = load_network(weights)
    batch = torch.from_numpy(np.ascontiguousarray(inputs))[None].contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        logits, clicked = network(batch)
        shares = logits[0].softmax(dim=0).permute(1, 2, 0)
    return np.ascontiguousarray(shares.numpy()), torch.sigmoid(clicked[0]).numpy()
