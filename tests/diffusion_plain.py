"""Attention as the papers print it, one frame and one head at a time in float64, to check the fast code by."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor

from durian.diffusion.denoiser import Denoiser
from durian.diffusion.references import References
from durian.diffusion.spatial import spatial_blocks


@dataclass(frozen=True)
class PlainReference:
    """One picture's tokens ``(M, C)`` and how often each counts: ``(M,)``, 0 for one that is not there."""

    tokens: Tensor
    counts: Tensor


def attention(layer: Attention, queries: Tensor, tokens: Tensor, counts: Tensor) -> Tensor:
    """``softmax(W_Q x · W_K[…]ᵀ / √d) W_V[…]``, where a token that counts w times weighs ``w · exp(logit)``.

    ``(N, C)`` and ``(M, C)`` to ``(N, C)``, all heads joined and projected by the layer's ``W_O``.
    """
    there = counts > 0
    tokens, counts = tokens[there].double(), counts[there].double()
    q, k, v = (
        x.double() @ W.weight.double().T for x, W in ((queries, layer.to_q), (tokens, layer.to_k), (tokens, layer.to_v))
    )
    heads = []
    for q_head, k_head, v_head in zip(*(x.chunk(layer.heads, 1) for x in (q, k, v))):
        logits = q_head @ k_head.T / q_head.shape[1] ** 0.5
        weights = counts * torch.exp(logits)
        heads.append(weights / weights.sum(1, keepdim=True) @ v_head)
    return torch.cat(heads, 1) @ layer.to_out[0].weight.double().T + layer.to_out[0].bias.double()


def spatial_attention(layer: Attention, frame: Tensor, references: Sequence[PlainReference]) -> Tensor:
    """``softmax(W_Q F · W_K[F; F_port; F_attr]ᵀ) W_V[F; F_port; F_attr]`` of one frame ``(N, C)``."""
    tokens = torch.cat([frame, *(one.tokens for one in references)])
    counts = torch.cat([torch.ones(len(frame)), *(one.counts for one in references)])
    return attention(layer, frame, tokens, counts)


def plain_references(references: References, layer: int, sample: int) -> list[PlainReference]:
    """What one sample sees at a layer."""
    found = []
    for part in references.parts:
        tokens = part.features[layer][sample]
        counts = torch.ones(len(tokens))
        if part.log_weight is not None:
            counts = counts * part.log_weight[sample].exp()
        if part.keep is not None:
            counts = counts * part.keep[layer][sample]
        found.append(PlainReference(tokens, counts))
    return found


def frame_by_frame(
    layer: Attention, number: int, hidden: Tensor, references: References | None, unseen: int = 0
) -> Tensor:
    """Spatial attention of all rows ``(R, N, C)``: the first ``unseen`` see no reference, frames share their sample's.

    With α, outputs are mixed: ``(1 − α)·SA(F, F_port, F_attr¹) + α·SA(F, F_port, F_attr²)``.
    """
    rows = []
    for row, frame in enumerate(hidden):
        if row < unseen or references is None:
            rows.append(spatial_attention(layer, frame, []))
            continue
        samples = references.parts[0].features[0].shape[0]
        sample = (row - unseen) // ((len(hidden) - unseen) // samples)
        seen = plain_references(references, number, sample)
        if references.blend is None:
            rows.append(spatial_attention(layer, frame, seen))
            continue
        *shared, first, second = seen
        alpha = references.blend[row - unseen].double()
        without = spatial_attention(layer, frame, [*shared, first])
        with_second = spatial_attention(layer, frame, [*shared, second])
        rows.append((1 - alpha) * without + alpha * with_second)
    return torch.stack(rows).to(hidden.dtype)


class PlainSpatialAttention:
    """A processor that takes the place of the fast one."""

    def __init__(self, number: int, references: References | None, unseen: int) -> None:
        self.number, self.references, self.unseen = number, references, unseen

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, context=None):
        return frame_by_frame(attn, self.number, hidden_states, self.references, self.unseen)


def plain_denoiser(denoiser: Denoiser, references: References | None, unseen: int = 0) -> Denoiser:
    """A copy that attends plainly; call it without references."""
    plain = copy.deepcopy(denoiser)
    for number, block in enumerate(spatial_blocks(plain.unet)):
        block.attn1.set_processor(PlainSpatialAttention(number, references, unseen))
    return plain
