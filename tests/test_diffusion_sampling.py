"""Sampling against closed forms: for a Gaussian the ideal denoiser and the end of each noise's path are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

from durian.diffusion.noise import frame_generators, initial_noise
from durian.diffusion.sampling import (
    SCHEDULERS,
    begun,
    check_steps,
    guided,
    make_scheduler,
    predicted_original,
    sample,
    set_timesteps,
)
from durian.diffusion.windows import moving_windows
from durian.errors import InvalidRequest

SHAPE = (4, 3, 2)
V = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
}
EPSILON = {**V, "prediction_type": "epsilon", "rescale_betas_zero_snr": False}
SAMPLE = {**V, "prediction_type": "sample"}
CONFIGS = pytest.mark.parametrize("config", [V, EPSILON, SAMPLE], ids=["v", "epsilon", "sample"])
NAMES = pytest.mark.parametrize("name", SCHEDULERS)


def alphas(config) -> np.ndarray:
    """``ᾱ`` of each timestep, in double precision; 2305.08891, algorithm 1 for zero terminal SNR."""
    root = np.sqrt(np.cumprod(1 - np.linspace(config["beta_start"], config["beta_end"], 1000)))
    if config["rescale_betas_zero_snr"]:
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return root**2


def gaussian_denoiser(config, means: torch.Tensor, deviation: float = 0.0):
    """The ideal model for frames drawn from N(means[f], deviation²); a point mass for 0."""
    table = alphas(config)

    def denoise(latents, timestep, frames):
        mean = means[np.concatenate(frames)].double()
        a = table[int(timestep)]
        latents = latents.double()
        pull = np.sqrt(a) * deviation**2 / (a * deviation**2 + 1 - a)
        original = mean + pull * (latents - np.sqrt(a) * mean)
        noise = (latents - np.sqrt(a) * original) / np.sqrt(1 - a)
        velocity = np.sqrt(a) * noise - np.sqrt(1 - a) * original
        return {"epsilon": noise, "v_prediction": velocity, "sample": original}[config["prediction_type"]].float()

    return denoise


def mixing_denoiser(latents, timestep, frames):
    """Every frame of a window sees all others of it, and a call of several windows mixes none."""
    clips = latents.reshape(len(frames), -1, *latents.shape[1:])
    mean = sum(clips.unbind(1)) / clips.shape[1]
    return torch.tanh(clips.cumsum(1) - 2 * mean[:, None] + timestep / 1000).reshape(latents.shape)


def run(name, config, denoise, frames=5, steps=4, seed=0, dtype=torch.float32, **options):
    """All steps of a run."""
    noise = initial_noise(SHAPE, frames, seed, dtype)
    scheduler = make_scheduler(name, config)
    return list(sample(denoise, noise, begun(scheduler, steps), frame_generators(seed, frames), **options))


@pytest.fixture
def means() -> torch.Tensor:
    return torch.randn(5, *SHAPE, generator=torch.Generator().manual_seed(7)) * 2


@NAMES
@CONFIGS
@pytest.mark.parametrize("steps", [1, 4, 6, 25])
def test_a_known_picture_is_recovered(name, config, steps, means):
    # 6 does not divide 1000: a scheduler that leaves its list of timesteps keeps 3 % of the noise.
    found = run(name, config, gaussian_denoiser(config, means), steps=steps)
    assert [step.index for step in found] == list(range(steps))
    assert all(step.steps == steps for step in found)
    for step in found:
        # Euler and DPM-Solver++ stand in for ᾱ = 0 with 2⁻²⁴, whose root is 2.4e-4.
        assert torch.allclose(step.estimate, means, atol=2e-3 if step.index == 0 else 1e-4), step.timestep
    # In a single step Euler subtracts numbers of 4096.
    assert torch.allclose(found[-1].latents, means, atol=1e-4 if steps > 1 else 2e-3)


def flow_error(name, config, steps, means, deviation=0.8) -> float:
    """Farthest from where each noise must end: along the probability flow (2011.13456, eq. 13) a Gaussian's
    normalised coordinate is constant."""
    last = alphas(config)[-1]
    start = initial_noise(SHAPE, 5, 0)
    coordinate = (start - np.sqrt(last) * means) / np.sqrt(last * deviation**2 + 1 - last)
    found = run(name, config, gaussian_denoiser(config, means, deviation), steps=steps)[-1].latents
    return float((found - (means + deviation * coordinate)).abs().max())


@CONFIGS
def test_noise_ends_where_the_exact_flow_ends(config, means):
    assert flow_error("ddim", config, 200, means) < 0.03
    assert flow_error("euler", config, 200, means) < 0.03
    assert flow_error("dpm++", config, 100, means) < 0.015


@CONFIGS
def test_dpm_is_of_second_order(config, means):
    # Twice the steps: half the error for the first order, a quarter in the limit for the second.
    ddim, euler, dpm = (
        flow_error(name, config, 12, means) / flow_error(name, config, 25, means) for name in ("ddim", "euler", "dpm++")
    )
    assert 1.8 < ddim < 2.2
    assert 1.8 < euler < 2.2
    assert dpm > 2.8


@NAMES
@CONFIGS
@pytest.mark.parametrize("timestep", [9, 332, 832])
def test_predicted_original_is_the_closed_form(name, config, timestep, means):
    a = alphas(config)[timestep]
    noise = initial_noise(SHAPE, 5, 3)
    latents = np.sqrt(a) * means + np.sqrt(1 - a) * noise
    velocity = np.sqrt(a) * noise - np.sqrt(1 - a) * means
    output = {"epsilon": noise, "v_prediction": velocity, "sample": means}[config["prediction_type"]]
    original = predicted_original(make_scheduler(name, config), output, timestep, latents)
    assert torch.allclose(original, means, atol=2e-4)


def reference_run(scheduler, denoise, noise):
    """diffusers' scheduler over its own list of timesteps."""
    latents = noise
    for timestep in scheduler.timesteps:
        latents = scheduler.step(denoise(latents, timestep, [np.arange(5)]), timestep, latents).prev_sample
    return latents


