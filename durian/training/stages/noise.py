"""The forward process of diffusion, and the loss of the denoiser's prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import compute_snr
from torch import Tensor

MIN_SNR = 5.0
"""γ of min-SNR weights (2303.09556, section 3.4), as in the paper's lineage."""
NOISE_OFFSET = 0.05
"""Standard deviation of what is added to a whole channel's noise, as in the paper's lineage."""


@dataclass(frozen=True)
class Noise:
    """Noise drawn for B clips of F frames: ``timesteps (B, F) int64`` and ``noise (B, F, C, h, w) float32``."""

    timesteps: Tensor
    noise: Tensor


class ForwardProcess:
    """``x_t = √ᾱ x_0 + √(1-ᾱ) ε``, and what a model should say about it: ε, ``v = √ᾱ ε - √(1-ᾱ) x_0``, or ``x_0``.

    Args:
        schedule: config of the pipeline's scheduler; its ``prediction_type`` is what the model predicts.
        min_snr: γ; infinite for no weights.
        offset: see :data:`NOISE_OFFSET`. One number for each channel of a clip, so that frames brighten together.
        last_share: how many timesteps are the last one, where sampling begins: in few steps it decides most.
        robust: length of a position's error from which on it counts by its length and no longer by its square, in root
            mean squares of channels; 0 for squares alone.
    """

    def __init__(
        self,
        schedule: Mapping[str, Any],
        min_snr: float = MIN_SNR,
        offset: float = NOISE_OFFSET,
        last_share: float = 0.0,
        robust: float = 0.0,
    ) -> None:
        self.scheduler = DDPMScheduler.from_config(dict(schedule))
        self.prediction: str = self.scheduler.config.prediction_type
        self.min_snr, self.offset, self.last_share, self.robust = min_snr, offset, last_share, robust

    def draw(
        self, clips: int, frames: int, shape: tuple[int, int, int], generator: torch.Generator, together: bool = True
    ) -> Noise:
        """Timesteps, all but the last equally likely, and noise.

        Args:
            clips, frames: B and F.
            shape: ``(C, h, w)`` of one frame.
            generator: on the CPU.
            together: one timestep for all frames of a clip; else each has its own.
        """
        steps = self.scheduler.config.num_train_timesteps
        shape_of_drawn = (clips, 1 if together else frames)
        timesteps = torch.randint(steps, shape_of_drawn, generator=generator)
        if self.last_share:
            is_last = torch.rand(shape_of_drawn, generator=generator) < self.last_share
            timesteps = timesteps.masked_fill(is_last, steps - 1)
        timesteps = timesteps.expand(-1, frames)
        noise = torch.randn((clips, frames, *shape), generator=generator)
        noise += self.offset * torch.randn((clips, 1, shape[0], 1, 1), generator=generator)
        return Noise(timesteps, noise)

    def noisy(self, latents: Tensor, drawn: Noise) -> Tensor:
        """``x_t`` of ``x_0``, both ``(B·F, C, h, w) float32``, drawn numbers on their device."""
        return self.scheduler.add_noise(latents, drawn.noise.flatten(0, 1), drawn.timesteps.flatten())

    def signal(self, timesteps: Tensor) -> Tensor:
        """``√ᾱ`` of timesteps ``(B, F)``, ``(B·F, 1, 1, 1)``."""
        return self.scheduler.alphas_cumprod.to(timesteps.device)[timesteps.flatten(), None, None, None].sqrt()

    def loss(self, output: Tensor, latents: Tensor, drawn: Noise, weight: Tensor | None = None) -> Tensor:
        """Weighted error of a model's output, the mean over frames and positions: squared, or pseudo-Huber.

        The latter (2310.14189, section 3.4) is ``2c (√(m + c²) - c)`` of a position's mean square m: m itself where m
        is small, a straight line in √m where it is large. Where squares ask for the mean of what is possible, which is
        a haze around every edge whose place is not known, lengths ask for the likelier.

        Args:
            output: ``(B·F, C, h, w)``, what the model said of :meth:`noisy`.
            latents: ``x_0`` in the same shape, float32.
            weight: of each position, ``(B·F, 1, h, w)``.
        """
        noise, timesteps = drawn.noise.flatten(0, 1), drawn.timesteps.flatten()
        if self.prediction == "sample":
            wanted = latents
        elif self.prediction == "v_prediction":
            wanted = self.scheduler.get_velocity(latents, noise, timesteps)
        else:
            wanted = noise
        error = (output.to(latents.dtype) - wanted).square().mean(dim=1, keepdim=True)
        if self.robust:
            error = 2 * self.robust * ((error + self.robust**2).sqrt() - self.robust)
        if weight is not None:
            error = error * weight
        return (self.weights(timesteps) * error.mean(dim=(1, 2, 3))).mean()

    def weights(self, timesteps: Tensor) -> Tensor:
        """Min-SNR weights ``(N,)``: ``min(SNR, γ) / SNR`` for ε, ``min(SNR + 1, γ) / (SNR + 1)`` for v and
        ``min(SNR + 1, γ)`` for ``x_0``, which is the same loss as that.

        That for v is the lineage's. ``min(SNR, γ) / (SNR + 1)``, the paper's own (2303.09556), would be 0 at the last
        timestep of a schedule of zero terminal SNR: never learned, where sampling begins.
        """
        snr = compute_snr(self.scheduler, timesteps)
        if self.prediction == "sample":
            return (snr + 1).clamp(max=self.min_snr)
        return (self.min_snr / (snr + 1 if self.prediction == "v_prediction" else snr)).clamp(max=1)
