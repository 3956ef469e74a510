"""LPIPS: perceptual distance by weighted differences of AlexNet's features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Metric
from durian.evaluation.metrics.networks.alexnet import WIDTHS, AlexNetFeatures
from durian.evaluation.metrics.pictures import batches
from durian.evaluation.metrics.weights import File, kept, load_state, read_state, why_missing

BACKBONE = File(
    name="alexnet-owt-7be5be79.pth",
    what="AlexNet, which LPIPS is made of,",
    url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    digest="7be5be79",
)
HEADS = File(
    name="lpips_alex.pth",
    what="The weighting of LPIPS",
    url="https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/alex.pth",
    digest="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
)
"""Version 0.1, as in the lpips package."""
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""ImageNet's mean and deviation for colours in -1 to 1, as rounded there."""
EPSILON = 1e-10
"""Added to the length of a feature, as there."""


class PerceptualDistance(nn.Module):
    """Zhang et al. 2018, eq. 1, without dropout: it scales nothing when scores are taken."""

    def __init__(self) -> None:
        super().__init__()
        self.features = AlexNetFeatures()
        self.heads = nn.ParameterList([nn.Parameter(torch.zeros(1, width, 1, 1)) for width in WIDTHS])

    def forward(self, images: Tensor, truth: Tensor) -> Tensor:
        """``(B,)`` distances of two ``(B, 3, H, W)`` in 0 to 255."""
        shift, scale = (images.new_tensor(values)[:, None, None] for values in (SHIFT, SCALE))
        distance = images.new_zeros(len(images))
        pairs = (self.features((pictures / 127.5 - 1 - shift) / scale) for pictures in (images, truth))
        for head, first, second in zip(self.heads, *pairs, strict=True):
            difference = (_unit(first) - _unit(second)) ** 2
            distance = distance + (difference * head).sum(1).mean((1, 2))
        return distance


class LPIPS(Metric):
    """With AlexNet, as it is nearly always reported."""

    name, title = "lpips", "LPIPS"
    higher_is_better, best = False, 0.0
    kind, needs_truth, needs_weights = "pairwise", True, True
    definition = "Learned perceptual distance (Zhang et al. 2018; AlexNet, version 0.1), averaged over frames."

    def available(self) -> str | None:
        return why_missing(perceptual_distance)

    @torch.no_grad()
    def score(self, case: Case) -> dict[str, float]:
        if case.truth is None:
            return {}
        network = perceptual_distance()
        pairs = zip(batches(case.frames), batches(case.truth), strict=True)
        distances = torch.cat([network(images, truth) for images, truth in pairs])
        return {"all": float(np.mean(distances.cpu().numpy(), dtype=np.float64))}


@kept
def perceptual_distance() -> PerceptualDistance:
    """The network with its published weights.

    Raises:
        WeightsMissing: they are not to be had.
    """
    backbone, heads = read_state(BACKBONE), read_state(HEADS)
    state = {name: values for name, values in backbone.items() if name.startswith("features.")}
    # The published layers are dropout and convolution; their weights are positive.
    state |= {f"heads.{name[3]}": values for name, values in heads.items()}
    return load_state(PerceptualDistance(), state, "LPIPS")


def _unit(features: Tensor) -> Tensor:
    return features / (features.pow(2).sum(1, keepdim=True).sqrt() + EPSILON)