@CONFIGS
def test_ddim_is_diffusers_where_steps_divide_and_first_order_everywhere(config, means):
    denoise = gaussian_denoiser(config, means, 0.8)
    theirs = DDIMScheduler(**config, timestep_spacing="trailing", clip_sample=False)
    first_order = DPMSolverMultistepScheduler(**config, timestep_spacing="trailing", solver_order=1)
    for steps in (5, 6, 25):
        ours = run("ddim", config, denoise, steps=steps)[-1].latents
        first_order.set_timesteps(steps)
        assert torch.allclose(ours, reference_run(first_order, denoise, initial_noise(SHAPE, 5, 0)), atol=2e-3)
        if steps != 6:
            theirs.set_timesteps(steps)
            assert torch.allclose(ours, reference_run(theirs, denoise, initial_noise(SHAPE, 5, 0)), atol=1e-5)


@NAMES
def test_timesteps_start_at_the_last_one(name):
    scheduler = make_scheduler(name, {**V, "timestep_spacing": "leading", "steps_offset": 1})
    # 61 and 103 are numbers of steps that rounding errors make one longer in diffusers.
    for steps in (1, 6, 25, 50) if name == "lcm" else (1, 6, 25, 61, 103, 1000):
        set_timesteps(scheduler, steps)
        timesteps = scheduler.timesteps.tolist()
        assert len(timesteps) == steps
        assert timesteps[0] == 999
        assert timesteps[-1] >= 0
        assert timesteps == sorted(set(timesteps), reverse=True)


@NAMES
def test_zero_terminal_snr_starts_without_signal(name):
    scheduler = make_scheduler(name, V)
    set_timesteps(scheduler, 4)
    first = scheduler.alphas_cumprod[int(scheduler.timesteps[0])]
    assert first == (0 if name in ("ddim", "lcm") else 2**-24)
    seen = []

    def denoise(latents, timestep, frames):
        seen.append(latents)
        return mixing_denoiser(latents, timestep, frames)

    step = next(sample(denoise, initial_noise(SHAPE, 5, 0), begun(scheduler, 4), frame_generators(0, 5)))
    assert torch.allclose(seen[0], initial_noise(SHAPE, 5, 0), atol=1e-6)
    assert torch.allclose(step.estimate, -mixing_denoiser(seen[0], 999, [0]), atol=2e-3)


