"""The denoiser: Stable Diffusion's U-Net with spatial attention to references and attention over time."""

from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin, UNetMotionModel
from diffusers.configuration_utils import register_to_config
from diffusers.utils.accelerate_utils import apply_forward_hook
from torch import Tensor, nn

from durian.diffusion.conditioning import SemanticTokens
from durian.diffusion.references import KeyValue, ProjectedReferences, Reference, References
from durian.diffusion.spatial import Context, install_processors, project, spatial_blocks
from durian.diffusion.temporal import replace_motion_modules


class Denoiser(ModelMixin, ConfigMixin):
    """diffusers' U-Net with motion modules (AnimateDiff's layout), its self-attention replaced by spatial attention:

    ``softmax(W_Q F_t · W_K[F_t; F_port; F_attr]ᵀ) W_V[F_t; F_port; F_attr]``, K and V by the denoiser's own weights.

    Frames are folded in the batch throughout: ``(B·F, …)``, a row's frames side by side. Fresh motion modules end in
    zero, so that at first each frame is what the image model makes of it.

    Args:
        latent_channels: of the VAE.
        draft_channels: of a draft's latents, which the first convolution sees beside the noisy ones; 0, the paper's,
            for a model without drafts. See :class:`~durian.diffusion.pipeline.DurianPipeline`.
        block_out_channels: width of each level, finest first.
        attention_levels: which levels attend to references.
        layers_per_block: residual blocks per level on the way down (one more on the way up).
        num_attention_heads: of each level, or one number for all.
        cross_attention_dim: width of the semantic tokens.
        norm_num_groups: of group norms.
        motion_num_attention_heads: of the motion modules.
        motion_max_frames: most frames that attend to each other at once.
    """

    _supports_gradient_checkpointing = True

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 4,
        draft_channels: int = 0,
        block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280),
        attention_levels: tuple[bool, ...] = (True, True, True, False),
        layers_per_block: int = 2,
        num_attention_heads: int | tuple[int, ...] = 8,
        cross_attention_dim: int = 768,
        norm_num_groups: int = 32,
        motion_num_attention_heads: int | tuple[int, ...] = 8,
        motion_max_frames: int = 32,
    ) -> None:
        super().__init__()
        self.unet = UNetMotionModel(
            in_channels=latent_channels + draft_channels,
            out_channels=latent_channels,
            down_block_types=tuple("CrossAttnDownBlockMotion" if a else "DownBlockMotion" for a in attention_levels),
            up_block_types=tuple(
                "CrossAttnUpBlockMotion" if a else "UpBlockMotion" for a in reversed(attention_levels)
            ),
            block_out_channels=tuple(block_out_channels),
            layers_per_block=layers_per_block,
            num_attention_heads=num_attention_heads,
            cross_attention_dim=cross_attention_dim,
            norm_num_groups=norm_num_groups,
            motion_num_attention_heads=motion_num_attention_heads,
            motion_max_seq_length=motion_max_frames,
        )
        install_processors(self.unet)
        for module in replace_motion_modules(self.unet):
            nn.init.zeros_(module.proj_out.weight)
            nn.init.zeros_(module.proj_out.bias)

    @property
    def dtype(self) -> torch.dtype:
        """Of its weights. diffusers looks through all modules for it, which a small model would be busy with."""
        return self.unet.conv_in.weight.dtype

    def forward(
        self,
        latents: Tensor,
        timestep: Tensor,
        tokens: SemanticTokens,
        *,
        frames: int = 1,
        references: References | ProjectedReferences | None = None,
        guidance: Tensor | None = None,
        draft: Tensor | None = None,
    ) -> Tensor:
        """Predict noise, or velocity, whichever the model was trained for.

        Args:
            latents: ``(B·F, C, h, w)``.
            timestep: ``(B,)`` or a scalar.
            tokens: semantic tokens of each row or of each frame.
            frames: F, at most ``motion_max_frames``; with 1 the motion modules are left out.
            references: what the rows see; :meth:`project` them first where several calls share them.
            guidance: ``(B·F, C₀, h, w)`` of the keypoint guider.
            draft: ``(B·F, C_d, h, w)``, for a model that sees drafts.

        Returns:
            ``(B·F, C, h, w)``.
        """
        projected = self.project(references) if isinstance(references, References) else references
        unet = self.unet
        context = Context(projected, tokens.log_weight)
        attending = {"encoder_hidden_states": tokens.tokens, "cross_attention_kwargs": {"context": context}}
        embedding = self._embed(timestep, latents, frames)
        hidden = unet.conv_in(latents if draft is None else torch.cat([latents, draft], 1))
        if guidance is not None:
            hidden = hidden + guidance
        skips = (hidden,)
        for block in unet.down_blocks:
            extra = attending if hasattr(block, "attentions") else {}
            hidden, more = block(hidden, embedding, num_frames=frames, **extra)
            skips += more
        hidden = unet.mid_block(hidden, embedding, num_frames=frames, **attending)
        for block in unet.up_blocks:
            extra = attending if hasattr(block, "attentions") else {}
            skips, taken = skips[: -len(block.resnets)], skips[-len(block.resnets) :]
            hidden = block(hidden, taken, embedding, num_frames=frames, **extra)
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(hidden)))

    def _embed(self, timestep: Tensor, latents: Tensor, frames: int) -> Tensor:
        """The timestep's embedding for every frame, ``(B·F, C)``."""
        rows = latents.shape[0] // frames
        timestep = torch.as_tensor(timestep, device=latents.device).expand(rows)
        embedding = self.unet.time_embedding(self.unet.time_proj(timestep).to(latents.dtype))
        return embedding.repeat_interleave(frames, 0)

    @apply_forward_hook
    def project(self, references: References, unseen: int = 0) -> ProjectedReferences:
        """Keys and values of references at every layer, by the denoiser's own weights.

        They depend neither on the timestep nor on the frame. Of a single sample, tokens that are not kept are left
        out; parts of equal weight become one.

        Args:
            references: features from the reference nets.
            unseen: how many rows, frames folded in, come first and see no reference (the unconditional ones).
        """
        blocks = spatial_blocks(self.unet)
        alternatives = 0 if references.blend is None else 2
        layers = []
        for layer, block in enumerate(blocks):
            parts = [_project(block.attn1, part, layer) for part in references.parts]
            shared = len(parts) - alternatives
            layers.append((*_joined(parts[:shared]), *parts[shared:]))
        return ProjectedReferences(tuple(layers), references.blend, unseen)


def _project(attention: nn.Module, part: Reference, layer: int) -> KeyValue:
    features = part.features[layer]
    keep = None if part.keep is None else part.keep[layer]
    # With no token left, the attention kernels crash: such a part is hidden instead.
    if keep is not None and features.shape[0] == 1 and keep.any():
        features, keep = features[:, keep[0]], None
    dropped = None if keep is None else torch.zeros_like(keep, dtype=features.dtype).masked_fill(~keep, -torch.inf)
    return KeyValue(*project(attention, features), part.log_weight, dropped)


def _joined(parts: list[KeyValue]) -> list[KeyValue]:
    """Parts without weights as one, the others after it."""
    plain = [part for part in parts if part.log_weight is None and part.token_log_weight is None]
    if len(plain) < 2:
        return parts
    others = [part for part in parts if not any(part is one for one in plain)]
    key, value = (torch.cat([getattr(part, name) for part in plain], 2) for name in ("key", "value"))
    return [KeyValue(key, value), *others]
