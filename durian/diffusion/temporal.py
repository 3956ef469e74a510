"""Attention over time: AnimateDiff's motion modules, run on frames that are folded in the batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from diffusers.models.attention_processor import Attention
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from torch import Tensor, nn

from durian.diffusion.feed_forward import chunk_feed_forward
from durian.diffusion.spatial import join_heads, project, split_heads


class TemporalAttention:
    """Self-attention over frames. diffusers' own divides by a factor of 1 afterwards, which is a pass over memory."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        attention_mask: None = None,
    ) -> Tensor:
        query = split_heads(attn, attn.to_q(hidden_states))
        out = F.scaled_dot_product_attention(query, *project(attn, hidden_states))
        return attn.to_out[0](join_heads(out))


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
        for block in self.transformer_blocks:
            block.attn1.set_processor(TemporalAttention())
            block.attn2.set_processor(TemporalAttention())
            chunk_feed_forward(block)

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
        if torch.is_grad_enabled() and not hidden_states.requires_grad:
            # The first one where nothing before it trains: on a CPU, PyTorch's (2.13) group norm for channels_last
            # crashes on the way back if its input wants no gradient.
            hidden_states = hidden_states.contiguous()
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
