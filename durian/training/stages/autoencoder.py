"""Training stage of an autoencoder that starts from random weights."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.parametrizations import spectral_norm

from durian.diffusion.latents import latent_factor, patch_size
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.reference_inputs import masked
from durian.training.stages.stage import Batch, PipelineStage

PYRAMID_LEVELS = 4
"""Bands of the Laplacian pyramid: details of 1 to 8 pixels. What is coarser the plain error sees well enough."""
FEATURE_REACH = 9
"""Pixels to a side of the square around each drawn keypoint that counts as eyes, brows, nose or mouth, at 256 px: it
closes the outlines of eyes and mouths."""
MOMENTS_KEPT = 0.998
"""Share of the old average of the latents' moments after a batch."""


@dataclass(frozen=True)
class AutoencoderSettings:
    """Settings of the autoencoder's loss, beside the mean absolute error.

    Attributes:
        crop: pixels to a side of the random crops that are learned from, a multiple of the latents' factor.
        pyramid: weight of the Laplacian pyramid's mean absolute error: edges and strands, as sharp as the latents hold.
        features: how much more errors count at eyes, brows, nose and mouth; 0 for no more.
        kl: weight of the divergence of a latent from a standard normal one, the mean over latents. Small: enough that
            the decoder takes a little noise.
        adversarial: weight of a patch discriminator; 0 builds none.
        adversarial_from: step from which the autoencoder hears it; it learns from the first.
    """

    crop: int = 128
    pyramid: float = 1.0
    features: float = 0.0
    kl: float = 1e-4
    adversarial: float = 0.0
    adversarial_from: int = 0

    @property
    def drawn(self) -> tuple[str, ...]:
        """Which of :data:`~durian.training.data.sample.KEYPOINTS` the loss looks at."""
        return ("portrait_keypoints", "keypoints") if self.features else ()


