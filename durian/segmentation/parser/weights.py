"""The parser's file: half precision, safetensors, a few megabytes."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import torch

from durian.errors import WeightsMissing
from durian.segmentation.parser.network import ParserNetwork
from durian.settings import get_settings

FILE = "parser.safetensors"


def find_parser() -> Path | None:
    """The parser's file in the weights folder, or the one that the project ships, or ``None``."""
    from durian.settings import PROJECT_ROOT

    for folder in (get_settings().weights, PROJECT_ROOT / "weights"):
        path = folder / "parser" / FILE
        if path.is_file():
            return path
    return None


def save_network(network: ParserNetwork, folder: Path, about: dict[str, str]) -> Path:
    """Write a network's weights in half precision; ``about`` becomes the file's metadata."""
    from safetensors.torch import save_file

    path = folder / FILE
    temporary = path.with_name(f".{FILE}")
    weights = {
        name: (value.half() if value.dtype.is_floating_point else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }
    save_file(weights, temporary, about)
    os.replace(temporary, path)
    return path


@lru_cache(maxsize=2)
def load_network(path: Path) -> ParserNetwork:
    """The network of a file, ready to use, once per process.

    Raises:
        WeightsMissing: the file is not a parser's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = ParserNetwork()
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsMissing(
            f"{path} is not a parser's file: take the one from the project's weights folder."
        ) from error
    return network.eval().to(memory_format=torch.channels_last)
