"""Semantic guidance: tokens of the reference pictures for cross-attention, and learned nulls where there are none."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from durian.diffusion.reference_net import ReferenceFeatures


@dataclass(frozen=True)
class SemanticTokens:
    """``tokens``: ``(B, T, D)``, or ``(B·F, T, D)`` where they change over the frames.

    ``log_weight``: the same without D, added to their attention logits; ``-inf`` hides a token.
    """

    tokens: Tensor
    log_weight: Tensor | None = None

    def expanded(self, rows: int) -> SemanticTokens:
        """One row's tokens for ``rows`` rows."""
        weight = None if self.log_weight is None else self.log_weight.expand(rows, -1)
        return SemanticTokens(self.tokens.expand(rows, -1, -1), weight)


class Conditioner(ModelMixin, ConfigMixin):
    """Embeddings of reference pictures as semantic tokens, and learned nulls in place of dropped ones.

    ``clip``: as in the paper, one token each. The attribute's CLIP image embedding is seen by ARNet and the denoiser,
    the portrait's by PRNet.

    ``pooled``: nothing pretrained. Learned queries pool tokens from each reference net's own middle features inside its
    mask; the denoiser sees the attribute's and the portrait's, the reference nets see none.

    A dropped reference loses its tokens in spatial attention and its embedding together: both nulls and no reference is
    what the unconditional rows of guidance see, and what dropout trains.

    Args:
        kind: ``"clip"`` or ``"pooled"``.
        token_width: D, the denoiser's ``cross_attention_dim``.
        attribute_width: of the CLIP embedding, or of the reference net's middle features.
        portrait_width: the same for the portrait.
        tokens: of each picture; 1 for CLIP.
    """

    @register_to_config
    def __init__(
        self,
        kind: str = "clip",
        token_width: int = 768,
        attribute_width: int = 768,
        portrait_width: int = 768,
        tokens: int = 1,
    ) -> None:
        super().__init__()
        if kind not in ("clip", "pooled"):
            raise ValueError(f"Conditioning {kind!r} is not known: use clip or pooled.")
        self.attribute: nn.Module | None = None
        self.portrait: nn.Module | None = None
        if kind == "pooled":
            self.attribute = PooledTokens(attribute_width, token_width, tokens)
            self.portrait = PooledTokens(portrait_width, token_width, tokens)
            self.null_portrait = nn.Parameter(torch.randn(1, tokens, token_width) * 0.02)
        self.null_attribute = nn.Parameter(torch.randn(1, tokens, token_width) * 0.02)

    def of_attribute(self, attribute: Tensor | ReferenceFeatures) -> Tensor:
        """The denoiser's tokens of one attribute, ``(B, T, D)``: of its CLIP embedding ``(B, D)`` or its features."""
        return _one_token(attribute) if self.attribute is None else self.attribute(attribute)

    def of_portrait(self, portrait: ReferenceFeatures) -> Tensor | None:
        """The denoiser's tokens of the portrait, ``(B, T, D)``; nothing for kind ``clip``."""
        return None if self.config.kind == "clip" or self.portrait is None else self.portrait(portrait)

    def dropped(self, tokens: Tensor, drop: Tensor, of: str) -> Tensor:
        """The learned null in place of the samples that ``drop`` ``(B,) bool`` names.

        Args:
            tokens: ``(B, T, D)`` from :meth:`of_attribute` or :meth:`of_portrait`.
            drop: True for a sample whose reference is dropped from spatial attention, too.
            of: ``"attribute"`` or ``"portrait"``.
        """
        return torch.where(drop[:, None, None], getattr(self, f"null_{of}").to(tokens), tokens)

    def denoiser_tokens(
        self, attributes: list[Tensor], portrait: Tensor | None, log_weights: list[Tensor | None] | None = None
    ) -> SemanticTokens:
        """All tokens that the denoiser sees, side by side.

        Args:
            attributes: ``(B, T, D)`` each; an empty list stands for the null.
            portrait: ``(B, T, D)`` from :meth:`of_portrait`; ``None`` stands for the null where the kind has one.
            log_weights: of each attribute, ``(B,)``: log of its strength.
        """
        seen = attributes or [self.null_attribute]
        weights = list(log_weights or [None] * len(seen))
        if self.config.kind == "pooled":
            seen = [*seen, self.null_portrait if portrait is None else portrait]
            weights.append(None)
        rows = max(tokens.shape[0] for tokens in seen)
        seen = [tokens.expand(rows, -1, -1) for tokens in seen]
        if all(weight is None for weight in weights):
            return SemanticTokens(torch.cat(seen, 1))
        spread = [_of_each_token(weight, tokens) for weight, tokens in zip(weights, seen)]
        return SemanticTokens(torch.cat(seen, 1), torch.cat(spread, 1))


def stacked(*rows: SemanticTokens) -> SemanticTokens:
    """Batches below each other; the shorter ones get hidden tokens."""
    longest = max(one.tokens.shape[1] for one in rows)
    if all(one.log_weight is None and one.tokens.shape[1] == longest for one in rows):
        return SemanticTokens(torch.cat([one.tokens for one in rows]))
    tokens, weights = [], []
    for one in rows:
        missing = longest - one.tokens.shape[1]
        weight = one.tokens.new_zeros(one.tokens.shape[:2]) if one.log_weight is None else one.log_weight
        tokens.append(F.pad(one.tokens, (0, 0, 0, missing)))
        weights.append(F.pad(weight, (0, missing), value=-torch.inf))
    return SemanticTokens(torch.cat(tokens), torch.cat(weights))


def _one_token(embedding: Tensor) -> Tensor:
    """A ``(B, D)`` embedding as ``(B, 1, D)``."""
    return embedding[:, None]


def _of_each_token(log_weight: Tensor | None, tokens: Tensor) -> Tensor:
    if log_weight is None:
        return tokens.new_zeros(tokens.shape[:2])
    return log_weight[:, None].expand(tokens.shape[:2]).to(tokens.dtype)


class PooledTokens(nn.Module):
    """Learned queries that attend to a reference net's middle features inside its mask."""

    def __init__(self, width: int, token_width: int, tokens: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(1, tokens, token_width) * token_width**-0.5)
        self.norm = nn.LayerNorm(width)
        self.key_value = nn.Linear(width, 2 * token_width)
        self.out = nn.LayerNorm(token_width)

    def forward(self, features: ReferenceFeatures) -> Tensor:
        """``(B, T, D)``; where a mask is empty, all positions count."""
        middle = features.middle
        tokens = self.norm(middle.flatten(2).transpose(1, 2))
        key, value = self.key_value(tokens).chunk(2, -1)
        inside = F.adaptive_max_pool2d(features.mask, middle.shape[2:]).flatten(1) > 0
        inside = inside | ~inside.any(1, keepdim=True)
        queries = self.queries.expand(middle.shape[0], -1, -1)
        pooled = F.scaled_dot_product_attention(queries, key, value, attn_mask=inside[:, None])
        return self.out(pooled)
