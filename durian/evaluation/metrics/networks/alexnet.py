"""AlexNet's convolutions, the backbone of LPIPS."""

from __future__ import annotations

from torch import Tensor, nn

WIDTHS = (64, 192, 384, 256, 256)
"""Channels behind each of the five rectifiers."""


class AlexNetFeatures(nn.Sequential):
    """Krizhevsky 2014, as torchvision has it; parameters are named as in ``alexnet-owt``'s ``features``."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        shapes = ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1))
        for number, (before, width, kernel, stride, padding) in enumerate(shapes):
            if number in (1, 2):
                layers.append(nn.MaxPool2d(3, 2))
            layers += [nn.Conv2d(before, width, kernel, stride, padding), nn.ReLU()]
        super().__init__(*layers)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features behind each rectifier of ``(B, 3, H, W)``, finest first."""
        features = []
        for layer in self:
            images = layer(images)
            if isinstance(layer, nn.ReLU):
                features.append(images)
        return features
