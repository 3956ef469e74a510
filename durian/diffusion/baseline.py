"""The same model run as the code it builds on runs it (Animate Anyone, Champ, AniPortrait), for comparison.

The frames are those of :class:`~durian.diffusion.pipeline.DurianPipeline`, from the same weights; only what is computed
again and copied differs. Used by the benchmark and tests alone. Strengths and blends are unknown to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from diffusers import ConfigMixin, UNetMotionModel
from diffusers.models.attention_processor import Attention
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from torch import Tensor, nn

from durian.diffusion.denoiser import Denoiser
from durian.diffusion.guider import KeypointGuider
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.reference_net import ReferenceFeatures, ReferenceNet
from durian.diffusion.references import References
from durian.diffusion.spatial import Context, join_heads, project, spatial_blocks, split_heads
from durian.errors import InvalidRequest


@dataclass(frozen=True)
class RepeatedReferences:
    """Features as the reference nets give them, to be repeated for every frame at every layer of every step.

    ``parts``: of each reference, per layer ``(2, M, C)``, the rows of the two halves of guidance. ``unseen``: how many
    rows of the denoiser's, frames folded in, belong to the unconditional half. ``blend`` is always ``None``.
    """

    parts: tuple[tuple[Tensor, ...], ...]
    blend: Tensor | None = None
    unseen: int = 0

    def repeated(self, layer: int, rows: int) -> list[Tensor]:
        """Each reference's features at a layer for each of the denoiser's rows: ``(rows, M, C)``."""
        halves = slice(None) if self.unseen else slice(1)
        features = [part[layer][halves] for part in self.parts]
        return [one[:, None].repeat(1, rows // one.shape[0], 1, 1).flatten(0, 1) for one in features]


class RepeatingSpatialAttention:
    """Hidden states and references joined before K and V, for both halves; then the unconditional half once more."""

    def __init__(self, layer: int) -> None:
        self.layer = layer

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        context: Context,
    ) -> Tensor:
        references = context.references
        if not isinstance(references, RepeatedReferences):
            return _attend(attn, hidden_states, hidden_states)
        joined = torch.cat([hidden_states, *references.repeated(self.layer, hidden_states.shape[0])], 1)
        out = _attend(attn, hidden_states, joined)
        if references.unseen:
            out = out.clone()
            alone = hidden_states[: references.unseen]
            out[: references.unseen] = _attend(attn, alone, alone)
        return out


class RepeatingCrossAttention:
    """Semantic tokens repeated for every frame."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        *,
        context: Context,
    ) -> Tensor:
        frames = hidden_states.shape[0] // encoder_hidden_states.shape[0]
        bias = context.token_log_weight
        if bias is not None:
            bias = bias.to(hidden_states.dtype).repeat_interleave(frames, 0)[:, None, None]
            bias = bias.expand(-1, -1, hidden_states.shape[1], -1)
        return _attend(attn, hidden_states, encoder_hidden_states.repeat_interleave(frames, 0), bias)


def _attend(attn: Attention, queries: Tensor, tokens: Tensor, bias: Tensor | None = None) -> Tensor:
    query = split_heads(attn, attn.to_q(queries))
    out = F.scaled_dot_product_attention(query, *project(attn, tokens), attn_mask=bias)
    return attn.to_out[0](join_heads(out))