def test_frame_f_has_the_same_noise_in_any_clip():
    assert torch.equal(initial_noise(SHAPE, 20, 5)[:8], initial_noise(SHAPE, 8, 5))
    draws = [torch.randn(6, generator=generator) for generator in frame_generators(5, 20)]
    assert all(
        torch.equal(torch.randn(6, generator=generator), draw) for generator, draw in zip(frame_generators(5, 8), draws)
    )


def test_frames_seeds_and_steps_have_noise_of_their_own():
    many = torch.cat([initial_noise((4, 16, 16), 4, seed) for seed in range(4)])
    steps = [torch.randn(4, 16, 16, generator=generator) for generator in frame_generators(0, 4)]
    rows = torch.stack([*many, *steps]).flatten(1)
    correlation = torch.corrcoef(rows)
    assert (correlation - torch.eye(len(rows))).abs().max() < 0.15
    assert rows.mean().abs() < 0.02
    assert rows.std() == pytest.approx(1, abs=0.02)


def test_half_precision_starts_from_the_same_noise():
    assert torch.equal(initial_noise(SHAPE, 3, 1, torch.bfloat16), initial_noise(SHAPE, 3, 1).bfloat16())


@NAMES
def test_a_frame_does_not_depend_on_the_clip_s_length(name, means):
    denoise = gaussian_denoiser(V, means.repeat(4, 1, 1, 1), 0.8)
    short, long = (run(name, V, denoise, frames=frames, seed=2)[-1].latents for frames in (8, 20))
    assert torch.equal(short, long[:8])


@NAMES
def test_the_window_batch_does_not_change_the_result(name):
    windows_of = moving_windows(23, 8, 3)
    one, two, five = (
        run(name, V, mixing_denoiser, frames=23, windows_of=windows_of, window_batch=batch)[-1].latents
        for batch in (1, 2, 5)
    )
    assert one.std() > 0.1
    assert torch.equal(one, two)
    assert torch.equal(one, five)


def test_the_denoiser_sees_no_more_than_a_batch_of_windows():
    rows = []

    def denoise(latents, timestep, frames):
        rows.append((len(latents), [list(indices) for indices in frames]))
        return mixing_denoiser(latents, timestep, frames)

    run("ddim", V, denoise, frames=40, steps=2, windows_of=moving_windows(40, 8, 2), window_batch=2)
    assert max(count for count, _ in rows) == 16
    assert all(count == 8 * len(frames) for count, frames in rows)
    per_step = len(rows) // 2
    assert {index for _, frames in rows[:per_step] for indices in frames for index in indices} == set(range(40))
    assert rows[:per_step] != rows[per_step:]  # the seams moved


@NAMES
def test_windows_change_nothing_for_frames_that_do_not_see_each_other(name, means):
    denoise = gaussian_denoiser(V, means.repeat(5, 1, 1, 1), 0.8)
    whole = run(name, V, denoise, frames=25)[-1].latents
    windowed = run(name, V, denoise, frames=25, windows_of=moving_windows(25, 8, 3), window_batch=2)[-1].latents
    assert torch.allclose(whole, windowed, atol=1e-4)


def test_a_constant_clip_stays_constant_to_its_ends(means):
    denoise = gaussian_denoiser(V, means[:1].repeat(25, 1, 1, 1))
    found = run("ddim", V, denoise, frames=25, windows_of=moving_windows(25, 8, 3))[-1].latents
    assert torch.allclose(found, means[:1].expand_as(found), atol=1e-4)


def test_the_last_frame_does_not_reach_the_first():
    noise = initial_noise(SHAPE, 40, 0)
    changed = noise.clone()
    changed[-1] += 1
    before, after = (
        [*sample(mixing_denoiser, start, begun(make_scheduler("ddim", V), 2), [], moving_windows(40, 8, 2))][-1].latents
        for start in (noise, changed)
    )
    moved = (before - after).flatten(1).abs().amax(1) > 1e-6
    assert moved[-1]
    assert not moved[: 40 - 2 * 8].any()


