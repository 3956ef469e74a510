"""Features of reference pictures from the reference nets, and their keys and values for the denoiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from durian.diffusion.attention import attend_to_group, joined_attention, merge, merge_into, partial_attention


@dataclass(frozen=True)
class Reference:
    """One reference picture's tokens at every spatial attention layer, ``B`` samples of it.

    ``features``: per layer ``(B, M, C)``, the normalised hidden states that the denoiser's own K and V project.
    ``keep``: per layer ``(B, M) bool``; False drops a token (outside its mask). ``None`` keeps all.
    ``log_weight``: ``(B,)``, added to the attention logits of all its tokens: log of a strength, ``-inf`` removes it.
    """

    features: tuple[Tensor, ...]
    keep: tuple[Tensor, ...] | None = None
    log_weight: Tensor | None = None


@dataclass(frozen=True)
class References:
    """All references of a batch: the portrait first, then attributes, whose order does not matter.

    ``blend``: α ``(B·F,)`` in [0, 1]. The last two parts are then alternatives, and the attention's output is
    ``(1 − α)·SA(F_t, …, attribute¹) + α·SA(F_t, …, attribute²)``. ``None`` joins all parts.
    """

    parts: tuple[Reference, ...]
    blend: Tensor | None = None


@dataclass(frozen=True)
class KeyValue:
    """Keys and values ``(B, heads, M, d)`` of one or several parts of equal weight; weights as in :class:`Reference`.

    ``token_log_weight`` ``(B, M)`` stands for masks that differ among samples, so that tokens could not be removed.
    """

    key: Tensor
    value: Tensor
    log_weight: Tensor | None = None
    token_log_weight: Tensor | None = None

    def logits_added(self) -> Tensor | None:
        """All weights as ``(B, M)``."""
        added = self.token_log_weight
        if self.log_weight is not None:
            whole = self.log_weight[:, None].expand(-1, self.key.shape[2])
            added = whole if added is None else added + whole
        return added


@dataclass(frozen=True)
class ProjectedReferences:
    """References as keys and values of each layer: projected once, shared by all steps and frames.

    ``layers[l]`` holds the parts of :class:`References` at layer l. Rows before ``unseen`` (frames folded in) see none.
    """

    layers: tuple[tuple[KeyValue, ...], ...]
    blend: Tensor | None = None
    unseen: int = 0

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Spatial attention: own tokens and references in one softmax. ``(R, heads, N, d)`` in and out."""
        parts = self.layers[layer]
        masked = any(part.token_log_weight is not None for part in parts)
        if torch.is_grad_enabled() or masked:
            return self._joined(parts, query, key, value)
        return self._merged(parts, query, key, value)

    def _merged(self, parts: Sequence[KeyValue], query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """The self part once for all rows, each reference once for the rows that see it, merged by log-sum-exp."""
        out, log_sum = partial_attention(query, key, value)
        seen = slice(self.unseen, None)
        of_references = [
            _weighted(attend_to_group(query[seen], part.key, part.value), part.log_weight) for part in parts
        ]
        own = (out[seen], log_sum[seen])
        if self.blend is None:
            merge_into(*own, of_references)
        else:
            *shared, first, second = of_references
            common = merge([own, *shared])
            torch.lerp(merge([common, first])[0], merge([common, second])[0], _alpha(self.blend, out), out=own[0])
        return out

    def _joined(self, parts: Sequence[KeyValue], query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        seen = slice(self.unseen, None)
        own = (query[seen], key[seen], value[seen])
        if self.blend is None:
            out = joined_attention(*own, *_joined_parts(parts))
        else:
            *shared, first, second = parts
            out = torch.lerp(
                joined_attention(*own, *_joined_parts([*shared, first])),
                joined_attention(*own, *_joined_parts([*shared, second])),
                _alpha(self.blend, query),
            )
        if not self.unseen:
            return out
        before = slice(None, self.unseen)
        alone = torch.nn.functional.scaled_dot_product_attention(query[before], key[before], value[before])
        return torch.cat([alone, out])


def _alpha(blend: Tensor, like: Tensor) -> Tensor:
    return blend.to(like.dtype)[:, None, None, None]


def _weighted(part: tuple[Tensor, Tensor], log_weight: Tensor | None) -> tuple[Tensor, Tensor]:
    if log_weight is None:
        return part
    out, log_sum = part
    each = log_sum.shape[0] // log_weight.shape[0]
    return out, log_sum + log_weight.repeat_interleave(each)[:, None, None].to(log_sum)


def _joined_parts(parts: Sequence[KeyValue]) -> tuple[Tensor, Tensor, Tensor | None]:
    key = torch.cat([part.key for part in parts], 2)
    value = torch.cat([part.value for part in parts], 2)
    added = [part.logits_added() for part in parts]
    if all(one is None for one in added):
        return key, value, None
    filled = [
        part.key.new_zeros(part.key.shape[0], part.key.shape[2]) if a is None else a for part, a in zip(parts, added)
    ]
    return key, value, torch.cat(filled, 1)