class CopyingTemporalTransformer(nn.Module):
    """diffusers' way through a motion module, whose 5-D tensors are copied on the way in and out.

    Its group norm, though, takes each frame by itself, or the frames would be others.
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
        if num_frames == 1:
            return hidden_states
        _, channels, height, width = hidden_states.shape
        volume = self.norm(hidden_states).reshape(-1, num_frames, channels, height, width).transpose(1, 2).contiguous()
        tokens = volume.permute(0, 3, 4, 2, 1).reshape(-1, num_frames, channels)
        tokens = self.proj_in(tokens)
        for block in self.transformer_blocks:
            tokens = block(tokens)
        volume = self.proj_out(tokens).reshape(-1, height, width, num_frames, channels)
        return volume.permute(0, 3, 4, 1, 2).contiguous().reshape(hidden_states.shape) + hidden_states


class BaselineDenoiser(Denoiser):
    """The denoiser with the attention above; references stay as they are, to be projected at each step and frame."""

    def project(self, references: References, unseen: int = 0) -> RepeatedReferences:
        """
        Raises:
            InvalidRequest: a reference has a strength, or two of them blend.
        """
        if references.blend is not None or any(part.log_weight is not None for part in references.parts):
            raise InvalidRequest("The baseline's way has neither strengths nor blends: leave them out to compare.")
        parts = [
            part.features if part.keep is None else tuple(f[:, k[0]] for f, k in zip(part.features, part.keep))
            for part in references.parts
        ]
        return RepeatedReferences(tuple(parts), None, unseen)


class DoubledReferenceNet(ReferenceNet):
    """A reference net run for both halves of guidance. Its unconditional half is never read."""

    def forward(self, *inputs: Tensor | None) -> ReferenceFeatures:
        doubled = super().forward(*(None if one is None else torch.cat([one, one]) for one in inputs))
        return ReferenceFeatures(doubled.features, doubled.middle[:1], doubled.mask[:1])


@dataclass(frozen=True)
class GuidanceComputedAgain:
    """Stands for the guider's features of all frames ``(F, C, h, w)``; whoever looks some up runs the guider."""

    guider: KeypointGuider
    keypoints: Tensor
    """``(F, 3, S, S)`` in [0, 1]."""

    def __getitem__(self, frames: np.ndarray) -> Tensor:
        return self.guider(self.keypoints[frames])


class BaselinePipeline(DurianPipeline):
    """:class:`DurianPipeline` the baseline's way; make one with :func:`baseline_pipeline`."""

    def denoise(self, *arguments: object, **options: object) -> Tensor:
        """Both halves of guidance in one batch, whatever ``guide_in_one_batch`` says."""
        return super().denoise(*arguments, **options | {"guide_in_one_batch": True})

    def guide(self, keypoints: np.ndarray, window: int) -> GuidanceComputedAgain:
        return GuidanceComputedAgain(self.guider, self.pixels(keypoints))

    def decode_latents(
        self, latents: Tensor, decode_chunk_size: int = 1, draft: np.ndarray | None = None
    ) -> Iterator[np.ndarray]:
        """One frame at a time, whatever ``decode_chunk_size`` says."""
        return super().decode_latents(latents, 1, draft)


def baseline_pipeline(pipeline: DurianPipeline) -> BaselinePipeline:
    """A pipeline that runs the weights of ``pipeline``, not a copy of them, the baseline's way.

    Only what ``channels_last`` has laid out otherwise is copied, into diffusers' default.
    """
    with torch.device("meta"):
        denoiser = BaselineDenoiser(**_arguments(pipeline.denoiser))
        denoiser.unet = UNetMotionModel.from_config(pipeline.denoiser.unet.config)  # diffusers' own blocks
        nets = {
            name: DoubledReferenceNet(**_arguments(getattr(pipeline, name)))
            for name in ("attribute_reference_net", "portrait_reference_net")
        }
    for layer, block in enumerate(spatial_blocks(denoiser.unet)):
        block.attn1.set_processor(RepeatingSpatialAttention(layer))
        block.attn2.set_processor(RepeatingCrossAttention())
    for part in (*denoiser.unet.down_blocks, denoiser.unet.mid_block, *denoiser.unet.up_blocks):
        part.motion_modules = nn.ModuleList(CopyingTemporalTransformer(module) for module in part.motion_modules)
    replaced: dict[str, nn.Module] = {**nets, "denoiser": denoiser}
    for name, twin in replaced.items():
        twin.load_state_dict(getattr(pipeline, name).state_dict(), assign=True)
        twin.to(memory_format=torch.contiguous_format).eval()
    settings = {name: value for name, value in _arguments(pipeline).items() if name not in pipeline.components}
    return BaselinePipeline(**pipeline.components | replaced, **settings)


def _arguments(model: ConfigMixin) -> dict[str, Any]:
    """The arguments that a model or pipeline was made with."""
    return {name: value for name, value in model.config.items() if not name.startswith("_")}
