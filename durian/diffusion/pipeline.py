"""``DurianPipeline``: a portrait, attributes and keypoints to frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, SchedulerMixin
from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback
from PIL import Image
from torch import Tensor
from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

from durian.diffusion.checks import (
    AttributeReference,
    check_call,
    check_decode_chunk_size,
    check_eta,
    check_latents,
    check_output_type,
    check_processors,
    check_references,
    check_tensor_inputs,
)
from durian.diffusion.coding import CodingPipeline
from durian.diffusion.conditioning import Conditioner
from durian.diffusion.cosine_autoencoder import CosineAutoencoder
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.detail import at_size
from durian.diffusion.encoded_references import EncodedReferences
from durian.diffusion.guider import KeypointGuider
from durian.diffusion.noise import drawn_noise, noise_streams
from durian.diffusion.output import CallbackOnStepEnd, DurianPipelineOutput, as_frames, as_output, as_video
from durian.diffusion.photographs import Mask, Photograph, keypoint_frames, listed, set_photographs
from durian.diffusion.prediction import Prediction
from durian.diffusion.reference_net import ReferenceNet
from durian.diffusion.sampling import WITHOUT_GUIDANCE, Step, begun, make_scheduler, own_scheduler, sample
from durian.diffusion.windows import moving_windows
from durian.errors import Cancelled, InvalidRequest
from durian.motion import Motion
from durian.request import Attribute, Portrait


class DurianPipeline(CodingPipeline):
    """Durian (arXiv 2509.04434): call it with photographs and a motion, or :meth:`set_references` once and then call it
    with as many keypoints as wanted.

    A model with drafts (ours; the paper has none) is also given a rough version of each frame, such as the preview
    renderer's, and makes the difference between the frame's latents and the draft's: what is right already stays, and
    a small model spends what it has on seams, light and what was hidden. Its denoiser has ``draft_channels``.

    Args:
        vae: between pictures and latents.
        attribute_reference_net, portrait_reference_net: ARNet and PRNet.
        denoiser: the U-Net that makes the frames.
        guider: from keypoint images to features.
        conditioner: semantic tokens and nulls.
        scheduler: of diffusers, with the noise schedule the model was trained with. Any other made by
            ``from_config(pipeline.scheduler.config)`` may be assigned; a call works on a copy of it.
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
        sampler: name of the sampler to replace ``scheduler`` by, as models were once saved; ``None`` leaves it.
        steps, guidance_scale, window, overlap: defaults of a call.
    """

    model_cpu_offload_seq = (
        "image_encoder->vae->attribute_reference_net->portrait_reference_net->guider->denoiser->tiny_vae"
    )
    _optional_components = ["image_encoder", "image_processor", "tiny_vae"]  # noqa: RUF012
    _exclude_from_cpu_offload = ["conditioner"]  # noqa: RUF012
    _callback_tensor_inputs = ["latents", "estimate"]  # noqa: RUF012

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
        sampler: str | None = None,
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
            scheduler=own_scheduler(scheduler, sampler),
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
            sampler=None,
            steps=steps,
            guidance_scale=guidance_scale,
            window=window,
            overlap=overlap,
        )
        self._encoded: EncodedReferences | None = None
        self._guidance_scale, self._num_timesteps, self._interrupt = guidance_scale, 0, False

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
    ) -> None:
        """Look at all pictures, once: latents, both reference nets, semantic tokens, keys and values of every layer.

        Args:
            portrait: ``(S, S, 3) uint8``.
            portrait_hole: ``(S, S) uint8``, 255 where attributes go (``M_port``).
            attributes: what to put on, in any order; strength 0 leaves one out.
            blend: the two attributes are alternatives, mixed by the α of each call.
            portrait_keypoints: ``(S, S, 3) uint8``, for reference nets that see them.

        Raises:
            InvalidRequest: a picture of another size, missing keypoints, or a blend of other than two.
        """
        check_references(self, portrait, portrait_hole, attributes, blend, portrait_keypoints)
        self._encoded = EncodedReferences.of(self, portrait, portrait_hole, attributes, blend, portrait_keypoints)

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
        motion: str | Path | Motion | np.ndarray | Sequence[Image.Image] = "nod",
        portrait: Photograph | Portrait | None = None,
        references: Photograph | Attribute | Sequence[Photograph | Attribute] = (),
        masks: Mask | Sequence[Mask | None] | None = None,
        names: str | Sequence[str | None] | None = None,
        num_frames: int | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        eta: float = 0.0,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        latents: Tensor | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: CallbackOnStepEnd | PipelineCallback | MultiPipelineCallbacks | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
        decode_chunk_size: int = 4,
        *,
        seed: int = 0,
        draft: np.ndarray | None = None,
        blend: np.ndarray | None = None,
        **own: Any,
    ) -> DurianPipelineOutput | tuple:
        """Frames of a portrait that moves and wears what references wear.

        Args:
            motion: a preset's name, a driving video's path or a ``Motion``, all for a portrait; or ready keypoints
                ``(F, S, S, 3) uint8`` as ``durian.keypoints.draw_keypoints`` draws them, or PIL images of them.
            portrait: a photo; ``None`` takes what :meth:`set_references` was given.
            references: photos to take items from. A ``Portrait`` or ``Attribute`` brings its landmarks, crop, strength.
            masks: white where each reference's item is; ``None`` finds it by its name.
            names: ``hair``, ``glasses``, ``hat``, ``beard``, ``lips`` or ``other`` of each reference.
            num_frames: of a motion; by default all of it, 48 of a preset.
            output_type, return_dict: see :class:`~durian.diffusion.output.DurianPipelineOutput`; or a tuple of frames.
            decode_chunk_size: frames that are decoded together. Does not change them.
            draft: ``(F, P, P, 3) uint8``, P at least S, for a model that begins with drafts; of photos by default the
                preview renderer's.
            blend: α ``(F,)`` in [0, 1] between two references of one name, or those that were set to blend.
            others: as of :meth:`denoise`, where ``**own`` are named, too.

        Raises:
            DurianError: something does not fit, or no face was found; the sentence says what to do.
        """
        check_output_type(output_type)
        check_decode_chunk_size(decode_chunk_size)
        if portrait is None and (listed(references) or any(each is not None for each in (masks, names, num_frames))):
            raise InvalidRequest(
                "References, masks, names or num_frames were given without a portrait: give both, or set_references."
            )
        try:
            if portrait is not None:
                found_in = {"references": references, "masks": masks, "names": names, "num_frames": num_frames}
                motion, draft, blend = set_photographs(self, motion, draft, blend, portrait, seed=seed, **found_in)
            made = self.denoise(
                keypoint_frames(motion),
                draft=draft,
                blend=blend,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                eta=eta,
                generator=generator,
                latents=latents,
                callback_on_step_end=callback_on_step_end,
                callback_on_step_end_tensor_inputs=callback_on_step_end_tensor_inputs,
                seed=seed,
                **own,
            )
        finally:
            self.maybe_free_model_hooks()
        frames = made
        if output_type != "latent":
            frames = as_output(self.decode_latents(made, decode_chunk_size, draft), output_type)
        return DurianPipelineOutput(frames) if return_dict else (frames,)

    @torch.no_grad()
    def denoise(
        self,
        keypoints: np.ndarray,
        *,
        draft: np.ndarray | None = None,
        blend: np.ndarray | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        eta: float = 0.0,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        latents: Tensor | None = None,
        callback_on_step_end: CallbackOnStepEnd | PipelineCallback | MultiPipelineCallbacks | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
        seed: int = 0,
        sampler: str | None = None,
        window: int | None = None,
        overlap: int | None = None,
        window_batch: int = 1,
        guide_in_one_batch: bool = False,
        cancelled: Callable[[], bool] | None = None,
    ) -> Tensor:
        """The latents ``(1, C, F, h, w)`` of a clip: the part of a call between keypoints and decoding.

        Args:
            num_inference_steps, guidance_scale, window, overlap: ``None`` takes the model's own. Up to a scale of 1,
                and with latent consistency sampling, there is no guidance.
            eta: η of DDIM, 0 to 1; schedulers without one leave it out.
            generator: one, or one per frame, instead of ``seed``; see :func:`~durian.diffusion.noise.noise_streams`.
            latents: initial noise ``(1, C, F, h, w)`` of deviation 1, instead of the seed's.
            callback_on_step_end: called after each step with the ``callback_on_step_end_tensor_inputs``; ``"latents"``
                that it returns are gone on from, ``"estimate"`` is what the step takes the clean latents for.
            seed: the noise of each frame depends on it and on the frame's number only.
            sampler: ``ddim``, ``dpm++``, ``euler`` or ``lcm`` instead of the scheduler, with its noise schedule.
            window_batch: windows that go through the denoiser together. Changes memory and speed, not frames.
            guide_in_one_batch: the same for the two halves of guidance; on a CPU it takes more time, too.
            cancelled: asked after each step.

        Raises:
            InvalidRequest: references were not set, or an argument is out of range; the sentence says which.
            Cancelled: ``cancelled`` said so.
        """
        config, frames, blend = self.config, len(keypoints), None if blend is None else np.asarray(blend)
        steps = config.steps if num_inference_steps is None else num_inference_steps
        scale = config.guidance_scale if guidance_scale is None else guidance_scale
        window = min(config.window if window is None else window, frames)
        overlap = min(config.overlap if overlap is None else overlap, window - 1)
        check_call(self, keypoints, draft, scale, window, blend, seed)
        check_processors(self.denoiser)
        check_eta(eta)
        callback, tensor_inputs = callback_on_step_end, callback_on_step_end_tensor_inputs
        if isinstance(callback, (PipelineCallback, MultiPipelineCallbacks)):
            tensor_inputs = callback.tensor_inputs
        check_tensor_inputs(tensor_inputs, self._callback_tensor_inputs)
        scheduler = begun(self.scheduler if sampler is None else make_scheduler(sampler, self.scheduler.config), steps)
        self._guidance_scale = 1.0 if isinstance(scheduler, WITHOUT_GUIDANCE) else scale
        self._num_timesteps, self._interrupt = len(scheduler.timesteps), False
        rough = None if draft is None else self.encoded(at_size(draft, config.size))
        predict = Prediction(
            self.denoiser,
            self.conditioner,
            self.encoded_references,
            self.guide(keypoints, window),
            blend,
            guide_in_one_batch,
            rough,
            scheduler.alphas_cumprod.sqrt() if config.scale_input else None,
        )
        noise, generators = self.prepare_latents(frames, generator, seed, latents)
        windows_of = moving_windows(frames, window, overlap)

        def guided(latents: Tensor, timestep: Tensor, windows: list[np.ndarray]) -> Tensor:
            # A callback may change the scale.
            current = self.guidance_scale if self.do_classifier_free_guidance else 1.0
            return predict(latents, timestep, windows, current)

        sampling = sample(guided, noise, scheduler, generators, windows_of, window_batch, eta)
        made = self._followed(sampling, rough, callback, tensor_inputs, cancelled)
        return as_video(made.to(self.vae.dtype))

    def _followed(
        self,
        sampling: Iterator[Step],
        rough: Tensor | None,
        callback: CallbackOnStepEnd | None,
        tensor_inputs: Sequence[str],
        cancelled: Callable[[], bool] | None,
    ) -> Tensor:
        """The last step's latents ``(F, C, h, w)``, with the drafts' added, after everybody was told of each step."""
        with self.progress_bar(total=self.num_timesteps) as bar:
            for step in sampling:
                bar.update()
                if callback is not None:
                    estimate = step.estimate if rough is None else step.estimate + rough
                    known = {"latents": step.latents, "estimate": estimate}
                    asked = {name: as_video(known[name]) for name in tensor_inputs}
                    changed = callback(self, step.index, step.timestep, asked) or {}
                    if "latents" in changed:
                        step.latents = as_frames(changed["latents"])
                if cancelled is not None and cancelled():
                    raise Cancelled(f"Sampling was cancelled after step {step.index + 1} of {step.steps}.")
                if self.interrupt:
                    break
        return step.latents if rough is None else step.latents + rough

    def prepare_latents(
        self,
        frames: int,
        generator: torch.Generator | Sequence[torch.Generator] | None,
        seed: int,
        latents: Tensor | None = None,
    ) -> tuple[Tensor, list[torch.Generator]]:
        """Noise to begin with ``(F, C, h, w)``, on the device in the model's dtype, and each frame's later noise.

        Raises:
            InvalidRequest: generators or latents of another number of frames.
        """
        first, later = noise_streams(generator, seed, frames)
        if latents is None:
            noise = drawn_noise(self.latent_shape, first)
        else:
            channels, height, width = self.latent_shape
            check_latents(latents, (1, channels, frames, height, width))
            noise = as_frames(latents)
        return noise.to(self._execution_device, self.denoiser.dtype), later

    # As diffusers' pipelines say how far a call is

    @property
    def guidance_scale(self) -> float:
        """Of the call that runs; a callback may change ``_guidance_scale``, from the next step on."""
        return self._guidance_scale

    @property
    def do_classifier_free_guidance(self) -> bool:
        return self._guidance_scale > 1

    @property
    def num_timesteps(self) -> int:
        return self._num_timesteps

    @property
    def interrupt(self) -> bool:
        """Whether a callback set ``_interrupt``: then no further step is taken, and what there is is decoded."""
        return self._interrupt
