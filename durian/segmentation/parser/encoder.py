"""The parser's encoder: EfficientNet-Lite0 (Tan and Le 2019; ReLU6, no squeeze-and-excitation) without its classifier.

It is padded as its authors' TensorFlow does, so that their ImageNet weights fit.
"""

from __future__ import annotations

from itertools import accumulate

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

STEM = 32
STAGES = ((1, 3, 1, 1, 16), (6, 3, 2, 2, 24), (6, 5, 2, 2, 40), (6, 3, 2, 3, 80), (6, 5, 1, 3, 112), (6, 5, 2, 4, 192),
          (6, 3, 1, 1, 320))  # fmt: skip
"""Of each stage: how many times wider its blocks are inside, the kernel, the stride, blocks, channels."""
TAPPED = (0, 1, 2, 4, 6)
"""Stages whose outputs are used, at strides 2, 4, 8, 16 and 32."""
WIDTHS = tuple(STAGES[stage][-1] for stage in TAPPED)
EPSILON = 1e-3
"""Of batch normalisation, as its authors have it."""


class SameConvolution(nn.Conv2d):
    """Convolution whose output is the input's size divided by the stride, padded as TensorFlow does: what is left over
    goes to the right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        # Even padding is the convolution's own, which copies nothing.
        even = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, even, groups=groups, bias=False)
        total = kernel - stride
        self.uneven = (total // 2, total - total // 2) * 2 if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H / stride, W / stride)``; H and W are multiples of the stride."""
        return super().forward(x if self.uneven is None else F.pad(x, self.uneven))


class InvertedResidual(nn.Module):
    """Wider by a 1 x 1 convolution, a convolution of each channel, narrower again; beside a short cut where input and
    output are of one shape (Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inside = expansion * inputs
        layers = [*_normalised(SameConvolution(inputs, inside, 1)), nn.ReLU6(inplace=True)] if expansion > 1 else []
        layers += [*_normalised(SameConvolution(inside, inside, kernel, stride, inside)), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*layers, *_normalised(SameConvolution(inside, outputs, 1)))
        self.has_short_cut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H / stride, W / stride)``."""
        return x + self.layers(x) if self.has_short_cut else self.layers(x)


class Encoder(nn.Module):
    """Features of a picture at five strides.

    Args:
        inputs: channels; the first three are the picture.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_normalised(SameConvolution(inputs, STEM, 3, 2)), nn.ReLU6(inplace=True))
        widths = [STEM, *(stage[-1] for stage in STAGES)]
        self.blocks = nn.ModuleList(
            InvertedResidual(width if number else before, width, expansion, kernel, 1 if number else stride)
            for before, (expansion, kernel, stride, blocks, width) in zip(widths, STAGES)
            for number in range(blocks)
        )
        last = [end - 1 for end in accumulate(stage[3] for stage in STAGES)]
        self._tapped = frozenset(last[stage] for stage in TAPPED)

    def forward(self, x: Tensor) -> list[Tensor]:
        """``(B, inputs, H, W)`` to ``(B, WIDTHS[k], H / 2^(k+1), W / 2^(k+1))`` for k = 0 to 4.

        Args:
            x: the picture's channels from about -1 to 1, as they were in its training on ImageNet.
        """
        x, kept = self.stem(x), []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self._tapped:
                kept.append(x)
        return kept


def _normalised(convolution: SameConvolution) -> tuple[nn.Module, nn.Module]:
    return convolution, nn.BatchNorm2d(convolution.out_channels, eps=EPSILON)
