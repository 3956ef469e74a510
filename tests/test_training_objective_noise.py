"""The forward process and its loss, against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from durian.diffusion.presets import SCHEDULE
from durian.training.stages.noise import ForwardProcess, Noise

EPSILON = {**SCHEDULE, "prediction_type": "epsilon", "rescale_betas_zero_snr": False}
SHAPE = (3, 4, 4)


def alphas(rescaled: bool) -> np.ndarray:
    """ᾱ of Stable Diffusion's schedule ``(1000,)``; 2305.08891, algorithm 1, moves √ᾱ so that it ends in 0."""
    root = np.sqrt(np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2))
    if rescaled:
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return root**2


def drawn(timesteps: list[list[int]], seed: int = 0) -> tuple[Noise, torch.Tensor]:
    """Noise for clips with given timesteps, and latents."""
    clips, frames = len(timesteps), len(timesteps[0])
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn((clips, frames, *SHAPE), generator=random)
    return Noise(torch.tensor(timesteps), noise), torch.randn((clips * frames, *SHAPE), generator=random)


@pytest.mark.parametrize(("schedule", "rescaled"), [(SCHEDULE, True), (EPSILON, False)], ids=["velocity", "noise"])
def test_noisy_latents_are_those_of_the_formula(schedule, rescaled):
    noise, latents = drawn([[0, 500], [998, 999]])
    alpha = torch.tensor(alphas(rescaled)[[0, 500, 998, 999]])[:, None, None, None]
    expected = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise.noise.flatten(0, 1)
    assert torch.allclose(ForwardProcess(schedule).noisy(latents, noise).double(), expected, atol=1e-4)


def test_the_last_timestep_is_nothing_but_noise():
    noise, latents = drawn([[999]])
    assert torch.allclose(ForwardProcess(SCHEDULE).noisy(latents, noise), noise.noise[0], atol=1e-5)


@pytest.mark.parametrize(("schedule", "rescaled"), [(SCHEDULE, True), (EPSILON, False)], ids=["velocity", "noise"])
def test_the_loss_is_the_weighted_error_of_the_formula(schedule, rescaled):
    timesteps = [3, 400, 700, 990]
    noise, latents = drawn([timesteps[:2], timesteps[2:]])
    output = torch.randn(latents.shape, generator=torch.Generator().manual_seed(9))
    inside = torch.rand((4, 1, 4, 4), generator=torch.Generator().manual_seed(8))
    expected = []
    for row, timestep in enumerate(timesteps):
        alpha = alphas(rescaled)[timestep]
        snr = alpha / (1 - alpha)
        added = noise.noise.flatten(0, 1)[row].double()
        if rescaled:
            wanted = alpha**0.5 * added - (1 - alpha) ** 0.5 * latents[row].double()
            weight = min(snr + 1, 5) / (snr + 1)
        else:
            wanted, weight = added, min(snr, 5) / snr
        expected.append(weight * (inside[row] * (output[row] - wanted) ** 2).mean())
    found = ForwardProcess(schedule).loss(output, latents, noise, inside)
    assert float(found) == pytest.approx(float(sum(expected) / 4), rel=1e-4)


def test_a_perfect_answer_costs_nothing():
    """The velocity as the pipeline's samplers take it: it leads from noisy latents back to the latents."""
    noise, latents = drawn([[250, 750]])
    process = ForwardProcess(SCHEDULE)
    alpha = torch.tensor(alphas(True)[[250, 750]]).float()[:, None, None, None]
    noisy = process.noisy(latents, noise)
    velocity = (alpha.sqrt() * noisy - latents) / (1 - alpha).sqrt()
    assert float(process.loss(velocity, latents, noise)) < 1e-8
    assert float(process.loss(velocity + 0.1, latents, noise)) > 1e-3


def test_weights_never_leave_out_where_sampling_begins():
    velocity, noise = ForwardProcess(SCHEDULE), ForwardProcess(EPSILON)
    timesteps = torch.arange(1000)
    assert velocity.weights(timesteps).tolist()[-1] == 1
    snr = alphas(True)[0] / (1 - alphas(True)[0])
    assert float(velocity.weights(timesteps)[0]) == pytest.approx(5 / (snr + 1), rel=1e-3)
    for weights in (velocity.weights(timesteps), noise.weights(timesteps)):
        assert (weights.diff() >= 0).all()
        assert float(weights.max()) == 1
    assert (ForwardProcess(SCHEDULE, min_snr=float("inf")).weights(timesteps) == 1).all()


