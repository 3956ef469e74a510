"""The keypoint guider: keypoint images to features that are added after the denoiser's first convolution."""

from __future__ import annotations

from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding
from torch import Tensor


class KeypointGuider(ModelMixin, ConfigMixin):
    """A small stack of convolutions, three of stride 2, whose last one starts at zero (Animate Anyone, section 3.2).

    ``3 → 16 → 32 → 96 → 256 → 320`` at the paper's scale. It does not see the timestep: run it once per clip.

    Args:
        out_channels: of the denoiser's finest level.
        block_out_channels: the widths between; one stride of 2 between each two.
    """

    @register_to_config
    def __init__(self, out_channels: int = 320, block_out_channels: tuple[int, ...] = (16, 32, 96, 256)) -> None:
        super().__init__()
        self.layers = ControlNetConditioningEmbedding(out_channels, 3, tuple(block_out_channels))

    def forward(self, keypoints: Tensor) -> Tensor:
        """``(N, 3, S, S)`` in [0, 1], as ``durian.keypoints.draw_keypoints`` draws them, to ``(N, C, S/8, S/8)``."""
        return self.layers(keypoints)
