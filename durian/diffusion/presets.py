"""Registry of model presets: every number of the components, and the defaults of a call.

Imports light: what needs torch imports it when called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from durian.errors import InvalidRequest

if TYPE_CHECKING:
    from torch import nn

    from durian.diffusion.pipeline import DurianPipeline

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Sources:
    """Published weights of a warm start: each a hub id (``@commit`` pins it) or a folder of that layout."""

    unet: str = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    """A Stable Diffusion repository, of which the folder ``unet`` is read."""
    vae: str = "stabilityai/sd-vae-ft-mse"
    motion_adapter: str = "guoyww/animatediff-motion-adapter-v1-5-2"
    image_encoder: str = "openai/clip-vit-large-patch14"


@dataclass(frozen=True)
class Preset:
    """One shape of the model.

    ``size``: S, side of all pictures in pixels. ``vae``, ``denoiser``, ``reference_net`` (of both), ``guider``,
    ``conditioner``, ``image_encoder``, ``scheduler``: arguments of ``AutoencoderKL`` (or, without
    ``down_block_types``, of ``CosineAutoencoder``), ``Denoiser``, ``ReferenceNet``, ``KeypointGuider``,
    ``Conditioner``, ``CLIPVisionConfig`` and ``DDIMScheduler``. ``drop_outside_masks``, ``scale_input``, ``sampler``,
    ``steps``, ``guidance_scale``, ``window``, ``overlap``: as in ``DurianPipeline``. ``sources``: of the warm start,
    ``None`` for a model that is trained from nothing.
    """

    name: str
    size: int
    vae: Arguments
    denoiser: Arguments
    reference_net: Arguments
    guider: Arguments
    conditioner: Arguments
    scheduler: Arguments
    image_encoder: Arguments | None = None
    drop_outside_masks: bool = False
    scale_input: bool = False
    sampler: str = "ddim"
    steps: int = 25
    guidance_scale: float = 3.5
    window: int = 24
    overlap: int = 4
    sources: Sources | None = None

    @property
    def learns_its_autoencoder(self) -> bool:
        """Whether the autoencoder has weights."""
        return "down_block_types" in self.vae


def _autoencoder(widths: tuple[int, ...], **others: Any) -> Arguments:
    return {
        "block_out_channels": widths,
        "down_block_types": ("DownEncoderBlock2D",) * len(widths),
        "up_block_types": ("UpDecoderBlock2D",) * len(widths),
        **others,
    }


SCHEDULE: Arguments = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "clip_sample": False,
    "set_alpha_to_one": True,
    "steps_offset": 0,
}
"""Stable Diffusion's noise, ending in nothing but noise (2305.08891), as the paper's lineage trains."""

_SD15_SHAPE: Arguments = {
    "latent_channels": 4,
    "block_out_channels": (320, 640, 1280, 1280),
    "attention_levels": (True, True, True, False),
    "layers_per_block": 2,
    "num_attention_heads": 8,
    "norm_num_groups": 32,
    "cross_attention_dim": 768,
}

SD15_512 = Preset(
    name="sd15-512",
    size=512,
    vae=_autoencoder((128, 256, 512, 512), layers_per_block=2, latent_channels=4, sample_size=512),
    denoiser={**_SD15_SHAPE, "motion_num_attention_heads": 8, "motion_max_frames": 32},
    reference_net=_SD15_SHAPE,
    guider={"out_channels": 320, "block_out_channels": (16, 32, 96, 256)},
    conditioner={"kind": "clip", "token_width": 768, "attribute_width": 768, "portrait_width": 768, "tokens": 1},
    image_encoder={
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "patch_size": 14,
        "image_size": 224,
        "projection_dim": 768,
    },
    scheduler=SCHEDULE,
    sources=Sources(),
)
"""The paper's scale: 3.42 billion parameters with CLIP, 6.8 GB in half precision. Warm-started.

U-Net 859.52 M, motion modules 453.21 M, each reference net 857.07 M (the U-Net without its tail, and 2,880 for the
mask), VAE 83.65 M, CLIP's picture half 303.97 M, guider 1.09 M. Per frame and step 0.80 TFLOP in the U-Net, 0.31 in
the motion modules and 0.37 in attention to two references.
"""

_MINI_LATENT_CHANNELS = 32
_MINI_SHAPE: Arguments = {
    "latent_channels": _MINI_LATENT_CHANNELS,
    "block_out_channels": (96, 128),
    "attention_levels": (False, True),
    "layers_per_block": 1,
    "num_attention_heads": 4,
    "norm_num_groups": 16,
}
_MINI_KEYPOINTS = (16, 24, 48, 96)

MINI_256 = Preset(
    name="mini-256",
    size=256,
    # The scaling factor gives what is learned, differences to drafts, a standard deviation of about 1.
    vae={"in_channels": 192, "latent_channels": _MINI_LATENT_CHANNELS, "scaling_factor": 1.5},
    # Drafts bring what is copied as it is; attention, by positions of 16 pixels, is for what they lack.
    denoiser={
        **_MINI_SHAPE,
        "draft_channels": _MINI_LATENT_CHANNELS,
        "cross_attention_dim": 96,
        "motion_num_attention_heads": 4,
        "motion_max_frames": 32,
    },
    reference_net={**_MINI_SHAPE, "cross_attention_dim": None, "keypoint_channels": _MINI_KEYPOINTS},
    guider={"out_channels": 96, "block_out_channels": _MINI_KEYPOINTS},
    conditioner={"kind": "pooled", "token_width": 96, "attribute_width": 128, "portrait_width": 128, "tokens": 4},
    scheduler={**SCHEDULE, "prediction_type": "sample"},
    scale_input=True,
    sampler="ddim",
    # More make detail up, and its training was mostly for one.
    steps=1,
    guidance_scale=1.0,
)
"""For a CPU, to be trained from nothing: 14.3 M parameters, 29 MB in half precision. It begins with drafts.

