"""The paper's two stages: everything but time on single frames, then time alone on clips."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.temporal import TemporalTransformer
from durian.training.stages.networks import at_latent_size, latents_of, see_references
from durian.training.stages.noise import MIN_SNR, NOISE_OFFSET, ForwardProcess, Noise
from durian.training.stages.stage import Batch, PipelineStage


@dataclass(frozen=True)
class DiffusionSettings:
    """Settings of a diffusion stage's loss.

    Attributes:
        min_snr: γ, see :data:`durian.training.stages.noise.MIN_SNR`.
        noise_offset: see :data:`durian.training.stages.noise.NOISE_OFFSET`.
        last_share: how many samples (of the image stage, frames) are made from nothing but noise, beside those that
            happen to be.
        robust: see :class:`durian.training.stages.noise.ForwardProcess`.
        drop_both: probability that a sample loses both references: what guidance needs.
        drop_attribute, drop_portrait: probability that it loses one, if it did not lose both.
        item_weight: how much more an error counts where the item is; 0 for the plain mean.
    """

    min_snr: float = MIN_SNR
    noise_offset: float = NOISE_OFFSET
    last_share: float = 0.0
    robust: float = 0.0
    drop_both: float = 0.1
    drop_attribute: float = 0.0
    drop_portrait: float = 0.0
    item_weight: float = 0.0


@dataclass(frozen=True)
class Drawn:
    """All that is random in a step: noise of B clips, and which references they lose, ``(B,) bool`` each."""

    noise: Noise
    drop_attribute: Tensor
    drop_portrait: Tensor

    def to(self, device: torch.device) -> Drawn:
        noise = Noise(self.noise.timesteps.to(device), self.noise.noise.to(device))
        return Drawn(noise, self.drop_attribute.to(device), self.drop_portrait.to(device))


class DiffusionStage(PipelineStage):
    """The common part of both stages: a batch's loss, given the drawn noise.

    Args:
        pipeline: with a trained autoencoder, which stays as it is.
        trained: see :class:`~durian.training.stages.stage.PipelineStage`.
        settings: of the loss.
    """

    together: bool
    """Whether the frames of a sample are one clip, with one timestep, or pictures each for itself."""

    def __init__(
        self, pipeline: DurianPipeline, trained: tuple[str, ...], settings: DiffusionSettings = DiffusionSettings()
    ) -> None:
        super().__init__(pipeline, trained)
        self.settings = settings
        self.process = ForwardProcess(
            pipeline.scheduler.config, settings.min_snr, settings.noise_offset, settings.last_share, settings.robust
        )
        pipeline.denoiser.requires_grad_(not self.together)
        for module in pipeline.denoiser.modules():
            if isinstance(module, TemporalTransformer):
                module.requires_grad_(self.together)

    def forward(self, batch: Batch, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """See :meth:`PipelineStage.forward`; ``step`` changes nothing."""
        clips, frames = batch["targets"].shape[:2]
        return self.loss(batch, self.draw(clips, frames, generator).to(batch["targets"].device))

    def draw(self, clips: int, frames: int, generator: torch.Generator) -> Drawn:
        """Everything random of a step, on the CPU, so that devices do not matter."""
        settings = self.settings
        noise = self.process.draw(clips, frames, self._pipeline.latent_shape, generator, self.together)
        both, attribute, portrait = torch.rand((3, clips), generator=generator)
        both = both < settings.drop_both
        return Drawn(noise, both | (attribute < settings.drop_attribute), both | (portrait < settings.drop_portrait))

    def loss(self, batch: Batch, drawn: Drawn) -> dict[str, Tensor]:
        """Losses of a batch with what was drawn for it, on the batch's device."""
        latents, draft = latents_of(self._pipeline, batch["targets"]), None
        if self._pipeline.begins_with_drafts:
            draft = latents_of(self._pipeline, batch["drafts"])
            latents = latents - draft
        weight = None
        if self.settings.item_weight:
            weight = 1 + self.settings.item_weight * at_latent_size(batch["inside"], latents)
        output = self.predict(batch, self.process.noisy(latents, drawn.noise), drawn, draft)
        total = self.process.loss(output, latents, drawn.noise, weight)
        return {"total": total, "diffusion": total.detach()}

    def predict(self, batch: Batch, noisy: Tensor, drawn: Drawn, draft: Tensor | None = None) -> Tensor:
        """The denoiser's output for noisy latents of the batch's targets, given those of drafts: ``(B·F, C, h, w)``."""
        pipeline, frames = self._pipeline, batch["targets"].shape[1]
        if pipeline.config.scale_input:
            noisy = noisy * self.process.signal(drawn.noise.timesteps)
        with torch.set_grad_enabled(torch.is_grad_enabled() and "guider" in self._trained):
            references, tokens = see_references(pipeline, batch, drawn.drop_attribute, drawn.drop_portrait)
            guidance = pipeline.guider(pipeline.pixels(batch["keypoints"].flatten(0, 1)))
        return pipeline.denoiser(
            noisy,
            drawn.noise.timesteps[:, 0] if self.together else drawn.noise.timesteps.flatten(),
            tokens,
            frames=frames if self.together else 1,
            references=references,
            guidance=guidance,
            draft=draft,
        )


class ImageStage(DiffusionStage):
    """Stage 1: single frames, without motion modules; both reference nets, denoiser, guider and conditioner train.

    Where samples have several targets, each is a picture of its own: they share what the reference nets do.
    """

    name = "image"
    together = False

    def __init__(self, pipeline: DurianPipeline, settings: DiffusionSettings = DiffusionSettings()) -> None:
        trained = ("attribute_reference_net", "portrait_reference_net", "denoiser", "guider", "conditioner")
        super().__init__(pipeline, trained, settings)


class TemporalStage(DiffusionStage):
    """Stage 2: clips; only the denoiser's motion modules train, and what the denoiser is given needs no gradient."""

    name = "temporal"
    together = True

    def __init__(self, pipeline: DurianPipeline, settings: DiffusionSettings = DiffusionSettings()) -> None:
        super().__init__(pipeline, ("denoiser",), settings)
