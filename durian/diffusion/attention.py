"""Functions of Durian's spatial attention: self-attention joined with attention to references.

Shapes: queries ``(R, heads, N, d)`` of R rows and frames folded together; keys and values of references
``(G, heads, M, d)``, where G divides R: row r attends to group ``r // (R / G)``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

CUDA_LSE_BLOCK = 32
"""CUDA's memory-efficient kernel pads the log-sum-exp to a multiple of this many queries."""


def joined_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    reference_key: Tensor,
    reference_value: Tensor,
    log_weight: Tensor | None = None,
) -> Tensor:
    """Attention over own and reference tokens in one softmax, as the paper prints it: tokens joined on the sequence.

    Differentiable; copies the references' keys and values for each row.

    Args:
        query, key, value: ``(R, heads, N, d)``.
        reference_key, reference_value: ``(G, heads, M, d)``, G divides R.
        log_weight: ``(G, M)`` added to the logits of reference tokens; ``-inf`` removes a token.

    Returns:
        ``(R, heads, N, d)``.
    """
    rows = query.shape[0] // reference_key.shape[0]
    joined_key = torch.cat([key, _for_each_row(reference_key, rows)], 2)
    joined_value = torch.cat([value, _for_each_row(reference_value, rows)], 2)
    bias = None
    if log_weight is not None:
        own = log_weight.new_zeros(query.shape[0], key.shape[2])
        bias = torch.cat([own, log_weight.repeat_interleave(rows, 0)], 1).to(query.dtype)[:, None, None]
        bias = bias.expand(-1, -1, query.shape[2], -1)
    return F.scaled_dot_product_attention(query, joined_key, joined_value, attn_mask=bias)


def _for_each_row(reference: Tensor, rows: int) -> Tensor:
    return reference[:, None].expand(-1, rows, -1, -1, -1).flatten(0, 1)


def partial_attention(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Attention over some of the tokens, and what is needed to merge it with the rest. Not differentiable.

    Args:
        query: ``(R, heads, N, d)``.
        key, value: ``(R, heads, M, d)``.

    Returns:
        ``(R, heads, N, d)`` and the logarithm of the softmax's denominator ``(R, heads, N) float32``.
    """
    queries = query.shape[2]
    if query.device.type == "cpu":
        return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(query, key, value)
    if query.dtype in (torch.float16, torch.bfloat16):
        width = query.shape[3]
        if width % 8:
            # The kernel wants multiples of 8; zeros change no product, but would change the scale.
            query, key, value = (F.pad(part, (0, -width % 8)) for part in (query, key, value))
        out, log_sum, *_ = torch.ops.aten._scaled_dot_product_flash_attention(query, key, value, scale=width**-0.5)
        return out[..., :width], log_sum
    out, log_sum, *_ = torch.ops.aten._scaled_dot_product_efficient_attention(query, key, value, None, True)
    return out, log_sum[..., :queries]


def attend_to_group(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`partial_attention` of R rows to G groups of tokens, nothing repeated: a group's rows become its queries.

    Args:
        query: ``(R, heads, N, d)``.
        key, value: ``(G, heads, M, d)``.

    Returns:
        ``(R, heads, N, d)`` and ``(R, heads, N) float32``.
    """
    rows, heads, queries, width = query.shape
    groups = key.shape[0]
    each = rows // groups
    folded = query.reshape(groups, each, heads, queries, width).transpose(1, 2).reshape(groups, heads, -1, width)
    out, log_sum = partial_attention(folded, key, value)
    out = out.reshape(groups, heads, each, queries, width).transpose(1, 2).reshape(rows, heads, queries, width)
    return out, log_sum.reshape(groups, heads, each, queries).transpose(1, 2).reshape(rows, heads, queries)


def merge(parts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Exactly the attention over all parts' tokens together, from the parts' own.

    ``out = Σᵢ exp(sᵢ − s) outᵢ`` with ``s = log Σᵢ exp(sᵢ)``; adding log w to an sᵢ adds it to each of its logits.

    Args:
        parts: outputs ``(R, heads, N, d)`` with their log-sum-exps ``(R, heads, N)``; the first must be finite.

    Returns:
        The same pair for all tokens.
    """
    out, log_sum = parts[0]
    for part in parts[1:]:
        out, log_sum = torch.lerp(out, part[0], _share(log_sum, part)), torch.logaddexp(log_sum, part[1])
    return out, log_sum


def merge_into(out: Tensor, log_sum: Tensor, parts: list[tuple[Tensor, Tensor]]) -> None:
    """:func:`merge` that leaves the result in ``out`` and copies nothing."""
    for number, part in enumerate(parts, start=1):
        out.lerp_(part[0], _share(log_sum, part))
        if number < len(parts):
            log_sum = torch.logaddexp(log_sum, part[1])


def _share(log_sum: Tensor, part: tuple[Tensor, Tensor]) -> Tensor:
    """The share of the attention that goes to ``part``, ``(R, heads, N, 1)``."""
    out, part_sum = part
    return torch.sigmoid(part_sum - log_sum)[..., None].to(out.dtype)