U-Net 4.8 M, motion modules 2.1 M, each reference net 3.6 M, guider 0.2 M, conditioner 0.1 M; the autoencoder is the
cosine transform and learns nothing.
"""

_TINY_SHAPE: Arguments = {
    "latent_channels": 12,
    "block_out_channels": (32, 64),
    "attention_levels": (True, True),
    "layers_per_block": 1,
    "num_attention_heads": (1, 2),
    "norm_num_groups": 8,
}
_TINY_KEYPOINTS = (16, 24, 32)

MINI_64 = Preset(
    name="mini-64",
    size=64,
    # Patches of 4 x 4 pixels as channels: small convolutions, quickly trained.
    vae=_autoencoder(
        (48,),
        in_channels=48,
        out_channels=48,
        layers_per_block=1,
        latent_channels=12,
        norm_num_groups=8,
        sample_size=16,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    ),
    denoiser={**_TINY_SHAPE, "cross_attention_dim": 32, "motion_num_attention_heads": 2, "motion_max_frames": 8},
    reference_net={**_TINY_SHAPE, "cross_attention_dim": None, "keypoint_channels": _TINY_KEYPOINTS},
    guider={"out_channels": 32, "block_out_channels": _TINY_KEYPOINTS},
    conditioner={"kind": "pooled", "token_width": 32, "attribute_width": 64, "portrait_width": 64, "tokens": 2},
    scheduler=SCHEDULE,
    drop_outside_masks=True,
    sampler="ddim",
    steps=6,
    guidance_scale=1.0,
    window=8,
    overlap=2,
)
"""To see a training work within a minute on a CPU, not to look at: the shape of the attention figure."""


PRESETS = {preset.name: preset for preset in (SD15_512, MINI_256, MINI_64)}


def get_preset(name: str) -> Preset:
    """The entry of :data:`PRESETS`.

    Raises:
        InvalidRequest: nothing of that name is known.
    """
    if name not in PRESETS:
        raise InvalidRequest(f"There is no preset named {name!r}: use one of {', '.join(PRESETS)}.")
    return PRESETS[name]


def build(preset: Preset, seed: int = 0) -> DurianPipeline:
    """An untrained pipeline: fresh weights, ``trained_steps`` 0, float32 on torch's default device.

    Args:
        preset: the shape.
        seed: of the weights; the global generator stays as it is.
    """
    return assemble(preset, components(preset, seed))


def parameter_counts(preset: Preset) -> dict[str, int]:
    """Parameters of every component; ``motion_modules`` are those of the denoiser that are not the image model's.

    Makes no weights (torch's meta device).
    """
    import torch

    with torch.device("meta"):
        parts = components(preset)
    counts = {name: _parameters(part) for name, part in parts.items()}
    motion = sum(_parameters(module) for name, module in parts["denoiser"].named_modules() if _is_motion(name))
    counts["denoiser"] -= motion
    return counts | {"motion_modules": motion}


def _is_motion(name: str) -> bool:
    return name.endswith(".motion_modules")


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def components(preset: Preset, seed: int = 0) -> dict[str, nn.Module]:
    """Fresh modules by the pipeline's names for them, in eval mode."""
    import torch
    from diffusers import AutoencoderKL

    from durian.diffusion.conditioning import Conditioner
    from durian.diffusion.cosine_autoencoder import CosineAutoencoder
    from durian.diffusion.denoiser import Denoiser
    from durian.diffusion.guider import KeypointGuider
    from durian.diffusion.reference_net import ReferenceNet

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        parts = {
            "vae": (AutoencoderKL if preset.learns_its_autoencoder else CosineAutoencoder)(**preset.vae),
            "attribute_reference_net": ReferenceNet(**preset.reference_net),
            "portrait_reference_net": ReferenceNet(**preset.reference_net),
            "denoiser": Denoiser(**preset.denoiser),
            "guider": KeypointGuider(**preset.guider),
            "conditioner": Conditioner(**preset.conditioner),
        }
        if preset.image_encoder is not None:
            from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

            parts["image_encoder"] = CLIPVisionModelWithProjection(CLIPVisionConfig(**preset.image_encoder))
    return {name: part.eval() for name, part in parts.items()}


def assemble(preset: Preset, parts: Mapping[str, nn.Module], image_processor: Any = None) -> DurianPipeline:
    """The pipeline around modules of a preset.

    Args:
        preset: gives everything that is not a module.
        parts: by the pipeline's names, see :func:`components`.
        image_processor: CLIP's; ``None`` makes the usual one where the preset has an image encoder.
    """
    from diffusers import DDIMScheduler

    from durian.diffusion.pipeline import DurianPipeline

    if image_processor is None and preset.image_encoder is not None:
        from transformers import CLIPImageProcessor

        side = preset.image_encoder["image_size"]
        image_processor = CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    return DurianPipeline(
        **parts,
        scheduler=DDIMScheduler(**preset.scheduler),
        image_processor=image_processor,
        preset=preset.name,
        size=preset.size,
        drop_outside_masks=preset.drop_outside_masks,
        scale_input=preset.scale_input,
        sampler=preset.sampler,
        steps=preset.steps,
        guidance_scale=preset.guidance_scale,
        window=preset.window,
        overlap=preset.overlap,
    )
