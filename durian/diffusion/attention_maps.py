"""Attention maps of the denoiser: the weights of a few target positions over the frame and its references.

They are for looking at the fusion, not for making frames, so weights are computed plainly, token by token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor

from durian.diffusion.checks import check_blend, check_clip
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.prediction import Prediction
from durian.diffusion.references import Reference
from durian.diffusion.spatial import project, spatial_blocks, split_heads
from durian.errors import InvalidRequest

Point = tuple[float, float]
"""x, y in pixels of the target picture."""


@dataclass(frozen=True)
class AttentionMap:
    """One target position's attention weights, averaged over heads: all of them together sum to one.

    ``own``, ``portrait`` and each of ``attributes`` are ``(h, w) float32``, one number per token of the layer; tokens
    that are dropped outside a mask have 0.
    """

    point: Point
    own: np.ndarray
    portrait: np.ndarray
    attributes: tuple[np.ndarray, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """Of the frame itself, of the portrait, and of each attribute."""
        return tuple(float(part.sum()) for part in (self.own, self.portrait, *self.attributes))


@torch.no_grad()
def attention_maps(
    pipeline: DurianPipeline,
    keypoints: np.ndarray,
    latents: Tensor,
    timestep: int,
    points: Sequence[Point],
    layer: int = -1,
    alpha: float | None = None,
) -> list[AttentionMap]:
    """Attention of positions of one frame at one spatial attention layer, in a single run of the denoiser.

    The frame is run by itself, as a conditional row: without guidance, and without attention over time.

    Args:
        pipeline: after ``set_references``.
        keypoints: ``(S, S, 3) uint8``, the frame's keypoint image.
        latents: ``(1, C, h, w)`` as they are at ``timestep``: a picture's with that much noise, or noise alone.
        timestep: in ``[0, num_train_timesteps)``.
        points: x, y in ``[0, S)``; each stands for the token that it lies in.
        layer: in the order in which layers run; -1 is the last, at the finest level.
        alpha: α of the frame, where the references were set to blend.

    Returns:
        One map per point; attributes in the order in which they were set, those of strength 0 left out.

    Raises:
        InvalidRequest: references were not set, or a point, the layer, the keypoints or α is not possible.
    """
    encoded = pipeline.encoded_references
    size = pipeline.config.size
    blend = None if alpha is None else np.array([alpha], np.float32)
    check_clip(keypoints[None], size)
    check_blend(blend, 1, encoded.blends)
    if outside := [point for point in points if not (0 <= point[0] < size and 0 <= point[1] < size)]:
        raise InvalidRequest(f"Point {outside[0]} lies outside the picture: give x and y from 0 to below {size}.")
    blocks = spatial_blocks(pipeline.denoiser.unet)
    if not -len(blocks) <= layer < len(blocks):
        raise InvalidRequest(f"There is no spatial attention layer {layer}: this model has {len(blocks)}.")
    attention = blocks[layer].attn1
    guidance = pipeline.guide(keypoints[None], window=1)
    predict = Prediction(pipeline.denoiser, pipeline.conditioner, encoded, guidance, blend, in_one_batch=True)
    seen: list[Tensor] = []
    hook = attention.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    try:
        predict(latents.to(guidance), torch.tensor(timestep), [np.arange(1)], scale=1.0)
    finally:
        hook.remove()
    hidden = seen[0][0]  # N x C
    side = round(hidden.shape[0] ** 0.5)
    chosen = [int(y * side / size) * side + int(x * side / size) for x, y in points]
    weights = token_weights(attention, hidden, chosen, encoded.parts, layer, alpha).mean(0)  # P x tokens
    maps = []
    for point, one in zip(points, weights):
        own, portrait, *attributes = one.reshape(-1, side, side).cpu().numpy()
        maps.append(AttentionMap(point, own, portrait, tuple(attributes)))
    return maps


def token_weights(
    attention: Attention,
    hidden: Tensor,
    chosen: Sequence[int],
    parts: Sequence[Reference],
    layer: int,
    alpha: float | None = None,
) -> Tensor:
    """The softmax of spatial attention for some tokens of one frame, as the paper prints it.

    With α the last two parts are alternatives; outputs are mixed, which is the same as mixing weights.

    Args:
        attention: the layer.
        hidden: ``(N, C)``, its input for one frame.
        chosen: P numbers of tokens.
        parts: references of one sample, portrait first.
        layer: the layer's number.
        alpha: α of the frame, or ``None``.

    Returns:
        ``(heads, P, N + M₁ + M₂ …) float32``; over tokens they sum to one.
    """
    query = split_heads(attention, attention.to_q(hidden[None, list(chosen)]))[0].float()
    logits = [_logits(attention, query, hidden)]
    for part in parts:
        of_part = _logits(attention, query, part.features[layer][0])
        if part.log_weight is not None:
            of_part = of_part + part.log_weight[0]
        if part.keep is not None:
            of_part = of_part.masked_fill(~part.keep[layer][0], -torch.inf)
        logits.append(of_part)
    if alpha is None:
        return torch.cat(logits, -1).softmax(-1)
    *shared, first, second = logits
    without = torch.full_like(first, -torch.inf)
    first, second = (torch.cat([*shared, *pair], -1).softmax(-1) for pair in ((first, without), (without, second)))
    return torch.lerp(first, second, alpha)


def _logits(attention: Attention, query: Tensor, tokens: Tensor) -> Tensor:
    """``(heads, P, M)`` of queries ``(heads, P, d)`` and tokens ``(M, C)``."""
    key, _ = project(attention, tokens[None])
    return query @ key[0].float().transpose(1, 2) * query.shape[-1] ** -0.5
