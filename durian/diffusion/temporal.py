"""Attention over time: AnimateDiff's motion modules, run on frames that are folded in the batch."""

from __future__ import annotations

from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from torch import Tensor, nn


class TemporalTransformer(nn.Module):
    """Each position attends to itself in the other frames. Parameters are named as in published motion adapters.

    Differs from diffusers' module in two ways: the group norm takes each frame by itself, as in the code the published
    weights were trained with (diffusers' takes all frames together), and no 5-D tensor is made: one copy brings time
    next to channels, and the way back is part of adding the residual.
    """

    def __init__(self, module: AnimateDiffTransformer3D) -> None:
        super().__init__()
        self.norm = module.norm
        self.proj_in = module.proj_in
        self.transformer_blocks = module.transformer_blocks
        self.proj_out = module.proj_out

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        timestep: None = None,
        class_labels: None = None,
        num_frames: int = 1,
        cross_attention_kwargs: None = None,
    ) -> Tensor:
        """Arguments in the order in which diffusers' blocks give them; ``(B·F, C, h, w)`` in and out.

        A single frame passes unchanged: it has no time, and the image stage of the training does without.
        """
        if num_frames == 1:
            return hidden_states
        _, channels, height, width = hidden_states.shape
        folded = (-1, num_frames, channels, height * width)  # B x F x C x N
        tokens = self.norm(hidden_states).reshape(folded).permute(0, 3, 1, 2).flatten(0, 1)  # B·N x F x C
        tokens = self.proj_in(tokens)
        for block in self.transformer_blocks:
            tokens = block(tokens)
        tokens = self.proj_out(tokens).unflatten(0, (-1, height * width))  # B x N x F x C
        return (hidden_states.reshape(folded) + tokens.permute(0, 2, 3, 1)).reshape(hidden_states.shape)


def replace_motion_modules(unet: nn.Module) -> list[TemporalTransformer]:
    """Put a :class:`TemporalTransformer` in place of every motion module of ``unet``, around the same parameters."""
    replaced = []
    for part in (*unet.down_blocks, unet.mid_block, *unet.up_blocks):
        for index, module in enumerate(part.motion_modules):
            part.motion_modules[index] = TemporalTransformer(module)
            replaced.append(part.motion_modules[index])
    return replaced