class AutoencoderStage(PipelineStage):
    """Trains the pipeline's VAE on targets and on portraits with holes, as the reference nets will be shown them.

    The discriminator's loss and the autoencoder's are one sum: each sees the other's parameters detached.

    Args:
        pipeline: whose VAE is trained.
        settings: of the loss.
    """

    name = "autoencoder"

    def __init__(self, pipeline: DurianPipeline, settings: AutoencoderSettings = AutoencoderSettings()) -> None:
        super().__init__(pipeline, ("vae",))
        self.settings = settings
        self.discriminator = PatchDiscriminator() if settings.adversarial else None
        self.register_buffer("latent_moments", torch.zeros(3))
        """Running sums of 1, latents and their squares."""

    @property
    def vae(self) -> AutoencoderKL:
        """The trained autoencoder."""
        return self.components["vae"]

    def forward(self, batch: Batch, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """See :meth:`PipelineStage.forward`."""
        pictures, weight = self._crops(batch, generator)
        patch = patch_size(self.vae)
        posterior = self.vae.encode(F.pixel_unshuffle(pictures, patch)).latent_dist
        restored = F.pixel_shuffle(self.vae.decode(posterior.sample(generator)).sample, patch).float()
        self._follow(posterior.mean.detach().float())
        losses = {
            "absolute": (weight * (restored - pictures).abs()).mean(),
            "pyramid": pyramid_loss(restored, pictures, weight),
            "divergence": posterior.kl().mean() / posterior.mean[0].numel(),
        }
        settings = self.settings
        total = losses["absolute"] + settings.pyramid * losses["pyramid"] + settings.kl * losses["divergence"]
        if self.discriminator is not None:
            losses["real_or_not"], losses["believed"] = self.discriminator.losses(pictures, restored)
            total = total + losses["real_or_not"]
            if step >= settings.adversarial_from:
                total = total + settings.adversarial * losses["believed"]
        return {"total": total} | {name: value.detach() for name, value in losses.items()}

    def pipeline(self, trained_steps: int, training: dict[str, Any] | None = None) -> DurianPipeline:
        """As of :class:`PipelineStage`; the VAE's scaling factor is 1 / the latents' standard deviation by then."""
        pipeline = super().pipeline(trained_steps, training)
        if self.latent_moments[0] > 0:
            pipeline.vae.register_to_config(scaling_factor=1 / self.latent_spread())
        return pipeline

    def latent_spread(self) -> float:
        """Standard deviation of all latents of the last some hundred batches, before any scaling."""
        seen, total, squares = self.latent_moments.double().tolist()
        return (squares / seen - (total / seen) ** 2) ** 0.5

    def _follow(self, latents: Tensor) -> None:
        if self.training:
            moments = torch.stack([latents.new_ones(()), latents.mean(), latents.square().mean()])
            self.latent_moments.lerp_(moments.to(self.latent_moments), 1 - MOMENTS_KEPT)

    def _crops(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """One random crop of each picture ``(N, 3, c, c)`` in [-1, 1], and weights of their pixels ``(N, 1, c, c)``."""
        pixels = self._pipeline.pixels
        targets = pixels(batch["targets"].flatten(0, 1)) * 2 - 1
        portraits = masked(pixels(batch["portrait"]) * 2 - 1, pixels(255 - batch["hole"][..., None]))
        pictures = torch.cat([targets, portraits])
        weight = torch.ones_like(pictures[:, :1])
        if self.settings.features:
            drawn = torch.cat([batch["keypoints"].flatten(0, 1), batch["portrait_keypoints"]])
            weight = weight + self.settings.features * near_features(pixels(drawn))
        both = torch.cat([pictures, weight], 1)
        side = pictures.shape[2]
        crop = min(self.settings.crop, side) // latent_factor(self.vae) * latent_factor(self.vae)
        corners = torch.randint(side - crop + 1, (len(both), 2), generator=generator).tolist()
        cut = torch.stack([one[:, y : y + crop, x : x + crop] for one, (y, x) in zip(both, corners)])
        return cut.split([3, 1], 1)


def near_features(keypoints: Tensor) -> Tensor:
    """``(N, 3, S, S)`` keypoint pictures in [0, 1] as ``(N, 1, S, S)``: 1 at eyes, brows, nose and mouth, else 0.

    Those are drawn in colours; the outline of the face is grey and does not count.
    """
    coloured = (keypoints.amax(1, keepdim=True) - keypoints.amin(1, keepdim=True) > 0.1).to(keypoints.dtype)
    reach = round(FEATURE_REACH * keypoints.shape[2] / 256) // 2
    return F.max_pool2d(coloured, 2 * reach + 1, 1, reach)


def pyramid_loss(restored: Tensor, pictures: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean absolute error of each band of a Laplacian pyramid, summed (1707.05776, without its factors).

    Args:
        restored, pictures: ``(N, 3, S, S)``.
        weight: of each pixel, ``(N, 1, S, S)``.
    """
    error = restored - pictures
    total = error.new_zeros(())
    for _ in range(PYRAMID_LEVELS):
        coarse = F.avg_pool2d(error, 2)
        band = error - F.interpolate(coarse, error.shape[2:], mode="bilinear", align_corners=False)
        total = total + (weight * band.abs()).mean()
        error, weight = coarse, F.avg_pool2d(weight, 2)
    return total


class PatchDiscriminator(nn.Module):
    """Tells patches of 46 pixels of pictures from restored ones (1611.07004), with spectral norm (1802.05957)."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            layers += [spectral_norm(nn.Conv2d(narrow, wide, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 4, 1, 1)))

    def forward(self, pictures: Tensor) -> Tensor:
        """``(N, 3, S, S)`` to logits ``(N, 1, S / 8 - 1, S / 8 - 1)``, positive for what looks real."""
        return self.layers(pictures)

    def losses(self, pictures: Tensor, restored: Tensor) -> tuple[Tensor, Tensor]:
        """Hinge losses: its own, which moves nothing but it, and the autoencoder's, which moves all but it."""
        own = F.relu(1 - self(pictures)).mean() + F.relu(1 + self(restored.detach())).mean()
        fixed = {name: parameter.detach() for name, parameter in self.named_parameters()}
        return own, -functional_call(self, fixed, (restored,)).mean()
