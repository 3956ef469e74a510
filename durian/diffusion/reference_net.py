"""The reference nets: features of a reference picture for every attention level of the denoiser."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from durian.diffusion.guider import KeypointGuider
from durian.diffusion.references import Reference
from durian.diffusion.spatial import Context, install_processors, spatial_blocks

UNUSED_CROSS_ATTENTION_DIM = 8
"""Given to diffusers' U-Net, which insists on cross-attention, where it is taken out again."""


@dataclass(frozen=True)
class ReferenceFeatures:
    """``features``: per spatial layer ``(B, M, C)``, in the order of the denoiser's. ``middle``: ``(B, C, h, w)``.

    ``mask``: ``(B, 1, h, w)`` as given, 1 where the picture shows something.
    """

    features: tuple[Tensor, ...]
    middle: Tensor
    mask: Tensor

    def reference(self, drop_outside: bool = False, log_weight: Tensor | None = None) -> Reference:
        """As the denoiser takes it.

        Args:
            drop_outside: leave out tokens whose whole area lies outside the mask. A setting of the model, since
                training must match.
            log_weight: ``(B,)``, see :class:`~durian.diffusion.references.Reference`.
        """
        keep = tuple(_any_inside(self.mask, tokens.shape[1]) for tokens in self.features) if drop_outside else None
        return Reference(self.features, keep, log_weight)


def _any_inside(mask: Tensor, tokens: int) -> Tensor:
    """``(B, tokens) bool``: which tokens of a square picture touch the mask ``(B, 1, S, S)``."""
    side = round(tokens**0.5)
    return F.adaptive_max_pool2d(mask, side).flatten(1) > 0


class ReferenceNet(ModelMixin, ConfigMixin):
    """diffusers' 2-D U-Net without what comes after its last spatial attention layer's input.

    Durian's ARNet and PRNet are two instances with weights of their own. The input is the VAE latent of the masked
    picture (``Ĩ = I ⊙ M``) and the mask at latent size; the mask's slice of the first convolution starts at zero, so
    that a net that is warm-started from Stable Diffusion begins as it was. Runs once per request: the timestep is 0.

    Args:
        latent_channels: of the VAE.
        block_out_channels: width of each level, finest first.
        attention_levels: which levels attend.
        layers_per_block: residual blocks per level on the way down (one more on the way up).
        num_attention_heads: of each level, or one number for all.
        cross_attention_dim: width of semantic tokens; ``None`` builds no cross-attention.
        norm_num_groups: of group norms.
        keypoint_channels: widths of a keypoint guider of its own, so that it sees where its picture's face is;
            ``None`` for none (the paper).
    """

    _supports_gradient_checkpointing = True

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 4,
        block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280),
        attention_levels: tuple[bool, ...] = (True, True, True, False),
        layers_per_block: int = 2,
        num_attention_heads: int | tuple[int, ...] = 8,
        cross_attention_dim: int | None = 768,
        norm_num_groups: int = 32,
        keypoint_channels: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.unet = UNet2DConditionModel(
            in_channels=latent_channels + 1,
            out_channels=latent_channels,
            down_block_types=tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attention_levels),
            up_block_types=tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention_levels)),
            block_out_channels=tuple(block_out_channels),
            layers_per_block=layers_per_block,
            num_attention_heads=None,
            # diffusers calls the number of heads attention_head_dim in this class.
            attention_head_dim=num_attention_heads,
            cross_attention_dim=cross_attention_dim or UNUSED_CROSS_ATTENTION_DIM,
            norm_num_groups=norm_num_groups,
        )
        if cross_attention_dim is None:
            for block in spatial_blocks(self.unet):
                block.norm2 = block.attn2 = None
        install_processors(self.unet)
        self._cut_tail()
        with torch.no_grad():
            self.unet.conv_in.weight[:, latent_channels:].zero_()
        self.keypoints = None
        if keypoint_channels is not None:
            self.keypoints = KeypointGuider(block_out_channels[0], tuple(keypoint_channels))

    def _cut_tail(self) -> None:
        """Take out what no feature depends on: the last layer gives its normalised input and nothing follows it."""
        unet = self.unet
        last = max(index for index, block in enumerate(unet.up_blocks) if hasattr(block, "attentions"))
        del unet.up_blocks[last + 1 :], unet.conv_norm_out, unet.conv_out
        unet.up_blocks[last].upsamplers = None
        attention = unet.up_blocks[last].attentions[-1]
        block = attention.transformer_blocks[-1]
        attention.proj_out = nn.Identity()
        block.attn1 = block.norm2 = block.attn2 = block.norm3 = block.ff = None

    def forward(
        self, latents: Tensor, mask: Tensor, tokens: Tensor | None = None, keypoints: Tensor | None = None
    ) -> ReferenceFeatures:
        """
        Args:
            latents: ``(B, C, h, w)`` of the masked pictures.
            mask: ``(B, 1, h, w)`` in [0, 1], 1 where the picture shows something.
            tokens: ``(B, T, D)`` semantic tokens, where the net has cross-attention.
            keypoints: ``(B, 3, S, S)`` in [0, 1], where the net has a guider of its own.
        """
        unet, collected = self.unet, list[Tensor]()
        attending = {"context": Context(collected=collected)}
        kwargs = {"encoder_hidden_states": tokens, "cross_attention_kwargs": attending}
        embedding = unet.time_embedding(unet.time_proj(latents.new_zeros(latents.shape[0])).to(latents.dtype))
        hidden = unet.conv_in(torch.cat([latents, mask], 1))
        if self.keypoints is not None:
            hidden = hidden + self.keypoints(keypoints)
        skips = (hidden,)
        for block in unet.down_blocks:
            hidden, more = block(hidden, embedding, **(kwargs if hasattr(block, "attentions") else {}))
            skips += more
        middle = hidden = unet.mid_block(hidden, embedding, **kwargs)
        for block in unet.up_blocks[:-1]:
            skips, taken = skips[: -len(block.resnets)], skips[-len(block.resnets) :]
            hidden = block(hidden, taken, embedding, **(kwargs if hasattr(block, "attentions") else {}))
        self._last_block(hidden, skips, embedding, kwargs)
        return ReferenceFeatures(tuple(collected), middle, mask)

    def _last_block(self, hidden: Tensor, skips: tuple[Tensor, ...], embedding: Tensor, kwargs: dict) -> None:
        """The last attending block, as far as the input of its last layer."""
        block = self.unet.up_blocks[-1]
        for resnet, attention, skip in zip(block.resnets, block.attentions, reversed(skips)):
            hidden = resnet(torch.cat([hidden, skip], 1), embedding)
            if attention is not block.attentions[-1]:
                hidden = attention(hidden, return_dict=False, **kwargs)[0]
        tokens = attention.proj_in(attention.norm(hidden)).flatten(2).transpose(1, 2)
        *before, last = attention.transformer_blocks
        for transformer in before:
            tokens = transformer(tokens, **kwargs)
        kwargs["cross_attention_kwargs"]["context"].collected.append(last.norm1(tokens))
