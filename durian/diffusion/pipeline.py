"""``DurianPipeline``: a portrait, attributes and keypoints to frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DiffusionPipeline, SchedulerMixin
from diffusers.utils import BaseOutput
from torch import Tensor
from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

from durian.diffusion.checks import AttributeReference, check_call, check_decode_batch, check_references
from durian.diffusion.conditioning import Conditioner
from durian.diffusion.cosine_autoencoder import CosineAutoencoder
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.detail import at_size, keep_detail
from durian.diffusion.encoded_references import EncodedReferences
from durian.diffusion.guider import KeypointGuider
from durian.diffusion.latents import decode, encode, latent_factor
from durian.diffusion.prediction import Prediction
from durian.diffusion.reference_net import ReferenceNet
from durian.diffusion.sampling import (
    WITHOUT_GUIDANCE,
    Step,
    frame_generators,
    initial_noise,
    make_scheduler,
    sample,
)
from durian.diffusion.windows import moving_windows
from durian.errors import Cancelled, InvalidRequest

GUIDER_BATCH = 8
"""Keypoint images that go through the guider together."""
ENCODED_TOGETHER = 16
"""Pictures that go through the autoencoder together; bounds memory where there are many."""


@dataclass
class DurianPipelineOutput(BaseOutput):
    """``frames``: ``(F, S, S, 3) uint8`` RGB."""

    frames: np.ndarray


class DurianPipeline(DiffusionPipeline):
    """Durian (arXiv 2509.04434): :meth:`set_references` once, then call it with as many motions as wanted.

    A model with drafts (ours; the paper has none) is also given a rough version of each frame, such as the preview
    renderer's, and makes the difference between the frame's latents and the draft's: what is right already stays, and
    a small model spends what it has on seams, light and what was hidden. Its denoiser has ``draft_channels``.

    Args:
        vae: between pictures and latents.
        attribute_reference_net, portrait_reference_net: ARNet and PRNet.
        denoiser: the U-Net that makes the frames.
        guider: from keypoint images to features.
        conditioner: semantic tokens and nulls.
        scheduler: holds the noise schedule the model was trained with; a sampler is made of it for each call.
        image_encoder, image_processor: CLIP, for conditioning of kind ``clip``.
        tiny_vae: a small decoder for previews.
        preset: name of the shape, for people.
        size: S, side of all pictures in pixels.
        drop_outside_masks: whether reference tokens outside their masks are left out. Training must match.
        scale_input: whether the denoiser is shown ``√ᾱ x_t`` instead of ``x_t``: the less, the more of it is noise, and
            nothing at a last timestep of noise alone (the input scaling of 2206.00364). One step then makes the same
            frame whatever the seed. Training must match.
        trained_steps: optimiser steps behind these weights; 0 marks weights that nobody should look at pictures of.
        training: how they were trained, for people.
        sampler, steps, guidance_scale, window, overlap: defaults of a call.
    """

    model_cpu_offload_seq = (
        "image_encoder->vae->attribute_reference_net->portrait_reference_net->guider->denoiser->tiny_vae"
    )
    _optional_components = ["image_encoder", "image_processor", "tiny_vae"]  # noqa: RUF012
    _exclude_from_cpu_offload = ["conditioner"]  # noqa: RUF012

    def __init__(
        self,
        vae: AutoencoderKL | CosineAutoencoder,
        attribute_reference_net: ReferenceNet,
        portrait_reference_net: ReferenceNet,
        denoiser: Denoiser,
        guider: KeypointGuider,
        conditioner: Conditioner,
        scheduler: SchedulerMixin,
        image_encoder: CLIPVisionModelWithProjection | None = None,
        image_processor: CLIPImageProcessor | None = None,
        tiny_vae: AutoencoderTiny | AutoencoderKL | None = None,
        preset: str = "",
        size: int = 512,
        drop_outside_masks: bool = False,
        scale_input: bool = False,
        trained_steps: int = 0,
        training: dict[str, Any] | None = None,
        sampler: str = "ddim",
        steps: int = 25,
        guidance_scale: float = 3.5,
        window: int = 24,
        overlap: int = 6,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae,
            attribute_reference_net=attribute_reference_net,
            portrait_reference_net=portrait_reference_net,
            denoiser=denoiser,
            guider=guider,
            conditioner=conditioner,
            scheduler=scheduler,
            image_encoder=image_encoder,
            image_processor=image_processor,
            tiny_vae=tiny_vae,
        )
        self.register_to_config(
            preset=preset,
            size=size,
            drop_outside_masks=drop_outside_masks,
            scale_input=scale_input,
            trained_steps=trained_steps,
            training=training,
            sampler=sampler,
            steps=steps,
            guidance_scale=guidance_scale,
            window=window,
            overlap=overlap,
        )
        self._encoded: EncodedReferences | None = None

    # References

    @torch.no_grad()
    def set_references(
        self,
        portrait: np.ndarray,
        portrait_hole: np.ndarray,
        attributes: Sequence[AttributeReference] = (),
        *,
        blend: bool = False,
        portrait_keypoints: np.ndarray | None = None,
        portrait_embedding: Tensor | None = None,
    ) -> None:
        """Look at all pictures, once: latents, both reference nets, semantic tokens, keys and values of every layer.

        Args:
            portrait: ``(S, S, 3) uint8``.
            portrait_hole: ``(S, S) uint8``, 255 where attributes go (``M_port``).
            attributes: what to put on, in any order; strength 0 leaves one out.
            blend: the two attributes are alternatives, mixed by the α of each call.
            portrait_keypoints: ``(S, S, 3) uint8``, for reference nets that see them.
            portrait_embedding: ``(1, 512)`` of a face recogniser, for a conditioner that takes one.

        Raises:
            InvalidRequest: a picture of another size, missing keypoints or embedding, or a blend of other than two.
        """
        check_references(self, portrait, portrait_hole, attributes, blend, portrait_keypoints, portrait_embedding)
        self._encoded = EncodedReferences.of(
            self, portrait, portrait_hole, attributes, blend, portrait_keypoints, portrait_embedding
        )

    @property
    def encoded_references(self) -> EncodedReferences:
        """The result of :meth:`set_references`.

        Raises:
            InvalidRequest: it was not called.
        """
        if self._encoded is None:
            raise InvalidRequest("No references were given: call set_references before the pipeline.")
        return self._encoded

    # A clip

    @torch.no_grad()
    def __call__(
        self,
        keypoints: np.ndarray,
        *,
        draft: np.ndarray | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        sampler: str | None = None,
        seed: int = 0,
        blend: np.ndarray | None = None,
        window: int | None = None,
        overlap: int | None = None,
        window_batch: int = 1,
        decode_batch: int = 4,
        guide_in_one_batch: bool = False,
        cancelled: Callable[[], bool] | None = None,
        callback_on_step_end: Callable[[DurianPipeline, Step], None] | None = None,
    ) -> DurianPipelineOutput:
        """Frames that follow ``keypoints``.

        Args:
            keypoints: ``(F, S, S, 3) uint8`` as ``durian.keypoints.draw_keypoints`` draws them.
            draft: ``(F, P, P, 3) uint8``, a rough version of each frame, for a model that begins with drafts; P is S or
                more, and frames come at that size.
            num_inference_steps, guidance_scale, sampler, window, overlap: ``None`` takes the model's own. A guidance
                scale of 1 leaves guidance out.
            seed: the noise of each frame depends on it and on the frame's number only.
            blend: α ``(F,)`` in [0, 1], where the references were set to blend.
            window_batch: windows that go through the denoiser together. Changes memory and speed, not frames.
            decode_batch: the same for decoding.
            guide_in_one_batch: run the unconditional rows with the others instead of by themselves, which takes less
                memory and, on a CPU, less time. Does not change frames.
            cancelled: asked after each step.
            callback_on_step_end: called with the pipeline and the :class:`~durian.diffusion.sampling.Step`.

        Raises:
            InvalidRequest: references were not set, or an argument is out of range; the sentence says which.
            Cancelled: ``cancelled`` said so.
        """
        check_decode_batch(decode_batch)
        latents = self.denoise(
            keypoints,
            draft=draft,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            sampler=sampler,
            seed=seed,
            blend=blend,
            window=window,
            overlap=overlap,
            window_batch=window_batch,
            guide_in_one_batch=guide_in_one_batch,
            cancelled=cancelled,
            callback_on_step_end=callback_on_step_end,
        )
        frames = np.stack(list(self.decode(latents, decode_batch, draft)))
        self.maybe_free_model_hooks()
        return DurianPipelineOutput(frames)

    @torch.no_grad()
    def denoise(
        self,
        keypoints: np.ndarray,
        *,
        draft: np.ndarray | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        sampler: str | None = None,
        seed: int = 0,
        blend: np.ndarray | None = None,
        window: int | None = None,
        overlap: int | None = None,
        window_batch: int = 1,
        guide_in_one_batch: bool = False,
        cancelled: Callable[[], bool] | None = None,
        callback_on_step_end: Callable[[DurianPipeline, Step], None] | None = None,
    ) -> Tensor:
        """The latents ``(F, C, h, w)`` of a clip. Arguments and errors as when the pipeline is called."""
        config = self.config
        steps = config.steps if num_inference_steps is None else num_inference_steps
        scale = config.guidance_scale if guidance_scale is None else guidance_scale
        sampler = config.sampler if sampler is None else sampler
        scale = 1.0 if sampler in WITHOUT_GUIDANCE else scale
        window = min(config.window if window is None else window, len(keypoints))
        overlap = min(config.overlap if overlap is None else overlap, window - 1)
        check_call(self, keypoints, draft, scale, window, blend, seed)
        rough = None if draft is None else self.encoded(at_size(draft, config.size))
        scheduler = make_scheduler(sampler, self.scheduler.config)
        predict = Prediction(
            self.denoiser,
            self.conditioner,
            self.encoded_references,
            self.guide(keypoints, window),
            blend,
            scale,
            guide_in_one_batch,
            rough,
            scheduler.alphas_cumprod.sqrt() if config.scale_input else None,
        )
        noise = initial_noise(self.latent_shape, len(keypoints), seed, self.denoiser.dtype, self._execution_device)
        steps_done = sample(
            predict,
            noise,
            scheduler,
            steps,
            frame_generators(seed, len(keypoints)),
            moving_windows(len(keypoints), window, overlap),
            window_batch,
        )
        with self.progress_bar(total=steps) as bar:
            for step in steps_done:
                bar.update()
                if rough is not None:
                    step = replace(step, estimate=step.estimate + rough)
                if callback_on_step_end is not None:
                    callback_on_step_end(self, step)
                if cancelled is not None and cancelled():
                    raise Cancelled(f"Sampling was cancelled after step {step.index + 1} of {steps}.")
        return (step.latents if rough is None else step.latents + rough).to(self.vae.dtype)

    @property
    def begins_with_drafts(self) -> bool:
        """Whether a call needs a draft of each frame."""
        return self.denoiser.config.draft_channels > 0

    def encoded(self, pictures: np.ndarray | Tensor) -> Tensor:
        """Latents ``(N, C, h, w)`` of pictures ``(N, S, S, 3) uint8``, some at a time."""
        chunks = [pictures[first : first + ENCODED_TOGETHER] for first in range(0, len(pictures), ENCODED_TOGETHER)]
        return torch.cat([encode(self.vae, self.pixels(chunk) * 2 - 1) for chunk in chunks])

    def decode(self, latents: Tensor, batch: int = 4, draft: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Frames one after another, decoded ``batch`` at a time.

        Args:
            latents: ``(F, C, h, w)``.
            batch: how many go through the decoder together.
            draft: ``(F, P, P, 3) uint8`` that they began with, P at least S: their detail is kept where nothing was
                changed (:func:`~durian.diffusion.detail.keep_detail`).

        Yields:
            ``(S, S, 3) uint8``; with drafts ``(P, P, 3)``.
        """
        frames = decode(self.vae, latents, batch)
        if draft is None:
            yield from frames
            return
        restored = decode(self.vae, self.encoded(at_size(draft, self.config.size)), batch)
        for frame, of_draft, whole in zip(frames, restored, draft, strict=True):
            yield keep_detail(frame, of_draft, whole)

    def preview(self, estimate: Tensor, frames: Sequence[int]) -> list[np.ndarray]:
        """Decode some frames of a step's estimate, by the tiny decoder where there is one.

        Args:
            estimate: ``(F, C, h, w)`` from a :class:`~durian.diffusion.sampling.Step`.
            frames: their numbers.
        """
        vae = self.tiny_vae if self.tiny_vae is not None else self.vae
        return list(decode(vae, estimate[list(frames)], len(frames)))

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """``(C, h, w)`` of one frame."""
        side = self.config.size // latent_factor(self.vae)
        return self.denoiser.config.latent_channels, side, side

    def guide(self, keypoints: np.ndarray, window: int) -> Tensor:
        """The guider's features of all frames ``(F, C, h, w)``, run once.

        A clip of more than one window keeps them on the host, since they are larger than the latents.
        """
        device = self._execution_device
        home = device if len(keypoints) <= window else torch.device("cpu")
        chunks = [
            self.guider(self.pixels(keypoints[first : first + GUIDER_BATCH])).to(home)
            for first in range(0, len(keypoints), GUIDER_BATCH)
        ]
        return torch.cat(chunks)

    def pixels(self, pictures: np.ndarray | Tensor) -> Tensor:
        """``(N, S, S, C) uint8`` as ``(N, C, S, S)`` in [0, 1], on the device in the model's dtype."""
        if isinstance(pictures, np.ndarray):
            # A copy, since pictures may be shared and not to be written to.
            pictures = torch.from_numpy(np.array(pictures))
        return pictures.permute(0, 3, 1, 2).to(self._execution_device, self.denoiser.dtype) / 255