@NAMES
def test_stopping_midway_leaves_no_trace(name):
    noise, generators, scheduler = initial_noise(SHAPE, 5, 4), frame_generators(4, 5), make_scheduler(name, V)
    started = sample(mixing_denoiser, noise, begun(scheduler, 6), generators)
    assert [step.index for step in itertools.islice(started, 3)] == [0, 1, 2]
    started.close()
    assert torch.equal(noise, initial_noise(SHAPE, 5, 4))
    again = list(sample(mixing_denoiser, noise, begun(scheduler, 6), generators))[-1]
    assert torch.equal(again.latents, run(name, V, mixing_denoiser, steps=6, seed=4)[-1].latents)


@NAMES
def test_a_seed_gives_the_same_frames_and_another_does_not(name):
    first, again, other = (run(name, V, mixing_denoiser, seed=seed)[-1].latents for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.1)


def test_lcm_adds_each_frame_s_own_noise_at_each_step(means):
    found = run("lcm", V, gaussian_denoiser(V, means))
    scheduler = make_scheduler("lcm", V)
    set_timesteps(scheduler, 4)
    generators = frame_generators(0, 5)
    for step, timestep in zip(found[:-1], scheduler.timesteps[1:]):
        a = alphas(V)[int(timestep)]
        noise = torch.stack([torch.randn(SHAPE, generator=generator) for generator in generators])
        assert torch.allclose(step.latents, (np.sqrt(a) * means + np.sqrt(1 - a) * noise).float(), atol=1e-4)


@NAMES
def test_half_precision_stays_close(name, means):
    seen = set()

    def denoise(latents, timestep, frames):
        seen.add(latents.dtype)
        return gaussian_denoiser(V, means, 0.8)(latents, timestep, frames).to(latents.dtype)

    half = run(name, V, denoise, dtype=torch.bfloat16)[-1].latents
    assert seen == {torch.bfloat16}
    full = run(name, V, gaussian_denoiser(V, means, 0.8))[-1].latents
    assert half.dtype == torch.float32
    assert torch.allclose(half, full, atol=0.05)


def test_sampling_keeps_no_graph():
    weight = torch.ones(1, requires_grad=True)
    found = run("ddim", V, lambda latents, timestep, frames: weight * mixing_denoiser(latents, timestep, frames))
    assert not found[-1].latents.requires_grad


def test_guidance_of_one_is_the_conditional_output():
    unconditional, conditional = torch.randn(2, 6, *SHAPE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(guided(unconditional, conditional, 1.0), conditional)
    assert torch.allclose(guided(unconditional, conditional, 0.0), unconditional, atol=1e-6)
    expected = unconditional + 3.5 * (conditional - unconditional)
    assert torch.allclose(guided(unconditional, conditional, 3.5), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("heun", {}, "'heun' is not known: use ddim, dpm++, euler or lcm"),
        ("ddim", {"prediction_type": "score"}, "'score' is not known: use epsilon, v_prediction or sample"),
        ("euler", {"prediction_type": "epsilon"}, "use v_prediction"),
    ],
)
def test_schedulers_that_make_no_sense_are_one_sentence(name, changes, said):
    with pytest.raises(InvalidRequest) as error:
        make_scheduler(name, {**V, **changes})
    assert said in str(error.value)
    assert str(error.value).count(".") == 1


@pytest.mark.parametrize(
    ("name", "steps", "most"), [("ddim", 0, 1000), ("dpm++", -3, 1000), ("euler", 1001, 1000), ("lcm", 51, 50)]
)
def test_a_wrong_number_of_steps_is_one_sentence(name, steps, most):
    with pytest.raises(InvalidRequest, match=rf"^{steps} sampling steps were asked for: choose 1 to {most}\.$"):
        check_steps(make_scheduler(name, V), steps)
    with pytest.raises(InvalidRequest, match="choose 1 to"):
        run(name, V, mixing_denoiser, steps=steps)
    with pytest.raises(InvalidRequest, match="0 windows at a time"):
        run(name, V, mixing_denoiser, window_batch=0)


def test_a_scheduler_s_saved_config_makes_the_same_scheduler():
    again = make_scheduler("euler", make_scheduler("ddim", V).config)
    assert torch.equal(again.alphas_cumprod, make_scheduler("euler", V).alphas_cumprod)
    assert again.config.prediction_type == "v_prediction"
