"""Tiny real models for tests of the diffusion rooms: every part there, a few channels wide, weights random."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler
from torch import nn
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from durian.diffusion.conditioning import Conditioner
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.guider import KeypointGuider
from durian.diffusion.pipeline import AttributeReference, DurianPipeline
from durian.diffusion.reference_net import ReferenceNet
from durian.diffusion.references import Reference, References
from durian.diffusion.spatial import spatial_blocks

SIZE, LATENT_CHANNELS, TOKEN_WIDTH = 32, 4, 16
SHAPE = {
    "latent_channels": LATENT_CHANNELS,
    "block_out_channels": (16, 32),
    "attention_levels": (True, True),
    "layers_per_block": 1,
    "num_attention_heads": 2,
    "norm_num_groups": 8,
}
GUIDER_CHANNELS = (4, 8, 8, 8)


def tiny_denoiser(cross_attention_dim: int = TOKEN_WIDTH, **others: object) -> Denoiser:
    """Eval mode, float32; nothing of it starts at zero, so that every part shows in the output."""
    denoiser = Denoiser(
        **(SHAPE | others),
        cross_attention_dim=cross_attention_dim,
        motion_num_attention_heads=2,
        motion_max_frames=8,
    )
    return woken(denoiser)


def image_model(denoiser: Denoiser) -> Denoiser:
    """``denoiser`` with motion modules as they start, so that each frame is made by itself."""
    for name, parameter in denoiser.named_parameters():
        if "motion_modules" in name and "proj_out" in name:
            nn.init.zeros_(parameter)
    return denoiser


def made_references(
    denoiser: Denoiser,
    attributes: int,
    samples: int = 1,
    weighted: bool = False,
    masked: bool = False,
    blend: torch.Tensor | None = None,
    seed: int = 0,
) -> References:
    """Random features of a portrait and attributes, each of its own number of tokens; large enough to matter."""
    random = torch.Generator().manual_seed(seed)
    widths = [block.attn1.to_q.in_features for block in spatial_blocks(denoiser.unet)]
    parts = []
    for number in range(1 + attributes):
        tokens = 5 + 2 * number
        features = tuple(2 * torch.randn(samples, tokens, width, generator=random) for width in widths)
        keep = tuple(torch.rand(samples, tokens, generator=random) < 0.6 for _ in widths)
        strength = 0.2 + torch.rand(samples, generator=random)
        parts.append(
            Reference(
                features,
                keep if masked else None,
                # The portrait stays without a weight, as in a request.
                strength.log() if weighted and number else None,
            )
        )
    return References(tuple(parts), blend)


def tiny_reference_net(cross_attention_dim: int | None = None, keypoints: bool = True) -> ReferenceNet:
    net = ReferenceNet(
        **SHAPE, cross_attention_dim=cross_attention_dim, keypoint_channels=GUIDER_CHANNELS if keypoints else None
    )
    return woken(net)


def tiny_autoencoder() -> AutoencoderKL:
    """Eight pixels to a latent position, as the guider's strides have it."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 16),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=4,
        mid_block_add_attention=False,
    ).eval()


def tiny_pipeline(
    seed: int = 0, trained_steps: int = 0, drop_outside_masks: bool = False, drafts: bool = False, **defaults: object
) -> DurianPipeline:
    """A whole pipeline of kind ``pooled``, 32 px, windows of at most 8 frames; ``drafts``: it begins with them."""
    torch.manual_seed(seed)
    options = {"sampler": "ddim", "steps": 2, "guidance_scale": 2.0, "window": 4, "overlap": 2} | defaults
    return DurianPipeline(
        vae=tiny_autoencoder(),
        attribute_reference_net=tiny_reference_net(),
        portrait_reference_net=tiny_reference_net(),
        denoiser=tiny_denoiser(draft_channels=LATENT_CHANNELS if drafts else 0),
        guider=woken(KeypointGuider(SHAPE["block_out_channels"][0], GUIDER_CHANNELS)),
        conditioner=Conditioner("pooled", TOKEN_WIDTH, 32, 32, tokens=2).eval(),
        scheduler=DDIMScheduler(prediction_type="v_prediction", rescale_betas_zero_snr=True),
        preset="tiny",
        size=SIZE,
        trained_steps=trained_steps,
        drop_outside_masks=drop_outside_masks,
        **options,
    )


def woken(module: nn.Module) -> nn.Module:
    """``module`` with small random numbers where it starts at zero, and guiders loud enough to be heard."""
    with torch.no_grad():
        for guider in (part for part in module.modules() if isinstance(part, KeypointGuider)):
            for convolution in (part for part in guider.modules() if isinstance(part, nn.Conv2d)):
                nn.init.kaiming_normal_(convolution.weight)
        for parameter in module.parameters():
            if not parameter.any() and parameter.ndim > 1:
                parameter.normal_(std=0.1)
    return module.eval()


def frames_of(pipeline: DurianPipeline, keypoints: np.ndarray, **options: object) -> np.ndarray:
    """A call's frames, ``(F, P, P, 3) uint8``."""
    return np.stack(pipeline(keypoints, **options).frames[0])


def kept_estimates(found: list[torch.Tensor]) -> dict[str, object]:
    """Arguments of a call that fill ``found`` with each step's estimate."""

    def keep(pipeline: DurianPipeline, index: int, timestep: torch.Tensor, tensors: dict[str, torch.Tensor]) -> None:
        found.append(tensors["estimate"])

    return {"callback_on_step_end": keep, "callback_on_step_end_tensor_inputs": ["estimate"]}


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def pictures(seed: int, count: int) -> np.ndarray:
    return np.stack([picture(1000 * seed + index) for index in range(count)])


def half_mask(side: str = "left") -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[:, : SIZE // 2] = 255
    return mask if side == "left" else 255 - mask


def attribute(seed: int, strength: float = 1.0) -> AttributeReference:
    return AttributeReference(picture(seed), half_mask("right"), strength, keypoints=picture(seed + 50))


def tiny_clip() -> tuple[CLIPVisionModelWithProjection, CLIPImageProcessor]:
    """A CLIP of one layer for pictures of 32 px, embeddings of ``TOKEN_WIDTH``, and its processor."""
    config = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        patch_size=8,
        image_size=SIZE,
        projection_dim=TOKEN_WIDTH,
    )
    processor = CLIPImageProcessor(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE})
    return CLIPVisionModelWithProjection(config).eval(), processor
