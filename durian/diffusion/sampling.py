"""Sampling from noise to latents: schedulers, guidance, and the loop.

All frames of a clip are stepped at once, as latents ``(F, C, h, w)``.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, LCMScheduler
from diffusers.schedulers.scheduling_ddim import DDIMSchedulerOutput
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from durian.diffusion.windows import Window, windows
from durian.errors import InvalidRequest

SCHEDULERS = ("ddim", "dpm++", "euler", "lcm")
"""DDIM (2010.02502), DPM-Solver++ of second order (2211.01095), Euler (2206.00364) and latent consistency sampling
(2310.04378), the last for models distilled for it."""

PREDICTIONS = ("epsilon", "v_prediction", "sample")
"""Kinds of prediction, by diffusers' names: noise, velocity, or the clean latents themselves. The last is for many
channels and few parameters: noise is as rich as the latents, what lies behind it is not (2511.13720)."""

WITHOUT_GUIDANCE = (LCMScheduler,)
"""Schedulers whose models have guidance distilled into them: sample these with the conditional output alone."""

NOISE_SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "trained_betas": None,
    "prediction_type": "epsilon",
    "rescale_betas_zero_snr": False,
}
"""Settings of the noise schedule, by diffusers' names; the defaults are Stable Diffusion 1.5's, as diffusers' own
differ from one scheduler to the next."""

LCM_TRAINED_STEPS = 50
"""Steps that latent consistency models are distilled on (2310.04378): the most one can sample with."""

OTHER_SIGMAS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas")
"""Settings of diffusers' schedulers that place timesteps otherwise."""

Denoise = Callable[[Tensor, Tensor, list[np.ndarray]], Tensor]
"""Latents of W windows ``(W·Fw, C, h, w)``, the timestep, and the frames ``(Fw,)`` of each window → the model's
output in the latents' shape, already guided."""


class TrailingDDIM(DDIMScheduler):
    """DDIM (2010.02502, eq. 12 and 16) that steps to the next of its own timesteps.

    diffusers' steps back by the whole number T // steps instead. Trailing timesteps are then missed by one where
    steps does not divide T, and the last step ends at timestep 0, with 3 % of noise left in it, for example with 6
    steps of 1000.
    """

    def set_timesteps(self, num_inference_steps=None, device=None, timesteps: list[int] | None = None) -> None:
        super().set_timesteps(len(timesteps) if timesteps else num_inference_steps, device)
        if timesteps:
            self.timesteps = torch.tensor(timesteps, device=device)

    def step(self, model_output, timestep, sample, eta=0.0, generator=None, return_dict=True):
        """One step; ``eta``, η in [0, 1], is the share of DDPM's noise that is added: none at 0."""
        later = self.timesteps[self.timesteps < timestep]
        next_alpha = float(self.alphas_cumprod[later[0]]) if len(later) else 1.0
        alpha = float(self.alphas_cumprod[timestep])
        original = predicted_original(self, model_output, timestep, sample)
        noise = (sample - math.sqrt(alpha) * original) / math.sqrt(1 - alpha)
        deviation = eta * math.sqrt((1 - next_alpha) / (1 - alpha) * (1 - alpha / next_alpha))
        next_sample = math.sqrt(next_alpha) * original + math.sqrt(1 - next_alpha - deviation**2) * noise
        if deviation > 0:
            added = randn_tensor(sample.shape, generator=generator, device=sample.device, dtype=sample.dtype)
            next_sample = next_sample + deviation * added
        return DDIMSchedulerOutput(next_sample, original) if return_dict else (next_sample, original)


def own_scheduler(scheduler: SchedulerMixin, sampler: str | None) -> SchedulerMixin:
    """The scheduler that a pipeline begins with: the one given, or, of diffusers' plain DDIM, the sampler of that name.

    Models were once saved with plain DDIM, of which only the noise schedule counted, and with a sampler's name.
    """
    if sampler is None or type(scheduler) is not DDIMScheduler:
        return scheduler
    return make_scheduler(sampler, scheduler.config)


def check_scheduler(scheduler: SchedulerMixin) -> None:
    """
    Raises:
        InvalidRequest: the scheduler has no noise schedule of the kind that models are trained with.
    """
    has_schedule = hasattr(scheduler, "alphas_cumprod") and hasattr(scheduler.config, "prediction_type")
    if not has_schedule or scheduler.config.get("use_flow_sigmas"):
        raise InvalidRequest(
            f"{type(scheduler).__name__} does not have this model's noise schedule: use a scheduler made by "
            "from_config(pipeline.scheduler.config), such as EulerDiscreteScheduler."
        )
    check_schedule(scheduler.config)


