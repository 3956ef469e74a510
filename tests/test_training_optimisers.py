"""Muon's orthogonal updates, and the division of parameters between optimisers."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from durian.training.recipe import DiffusionRecipe
from durian.training.run import optimisers
from durian.training.run.optimisers import LIKE_ADAM, Muon, make_optimisers, orthogonal

RECIPE = DiffusionRecipe(steps=4, batch=1, micro_batch=1, rate=0.01)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (24, 24)])
def test_orthogonal_keeps_singular_vectors_and_evens_out_singular_values(shape):
    left, values, right = torch.linalg.svd(drawn(*shape), full_matrices=False)
    uneven = left @ torch.diag(torch.logspace(0, -2, len(values))) @ right
    found = left.T @ orthogonal(uneven).float() @ right.T
    assert found.diagonal().min() > 0.6
    assert found.diagonal().max() < 1.25
    assert (found - torch.diag(found.diagonal())).abs().max() < 0.1


def test_steps_are_as_long_as_adams():
    weight = nn.Parameter(drawn(32, 8, 3, 3))
    before = weight.detach().clone()
    muon = Muon([weight], 0.1, weight_decay=0.0)
    weight.grad = drawn(32, 8, 3, 3) * 1e-6
    muon.step()
    moved = (weight.detach() - before).square().mean().sqrt()
    assert float(moved) == pytest.approx(0.1 * LIKE_ADAM, rel=0.2)


def test_a_convolution_steps_alike_in_any_layout_of_memory():
    steps = []
    for layout in (torch.contiguous_format, torch.channels_last):
        weight = nn.Parameter(drawn(16, 8, 3, 3).to(memory_format=layout))
        weight.grad = drawn(16, 8, 3, 3).flip(0).to(memory_format=layout)
        Muon([weight], 0.1).step()
        steps.append(weight.detach().contiguous())
    assert torch.allclose(*steps)


@pytest.mark.parametrize("together", [1, 2, 3])
def test_matrices_of_one_shape_step_together_as_each_would_alone(together, monkeypatch):
    monkeypatch.setattr(optimisers, "MOST_TOGETHER", 48 * together)
    gradients = [drawn(8, 6), 1e3 * drawn(8, 6).flip(0), drawn(8, 6).flip(1), drawn(6, 8)]

    def stepped(gradients):
        weights = [nn.Parameter(drawn(*gradient.shape)) for gradient in gradients]
        muon = Muon(weights, 0.1)
        for scale in (1.0, -0.5):
            for weight, gradient in zip(weights, gradients):
                weight.grad = scale * gradient
            muon.step()
        return [weight.detach() for weight in weights]

    alone = [stepped([gradient])[0] for gradient in gradients]
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(stepped(gradients), alone))


def test_muon_takes_matrices_and_adamw_the_rest():
    layer = nn.Sequential(nn.Conv2d(4, 8, 3), nn.GroupNorm(2, 8), nn.Flatten(), nn.Linear(8, 2))
    (adamw,) = make_optimisers([{"params": list(layer.parameters())}], RECIPE)
    assert len(adamw.param_groups[0]["params"]) == 6
    muon, adamw = make_optimisers([{"params": list(layer.parameters())}], replace(RECIPE, optimiser="muon"))
    assert {weight.ndim for weight in muon.param_groups[0]["params"]} == {2, 4}
    assert {weight.ndim for weight in adamw.param_groups[0]["params"]} == {1}
    assert isinstance(adamw, torch.optim.AdamW)


def test_muon_learns_directions_that_gradients_hardly_show():
    """Inputs vary a lot in some directions and little in others, none of them along an axis."""
    turn = torch.linalg.qr(drawn(12, 12))[0]
    inputs, truth = drawn(256, 12) * torch.logspace(0, -1, 12) @ turn, drawn(6, 12).flip(0)
    layer = nn.Linear(12, 6, bias=False)
    nn.init.zeros_(layer.weight)
    (muon,) = make_optimisers(
        [{"params": list(layer.parameters())}], replace(RECIPE, weight_decay=0.0, optimiser="muon")
    )
    for step in range(300):
        muon.param_groups[0]["lr"] = 0.2 * (1 - step / 300)
        muon.zero_grad()
        (layer(inputs) - inputs @ truth.T).square().mean().backward()
        muon.step()
    assert float((layer.weight.detach() - truth).square().mean()) < 0.01 * float(truth.square().mean())
