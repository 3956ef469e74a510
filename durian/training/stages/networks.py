"""Forward pass of a training batch through the pipeline's components: references as rows of a batch, some dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.diffusion.conditioning import SemanticTokens
from durian.diffusion.reference_inputs import ReferenceInputs
from durian.diffusion.references import References
from durian.diffusion.spatial import spatial_blocks
from durian.training.stages.stage import Batch

if TYPE_CHECKING:
    from durian.diffusion.pipeline import DurianPipeline

QUERY_GAIN = 2.0
"""By which queries are larger where all nets start alike (tried on ``scripts/make_attention_figure.py``)."""


@torch.no_grad()
def latents_of(pipeline: DurianPipeline, frames: Tensor) -> Tensor:
    """``(B, F, S, S, 3) uint8`` as latents ``(B·F, C, h, w)`` in the denoiser's dtype."""
    return pipeline.encoded(frames.flatten(0, 1)).to(pipeline.denoiser.dtype)


def see_references(
    pipeline: DurianPipeline, batch: Batch, drop_attribute: Tensor, drop_portrait: Tensor
) -> tuple[References, SemanticTokens]:
    """Each sample's references and tokens for the denoiser, as the pipeline makes them, one sample a row.

    A dropped picture has neither tokens nor embedding. Without its attribute a sample is a request without attributes;
    without both pictures it is an unconditional row of guidance.

    Args:
        pipeline: its reference nets and conditioner may train.
        batch: B samples.
        drop_attribute, drop_portrait: ``(B,) bool``.
    """
    conditioner, drop_outside = pipeline.conditioner, pipeline.config.drop_outside_masks
    with torch.no_grad():
        shown = ReferenceInputs.of(pipeline, batch["portrait"], 255 - batch["hole"], batch["portrait_keypoints"])
        worn = ReferenceInputs.of(pipeline, batch["attribute"], batch["attribute_mask"], batch["attribute_keypoints"])
    portrait = shown.seen_by(pipeline.portrait_reference_net)
    attribute = worn.seen_by(pipeline.attribute_reference_net)
    of_attribute = conditioner.of_attribute(attribute if worn.embedding is None else worn.embedding)
    of_portrait = conditioner.of_portrait(portrait)
    tokens = conditioner.denoiser_tokens(
        [conditioner.dropped(of_attribute, drop_attribute, "attribute")],
        None if of_portrait is None else conditioner.dropped(of_portrait, drop_portrait, "portrait"),
    )
    parts = (
        portrait.reference(drop_outside, _log_weight(drop_portrait)),
        attribute.reference(drop_outside, _log_weight(drop_attribute)),
    )
    return References(parts), tokens


def _log_weight(drop: Tensor) -> Tensor | None:
    # Attention with weights takes twice as long.
    if not drop.any():
        return None
    return torch.zeros(drop.shape, device=drop.device).masked_fill(drop, -torch.inf)


def at_latent_size(masks: Tensor, latents: Tensor) -> Tensor:
    """``(B, F, S, S) uint8`` as the share of each position ``(B·F, 1, h, w)`` that is covered."""
    covered = masks.flatten(0, 1)[:, None].to(latents.dtype) / 255
    return F.interpolate(covered, latents.shape[2:], mode="area")


@torch.no_grad()
def start_alike(pipeline: DurianPipeline, seed: int = 0) -> None:
    """All three nets from the same numbers, as the paper starts all three from Stable Diffusion.

    For a model that starts from nothing. Then like things have like features wherever they are seen, and queries meet
    the keys of their like from the start (W_K = W_Q): otherwise attention finds its first hold only after many thousand
    steps. Where reference nets have a guider of their own, all guiders start alike too, and can be heard.
    """
    for block in spatial_blocks(pipeline.denoiser.unet):
        block.attn1.to_k.weight.copy_(block.attn1.to_q.weight.mul_(QUERY_GAIN))
    generator = torch.Generator().manual_seed(seed)
    torch.nn.init.normal_(pipeline.guider.layers.conv_out.weight, std=0.1, generator=generator)
    ours = pipeline.denoiser.unet.state_dict()
    for net in (pipeline.attribute_reference_net, pipeline.portrait_reference_net):
        theirs = net.unet.state_dict()
        shared = {key: value for key, value in ours.items() if key in theirs and value.shape == theirs[key].shape}
        net.unet.load_state_dict(shared, strict=False)
        latents = pipeline.denoiser.config.latent_channels
        net.unet.conv_in.weight[:, :-1] = pipeline.denoiser.unet.conv_in.weight[:, :latents]
        if net.keypoints is not None:
            net.keypoints.load_state_dict(pipeline.guider.state_dict())
