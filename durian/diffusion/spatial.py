"""Attention within a frame: diffusers' transformers with processors for spatial attention and cross-attention.

The processors are without state: what a forward pass needs comes with it as a :class:`Context`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn

from durian.diffusion.feed_forward import chunk_feed_forward
from durian.diffusion.references import ProjectedReferences


@dataclass(frozen=True)
class Context:
    """Inputs of attention layers besides hidden states.

    ``references``: keys and values, ``None`` for self-attention alone.
    ``token_log_weight``: ``(B or B·F, T)`` added to the logits of the semantic tokens, ``None`` for none.
    ``collected``: a list to which every spatial layer appends its input ``(B, N, C)``: a reference net's features.
    """

    references: ProjectedReferences | None = None
    token_log_weight: Tensor | None = None
    collected: list[Tensor] | None = None


class SpatialAttention:
    """Replaces self-attention (``attn1``): tokens of the frame itself and of the references in one softmax."""

    def __init__(self, layer: int) -> None:
        self.layer = layer

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        context: Context | None = None,
    ) -> Tensor:
        if context is not None and context.collected is not None:
            context.collected.append(hidden_states)
        query = split_heads(attn, attn.to_q(hidden_states))
        key, value = project(attn, hidden_states)
        if context is None or context.references is None:
            out = F.scaled_dot_product_attention(query, key, value)
        else:
            out = context.references.attend(self.layer, query, key, value)
        return attn.to_out[0](join_heads(out))


class CrossAttention:
    """Attention to semantic tokens (``attn2``). A row's frames share its tokens, so they become its queries."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        context: Context | None = None,
    ) -> Tensor:
        rows = encoder_hidden_states.shape[0]
        folded = hidden_states.reshape(rows, -1, hidden_states.shape[2])
        query = split_heads(attn, attn.to_q(folded))
        key, value = project(attn, encoder_hidden_states)
        bias = None
        if context is not None and context.token_log_weight is not None:
            bias = context.token_log_weight.to(query.dtype)[:, None, None].expand(-1, -1, query.shape[2], -1)
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return attn.to_out[0](join_heads(out)).reshape(hidden_states.shape)


def project(attn: Attention, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values ``(B, heads, M, d)`` of tokens ``(B, M, C)``."""
    return split_heads(attn, attn.to_k(tokens)), split_heads(attn, attn.to_v(tokens))


def split_heads(attn: Attention, tokens: Tensor) -> Tensor:
    """``(B, M, heads · d)`` to ``(B, heads, M, d)``, a view."""
    return tokens.unflatten(2, (attn.heads, -1)).transpose(1, 2)


def join_heads(out: Tensor) -> Tensor:
    """``(B, heads, N, d)`` to ``(B, N, heads · d)``."""
    return out.transpose(1, 2).flatten(2)


class SpatialTransformer(nn.Module):
    """diffusers' transformer over the positions of a frame, around the same parameters, with fewer copies.

    Its 1 x 1 convolutions are run as the linear layers they are. With ``channels_last`` nothing is copied between
    pictures and tokens.
    """

    def __init__(self, module: Transformer2DModel) -> None:
        super().__init__()
        self.norm = module.norm
        self.proj_in = module.proj_in
        self.transformer_blocks = module.transformer_blocks
        self.proj_out = module.proj_out
        self.gradient_checkpointing = False

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        cross_attention_kwargs: dict[str, Context] | None = None,
        attention_mask: None = None,
        encoder_attention_mask: None = None,
        return_dict: bool = False,
    ) -> tuple[Tensor]:
        """``(R, C, h, w)`` in and, in a tuple as diffusers' blocks expect, out."""
        rows, channels, height, width = hidden_states.shape
        tokens = self.norm(hidden_states).permute(0, 2, 3, 1).reshape(rows, height * width, channels)
        tokens = _pointwise(self.proj_in, tokens)
        for block in self.transformer_blocks:
            if torch.is_grad_enabled() and self.gradient_checkpointing:
                others = (None, encoder_hidden_states, None, None, cross_attention_kwargs)
                tokens = self._gradient_checkpointing_func(block, tokens, *others)
            else:
                tokens = block(
                    tokens, encoder_hidden_states=encoder_hidden_states, cross_attention_kwargs=cross_attention_kwargs
                )
        tokens = _pointwise(self.proj_out, tokens).reshape(rows, height, width, channels)
        return (hidden_states + tokens.permute(0, 3, 1, 2),)


def _pointwise(layer: nn.Conv2d, tokens: Tensor) -> Tensor:
    if layer.weight.is_meta:
        # Offloaded module by module: the weights come with the layer's own forward alone.
        return layer(tokens.transpose(1, 2)[..., None])[..., 0].transpose(1, 2)
    return F.linear(tokens, layer.weight.flatten(1), layer.bias)


def spatial_blocks(unet: nn.Module) -> list[BasicTransformerBlock]:
    """The transformer blocks of a U-Net's spatial attention, in the order in which they run."""
    parts = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    return [
        block
        for part in parts
        for attention in getattr(part, "attentions", ())
        for block in attention.transformer_blocks
    ]


def install_processors(unet: nn.Module) -> None:
    """Give ``unet`` spatial transformers with Durian's processors; motion modules keep theirs."""
    for layer, block in enumerate(spatial_blocks(unet)):
        block.attn1.set_processor(SpatialAttention(layer))
        if block.attn2 is not None:
            block.attn2.set_processor(CrossAttention())
        chunk_feed_forward(block)
    for part in (*unet.down_blocks, unet.mid_block, *unet.up_blocks):
        attentions = getattr(part, "attentions", [])
        for index, module in enumerate(attentions):
            attentions[index] = SpatialTransformer(module)