def make_scheduler(name: str, config: Mapping) -> SchedulerMixin:
    """A new scheduler by the sampler's name.

    Timesteps are always trailing, whatever ``config`` says: sampling starts at the last timestep, where a model with
    zero terminal SNR has seen pure noise (2305.08891, §3.3). Latents are never clipped.

    Args:
        name: one of :data:`SCHEDULERS`.
        config: the keys of :data:`NOISE_SCHEDULE`, as in the config of any diffusers scheduler; others are ignored.

    Raises:
        InvalidRequest: an unknown name or prediction type, or ε-prediction with zero terminal SNR.
    """
    if name not in SCHEDULERS:
        raise InvalidRequest(f"Sampler {name!r} is not known: use {', '.join(SCHEDULERS[:-1])} or {SCHEDULERS[-1]}.")
    schedule = {key: config.get(key, default) for key, default in NOISE_SCHEDULE.items()}
    check_schedule(schedule)
    schedule["timestep_spacing"] = "trailing"
    if name == "ddim":
        return TrailingDDIM(**schedule, clip_sample=False)
    if name == "dpm++":
        return DPMSolverMultistepScheduler(**schedule, algorithm_type="dpmsolver++", solver_order=2)
    if name == "euler":
        return EulerDiscreteScheduler(**schedule)
    trained = schedule["num_train_timesteps"]
    # A divisor, since the timesteps of any other number would not end at the last one.
    steps = max(steps for steps in range(1, LCM_TRAINED_STEPS + 1) if trained % steps == 0)
    return LCMScheduler(**schedule, original_inference_steps=steps)


def check_schedule(config: Mapping) -> None:
    """
    Raises:
        InvalidRequest: an unknown prediction type, or ε-prediction with zero terminal SNR.
    """
    if config["prediction_type"] not in PREDICTIONS:
        known = f"{', '.join(PREDICTIONS[:-1])} or {PREDICTIONS[-1]}"
        raise InvalidRequest(f"Prediction {config['prediction_type']!r} is not known: use {known}.")
    if config["prediction_type"] == "epsilon" and config.get("rescale_betas_zero_snr"):
        # At zero SNR the input is the noise itself, so that predicting it says nothing of the picture.
        raise InvalidRequest("A model that predicts noise cannot have zero terminal SNR: use v_prediction or sample.")


def check_steps(scheduler: SchedulerMixin, steps: int) -> None:
    """
    Raises:
        InvalidRequest: fewer than one step, or more than the model was trained with.
    """
    most = scheduler.config.get("original_inference_steps", scheduler.config.num_train_timesteps)
    if not 1 <= steps <= most:
        raise InvalidRequest(f"{steps} sampling steps were asked for: choose 1 to {most}.")


def begun(scheduler: SchedulerMixin, steps: int) -> SchedulerMixin:
    """A copy of a scheduler that holds the state of one run, its timesteps set: others may run at the same time.

    Raises:
        InvalidRequest: as :func:`check_scheduler` and :func:`check_steps`.
    """
    check_scheduler(scheduler)
    scheduler = copy.deepcopy(scheduler)
    set_timesteps(scheduler, steps)
    return scheduler


def set_timesteps(scheduler: SchedulerMixin, steps: int) -> None:
    """Begin a run of ``steps`` steps, its timesteps on the CPU.

    Trailing timesteps (2305.08891, table 2) are set exactly, where a scheduler can be given them; all others are the
    scheduler's own.

    Raises:
        InvalidRequest: as :func:`check_steps`.
    """
    check_steps(scheduler, steps)
    config = scheduler.config
    is_plain = config.get("timestep_spacing") == "trailing" and not any(config.get(name) for name in OTHER_SIGMAS)
    if is_plain and isinstance(scheduler, (TrailingDDIM, DPMSolverMultistepScheduler, EulerDiscreteScheduler)):
        # diffusers counts in fractions and, for some numbers of steps such as 61, ends with a timestep of -1.
        trained = config.num_train_timesteps
        scheduler.set_timesteps(timesteps=[round(trained * left / steps) - 1 for left in range(steps, 0, -1)])
    else:
        scheduler.set_timesteps(steps)


