"""Runs the parser's network on arrays. Imports torch, and so is imported when something is parsed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from durian.errors import WeightsMissing
from durian.media.files import atomic_output
from durian.segmentation.parser.network import ParserNetwork
from durian.segmentation.parser.weights import FILE


def parse(weights: Path, inputs: np.ndarray) -> np.ndarray:
    """Parse one window.

    Args:
        weights: the parser's file.
        inputs: ``(5, S, S) float32`` in [0, 1].

    Returns:
        shares of the classes, ``(S, S, 9) float32``, that add up to 1.

    Raises:
        WeightsMissing: the file is not a parser's.
    """
    network = load_network(weights)
    with torch.inference_mode():
        shares = network(_batch(inputs))[0].softmax(dim=0).permute(1, 2, 0)
    return np.ascontiguousarray(shares.numpy())


def clicked_mask(weights: Path, inputs: np.ndarray, clicks: np.ndarray, before: np.ndarray) -> np.ndarray:
    """What clicks in one window mean, ``(S, S) float32`` in [0, 1].

    Args:
        weights: the parser's file.
        inputs: ``(5, S, S) float32`` in [0, 1].
        clicks: ``(2, S, S) float32``: discs at included and at excluded clicks.
        before: ``(S, S) float32`` in [0, 1]: the mask so far.

    Raises:
        WeightsMissing: the file is not a parser's.
    """
    network = load_network(weights)
    with torch.inference_mode():
        earlier = torch.from_numpy(np.ascontiguousarray(before))[None]
        logits = network.click_logits(_batch(inputs), _batch(clicks), earlier)
    return torch.sigmoid(logits[0]).numpy()


def _batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image))[None].contiguous(memory_format=torch.channels_last)


@lru_cache(maxsize=2)
def load_network(path: Path) -> ParserNetwork:
    """The network of a file, ready to use, once per process.

    Raises:
        WeightsMissing: the file is not a parser's.
    """
    return read_network(path).eval().to(memory_format=torch.channels_last)


def read_network(path: Path) -> ParserNetwork:
    """The network of a file, anew.

    Raises:
        WeightsMissing: the file is not a parser's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    # Whoever draws random numbers from torch, as a training does, gets the same ones if a mask is found meanwhile.
    with torch.random.fork_rng(devices=()):
        network = ParserNetwork()
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsMissing(
            f"{path.name} is not a parser's file: take the one from the project's weights folder."
        ) from error
    return network


def save_network(network: ParserNetwork, folder: Path, about: dict[str, str]) -> Path:
    """Write a network's weights in half precision; ``about`` becomes the file's metadata."""
    from safetensors.torch import save_file

    path = folder / FILE
    weights = {
        name: (value.half() if value.dtype.is_floating_point else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }
    with atomic_output(path) as temporary:
        save_file(weights, temporary, about)
    return path