def test_predicting_the_latents_themselves_is_the_same_loss():
    """The velocity that an estimate of the latents means costs what the estimate does."""
    noise, latents = drawn([[3, 400], [700, 999]])
    velocity, sample = ForwardProcess(SCHEDULE), ForwardProcess({**SCHEDULE, "prediction_type": "sample"})
    estimate = latents + 0.3 * torch.randn(latents.shape, generator=torch.Generator().manual_seed(5))
    alpha = torch.tensor(alphas(True)[[3, 400, 700, 999]]).float()[:, None, None, None]
    meant = (alpha.sqrt() * velocity.noisy(latents, noise) - estimate) / (1 - alpha).sqrt()
    assert float(sample.loss(estimate, latents, noise)) == pytest.approx(
        float(velocity.loss(meant, latents, noise)), rel=1e-3
    )
    assert float(sample.loss(latents, latents, noise)) == 0


def test_a_robust_loss_is_squared_for_small_errors_and_straight_for_large_ones():
    sample = {**SCHEDULE, "prediction_type": "sample"}
    noise, latents = drawn([[999, 999]])
    squared, robust = ForwardProcess(sample, min_snr=1.0), ForwardProcess(sample, min_snr=1.0, robust=0.5)

    def costs(error: float) -> tuple[float, float]:
        return tuple(float(process.loss(latents + error, latents, noise)) for process in (squared, robust))

    assert costs(0.01)[1] == pytest.approx(costs(0.01)[0], rel=1e-3)
    assert costs(50.0)[1] == pytest.approx(2 * costs(25.0)[1], rel=0.02)
    assert costs(50.0)[0] == pytest.approx(4 * costs(25.0)[0])
    # Of a position's channels, one far off and many a little off with the same sum of squares cost the same.
    one, all_alike = torch.zeros_like(latents), torch.ones_like(latents)
    one[:, 0] = latents.shape[1] ** 0.5
    found = [float(robust.loss(latents + error, latents, noise)) for error in (one, all_alike)]
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_a_share_of_timesteps_is_the_last_one():
    process = ForwardProcess(SCHEDULE, last_share=0.6)
    for together in (True, False):
        found = process.draw(2000, 2, (1, 1, 1), torch.Generator().manual_seed(2), together).timesteps
        assert float((found == 999).float().mean()) == pytest.approx(0.6, abs=0.03)
        assert float(found[found < 999].float().mean()) == pytest.approx(499, abs=20)
        assert (found[:, 0] == found[:, 1]).all() == together


def test_frames_of_a_clip_share_the_timestep_and_the_offset():
    process = ForwardProcess(SCHEDULE, offset=2.0)
    found = process.draw(500, 4, (3, 8, 8), torch.Generator().manual_seed(0))
    assert (found.timesteps == found.timesteps[:, :1]).all()
    levels = found.noise.mean((3, 4))  # clips x frames x channels, each an offset and the mean of 64 numbers
    assert float(levels.std((0, 2)).mean()) == pytest.approx((4 + 1 / 64) ** 0.5, rel=0.05)
    within = levels - levels.mean(1, keepdim=True)
    assert float(within.square().sum() / (500 * 3 * 3)) == pytest.approx(1 / 64, rel=0.05)
    channels = levels.mean(1) - levels.mean((1, 2))[:, None]
    assert float(channels.square().sum() / (500 * 2)) == pytest.approx(4, rel=0.15)


def test_timesteps_are_equally_likely_and_drawn_for_each_picture():
    process = ForwardProcess(SCHEDULE)
    timesteps = process.draw(2000, 3, (1, 1, 1), torch.Generator().manual_seed(0), together=False).timesteps
    counts = torch.histc(timesteps.float(), 10, 0, 1000)
    assert (counts - 600).abs().max() < 100
    assert (timesteps.min(), timesteps.max()) == (0, 999) or int(timesteps.max()) > 990
    assert (timesteps[:, 0] != timesteps[:, 1]).float().mean() > 0.9
    noise = process.draw(200, 3, (4, 8, 8), torch.Generator().manual_seed(1)).noise
    assert float(noise.std()) == pytest.approx((1 + 0.05**2) ** 0.5, rel=0.01)
