"""Warm start of the paper's model from Stable Diffusion 1.5, its ft-mse VAE, AnimateDiff's v2 adapter and CLIP.

Strict on keys: every tensor of a source is used or named as left out, and every tensor of ours is filled or named as
starting fresh. Anything else raises with the names, since a part that stays random shows only after days of training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.presets import Preset, Sources, assemble, components
from durian.errors import InvalidRequest, WeightsMissing

CLIP_TEXT_HALF = (
    "text_model.",
    "text_projection.",
    "logit_scale",
    "vision_model.embeddings.position_ids",
)
"""Tensors of CLIP's file that are not of its picture half. The positions are a range, which transformers counts by
itself."""

FRESH = {"denoiser": (), "attribute_reference_net": ("keypoints.",), "portrait_reference_net": ("keypoints.",)}
"""Tensors of ours that no source fills, by their names' beginnings: a reference net's own guider, where it has one.
Guider and conditioner start fresh as a whole, and so does the mask's slice of the reference nets' first convolution."""

MASK_CONVOLUTION = "unet.conv_in.weight"
"""Of the reference nets: one input channel more than Stable Diffusion's, the mask's, which starts at zero."""


def warm_start(preset: Preset, sources: Sources | None = None, seed: int = 0) -> DurianPipeline:
    """A model of ``preset`` filled with published weights. It is untrained: the paper's training starts here.

    Args:
        preset: with components of the sources' shapes.
        sources: hub ids (``owner/name``, or ``owner/name@commit`` to pin one) or local folders of the same layout;
            ``None`` takes the preset's own. Only safetensors are read.
        seed: of what starts fresh.

    Returns:
        The pipeline in float32 on the CPU, with ``trained_steps`` 0.

    Raises:
        InvalidRequest: the preset has no sources, or tensors are left over, missing or of another shape.
        WeightsMissing: a source is neither on this machine nor within reach.
    """
    sources = sources or preset.sources
    if sources is None:
        raise InvalidRequest(f"Preset {preset.name} is trained from nothing: there is nothing to start it from.")
    unet = _loaded(UNet2DConditionModel, sources.unet, "Stable Diffusion's U-Net", subfolder="unet")
    motion = _loaded(MotionAdapter, sources.motion_adapter, "AnimateDiff's motion adapter")
    parts = components(preset, seed)
    image = {f"unet.{key}": tensor for key, tensor in unet.state_dict().items()}
    video = image | {f"unet.{key}": tensor for key, tensor in motion.state_dict().items()}
    fill(parts["denoiser"], video, fresh=FRESH["denoiser"])
    for name in ("attribute_reference_net", "portrait_reference_net"):
        net = parts[name]
        widened = image | {MASK_CONVOLUTION: _with_mask_channel(image[MASK_CONVOLUTION])}
        fill(net, widened, left_out=reference_net_tail(net.config), fresh=FRESH[name])
    for name, kind, what, left_out in (
        ("vae", AutoencoderKL, "Stable Diffusion's ft-mse VAE", ()),
        ("image_encoder", CLIPVisionModelWithProjection, "CLIP", CLIP_TEXT_HALF),
    ):
        source = _loaded(kind, getattr(sources, name), what, left_out)
        fill(parts[name], source.state_dict())
    processor = _reached(CLIPImageProcessor.from_pretrained, sources.image_encoder, "CLIP's image processor")
    return assemble(preset, parts, processor)


def reference_net_tail(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Beginnings of the names of Stable Diffusion's tensors that a reference net has no use for.

    Nothing depends on them: they come after the input of the last spatial attention layer.
    """
    levels = len(config["block_out_channels"])
    coarse_to_fine = list(reversed(config["attention_levels"]))
    last = max(level for level in range(levels) if coarse_to_fine[level])
    block = f"unet.up_blocks.{last}"
    attention = f"{block}.attentions.{config['layers_per_block']}"
    inside = ("attn1.", "norm2.", "attn2.", "norm3.", "ff.")
    return (
        "unet.conv_norm_out.",
        "unet.conv_out.",
        f"{block}.upsamplers.",
        f"{attention}.proj_out.",
        *(f"{attention}.transformer_blocks.0.{name}" for name in inside),
        *(f"unet.up_blocks.{level}." for level in range(last + 1, levels)),
    )


def fill(
    target: nn.Module, source: Mapping[str, Tensor], left_out: Iterable[str] = (), fresh: Iterable[str] = ()
) -> None:
    """Copy tensors into a module, by name, strictly.

    Args:
        target: takes the numbers, keeps its dtype and device.
        source: names to tensors.
        left_out: beginnings of names in ``source`` that are not used.
        fresh: beginnings of names of ``target`` that stay as they are.

    Raises:
        InvalidRequest: a name on either side is without its counterpart, or shapes differ; the sentence has the names.
    """
    left_out, fresh = tuple(left_out), tuple(fresh)
    used = {key: tensor for key, tensor in source.items() if not key.startswith(left_out)}
    wanted = {key: tensor for key, tensor in target.state_dict().items() if not key.startswith(fresh)}
    shapes = [key for key in used.keys() & wanted.keys() if used[key].shape != wanted[key].shape]
    _refuse(type(target).__name__, wanted.keys() - used.keys(), used.keys() - wanted.keys(), shapes)
    with torch.no_grad():
        for key, tensor in wanted.items():
            tensor.copy_(used[key])


def _refuse(what: str, missing: Iterable[str], unexpected: Iterable[str], shapes: Iterable[str]) -> None:
    wrong = [
        f"{problem} {', '.join(sorted(keys))}"
        for problem, keys in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if keys
    ]
    if wrong:
        raise InvalidRequest(f"These weights do not fit {what}: {'; '.join(wrong)}. Give those of its own shape.")


def _with_mask_channel(weight: Tensor) -> Tensor:
    """``(C₀, C, 3, 3)`` with a slice of zeros for the mask, ``(C₀, C + 1, 3, 3)``."""
    return torch.cat([weight, torch.zeros_like(weight[:, :1])], 1)


def _loaded(kind: type[Any], source: str, what: str, left_out: tuple[str, ...] = (), **where: str) -> nn.Module:
    """A published model; what its file has too much or too little raises, where the libraries only warn."""
    model, info = _reached(kind.from_pretrained, source, what, use_safetensors=True, output_loading_info=True, **where)
    unexpected = [key for key in info["unexpected_keys"] if not key.startswith(left_out)]
    _refuse(f"{what} from {source}", info["missing_keys"], unexpected, info["mismatched_keys"])
    return model


def _reached(load: Callable[..., Any], source: str, what: str, **options: Any) -> Any:
    name, _, revision = source.partition("@")
    try:
        return load(source, **options) if Path(source).is_dir() else load(name, revision=revision or None, **options)
    except OSError as error:
        # Folders, hub and cache all answer with an OSError, whatever is wrong.
        if Path(source).is_dir():
            raise WeightsMissing(f"{what} is not in {source}: it needs its config and safetensors there.") from error
        raise WeightsMissing(
            f"{what} ({source}) is not on this machine and could not be fetched from huggingface.co: "
            "check the connection and try again, or give a local folder that holds it."
        ) from error
