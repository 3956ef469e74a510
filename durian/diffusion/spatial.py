"""Attention processors: how diffusers' transformer blocks run Durian's spatial attention and cross-attention.

Both are without state: what a forward pass needs comes with it as a :class:`Context`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from durian.diffusion.references import ProjectedReferences


@dataclass(frozen=True)
class Context:
    """What attention layers need besides hidden states.

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
        encoder_hidden_states: Tensor | None = None,
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
    """Give the spatial blocks of ``unet`` Durian's processors; motion modules keep theirs."""
    for layer, block in enumerate(spatial_blocks(unet)):
        block.attn1.set_processor(SpatialAttention(layer))
        if block.attn2 is not None:
            block.attn2.set_processor(CrossAttention())