def guided(unconditional: Tensor, conditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance (2207.12598).

    Args:
        unconditional, conditional: outputs ``(N, C, h, w)``, one row per frame.
        scale: 1 is the conditional output, 0 the unconditional one.
    """
    return conditional + (scale - 1) * (conditional - unconditional)


def predicted_original(scheduler: SchedulerMixin, output: Tensor, timestep: Tensor | int, latents: Tensor) -> Tensor:
    """The clean latents that a model's output means: the estimate of ``x_0`` at a timestep, in the latents' shape.

    ``x_t = √ᾱ x_0 + √(1-ᾱ) ε`` gives ``x_0 = (x_t - √(1-ᾱ) ε) / √ᾱ``, and with ``v = √ᾱ ε - √(1-ᾱ) x_0``
    (2202.00512, app. D) ``x_0 = √ᾱ x_t - √(1-ᾱ) v``. A model that predicts the sample says it itself.

    Args:
        latents: ``x_t`` as the model sees it, of the scheduler's ``scale_model_input``.
    """
    if scheduler.config.prediction_type == "sample":
        return output
    alpha = float(scheduler.alphas_cumprod[int(timestep)])
    if scheduler.config.prediction_type == "v_prediction":
        return math.sqrt(alpha) * latents - math.sqrt(1 - alpha) * output
    return (latents - math.sqrt(1 - alpha) * output) / math.sqrt(alpha)


@dataclass(eq=False)
class Step:
    """The state of sampling after a step. Sampling goes on from ``latents``, which may be replaced in between."""

    index: int
    """0 after the first step, ``steps - 1`` after the last."""
    steps: int
    timestep: Tensor
    """The timestep that this step denoised at, a scalar."""
    latents: Tensor
    """``(F, C, h, w) float32``, as the scheduler holds them; after the last step the result."""
    estimate: Tensor
    """``(F, C, h, w) float32``: the clean latents as this step's output has them, to preview."""


@torch.no_grad()
def sample(
    denoise: Denoise,
    latents: Tensor,
    scheduler: SchedulerMixin,
    generators: Sequence[torch.Generator],
    windows_of: Callable[[int], list[Window]] | None = None,
    window_batch: int = 1,
    eta: float = 0.0,
) -> Iterator[Step]:
    """Denoise a clip, one :class:`Step` at a time. To stop, take no more.

    The scheduler works in float32 and ``denoise`` gets the dtype of ``latents``. Beside a few tensors of the latents'
    size, memory depends on ``window_batch`` windows only. ``latents`` and ``generators`` are left as they were.

    Args:
        latents: standard normal noise ``(F, C, h, w)``.
        scheduler: from :func:`begun`; its state is changed.
        generators: one per frame, for schedulers that add noise at each step.
        windows_of: the windows of the step with a given index, from :func:`~durian.diffusion.windows.moving_windows`;
            all frames in one window if not given.
        window_batch: how many windows one call of ``denoise`` gets; it does not change the result.
        eta: η of DDIM; schedulers without one leave it out.

    Raises:
        InvalidRequest: no window per call; at the first step.
    """
    if window_batch < 1:
        raise InvalidRequest(f"{window_batch} windows at a time were asked for: choose 1 or more.")
    windows_of = windows_of or (lambda index: windows(len(latents), len(latents), 0))
    known = inspect.signature(scheduler.step).parameters
    extra = {"generator": [generator.clone_state() for generator in generators], "eta": eta}
    extra = {name: value for name, value in extra.items() if name in known}
    dtype, latents = latents.dtype, latents.float() * scheduler.init_noise_sigma
    for index, timestep in enumerate(scheduler.timesteps):
        model_input = scheduler.scale_model_input(latents, timestep)
        output = averaged(denoise, model_input.to(dtype), timestep, windows_of(index), window_batch)
        estimate = predicted_original(scheduler, output, timestep, model_input)
        latents = scheduler.step(output, timestep, latents, **extra).prev_sample
        step = Step(index, len(scheduler.timesteps), timestep, latents, estimate)
        yield step
        latents = step.latents


def averaged(denoise: Denoise, latents: Tensor, timestep: Tensor, of_step: list[Window], window_batch: int) -> Tensor:
    """The output for all frames ``(F, C, h, w) float32``, averaged where the step's windows overlap."""
    output = torch.zeros_like(latents, dtype=torch.float32)
    for first in range(0, len(of_step), window_batch):
        batch = of_step[first : first + window_batch]
        frames = [window.indices for window in batch]
        parts = denoise(latents[np.concatenate(frames)], timestep, frames)
        for window, part in zip(batch, parts.chunk(len(batch))):
            weights = torch.from_numpy(window.weights).to(output.device)
            output[window.indices] += weights[:, None, None, None] * part
    return output
