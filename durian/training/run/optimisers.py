"""Optimisers: AdamW, or Muon for matrices beside AdamW for the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from durian.training.recipe import StageRecipe

MOMENTUM = 0.95
"""Muon's, with Nesterov's look ahead, as its author has it."""
ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the odd polynomial that takes singular values between 0 and 1 close to 1 in that many iterations."""
LIKE_ADAM = 0.2
"""Root mean square of an AdamW update in units of its rate, about, which Muon's is given (2502.16982, section 2.2): one
rate serves both."""

MOST_TOGETHER = 2**24
"""Elements of matrices that Muon steps at once: copies of more would fill the memory at the paper's scale."""


def make_optimisers(groups: Sequence[dict[str, Any]], recipe: StageRecipe) -> list[torch.optim.Optimizer]:
    """One or two optimisers that together train all parameters, at the recipe's rate.

    Args:
        groups: as of :meth:`durian.training.stages.stage.Stage.groups`.
        recipe: says which, and what groups do not say.
    """
    rest = groups
    made: list[torch.optim.Optimizer] = []
    if recipe.optimiser == "muon":
        matrices, rest = _those(groups, lambda weight: weight.ndim > 1), _those(groups, lambda weight: weight.ndim <= 1)
        if matrices:
            made.append(Muon(matrices, recipe.rate, recipe.weight_decay))
    if rest:
        made.append(torch.optim.AdamW(rest, recipe.rate, recipe.betas, weight_decay=recipe.weight_decay, fused=True))
    return made


def _those(groups: Sequence[dict[str, Any]], fits: Callable[[nn.Parameter], bool]) -> list[dict[str, Any]]:
    """Groups of only the parameters that fit; none that are empty."""
    kept = [{**group, "params": [weight for weight in group["params"] if fits(weight)]} for group in groups]
    return [group for group in kept if group["params"]]


class Muon(torch.optim.Optimizer):
    """Steps along the matrix closest to the gradient's momentum whose singular values are all 1.

    So a matrix learns in every direction at the same pace, and not mostly in the few that gradients prefer. A
    convolution counts as a matrix from all it sees to its output channels; torch's own Muon takes no convolutions.

    Args:
        parameters: of two dimensions or more, or groups of them.
        lr: rate, as AdamW's.
        weight_decay: share of the rate by which weights shrink in a step.
    """

    def __init__(self, parameters: Sequence[Any], lr: float, weight_decay: float = 0.01) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        # Matrices of one shape together: there are hundreds of small ones, and a GPU waits for each launch.
        for group in self.param_groups:
            alike: dict[torch.Size, list[nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault(weight.flatten(1).shape, []).append(weight)
            for shape, weights in alike.items():
                together = max(1, MOST_TOGETHER // shape.numel())
                for first in range(0, len(weights), together):
                    self._step_alike(weights[first : first + together], shape, group)

    def _step_alike(self, weights: list[nn.Parameter], shape: torch.Size, group: dict[str, float]) -> None:
        """Step weights that are matrices of one shape."""
        gradients = [weight.grad for weight in weights]
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        momenta = [self.state[weight]["momentum"] for weight in weights]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)
        steps = orthogonal(torch.stack([one.flatten(1) for one in ahead]))
        torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        rate = group["lr"] * LIKE_ADAM * max(shape) ** 0.5
        for weight, step in zip(weights, steps):
            weight.add_(step.reshape(weight.shape), alpha=-rate)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices of the same singular vectors with singular values between 0.7 and 1.2, ``(..., m, n)`` in bfloat16.

    Newton-Schulz iterations as in Muon (https://kellerjordan.github.io/posts/muon/): products alone, so it is fast
    where a decomposition is not. Values below a thousandth of the largest stay small.
    """
    a, b, c = QUINTIC
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    found = (matrices.mT if is_tall else matrices).bfloat16()
    found = found / (torch.linalg.vector_norm(found, dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        squares = found @ found.mT
        found = a * found + (b * squares + c * squares @ squares) @ found
    return found.mT if is_tall else found
